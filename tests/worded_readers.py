"""Miniature QANets over made-up words, for tests."""

import torch

from babelspan.networks.qanet import Architecture, QANet
from babelspan.types import Limits
from babelspan.vocabulary.word_table import FIRST, WordTable

SMALL = {"width": 16, "blocks": 2, "word_width": 12, "letter_width": 8, "survival": 1.0}


def table_of_words(words, *, spelling=4, **settings):
    """A table where each word has a row, the same in all languages."""
    rows = {word: FIRST + number for number, word in enumerate(dict.fromkeys(words))}
    letters = "".join(sorted(set("".join(rows))))
    return WordTable(
        rows=FIRST + len(rows),
        words={"en": rows},
        letters=letters if spelling else "",
        spelling=spelling,
        **settings,
    )


def miniature_qanet(
    words, *, seed=0, dropout=0.0, max_length=64, overlap=16, vectors=None, table=None, **sizes
):
    """A QANet with random weights that knows `words`."""
    settings = {
        key: sizes.pop(key)
        for key in ("sides", "sides_by", "spelling", "unspaced", "max_positions")
        if key in sizes
    }
    table = table or table_of_words(words, **settings)
    sizes = {**SMALL, "dropout": dropout, "letter_dropout": dropout, **sizes}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = QANet(
            Architecture(**sizes),
            table,
            vectors,
            limits=Limits(max_length=max_length, overlap=overlap),
        )
    return reader.eval()
