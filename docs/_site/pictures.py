"""Make the pictures of the README anew: a terminal with first answers, and a real matrix.

    python docs/_site/pictures.py            # `make pictures`; about three minutes

Run it after a change of the default reader or of what `ask` prints.
"""

import html
import os
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parents[1] / "images"
ASKED = [
    ("Wann wurde der Suezkanal eröffnet?", "suez-canal.zh.txt"),
    ("Who proposed the World Wide Web in 1989?", "world-wide-web.es.txt"),
    ("In what year did Alexander Fleming notice the mould?", "penicillin.de.txt"),
]
"""Question and sample text, each in a language of its own."""
COLUMNS = 96
NO_BREAK = "\N{NO-BREAK SPACE}"  # SVG runs other spaces together
LINE, WIDTH, EDGE = 21, 8.45, 18
"""Height of a line, width of a character and margin, in pixels at 14 pixels a letter."""


def babelspan(*arguments: str, folder: Path) -> str:
    """What a command prints on a terminal of `COLUMNS` columns."""
    return subprocess.run(
        [sys.executable, "-m", "babelspan", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": str(COLUMNS), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def terminal(lines: list[str]) -> str:
    """An SVG of lines on a terminal; those that begin with `$` are commands, and bright."""
    width, height = COLUMNS * WIDTH + 2 * EDGE, len(lines) * LINE + 2 * EDGE
    rows = "\n".join(
        f'<text x="{EDGE}" y="{EDGE + 15 + i * LINE}" fill="{_colour(line)}">'
        f"{html.escape(line).replace(' ', NO_BREAK)}</text>"
        for i, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">\n'
        f'<rect width="{width:g}" height="{height}" rx="8" fill="#1d2430"/>\n{rows}\n</svg>\n'
    )


def _colour(line: str) -> str:
    return "#7fd6c2" if line.startswith("$") else "#9aa7b8" if line.startswith(" ") else "#ffffff"


def _shortened(line: str) -> str:
    """The line where it fits the terminal; Chinese letters take two columns."""
    columns = 0
    for i, letter in enumerate(line):
        columns += 2 if letter >= "\u2e80" else 1
        if columns > COLUMNS:
            return line[: i - 2].rstrip() + "…"
    return line


def main() -> None:
    """Write both pictures into `docs/images`."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        babelspan("samples", "samples", folder=folder)
        lines = []
        for question, text in ASKED:
            lines.append(f'$ babelspan ask "{question}" {text}')
            answer = babelspan("ask", question, text, folder=folder / "samples" / "texts")
            lines += [_shortened(line) for line in answer.splitlines()]
        (IMAGES / "first-answers.svg").write_text(terminal(lines), encoding="utf-8")
        babelspan(
            *("evaluate", "default", "samples/qa", "--cross"),
            *("--report", "matrix.png"),
            folder=folder,
        )
        (IMAGES / "matrix.png").write_bytes((folder / "matrix.png").read_bytes())


if __name__ == "__main__":
    main()
