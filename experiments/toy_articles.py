"""Make articles, question variants and bitext of the toy world, for `reproduce faisal2021`.

    python experiments/toy_world.py OUT
    python experiments/toy_articles.py OUT [--seed 0]

OUT/articles/<split>.<pair>.jsonl.gz   articles of four stories in the official form of TyDi QA;
                                       questions in the first language of the pair. One in eight has
                                       no answer. Questions about articles in one language are not
                                       translations of those in another, as in TyDi QA
OUT/bitext/world.qaa-*.tsv.gz          sentences with their translations and exact word links, of
                                       stories that are in no other set
OUT/spoken/qab.tsv                     the test's English (qaa) questions over articles in qab, as
                                       written (gold) and with a fifth of the words replaced (asr)

Existing parts are not made again.
"""

import argparse
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).resolve().parent))

from toy_world import CODES, DEV, OTHERS, OWN, SHARED_NAMES, TEST, TRAIN
from tydi_primary import record, save

from babelspan.data.files import write_whole
from babelspan.text.words import words
from babelspan.types import Example
from world import MARKS, World

STORIES = 4
"""Passages per article."""
ASKED = (OWN, *OTHERS[:2])
"""Languages of questions and articles; the last language has bitext only."""
BITEXT = 9  # the seed of its stories


class Sizes(NamedTuple):
    """Number of articles of each language in a set, and of sentence pairs of each language."""

    train: int = 2000
    held_out: int = 200
    bitext: int = 4000


FULL = Sizes()


def make(out: Path, *, seed: int = 0, sizes: Sizes = FULL) -> None:
    """Write all parts that are missing in `out`."""
    world = World(seed, shared_names=SHARED_NAMES)
    for split, of_split in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        count = sizes.train if split == "train" else sizes.held_out
        for question, context in pairs():
            name = "-".join(dict.fromkeys((CODES[question], CODES[context])))
            path = out / "articles" / f"{split}.{name}.jsonl.gz"
            if not path.exists():
                save(path, articles(world, question, context, of_split, count))
    for language in OTHERS:
        path = out / "bitext" / f"world.{CODES[OWN]}-{CODES[language]}.tsv.gz"
        if not path.exists():
            write_whole(path, "".join(linked(world, language, sizes.bitext)))
    spoken = out / "spoken" / f"{CODES[ASKED[1]]}.tsv"
    if not spoken.exists():
        write_whole(spoken, "".join(heard(world, ASKED[1], sizes.held_out)))


def pairs() -> Iterator[tuple[str, str]]:
    """Language pairs of question and article: the same language, or one of them the first."""
    for language in ASKED:
        yield language, language
    for other in ASKED[1:]:
        yield OWN, other
        yield other, OWN


def articles(
    world: World, question: str, context: str, split: int, count: int
) -> Iterator[dict[str, Any]]:
    """Records about articles in one language, which are the same for all question languages."""
    for number, stories in enumerate(stories_of(world, question, context, split, count)):
        rng = random.Random(f"{split} {context} {number}")
        kind = rng.choices(["none", "span"], [1, 7])[0]
        at = rng.randrange(STORIES)
        passages = [story.context for story in stories[1:STORIES]]
        passages.insert(at, stories[0 if kind == "span" else STORIES].context)
        asked = stories[0]
        yield record(asked, asked, kind, passages, at, identity=number)


def stories_of(
    world: World, question: str, context: str, split: int, count: int
) -> Iterator[list[Example]]:
    """The stories of each article: the one asked about, the others, and a replacement."""
    width = STORIES + 1
    first = ASKED.index(context) * count * width
    stories = world.examples(first + count * width, question, context, seed=split)[first:]
    for number in range(count):
        yield stories[number * width : (number + 1) * width]


def linked(world: World, language: str, count: int) -> Iterator[str]:
    """Lines of bitext: a sentence, its translation, and the links of their words."""
    forms = world.dictionary(language, OWN)
    for number in range(count):
        facts = world.story(f"{BITEXT}-{number}").facts
        fact = facts[number % len(facts)]
        one, other = world.tell(fact, OWN), world.tell(fact, language)
        ours, theirs = ([span.of(text) for span in words(text, "und")] for text in (one, other))
        links = [
            f"{i}-{j}"
            for j, word in enumerate(theirs)
            for i, own in enumerate(ours)
            if forms.get(word) == own
        ]
        yield f"{one}\t{other}\t{' '.join(links)}\n"


def heard(world: World, context: str, count: int) -> Iterator[str]:
    """A table of the test's questions as written, and with simulated speech recognition errors."""
    known = [word for word in world.words(OWN) if word not in MARKS]
    rng = random.Random("heard")
    yield "id\tgold\tasr\n"
    for number, (asked, *_) in enumerate(stories_of(world, OWN, context, TEST, count)):
        said = re.sub(
            r"\w+", lambda m: rng.choice(known) if rng.random() < 0.2 else m[0], asked.question
        )
        yield f"{number}\t{asked.question}\t{said}\n"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    make(wanted.out, seed=wanted.seed)


if __name__ == "__main__":
    main()
