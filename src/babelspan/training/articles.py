"""Articles as a stream of windows; windows without an answer are subsampled."""

import random
import sys
from array import array
from collections.abc import Iterable

import numpy as np

from babelspan.networks.passage_reader import ArticleBatch, PassageReader
from babelspan.reading.articles import ArticleWindow, Kind, gold_of
from babelspan.training.run import Run
from babelspan.training.spool import Spool
from babelspan.training.stream import Stream
from babelspan.types import Article, DataError


def selected(
    reader: PassageReader, articles: Iterable[Article], run: Run, *, nulls: float
) -> Stream[ArticleWindow, ArticleBatch]:
    """Training windows for passage selection, stored on disk.

    All windows that contain the answer are kept, and a random part of the others, drawn by a hash
    of the seed, the article and the window. An article whose answer is in none of its windows is
    skipped; the count is printed.

    Args:
        reader: makes the windows.
        articles: read once, one in memory at a time.
        run: windows are stored in its folder and drawn with its seed.
        nulls: fraction of the windows without an answer that is kept.

    Raises:
        DataError: if no window contains an answer.
    """
    kept: Spool[ArticleWindow] = Spool(folder=run.folder)
    lengths = array("q")
    skipped = teaching = 0
    for article in articles:
        windows = [window.bare() for window in reader.article_windows(article)]
        shows = [window.label.kind is not Kind.NULL for window in windows]
        if gold_of(article) is not None and not any(shows):
            skipped += 1
            continue
        teaching += sum(shows)
        for number, window in enumerate(windows):
            if shows[number] or _is_drawn(run.config.seed, article, number, nulls):
                kept.append(window)
                lengths.append(window.length)
    if skipped and run.place.leads:
        print(f"skipped {skipped} articles: no window contains their answer", file=sys.stderr)
    if not teaching:
        raise DataError(
            "expected articles with annotated answers to learn from, found no window with one"
        )
    return Stream(
        items=kept,
        lengths=np.array(lengths, dtype=np.int64),
        collate=reader.collate_articles,
    )


def _is_drawn(seed: int, article: Article, number: int, nulls: float) -> bool:
    return random.Random(f"{seed} {article.language} {article.id} {number}").random() < nulls
