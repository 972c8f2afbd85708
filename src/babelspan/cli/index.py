"""`babelspan index`: make a folder of documents searchable."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import Json, counting, one_line
from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.jobs.collections import Checked
    from babelspan.jobs.index import Report

DAMAGED = 3
"""Exit code of --check if the collection is damaged, and of --strict if a file was skipped."""

Folders = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FOLDER…]", help="Folders of documents, with their subfolders, and single files."
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="INDEX",
        help="Folder of the collection, or `opensearch:https://HOST:PORT/NAME` for one on a "
        "server.",
    ),
]
Check = Annotated[
    str | None,
    typer.Option("--check", metavar="INDEX", help="Verify a collection and print a summary of it."),
]
Follow = Annotated[bool, typer.Option("--follow", help="Follow links inside folders.")]
Rehash = Annotated[
    bool, typer.Option("--rehash", help="Read all files, even if size and time are unchanged.")
]
Keep = Annotated[
    bool, typer.Option("--keep-missing", help="Keep files that are no longer in their folders.")
]
Prune = Annotated[
    bool, typer.Option("--prune", help="Allow more than half of the files to be removed.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="End with exit code 3 if a file cannot be read.")
]

_NAMED = 5
"""Maximum number of skipped files to name."""


def command(
    folders: Folders = None,
    *,
    out: Out = None,
    check: Check = None,
    follow: Follow = False,
    rehash: Rehash = False,
    keep_missing: Keep = False,
    prune: Prune = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Make a collection of documents for `ask --in`, or update it.

    Text (UTF-8), Markdown, HTML, PDF, DOCX and EPUB files are read. Run the same command again
    after documents have changed: only changed files are read again, and deleted ones are removed.
    Hidden files are skipped, and so are files that match a pattern in .babelspanignore at the top
    of a folder (one pattern per line).

    Files that cannot be read are named and do not stop the others. Exit code: 0 done, 2 error,
    3 the collection is damaged (--check) or a file was skipped (--strict).
    """
    if check is not None:
        if folders or out or any((follow, rehash, keep_missing, prune, strict)):
            raise ConfigError("--check takes a collection and no other option; leave out the rest")
        from babelspan.jobs.collections import check as read_all

        found = read_all(check)
        _show_checked(found, as_json=as_json)
        if found.faults:
            raise typer.Exit(DAMAGED)
        return
    if not folders:
        raise typer.BadParameter("expected a folder of documents, or --check INDEX")
    if out is None:
        raise typer.BadParameter("expected --out INDEX, the folder of the collection")
    from babelspan.jobs.collections import folder_of
    from babelspan.jobs.index import index

    folder = folder_of(out)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ConfigError(
            f"{out}: expected a folder for the collection, found a file; choose another"
        )
    with counting("files") as watch:
        report = index(
            folders,
            out,
            follow=follow,
            rehash=rehash,
            keep_missing=keep_missing,
            prune=prune,
            watch=watch,
        )
    _show(report, as_json=as_json)
    if strict and report.skipped:
        raise typer.Exit(DAMAGED)


def _show(report: "Report", *, as_json: bool) -> None:
    if as_json:
        record = {name: getattr(report, name) for name in report.__slots__}
        print(json.dumps(record, ensure_ascii=False, indent=1))
        return
    print(
        f"{report.added} files added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.removed} removed; {report.passages} passages read"
    )
    _name_skipped(report.skipped)


def _show_checked(found: "Checked", *, as_json: bool) -> None:
    if as_json:
        record = {name: getattr(found, name) for name in found.__slots__}
        print(json.dumps(record, ensure_ascii=False, indent=1))
        return
    print(f"{found.files} files, {found.passages} passages, digest {found.digest or 'unknown'}")
    languages = sorted(found.languages.items(), key=lambda pair: (-pair[1], pair[0]))
    if languages:
        print("passages by language: " + ", ".join(f"{name} {n}" for name, n in languages))
    _name_skipped(found.skipped)
    for fault in found.faults:
        print(f"babelspan: {one_line(fault)}", file=sys.stderr)


def _name_skipped(skipped: dict[str, str]) -> None:
    for name, reason in list(skipped.items())[:_NAMED]:
        print(f"babelspan: skipped {one_line(f'{name}: {reason}')}", file=sys.stderr)
    if len(skipped) > _NAMED:
        print(f"babelspan: skipped {len(skipped) - _NAMED} more files", file=sys.stderr)
