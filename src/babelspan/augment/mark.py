"""Carry an answer through translation with tags: insert them, translate, and find them again.

Bornea et al. (2021), arXiv:2012.05958, Section 3.1, who found this better than the alignment
scores of the translation system. Translation damages tags: they come back spaced, doubled,
reversed, full-width or with a translated name. Unambiguous damage is repaired; otherwise the answer
is lost, with a reason.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from babelspan.types import Span

_NAMES = ("b", "i", "u", "em", "q", "tt")
_WIDE = str.maketrans("＜＞〈〉《》‹›／", "<><><><>/")
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Bidirectional control characters, which may occur in and around tags in right-to-left text."""
_GAP = rf"[\s{_BIDI}]*"
_TAG = re.compile(
    rf"<{_GAP}(?P<closes>/?){_GAP}(?P<name>[^\W\d_]{{1,12}}){_GAP}(?P<void>/?){_GAP}>"
)
_CLOSING = f",.;:!?，。、；：！？،؛؟।{_BIDI}"
_OPENING = f",.;:¿¡，。、；：،؛{_BIDI}"
_LONGEST = 4
"""An answer that comes back this many times as long (plus 20 characters) has misplaced tags."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A translated text without tags, and the span of the answer in it."""

    text: str
    span: Span
    repaired: bool = False
    """Whether the tags came back damaged."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The reason why an answer was lost in translation."""

    reason: str


def tag_for(text: str) -> str | None:
    """The name of a tag that does not occur in a text, in any of the forms that can be read back.

    None if the text contains something like each of them.
    """
    there = {match["name"].casefold() for match in _TAG.finditer(text.translate(_WIDE))}
    return next((name for name in _NAMES if name not in there), None)


def put_marks(text: str, span: Span, tag: str) -> str:
    """Insert `<tag>` and `</tag>` around the characters of `span`."""
    return f"{text[: span.start]}<{tag}>{span.of(text)}</{tag}>{text[span.end :]}"


def read_marks(translated: str, source: str, span: Span, tag: str) -> Carried | Lost:
    """Remove the tags from a translation, and return the span between them.

    Args:
        translated: the translation of `put_marks(source, span, tag)`.
        source: the source text without tags.
        span: span of the answer in it.
        tag: the name of the tag.
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
    """Move punctuation and bidirectional controls that slipped between the tags outside again."""
    core = inside.strip()
    if core[-1:] in _CLOSING and answer[-1:] not in _CLOSING:
        end = len(inside.rstrip().rstrip(_CLOSING))
        inside, after = inside[:end], inside[end:] + after
    if core[:1] in _OPENING and answer[:1] not in _OPENING:
        start = len(inside) - len(inside.lstrip().lstrip(_OPENING))
        before, inside = before + inside[:start], inside[start:]
    return before, inside, after


def _tags(translated: str, source: str, tag: str) -> list[re.Match[str]]:
    """The tags of that name; or two of another name, if the source contains nothing like tags.

    One of the two must be a closing tag, because `《…》` around a title looks like an opening tag.
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
    """The first and the last tag, if there is only white space between two pairs."""
    if len(found) == 1:
        return Lost("one tag lost")
    kinds = "".join("/" if m["closes"] or m["void"] else "<" for m in found)
    first, last = found[0], found[-1]
    if kinds in ("</", "/<", "<<"):  # as inserted; reversed; slash lost
        return first, last
    gaps = [translated[a.end() : b.start()].strip() for a, b in pairwise(found)]
    if re.fullmatch(r"(</)+", kinds):
        return Lost("answer split") if any(gaps[1::2]) else (first, last)
    inner = kinds.find("</")
    if re.fullmatch(r"<+/+", kinds) and not any(gaps[:inner] + gaps[inner + 1 :]):
        return found[inner], found[inner + 1]  # doubled, directly nested
    return Lost("tags tangled")


def _without(found: list[re.Match[str]], text: str, start: int, end: int) -> str:
    """The characters of `text` from `start` to `end` without tags."""
    kept = []
    for tag in found:
        if start <= tag.start() and tag.end() <= end:
            kept.append(text[start : tag.start()])
            start = tag.end()
    return "".join([*kept, text[start:end]])
