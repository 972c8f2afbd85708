"""Texts as tokens, each text encoded once as long as there is room for it.

Shapes: T tokens of a text.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

KEPT_TOKENS = 2**20
"""Tokens of texts that are kept, 12 bytes each: some 3 million characters of English."""

_LONG = 2**18
"""Characters that take about half a second to encode."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A text as token ids (T,) with the characters [start, end) of each token, (T, 2)."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]


def encoded(tokenizer: Tokenizer, text: str) -> Tokens:
    """`text` alone, without special tokens; lone surrogates are read as U+FFFD.

    A long text is encoded in a thread, so that an interrupt need not wait for its end.
    """
    text = _SURROGATE.sub("\ufffd", text)
    if len(text) < _LONG:
        encoding = tokenizer.encode(text, add_special_tokens=False)
    else:  # only for a batch does the library let other threads run
        encoding = _beside(lambda: tokenizer.encode_batch([text], add_special_tokens=False)[0])
    return Tokens(
        np.array(encoding.ids, dtype=np.int32),
        np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2),
    )


def _beside(work: Callable[[], Encoding]) -> Encoding:
    """The result of work that is done in a thread, which does not keep the process from ending."""
    result: Future[Encoding] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # whatever it is, the caller gets it
            result.set_exception(error)

    threading.Thread(target=run, daemon=True, name="encoding").start()
    return result.result()


class TokenMemory:
    """What makes tokens of texts, and keeps those of the texts seen last. Safe under threads.

    Args:
        encode: text to tokens.
        room: tokens to keep; the last text is kept, however long.
    """

    def __init__(self, encode: Callable[[str], Tokens], *, room: int = KEPT_TOKENS) -> None:
        self._encode = encode
        self._room = room
        self._known: OrderedDict[str, Tokens] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __call__(self, text: str) -> Tokens:
        """The tokens of a text."""
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                return self._known[text]
        tokens = self._encode(text)
        with self._lock:
            if text not in self._known:
                self._known[text] = tokens
                self._size += len(tokens.ids)
            while self._size > self._room and len(self._known) > 1:
                _, oldest = self._known.popitem(last=False)
                self._size -= len(oldest.ids)
        return tokens
