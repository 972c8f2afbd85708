"""A small version of the TyDi QA primary tasks: articles from real contexts, and three baselines.

    python experiments/tydi_primary.py make OUT FILES... [--seed 0] [--articles 100] [--most 60]
    python experiments/tydi_primary.py baselines ARTICLES OUT [--reader default]
    babelspan score ARTICLES OUT/words.jsonl --scorer tydi-primary

`make` writes OUT/train.jsonl.gz and OUT/test.jsonl.gz in the official format from files in the
SQuAD layout, with the same number of articles in each language. An article has 5 to `--most`
passages: the context of its question and contexts of other titles, in random order. A title is in
one of the two files only. One question in ten has no answer (its context is left out), and one in
ten each is turned into a question with the answer yes or no, by appending its answer or that of
another question ("Who built it? Horace Jones?").

`baselines` writes predictions: `first` chooses the first passage; `words` chooses the passage with
the most words of the question, weighted by their rarity in the article; `spans` runs a reader of
plain texts on the whole article and chooses the passage that contains its answer.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from math import log
from pathlib import Path
from typing import Any
from zlib import crc32

from babelspan.data.files import writing
from babelspan.data.folder import describe
from babelspan.data.tydi_articles import ByteOffsets, official, stream_articles
from babelspan.readers import DEFAULT, load_answerer
from babelspan.reading.answerer import Answerer
from babelspan.reading.articles import example_of
from babelspan.scoring.scorers.tydiqa import LANGUAGES
from babelspan.text.words import words
from babelspan.types import Article, Example, PrimaryAnswer, PrimaryQuestion, Span

FEWEST = 5
NAMES = {code: name for name, code in LANGUAGES.items()}


def records(
    examples: Sequence[Example], *, seed: int, count: int, most: int, first_id: int = 0
) -> Iterator[dict[str, Any]]:
    """Records in the official format, made from examples in one language."""
    rng = random.Random(f"{seed} {examples[0].context_language}")
    asked = rng.sample(examples, min(count, len(examples)))
    for number, example in enumerate(asked):
        kind = rng.choices(["none", "yes", "no", "span"], [1, 1, 1, 7])[0]
        others = [e.context for e in examples if e.title != example.title]
        distinct = sorted({*others} - {example.context})
        size = min(rng.randint(FEWEST, most), len(distinct))
        passages = rng.sample(distinct, size)
        at = rng.randrange(size)
        if kind != "none":
            passages[at] = example.context
        yield record(example, rng.choice(examples), kind, passages, at, identity=first_id + number)


def record(
    example: Example, other: Example, kind: str, passages: list[str], at: int, *, identity: int
) -> dict[str, Any]:
    """One record; the answer of another example is used for a question with the answer "no"."""
    text = "\n".join(passages)
    offsets = ByteOffsets(text)
    starts = [sum(len(p) + 1 for p in passages[:i]) for i in range(len(passages))]
    candidates = [
        dict(zip(("plaintext_start_byte", "plaintext_end_byte"), place, strict=True))
        for place in (
            offsets.place_of(Span(start, start + len(passage)))
            for start, passage in zip(starts, passages, strict=True)
        )
    ]
    answer = example.answers[0] if example.answers else None
    assert answer is not None and answer.span is not None
    place = (-1, -1)
    if kind == "span":
        place = offsets.place_of(Span(starts[at] + answer.span.start, starts[at] + answer.span.end))
    said = {"yes": answer.text, "no": (other.answers or (answer,))[0].text}.get(kind)
    annotation = {
        "passage_answer": {"candidate_index": -1 if kind == "none" else at},
        "minimal_answer": {"plaintext_start_byte": place[0], "plaintext_end_byte": place[1]},
        "yes_no_answer": kind.upper() if said is not None else "NONE",
    }
    return {
        "annotations": [annotation, annotation],  # an answer counts if two annotators found one
        "document_plaintext": text,
        "example_id": identity,
        "language": NAMES.get(example.context_language, example.context_language),
        "passage_answer_candidates": candidates,
        "question_text": example.question + (f" {said}?" if said is not None else ""),
    }


def make(out: Path, files: Sequence[Path], *, seed: int, count: int, most: int) -> None:
    """Write both files."""
    sets = [list(describe(path).examples()) for path in files]
    for name, is_test in (("train", False), ("test", True)):
        made = chain.from_iterable(
            records(
                [e for e in examples if (crc32(e.title.encode()) % 5 == 0) is is_test],
                seed=seed,
                count=count,
                most=most,
                first_id=1_000_000 * number + 500_000 * is_test,
            )
            for number, examples in enumerate(sets)
        )
        save(out / f"{name}.jsonl.gz", made)


def save(path: Path, lines: Iterator[dict[str, Any]]) -> None:
    """Write records, one per line."""
    with writing(path) as file:
        for line in lines:
            file.write((json.dumps(line, ensure_ascii=False) + "\n").encode())


def first_passage(article: Article) -> PrimaryAnswer:
    """Always the first passage."""
    return PrimaryAnswer(passage=0, place=None, yes_no=None)


def words_in_common(article: Article) -> PrimaryAnswer:
    """The passage with the most words of the question, weighted by rarity."""
    passages = [p and _words(p.of(article.text)) for p in article.passages]
    known = Counter(word for passage in passages for word in passage or ())
    asked = _words(article.question)
    scores = [
        sum(log((1 + len(passages)) / known[word]) for word in asked & (passage or set()))
        for passage in passages
    ]
    best = max(range(len(scores)), key=scores.__getitem__)
    return PrimaryAnswer(passage=best, place=None, yes_no=None, passage_score=scores[best])


def span_of_all(article: Article, answerer: Answerer) -> PrimaryAnswer:
    """The answer of a reader of plain texts, and the passage that it starts in."""
    (found,) = answerer.predict([example_of(article)])
    score = found.logit - found.no_answer_logit
    if found.span is None:
        return PrimaryAnswer(passage=None, place=None, yes_no=None)
    inside = [
        i for i, p in enumerate(article.passages) if p and p.start <= found.span.start < p.end
    ]
    return PrimaryAnswer(
        passage=inside[0] if inside else None,
        place=ByteOffsets(article.text).place_of(found.span),
        yes_no=None,
        passage_score=score,
        minimal_score=score,
    )


def _words(text: str) -> set[str]:
    return {span.of(text).casefold() for span in words(text, "und")}


def baselines(path: Path, out: Path, *, reader: str) -> None:
    """Write the predictions of all three baselines."""
    answerer = load_answerer(reader)
    ways = {
        "first": first_passage,
        "words": words_in_common,
        "spans": lambda article: span_of_all(article, answerer),
    }
    for name, way in ways.items():
        answers = (
            PrimaryQuestion(id=a.id, language=a.language, answers=(way(a),))
            for a in stream_articles(path)
        )
        save(out / f"{name}.jsonl", map(official, answers))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser("make")
    making.add_argument("out", type=Path)
    making.add_argument("files", type=Path, nargs="+")
    making.add_argument("--seed", type=int, default=0)
    making.add_argument("--articles", type=int, default=100, help="of each language and file")
    making.add_argument("--most", type=int, default=60, help="passages of an article")
    answering = verbs.add_parser("baselines")
    answering.add_argument("articles", type=Path)
    answering.add_argument("out", type=Path)
    answering.add_argument("--reader", default=DEFAULT)
    given = parser.parse_args()
    if given.verb == "make":
        make(given.out, given.files, seed=given.seed, count=given.articles, most=given.most)
    else:
        baselines(given.articles, given.out, reader=given.reader)


if __name__ == "__main__":
    main()
