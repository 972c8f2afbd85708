"""`babelspan serve`: answer questions over HTTP, with a web page to ask them."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.service.collections import Collection

Host = Annotated[
    str, typer.Option("--host", help="Address to listen on; a public one needs --token-file.")
]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")
]
ReaderNames = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        metavar="[NAME=]R",
        help="A reader, as in `babelspan ask`; repeatable if named. A request that names none gets "
        "the first. [default: default]",
    ),
]
Indexes = Annotated[
    list[str] | None,
    typer.Option(
        "--in",
        metavar="[NAME=]INDEX",
        help="A collection made by `babelspan index`, for the page and for requests to search; "
        "repeatable.",
    ),
]
Translator = Annotated[
    str | None,
    typer.Option(
        "--translator",
        help="Translator to find passages in other languages, as in `babelspan ask --in`. "
        "[default: the dictionaries of the package]",
    ),
]
ReadingWorkers = Annotated[
    int, typer.Option("--workers", min=0, help="Windows read in parallel; 0: one per core.")
]
ReadingOn = Annotated[
    Literal["local", "ray"],
    typer.Option(
        "--on", help="Where to read windows: this machine, or a Ray cluster (a process per worker)."
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="File with the token that every request must send."
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host", metavar="NAME", help="Further host name of the service; repeatable."
    ),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-origin",
        metavar="URL",
        help="Web origin that may call the service, such as https://example.org; repeatable.",
    ),
]
Within = Annotated[
    float,
    typer.Option(
        "--within",
        min=0.1,
        max=600,
        help="Time limit for a question in seconds, unless the request sets one.",
    ),
]
QueueWindows = Annotated[
    int, typer.Option("--queue-windows", min=1, help="Maximum number of windows in the queue.")
]
QueueMib = Annotated[
    int,
    typer.Option(
        "--queue-mib", min=1, help="Maximum memory for the texts of all requests, in MiB."
    ),
]
Rate = Annotated[
    int | None,
    typer.Option("--rate", min=1, metavar="N", help="Maximum windows per minute and client."),
]
FeedbackFile = Annotated[
    Path | None,
    typer.Option(
        "--feedback",
        metavar="FILE",
        help="Save users' judgements of answers to this file, as training data.",
    ),
]
Grace = Annotated[
    float,
    typer.Option("--grace", min=1, help="Seconds to finish running requests before stopping."),
]
RootPath = Annotated[
    str,
    typer.Option(
        "--root-path",
        metavar="PATH",
        help="Path prefix under which a proxy serves Babelspan, such as /qa.",
    ),
]
LogTexts = Annotated[bool, typer.Option("--log-texts", help="Log questions, too.")]


def command(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8017,
    reader: ReaderNames = None,
    indexes: Indexes = None,
    translator: Translator = None,
    workers: ReadingWorkers = 0,
    on: ReadingOn = "local",
    token_file: TokenFile = None,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    within: Within = 30.0,
    queue_windows: QueueWindows = 4096,
    queue_mib: QueueMib = 256,
    rate: Rate = None,
    feedback: FeedbackFile = None,
    grace: Grace = 30.0,
    root_path: RootPath = "",
    log_texts: LogTexts = False,
) -> None:
    """Answer questions over HTTP, with a web page to ask them.

    Prints its address when it is ready. Logs go to standard error, one JSON line per request,
    without texts. On SIGTERM or Ctrl-C it finishes the accepted requests and stops; on SIGHUP it
    reloads the readers and the token.
    """
    from babelspan.service.answering import Service, named_sources
    from babelspan.service.readers import Readers
    from babelspan.service.server import Server
    from babelspan.service.settings import Settings

    settings = Settings(
        host=host,
        port=port,
        token_file=token_file,
        hosts=tuple(allow_host or ()),
        origins=tuple(allow_origin or ()),
        within=within,
        queue_windows=queue_windows,
        queue_mib=queue_mib,
        rate=rate,
        feedback=feedback,
        grace=grace,
        root_path=root_path,
        log_texts=log_texts,
    )
    settings.token()  # report a bad token file before the readers are loaded
    sources = named_sources(reader or ["default"])
    collections = _opened(indexes or [], translator)
    service = Service(settings, Readers(sources, workers=workers, on=on), collections)
    gc.collect()
    gc.freeze()  # loaded objects stay: scanning them for garbage would delay all requests
    Server(service, lambda address: print(address, flush=True)).serve_until_told()


def _opened(indexes: list[str], translator: str | None) -> "dict[str, Collection]":
    """Open the collections by name; the extra `index` is needed only if there are any."""
    if not indexes:
        if translator is not None:
            raise ConfigError("--translator needs --in; leave it out")
        return {}
    from babelspan.service.answering import named_sources
    from babelspan.service.collections import opened

    return opened(named_sources(indexes, "--in"), translator)
