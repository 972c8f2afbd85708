"""An answer through translation between tags: put them round it, translate, read it back.

Bornea et al. (2021), arXiv:2012.05958, Section 3.1, who found this better than the alignment
scores of the translation system. Translation damages tags: they come back spaced, doubled, turned
round, full-width or with a translated name. What can be told for certain is repaired; the rest is
refused with a reason.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from babelspan.types import Span

_NAMES = ("b", "i", "u", "em", "q", "tt")
_WIDE = str.maketrans("＜＞〈〉《》‹›／", "<><><><>/")
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks of direction, which may come to stand in and round tags in text from right to left."""
_GAP = rf"[\s{_BIDI}]*"
_TAG = re.compile(
    rf"<{_GAP}(?P<closes>/?){_GAP}(?P<name>[^\W\d_]{{1,12}}){_GAP}(?P<void>/?){_GAP}>"
)
_CLOSING = f",.;:!?，。、；：！？،؛؟।{_BIDI}"
_OPENING = f",.;:¿¡，。、；：،؛{_BIDI}"
_LONGEST = 4
"""An answer that came back this many times as long (and 20 characters) has lost its tags' place."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A translated text without tags and the place of the answer in it."""

    text: str
    span: Span
    repaired: bool = False
    """Whether the tags came back damaged."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Why an answer did not survive."""

    reason: str


def tag_for(text: str) -> str | None:
    """The name of a tag that a text does not hold, in any of the forms that are read back.

    None where the text has something like every one of them.
    """
    there = {match["name"].casefold() for match in _TAG.finditer(text.translate(_WIDE))}
    return next((name for name in _NAMES if name not in there), None)


def put_marks(text: str, span: Span, tag: str) -> str:
    """`text` with `<tag>` and `</tag>` round the characters of `span`."""
    return f"{text[: span.start]}<{tag}>{span.of(text)}</{tag}>{text[span.end :]}"


def read_marks(translated: str, source: str, span: Span, tag: str) -> Carried | Lost:
    """The translated text without its tags and the place of what stood between them.

    Args:
        translated: what became of `put_marks(source, span, tag)`.
        source: the text that was marked, without tags.
        span: place of the answer in it.
        tag: the tag's name.
    """
    found = _tags(translated, source, tag)
    if not found:
        return Lost("tags lost")
    outer = _outermost(found, translated)
    if isinstance(outer, Lost):
        return outer
    opening, closing = outer
    before = _without(found, translated, 0, opening.end())
    inside = _without(found, translated, opening.end(), closing.start())
    after = _without(found, translated, closing.start(), len(translated))
    before, inside, after = _trimmed(before, inside, after, span.of(source))
    answer = inside.strip()
    if not answer:
        return Lost("tags empty")
    if len(answer) > _LONGEST * len(span.of(source)) + 20:
        return Lost("tags moved")
    if inside[0].isspace() and before and not before[-1].isspace():
        before += " "
    if inside[-1].isspace() and after[:1].isalnum():
        after = " " + after
    clean = [translated[m.start() : m.end()] for m in found] == [f"<{tag}>", f"</{tag}>"]
    text = before + answer + after
    return Carried(text, Span(len(before), len(before) + len(answer)), repaired=not clean)


def _trimmed(before: str, inside: str, after: str, answer: str) -> tuple[str, str, str]:
    """Punctuation and marks of direction that slipped between the tags put outside again."""
    core = inside.strip()
    if core[-1:] in _CLOSING and answer[-1:] not in _CLOSING:
        end = len(inside.rstrip().rstrip(_CLOSING))
        inside, after = inside[:end], inside[end:] + after
    if core[:1] in _OPENING and answer[:1] not in _OPENING:
        start = len(inside) - len(inside.lstrip().lstrip(_OPENING))
        before, inside = before + inside[:start], inside[start:]
    return before, inside, after


def _tags(translated: str, source: str, tag: str) -> list[re.Match[str]]:
    """Tags of that name; or two of another, if none has it and the source has nothing like tags.

    One of these has to close, for `《…》` round a title looks like a tag that opens.
    """
    found = list(_TAG.finditer(translated.translate(_WIDE)))
    named = [m for m in found if m["name"].casefold() == tag]
    if named or _TAG.search(source.translate(_WIDE)):
        return named
    closing = [m["name"].casefold() for m in found if m["closes"]]
    pair = [m for m in found if [m["name"].casefold()] == closing]
    return pair if len(pair) == 2 else []


def _outermost(
    found: list[re.Match[str]], translated: str
) -> tuple[re.Match[str], re.Match[str]] | Lost:
    """The first and the last tag, if everything between two pairs is white space."""
    if len(found) == 1:
        return Lost("one tag lost")
    kinds = "".join("/" if m["closes"] or m["void"] else "<" for m in found)
    first, last = found[0], found[-1]
    if kinds in ("</", "/<", "<<"):  # as put; turned round; the slash lost
        return first, last
    gaps = [translated[a.end() : b.start()].strip() for a, b in pairwise(found)]
    if re.fullmatch(r"(</)+", kinds):
        return Lost("answer split") if any(gaps[1::2]) else (first, last)
    inner = kinds.find("</")
    if re.fullmatch(r"<+/+", kinds) and not any(gaps[:inner] + gaps[inner + 1 :]):
        return found[inner], found[inner + 1]  # doubled, one right inside the other
    return Lost("tags tangled")


def _without(found: list[re.Match[str]], text: str, start: int, end: int) -> str:
    """The characters of `text` from `start` to `end`, less the tags there."""
    kept = []
    for tag in found:
        if start <= tag.start() and tag.end() <= end:
            kept.append(text[start : tag.start()])
            start = tag.end()
    return "".join([*kept, text[start:end]])
