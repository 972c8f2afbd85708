"""Tokenization of texts, with a cache of recent texts.

Shapes: T tokens of a text.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

Made = TypeVar("Made")

KEPT_TOKENS = 2**20
"""Size of the cache in tokens of 12 bytes: about 3 million characters of English."""

_SHORT = 2**12
"""Characters; a shorter text is encoded in a few milliseconds, and may block other threads."""
_LONG = 2**18
"""Characters that take about half a second to encode; a longer text is encoded in parts."""
_SEAM = 2**11
"""Overlap of neighbouring parts in characters."""
_AGREE = 8
"""Number of equal tokens required where two parts are joined."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A text as token ids (T,) with the characters [start, end) of each token, (T, 2)."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]


def encoded(tokenizer: Tokenizer, text: str) -> Tokens:
    """Encode `text` without special tokens; lone surrogates are read as U+FFFD.

    A long text is encoded in parts, because the library needs a hundred times the memory of the
    tokens. Neighbouring parts overlap, and are joined where they agree; if they do not agree, the
    whole text is encoded at once. Encoding runs in a thread, so that interrupts are not delayed.
    """
    text = _SURROGATE.sub("\ufffd", text)
    if len(text) < _SHORT:
        return _tokens(tokenizer.encode(text, add_special_tokens=False), 0)
    if len(text) < _LONG:
        return _tokens(_encoded(tokenizer, text), 0)
    return _joined(_parts(tokenizer, text)) or _part(tokenizer, text, 0, len(text))


def _tokens(encoding: Encoding, start: int) -> Tokens:
    """Tokens of a part of a text, with offsets shifted by its start character."""
    offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
    return Tokens(np.array(encoding.ids, dtype=np.int32), offsets + np.int32(start))


def _parts(tokenizer: Tokenizer, text: str) -> Iterator[Tokens]:
    for start in range(0, len(text), _LONG):
        end = start + _LONG + _SEAM
        yield _part(tokenizer, text, start, end)
        if end >= len(text):
            return


def _part(tokenizer: Tokenizer, text: str, start: int, end: int) -> Tokens:
    """Tokens of a part."""
    part = text[start:end]
    return _beside(lambda: _tokens(_encoded(tokenizer, part), start))


def _encoded(tokenizer: Tokenizer, text: str) -> Encoding:
    """Encode a text as a batch of one, for which the library releases the GIL."""
    (encoding,) = tokenizer.encode_batch([text], add_special_tokens=False)
    return encoding


def _joined(parts: Iterator[Tokens]) -> Tokens | None:
    """Join the tokens of overlapping parts; None if two parts do not agree."""
    kept = [next(parts)]
    for part in parts:
        seam = _seam(kept[-1], part)
        if seam is None:
            return None
        before, behind = seam
        kept[-1] = Tokens(kept[-1].ids[:before], kept[-1].offsets[:before])
        kept.append(Tokens(part.ids[behind:], part.offsets[behind:]))
    return Tokens(
        np.concatenate([part.ids for part in kept]),
        np.concatenate([part.offsets for part in kept]),
    )


def _seam(one: Tokens, other: Tokens) -> tuple[int, int] | None:
    """Index in one part and in the next from which both have the same tokens (`_AGREE` of them).

    The first characters of a part may be tokenized differently than inside a text, so they are
    skipped.
    """
    if not len(other.ids):
        return None
    rows = [np.column_stack([part.ids, part.offsets]) for part in (one, other)]
    first = int(np.searchsorted(one.offsets[:, 0], other.offsets[0, 0] + _SEAM // 4))
    for before in range(first, len(one.ids) - _AGREE + 1):
        behind = int(np.searchsorted(other.offsets[:, 0], one.offsets[before, 0]))
        found = rows[1][behind : behind + _AGREE]
        if np.array_equal(rows[0][before : before + _AGREE], found):
            return before, behind
    return None


def _beside(work: Callable[[], Made]) -> Made:
    """Run a function in a daemon thread, and return its result."""
    result: Future[Made] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # passed on to the caller
            result.set_exception(error)

    threading.Thread(target=run, daemon=True, name="encoding").start()
    return result.result()


class TokenMemory:
    """A tokenizer with an LRU cache of texts. Thread-safe.

    Args:
        encode: text to tokens.
        room: size of the cache in tokens; the last text is kept, however long.
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
