"""CMRC 2018 scores, equal to the official script `cmrc2018_evaluate.py`, faults included.

Cui et al. (2019), arXiv:1810.07366. Chinese characters count one by one, anything else by words of
the Penn Treebank; F1 is over the longest contiguous run of units that both sides share, not over a
bag of units. The faults: in the list of removed signs, "……" has two characters and so is never
removed; the strings on both sides of a removed sign are joined; spaces inside an answer count in
exact match but not in F1; if nothing is left of either side, F1 is 0 although exact match is 1.

Words are those of `nltk.word_tokenize` in NLTK 3.10 (others differ: up to 3.9, "1—2" is one word)
with one difference: a run is one sentence; NLTK first splits it into sentences with a model that it
downloads. This matters only if a full stop between two words ends a sentence; in the answers of the
dev and trial sets this occurs only after initials and "st.".
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import regex

from babelspan.scoring.figures import Figures
from babelspan.types import Example

NAME = "cmrc"
RULES = "words:cmrc+nltk3.10|sentences:one|articles:none|punctuation:cmrc"

_SIGNS = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_PIECES = re.compile(r"([\u4e00-\u9fa5])|[^\u4e00-\u9fa5]+")

# The Treebank's rules in order, except those for signs that are already removed.
_WORD_RULES = [
    (regex.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[«‘„]", r" \g<0> "),
        (r'^"', " `` "),
        (r"([ (\[{<])(?:\"|'')", r"\1 `` "),
        (r"(?i)(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", "' "),
        (r"([^.])\.([])}>\"' »]*+)\s*$", r"\1 . \2 "),
        (r",(\D)", r" , \1"),
        (r",$", " , "),
        (r"\.{2,}|[;@#$%&\u2012-\u2015?!]", r" \g<0> "),
        (r"([^'])' ", r"\1 ' "),
        (r"[][(){}<>]", r" \g<0> "),
        (r"^|$", " "),
        (r"»", " » "),
        (r"''|\"", " '' "),
        (r"\s+", " "),
        (r"([^' ])('s|'m|'d|') ", r"\1 \2 "),
        (r"([^' ])('ll|'re|'ve|n't) ", r"\1 \2 "),
    )
]
# As in NLTK, with another engine, which treats a mark after a letter as the end of a word.
_CONTRACTIONS = [
    re.compile(rf"(?i){pattern}")
    for pattern in (
        r"\b(can)(not)\b",
        r"\b(d)('ye)\b",
        r"\b(gim)(me)\b",
        r"\b(gon)(na)\b",
        r"\b(got)(ta)\b",
        r"\b(lem)(me)\b",
        r"\b(more)('n)\b",
        r"\b(wan)(na)(?=\s)",
        r" ('t)(is)\b",
        r" ('t)(was)\b",
    )
]


@lru_cache(maxsize=128)  # the strings of a question occur several times in a row
def normalise(text: str) -> str:
    """Return lower-case text without surrounding white space and without the removed signs."""
    return text.lower().strip().translate(_SIGNS)


@lru_cache(maxsize=128)
def units(text: str) -> tuple[str, ...]:
    """Return Chinese characters, and the words between them."""
    pieces = _PIECES.finditer(normalise(text))
    return tuple(unit for piece in pieces for unit in (piece[1] or words(piece[0])))


def words(run: str) -> list[str]:
    """Return the words of a run without Chinese characters, tokenized as one Treebank sentence."""
    for pattern, replacement in _WORD_RULES:
        run = pattern.sub(replacement, run)
    for contraction in _CONTRACTIONS:
        run = contraction.sub(r" \1 \2 ", run)
    return run.split()


def exact_match(prediction: str, answer: str, language: str) -> float:
    """Return 1 if both normalise to the same string, else 0; `language` is ignored."""
    return float(normalise(prediction) == normalise(answer))


def f1(prediction: str, answer: str, language: str) -> float:
    """Return F1 over the longest shared run of units, in [0, 1]; `language` is ignored."""
    predicted, gold = units(prediction), units(answer)
    shared = longest_shared_run(predicted, gold)
    if shared == 0:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def longest_shared_run(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest contiguous sequence that is in both."""
    letters = {unit: chr(i) for i, unit in enumerate({*one, *other})}
    text, inside = ("".join(letters[unit] for unit in side) for side in (one, other))
    length = 0
    for start in range(len(text)):
        while start + length < len(text) and text[start : start + length + 1] in inside:
            length += 1
    return length


def details(examples: Sequence[Example], found: Figures) -> dict[str, float]:
    """Return the mean of exact match and F1, by which CMRC ranks systems."""
    return {"average": (found.exact_match + found.f1) / 2}
