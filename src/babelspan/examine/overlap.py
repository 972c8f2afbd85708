"""Overlap of two data sets: identical or near-duplicate paragraphs, question ids, titles.

Paragraphs are compared by their letters, marks and digits, after NFKC and case folding. Near
duplicates are found by shingles of `_LENGTH` bytes of UTF-8 (Broder 1997, *On the resemblance and
containment of documents*, containment): two paragraphs are near duplicates if half of the shingles
of the shorter one are in the other. Only shingles whose hash is divisible by `_SAMPLE` are looked
up; the candidates are then compared in full. Time is linear in the text, except for sorting the
reference.
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import regex

from babelspan.types import Example

NEAR = 0.5
"""Containment from which two paragraphs are near duplicates."""

_LENGTH = 16
_SAMPLE = 4
_FEWEST = 16
"""Paragraphs with fewer shingles are only compared for identity."""
_COMMONEST = 32
"""A shingle in more paragraphs of the reference than this is ignored as too common."""

_NOT_TEXT = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_FACTOR = 0x9E3779B97F4A7C15  # odd, as a multiplier modulo 2**64 must be
_POWERS = [pow(_FACTOR, k, 2**64) for k in range(_LENGTH)]

Hashes = npt.NDArray[np.uint64]


@dataclass(slots=True)
class Overlap:
    """The overlap of a set of questions with a reference.

    Attributes:
        paragraphs: shared paragraphs: id of the first question about each, and id of the first
            question about the same paragraph in the reference.
        near: near-duplicate paragraphs, likewise, with the containment.
        questions: number of questions about `paragraphs`.
        near_questions: number of questions about `near`.
        ids: shared question ids, except plain numbers.
        numbers: shared question ids that are plain numbers, which may be a coincidence.
        titles: shared titles of articles.
    """

    paragraphs: list[tuple[str, str]] = field(default_factory=list)
    near: list[tuple[str, str, float]] = field(default_factory=list)
    questions: int = 0
    near_questions: int = 0
    ids: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)


def normalised(text: str) -> str:
    """The letters, marks and digits of a text, after NFKC and case folding."""
    return _NOT_TEXT.sub("", unicodedata.normalize("NFKC", text).casefold())


def fingerprint(text: str) -> bytes:
    """A hash of a normalised text, 16 bytes."""
    return hashlib.blake2b(_bytes(text), digest_size=16).digest()


class Reference:
    """Reference questions, such as those of a test set."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self._ids: set[str] = set()
        self._titles: set[str] = set()
        self._first: dict[bytes, str] = {}
        self._paragraphs: list[tuple[str, bytes]] = []
        seen: dict[str, None] = {}
        for example in examples:
            self._ids.add(example.id)
            if example.title:
                self._titles.add(example.title)
            if example.context not in seen:
                seen[example.context] = None
                self._add(example)
        self._hashes, self._owners = self._index()
        self._sizes = np.bincount(self._owners, minlength=len(self._paragraphs))

    def _add(self, example: Example) -> None:
        text = normalised(example.context)
        key = fingerprint(text)
        if text and key not in self._first:
            self._first[key] = example.id
            self._paragraphs.append((example.id, _bytes(text)))

    def _index(self) -> tuple[Hashes, npt.NDArray[np.int32]]:
        """Sorted sampled hashes with the paragraph of each; common shingles are left out."""
        sampled = [_sampled(_shingles(text)) for _, text in self._paragraphs]
        hashes = np.concatenate([np.empty(0, np.uint64), *sampled])
        owners = np.repeat(np.arange(len(sampled), dtype=np.int32), [len(s) for s in sampled])
        order = np.argsort(hashes, kind="stable")
        hashes, owners = hashes[order], owners[order]
        _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        rare = counts[inverse] <= _COMMONEST
        return hashes[rare], owners[rare]

    def shared_with(self, examples: Iterable[Example]) -> Overlap:
        """The overlap of questions with the reference."""
        found = Overlap()
        verdicts: dict[str, str] = {}
        keys: set[bytes] = set()
        titles: dict[str, None] = {}
        for example in examples:
            if example.context not in verdicts:
                verdicts[example.context] = self._compare(example, keys, found)
            found.questions += verdicts[example.context] == "same"
            found.near_questions += verdicts[example.context] == "near"
            if example.id in self._ids:
                (found.numbers if example.id.isdecimal() else found.ids).append(example.id)
            if example.title in self._titles:
                titles[example.title] = None
        found.titles = list(titles)
        return found

    def _compare(self, example: Example, keys: set[bytes], found: Overlap) -> str:
        """Classify a paragraph as "same", "near" or "other"; a new one is added to `found`."""
        text = normalised(example.context)
        key = fingerprint(text)
        is_new = key not in keys
        keys.add(key)
        if key in self._first:
            if is_new:
                found.paragraphs.append((example.id, self._first[key]))
            return "same"
        nearest = self._nearest(_shingles(_bytes(text)))
        if nearest is not None and is_new:
            found.near.append((example.id, *nearest))
        return "other" if nearest is None else "near"

    def _nearest(self, shingles: Hashes) -> tuple[str, float] | None:
        """Id of the first question about the nearest paragraph, and containment, if it is near."""
        if len(shingles) < _FEWEST:
            return None
        sampled = _sampled(shingles)
        low = np.searchsorted(self._hashes, sampled, side="left")
        high = np.searchsorted(self._hashes, sampled, side="right")
        owners = [self._owners[a:b] for a, b in zip(low, high, strict=True) if a < b]
        if not owners:
            return None
        candidates, counts = np.unique(np.concatenate(owners), return_counts=True)
        is_likely = counts >= NEAR / 2 * np.minimum(len(sampled), self._sizes[candidates])
        best: tuple[str, float] | None = None
        for index in candidates[is_likely]:
            identity, text = self._paragraphs[index]
            share = _containment(shingles, _shingles(text))
            if share >= NEAR and (best is None or share > best[1]):
                best = identity, share
        return best


def _containment(one: Hashes, other: Hashes) -> float:
    """Containment: the fraction of the smaller set that is in the other, in [0, 1]."""
    fewest = min(len(one), len(other))
    if fewest < _FEWEST:
        return 0.0
    return len(np.intersect1d(one, other, assume_unique=True)) / fewest


def _shingles(text: bytes) -> Hashes:
    """Sorted hashes of the distinct shingles of a text."""
    values = np.frombuffer(text, np.uint8).astype(np.uint64)
    count = len(values) - _LENGTH + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    hashes = np.zeros(count, np.uint64)
    for k, power in enumerate(_POWERS):
        hashes += values[k : k + count] * np.uint64(power)
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(_FACTOR)
    hashes ^= hashes >> np.uint64(32)
    return np.unique(hashes)


def _sampled(shingles: Hashes) -> Hashes:
    sampled: Hashes = shingles[shingles % np.uint64(_SAMPLE) == 0]
    return sampled


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
