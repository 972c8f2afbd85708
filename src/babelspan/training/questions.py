"""Labelled examples as a stream of questions for a question generator."""

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from babelspan.networks.asked import Asked
from babelspan.networks.question_generator import QuestionGenerator
from babelspan.reading.sources import Source
from babelspan.training.run import Run
from babelspan.training.spool import Spool
from babelspan.training.stream import Stream
from babelspan.types import DataError, Example


def written(
    generator: QuestionGenerator, examples: Iterable[Example], run: Run
) -> Stream[Source, Asked]:
    """A stream of questions, each with its source, to train a generator.

    An example without an answer at a known offset, or with a question or answer that is too long,
    is skipped; the count is printed. The generator records which subwords occur in the questions
    of each language.

    Raises:
        ConfigError: if the generator has no token for a question language.
        DataError: if no example can be used.
    """
    kept: Spool[Source] = Spool(folder=run.folder)
    lengths = array("q")
    pieces: defaultdict[str, set[int]] = defaultdict(set)
    skipped = 0
    make = generator.sources
    for example in examples:
        try:
            source = make.of(example)
        except DataError:
            skipped += 1
            continue
        kept.append(source)
        lengths.append(source.length)
        pieces[source.question_language].update(source.question.tolist())
    if skipped and run.place.leads:
        print(
            f"skipped {skipped} examples: no answer at a known offset, or answer or question too "
            "long",
            file=sys.stderr,
        )
    if not kept:
        raise DataError("none of the training examples has an answer at a known offset")
    for language, ids in pieces.items():
        generator.pieces_of[language] = sorted({*generator.pieces_of.get(language, ()), *ids})
    return Stream(
        items=kept,
        lengths=np.array(lengths, dtype=np.int64),
        collate=generator.collate,
        unit="question",
    )
