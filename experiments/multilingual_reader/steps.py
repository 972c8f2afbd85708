"""The steps of the multilingual reader apart: what does each of them gain at equal updates?

    python experiments/multilingual_reader/steps.py --data DATA --english FOLDER --start FOLDER \
        --out FOLDER [--rows distillation,cloze,...] [--updates 300]

START has the folder `pieces`, `pairs.npz` and `dictionaries.json` of `links.py` and `pack.py`.
OUT gets `start`, the English reader with the vocabulary of the reader in the package and no
training. Every row begins there and has the same number of updates; its reader is
`<out>/<row>/reader`, exported as the one in the package is. Rows that are finished are not run
again. Rates are constant after a warm-up in the rows of `TASKS`; those of `ALONE` have the schedule
of their recipes.

The rows with one step are those of `ALONE`, by the methods of the package, and of `TASKS`; the
other rows of `TASKS` add one part of the training mixture after another.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import corpora

from babelspan.data.files import read_json, read_text, write_json, write_whole
from babelspan.readers import DEFAULT_FOLDER
from babelspan.types import SentencePair

HERE = Path(__file__).resolve().parent
NATIVE = {"crossed": 0, "switched": 0, "elsewhere": 0, "glossed": 0}
TASKS = {
    "distillation": ("distillation", {}),
    "cloze": ("cloze", {}),
    "native": ("questions", NATIVE),
    "distillation-cloze": ("distillation,cloze", {}),
    "and-native": ("distillation,cloze,questions", NATIVE),
    "and-crossed": ("distillation,cloze,questions", {"switched": 0, "elsewhere": 0, "glossed": 0}),
    "and-switched": ("distillation,cloze,questions", {"elsewhere": 0, "glossed": 0}),
    "and-elsewhere": ("distillation,cloze,questions", {"glossed": 0}),
    "and-glossed": ("distillation,cloze,questions", {}),
}
"""Row -> tasks of `train.py`, and shares of kinds of questions that are not its defaults."""
ALIGNMENT = ("word_alignment", "faisal2021/word_alignment", ["method.reader.lr=1e-4"])
ALONE = {
    "aligned-s": (*ALIGNMENT, "s"),
    "aligned-m": (*ALIGNMENT, "m"),
    "aligned-l": (*ALIGNMENT, "l"),
    "aligned-l-balanced": (*ALIGNMENT[:2], [*ALIGNMENT[2], "method.balance.exponent=0.2"], "l"),
    "plain-text": ("masked_language", "minilm/masked_language", [], "texts"),
}
"""Row -> method, recipe, settings, and what it learns from."""
SIZES = {"s": 50, "m": 250, "l": 4_000}
"""Maximum number of sentence pairs for each language."""
LINES = 2_000
"""Maximum number of lines of plain text for each language."""
RATE = 1e-4


def babelspan(*arguments: object) -> None:
    """Run a command of the package."""
    subprocess.run([sys.executable, "-m", "babelspan", *map(str, arguments)], check=True)


def program(name: str, *arguments: object) -> None:
    """Run a program of this folder."""
    subprocess.run([sys.executable, HERE / f"{name}.py", *map(str, arguments)], check=True)


def prepare(given: argparse.Namespace) -> None:
    """Write the untrained reader, the bitext with links in three sizes, and plain text."""
    start = given.out / "start"
    start.mkdir(parents=True, exist_ok=True)
    for name in ("pieces", "pairs.npz", "dictionaries.json"):
        if not (start / name).exists():
            (start / name).symlink_to((given.start / name).resolve())
    if not (start / "start.json").exists():  # written last
        shutil.copy(DEFAULT_FOLDER / "tokenizer.json", start)
        program("start", "--data", given.data, "--english", given.english, "--out", start)
    for language in corpora.LANGUAGES:
        if language != "en":
            link(given.data, given.out, language)
        lines = [t for t in corpora.plain_texts(given.data, language) if t.strip()][:LINES]
        write(given.out / "texts" / f"plain.{language}.txt.gz", lines)


def link(data: Path, out: Path, language: str) -> None:
    """Write the linked bitext of a language; a smaller size is the beginning of a larger one."""
    name = f"some.en-{language}.tsv.gz"
    found = list(
        dict.fromkeys(
            p for _, pairs in corpora.bitext(data, language) for p in pairs if one_line(p)
        )
    )
    if not found or (out / "s" / name).exists():
        return
    write(out / "bitext" / name, [f"{p.source}\t{p.target}" for p in found[: SIZES["l"]]])
    linked = out / "l" / name
    linked.parent.mkdir(exist_ok=True)
    babelspan("align", out / "bitext" / name, "--out", linked)
    lines = read_text(linked).splitlines()
    for size in ("m", "s"):
        write(out / size / name, lines[: SIZES[size]])


def one_line(pair: SentencePair) -> bool:
    """Whether both sides can be written to a table."""
    return not any(c in side for side in (pair.source, pair.target) for c in "\t\n\r")


def write(path: Path, lines: list[str]) -> None:
    """Write lines to a compressed file, unless there are none."""
    if lines and not path.exists():
        write_whole(path, "".join(f"{line}\n" for line in lines))


def train(given: argparse.Namespace, row: str, learnt: Path) -> Path:
    """Train a row; returns its checkpoint."""
    start: Path = given.out / "start"
    if row == "untrained":
        return start
    if row in ALONE:
        method, recipe, settings, source = ALONE[row]
        kind = "--texts" if source == "texts" else "--bitext"
        settings = [*settings, f"updates={given.updates}", "precision=bf16", "threads=1", "seed=1"]
        sets = [part for s in settings for part in ("--set", s)]
        babelspan(
            "train", method, "--recipe", recipe, "--reader", start,
            kind, given.out / source, "--out", learnt, *sets,
        )  # fmt: skip
        return learnt
    tasks, shares = TASKS[row]
    sets = [part for name, share in shares.items() for part in ("--set", f"{name}={share}")]
    program(
        "train", "--data", given.data, "--english", given.english, "--start", start,
        "--run", learnt, "--precision", "bf16", "--seed", 1, "--alone", 0, "--rate", RATE,
        "--updates", given.updates, "--tasks", tasks, *sets,
    )  # fmt: skip
    return learnt / "average"


def main(given: argparse.Namespace) -> None:
    """Train and export the rows.

    Raises:
        SystemExit: if a row was made with another number of updates.
    """
    prepare(given)
    for row in given.rows:
        made = given.out / row / "made.json"
        settings = {"updates": given.updates}
        if not made.exists():
            checkpoint = train(given, row, given.out / row / "learnt")
            program("package", "--checkpoint", checkpoint, "--out", given.out / row / "reader")
            write_json(made, settings)
        elif read_json(made) != settings:
            raise SystemExit(f"{made}: expected {settings}, found others; choose another --out")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for folder in ("data", "english", "start", "out"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    rows = ["untrained", *ALONE, *TASKS]
    parser.add_argument("--rows", type=lambda names: names.split(","), default=rows)
    parser.add_argument("--updates", type=int, default=300)
    main(parser.parse_args())
