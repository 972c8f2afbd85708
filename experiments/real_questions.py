"""Real data for a question generator: labelled questions, and texts to ask about.

Used in docs/results/riabi2021.md.

    python experiments/real_questions.py --data DATA --out OUT

DATA is the folder of data sets that `BABELSPAN_DATA` names. OUT gets

    train/       English SQuAD, SQuAD-es and native sets, without the held-back articles
    some/        3,000 of the English questions, to translate with `babelspan translate`
    held/        500 English and 200 Spanish questions of articles that are held back, and 200
                 each in Arabic and Chinese
    texts/       paragraphs to ask about, in eight languages of XQuAD

No paragraph of XQuAD is used. Some articles of the Arabic and Chinese sets in held/ are also in
train/, with other questions.
"""

import argparse
import gzip
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from babelspan.data.squad import load_squad, save_squad
from babelspan.types import Example

SQUAD = ("squad", "train-without-xquad", "en")
NATIVE = [
    ("arcd", "train", "ar"), ("cmrc2018", "trial", "zh"), ("drcd", "test-first-half", "zh"),
    ("iapp", "train", "th"), ("jaquad", "train", "ja"), ("piaf", "train", "fr"),
    ("pquad", "valid", "fa"), ("tydiqa", "train", "id"), ("tydiqa", "train", "ko"),
    ("tydiqa", "train", "sw"),
]  # fmt: skip
HELD = [("arcd", "test", "ar"), ("drcd", "dev", "zh")]
TEXTS = ("ar", "de", "en", "es", "hi", "ru", "vi", "zh")
MOST = {"zh": 1_800}
SENTENCES = 5


def place(text: str) -> str:
    """A place in an order that looks random and depends on the text only."""
    return hashlib.sha256(text.encode()).hexdigest()


def placed(path: Path, language: str) -> list[Example]:
    """The questions of a file whose first answer is in its place, in the order of the file."""
    loaded = load_squad(
        path, question_language=language, context_language=language, keep_misplaced=True
    )
    return [e for e in loaded if e.answers and e.answers[0].span is not None]


def examples_of(data: Path, name: str, split: str, language: str) -> list[Example]:
    """Answerable questions of a set whose answers are in place, in an order by hash."""
    path = data / "qa" / name / f"{split}.{language}.json.gz"
    return sorted(placed(path, language), key=lambda e: place(e.id))


def saved(folder: Path, name: str, language: str, examples: Iterable[Example]) -> None:
    """Write examples to a file of a folder, those of one text together."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(examples, key=lambda e: (e.title, e.context, e.id))
    save_squad(folder / f"{name}.{language}.json.gz", ordered)
    print(f"{folder.name}/{name}.{language}: {len(ordered)}")


def held_back(english: Sequence[Example]) -> set[str]:
    """Titles of articles, by hash, that together have 700 questions or more."""
    titles: set[str] = set()
    count = 0
    for title in sorted({e.title for e in english}, key=place):
        if count >= 700:
            break
        titles.add(title)
        count += sum(e.title == title for e in english)
    return titles


def main() -> None:
    """Write the folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    wanted = parser.parse_args()
    data, out = wanted.data, wanted.out

    english = examples_of(data, *SQUAD)
    titles = held_back(english)
    away = {e.id for e in english if e.title in titles}
    kept = [e for e in english if e.id not in away]
    spanish = examples_of(data, "squad-es", "train-without-xquad", "es")
    saved(out / "train", "squad", "en", kept)
    saved(out / "some", "squad", "en", kept[:3_000])
    saved(out / "train", "squad-es", "es", [e for e in spanish if e.id not in away])
    for name, split, language in NATIVE:
        most = MOST.get(language, 1_000)
        saved(out / "train", name, language, examples_of(data, name, split, language)[:most])
    saved(out / "held", "squad", "en", [e for e in english if e.id in away][:500])
    saved(out / "held", "squad-es", "es", [e for e in spanish if e.id in away][:200])
    for name, split, language in HELD:
        saved(out / "held", name, language, examples_of(data, name, split, language)[:200])

    texts = out / "texts"
    saved(texts, "tydiqa", "en", examples_of(data, "tydiqa", "train", "en")[:1_000])
    for language in TEXTS:
        with gzip.open(
            data / "text" / f"covidwiki.{language}.txt.gz", "rt", encoding="utf-8"
        ) as lines:
            sentences = [line.strip() for line in lines]
        paragraphs = [
            " ".join(sentences[i : i + SENTENCES]) for i in range(0, len(sentences), SENTENCES)
        ]
        (texts / f"covidwiki.{language}.txt").write_text("\n\n".join(paragraphs), encoding="utf-8")
        print(f"texts/covidwiki.{language}: {len(paragraphs)}")


if __name__ == "__main__":
    main()
