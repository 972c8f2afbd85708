"""Make the pictures anew: a terminal with first answers, a real matrix, the page of the service.

    python docs/_site/pictures.py            # `make pictures`; about three minutes

Run it after a change of the default reader, of what `ask` prints or of the page. The page is
pictured where there is a browser (Debian: `apt-get install chromium fonts-noto-core`).
"""

import base64
import html
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import chromium  # noqa: E402

IMAGES = ROOT / "docs" / "images"
ASKED = [
    ("Wann wurde der Suezkanal eröffnet?", "suez-canal.hi.txt"),
    ("Who proposed the World Wide Web in 1989?", "world-wide-web.es.txt"),
    ("In what year did Alexander Fleming notice the mould?", "penicillin.de.txt"),
]
"""Question and sample text, each in a language of its own."""
COLUMNS = 96
NO_BREAK = "\N{NO-BREAK SPACE}"  # SVG runs other spaces together
LINE, WIDTH, EDGE = 21, 8.45, 18
"""Height of a line, width of a character and margin, in pixels at 14 pixels a letter."""
PAGE = 960
"""Width of the picture of the page, in pixels."""
ANSWERED = """new Promise((done) => {
  byId("examples").querySelectorAll("button")[1].click();
  const look = setInterval(async () => {
    if (asking || byId("results").hidden) return;
    clearInterval(look);
    await open(0);
    document.activeElement.blur();
    scrollTo(0, 0);
    done([document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
  }, 50);
})"""
"""Asks the second question of the page's examples, opens its text, and gives the page's size."""


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


def page(folder: Path) -> bytes:
    """A PNG of the page with an answer, asked of a service in a process of its own."""
    command = [sys.executable, "-m", "babelspan", "serve", "--port", "0"]
    feedback = ["--feedback", str(folder / "feedback.jsonl")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([*command, *feedback], **pipes) as service:
        browser = chromium.Chromium(folder / "profile")
        try:
            browser.open(service.stdout.readline().strip(), width=PAGE)
            width, height = browser.run(ANSWERED)
            area = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
            options = {"format": "png", "captureBeyondViewport": True, "clip": area}
            return base64.b64decode(browser._call("Page.captureScreenshot", **options)["data"])
        finally:
            browser.close()
            service.terminate()


def main() -> None:
    """Write the pictures into `docs/images`."""
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
        if chromium.binary() is None:
            print("page.png is left as it is: there is no browser")
        else:
            (IMAGES / "page.png").write_bytes(page(folder))


if __name__ == "__main__":
    main()
