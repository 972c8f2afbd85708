"""The page of the command line, made of the commands themselves."""

import html
import re
from typing import Any

import typer

from babelspan.cli.main import app


def reference() -> str:
    """What `babelspan --help` and the help of every verb say, in Markdown."""
    root: Any = typer.main.get_command(app)
    parts = ["# Command line\n", _paragraph(root.help), _options(root)]
    for verb in root.commands.values():
        parts += _described(verb, f"babelspan {verb.name}", level=2)
    return "\n".join(parts)


def _described(command: Any, name: str, *, level: int) -> list[str]:
    parts = [f"{'#' * level} {name}\n", _paragraph(command.help)]
    inner = getattr(command, "commands", {})
    if not inner:
        parts += [f"```text\n{_usage(command, name)}\n```\n", _options(command)]
    for verb in inner.values():
        parts += _described(verb, f"{name} {verb.name}", level=level + 1)
    return parts


def _paragraph(text: str | None) -> str:
    return _marked(html.escape((text or "").replace("\b\n", ""))) + "\n"


def _usage(command: Any, name: str) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    return f"{name} " + " ".join(command.collect_usage_pieces(context))


def _options(command: Any) -> str:
    context = command.make_context("babelspan", [], resilient_parsing=True)
    records = filter(None, (p.get_help_record(context) for p in command.params))
    rows = [f"| <code>{_cell(name)}</code> | {_marked(_cell(said))} |" for name, said in records]
    return "\n".join(["| argument or option | meaning |", "|---|---|", *rows, ""])


def _cell(text: str) -> str:
    text = re.sub(r" <[A-Za-z\[\] ]+>$", "", text)  # the Python type of an argument
    return html.escape(text).replace("|", "&#124;").replace("\n", " ")


def _marked(text: str) -> str:
    """The text with its options as code, but for those in backticks, which are code already."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"(?<![\w-])--[a-z][\w-]*", r"<code>\g<0></code>", p) for p in parts[::2]]
    return "`".join(parts)
