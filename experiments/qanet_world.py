"""Make the data for `babelspan reproduce lee2019 --scale toy`.

    python experiments/qanet_world.py OUT [--seed 0] [--source 8000]

OUT/train.qaa.json.gz           labelled examples of the source
OUT/target.qad.json.gz          labelled examples of the target, other stories
OUT/words/train.qad.json.gz     word-by-word translations of the source, in its word order
OUT/exact/train.qad.json.gz     exact translations of the source
OUT/exact.qaa-qad.tsv.gz        a dictionary of all words for which the target has a word
OUT/gaps.qaa-qad.tsv.gz         the same with 30 % of its words left out
OUT/shuffled.qaa-qad.tsv.gz     the same with its translations shuffled: a control
OUT/test/test.qad.json.gz       the test set
OUT/test/test.qaa.json.gz       its questions and texts in the source language

The languages L0 and L3 of the world of `tests/world.py` have the codes qaa and qad. Nothing is
pretrained.
"""

import argparse
import random
import sys
from dataclasses import replace
from pathlib import Path

from babelspan.data.files import write_whole
from babelspan.data.squad import save_squad
from babelspan.text.words import words
from babelspan.types import Answer, Example

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from world import World

SOURCE, TARGET = "L0", "L3"
CODES = {SOURCE: "qaa", TARGET: "qad"}
TRAIN, LABELLED, TEST = 1, 4, 3  # seeds of examples
SOURCE_EXAMPLES, TARGET_EXAMPLES, TESTED = 8_000, 8_000, 500
GAPS = 0.3


def make(out: Path, *, seed: int = 0, examples: int = SOURCE_EXAMPLES) -> None:
    """Write all files."""
    world = World(seed)
    source = world.examples(examples, SOURCE, SOURCE, seed=TRAIN)
    exact = world.translations(examples, TARGET, TARGET, seed=TRAIN)
    target = world.examples(TARGET_EXAMPLES, TARGET, TARGET, seed=LABELLED)
    pairs = sorted(world.dictionary(SOURCE, TARGET).items())
    of = dict(pairs)
    save(out / "train.qaa.json.gz", source)
    save(out / "target.qad.json.gz", target)
    save(out / "exact" / "train.qad.json.gz", exact)
    save(out / "words" / "train.qad.json.gz", [word_by_word(e, of) for e in source])
    for language in (SOURCE, TARGET):
        tested = world.examples(TESTED, language, language, seed=TEST)
        save(out / "test" / f"test.{CODES[language]}.json.gz", tested)
    rng = random.Random(seed)
    dealt = [translation for _, translation in pairs]
    rng.shuffle(dealt)
    save_pairs(out / "exact.qaa-qad.tsv.gz", pairs)
    save_pairs(out / "gaps.qaa-qad.tsv.gz", [pair for pair in pairs if rng.random() >= GAPS])
    save_pairs(
        out / "shuffled.qaa-qad.tsv.gz",
        [(word, other) for (word, _), other in zip(pairs, dealt, strict=True)],
    )


def word_by_word(example: Example, of: dict[str, str]) -> Example:
    """An example with question and context translated word by word."""
    (answer,) = example.answers or ()
    assert answer.span is not None
    before, after = example.context[: answer.span.start], example.context[answer.span.end :]
    text = rendered(answer.text, of)
    start = len(rendered(before, of))
    return replace(
        example,
        id=f"{example.id}-words",
        question=rendered(example.question, of),
        context=rendered(before, of) + text + rendered(after, of),
        answers=(Answer(text, start),),
        question_language=TARGET,
        context_language=TARGET,
        origin=example.id,
        strategy="T(Q+C)",
    )


def rendered(text: str, of: dict[str, str]) -> str:
    """A text with each word replaced by its translation."""
    made, end = "", 0
    for place in words(text, "en"):
        made += text[end : place.start] + of.get(place.of(text), place.of(text))
        end = place.end
    return made + text[end:]


def save(path: Path, examples: list[Example]) -> None:
    """Write examples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_squad(path, examples)


def save_pairs(path: Path, pairs: list[tuple[str, str]]) -> None:
    """Write a dictionary."""
    write_whole(path, "".join(f"{word}\t{translation}\n" for word, translation in pairs))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--source", type=int, default=SOURCE_EXAMPLES, help="labelled examples of it"
    )
    given = parser.parse_args()
    make(given.out, seed=given.seed, examples=given.source)
