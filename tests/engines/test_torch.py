"""Readers run by PyTorch: what is said of a network that cannot read its tokens."""

import pytest

from babelspan.engines.torch import TorchEngine
from babelspan.reading.answerer import Answerer
from babelspan.types import DataError
from miniature import miniature_reader


def test_a_tokenizer_with_more_tokens_than_the_network_is_told():
    reader = miniature_reader(["where", "here", "?"])
    few = miniature_reader([]).model
    reader.encoder.model.embeddings = few.bert.embeddings
    with pytest.raises(DataError, match=r"cannot read a window of \d+ tokens .*more tokens than"):
        Answerer(TorchEngine(reader))("where ?", "here where")
