"""`babelspan serve`: questions over HTTP, and a page that asks them."""

from pathlib import Path
from typing import Annotated

import typer

Host = Annotated[
    str, typer.Option("--host", help="Address to listen at; a public one needs --token-file.")
]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")
]
ReaderNames = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        metavar="[NAME=]R",
        help="A reader, as in `babelspan ask`; several have names, and the first one answers where "
        "a request names none. [default: default]",
    ),
]
ReadingWorkers = Annotated[
    int, typer.Option("--workers", min=0, help="Windows read side by side; 0 for one a core.")
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help="Holds the token that requests must bring."),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="Another name that the service goes by."),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-origin", metavar="URL", help="Other pages that may ask, as https://example.org."
    ),
]
Within = Annotated[
    float,
    typer.Option("--within", min=0.1, max=600, help="Seconds for a question that does not say."),
]
QueueWindows = Annotated[
    int, typer.Option("--queue-windows", min=1, help="Windows of text that may wait to be read.")
]
QueueMib = Annotated[
    int, typer.Option("--queue-mib", min=1, help="MiB of text that requests may hold together.")
]
Rate = Annotated[
    int | None,
    typer.Option("--rate", min=1, metavar="N", help="Windows a minute for a client, at most."),
]
FeedbackFile = Annotated[
    Path | None,
    typer.Option(
        "--feedback", metavar="FILE", help="Keep judgements of answers here, as training data."
    ),
]
Grace = Annotated[
    float, typer.Option("--grace", min=1, help="Seconds to finish what runs when told to stop.")
]
RootPath = Annotated[
    str, typer.Option("--root-path", metavar="PATH", help="Where a proxy has put the service.")
]
LogTexts = Annotated[bool, typer.Option("--log-texts", help="Log questions, too.")]


def command(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8017,
    reader: ReaderNames = None,
    workers: ReadingWorkers = 0,
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
    """Answer questions over HTTP, and show a page that asks them.

    Prints the address once it can be asked; logs go to standard error, a line of JSON each,
    without texts. SIGTERM or Ctrl-C lets what was accepted finish; SIGHUP loads the readers and the
    token anew.
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
    settings.token()  # what is wrong with it is said before readers are loaded
    sources = named_sources(reader or ["default"])
    service = Service(settings, Readers(sources, workers=workers))
    Server(service, lambda address: print(address, flush=True)).serve_until_told()
