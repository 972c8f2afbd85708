"""Lines of a page, made from the boxes of its characters.

PDFium orders the characters of a page itself, but gets Arabic and Persian wrong, and gives a Thai
letter and its mark as two characters that both stand for the cluster. Here, characters with the
same origin form a glyph; a glyph that repeats a recent one in the same place is dropped; and the
glyphs of a line are ordered by position, from the right if most of its letters are right-to-left.
"""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import regex

from babelspan.data.parts import Box
from babelspan.text.languages import UNSPACED_SCRIPTS

_UNSPACED = regex.compile(rf"[{UNSPACED_SCRIPTS}\p{{Block=CJK_Symbols_And_Punctuation}}，！？]")
_NEAR = 5
"""Number of preceding glyphs that a glyph is compared with for repetition."""
_SAME_PLACE = 0.02
"""Maximum distance in points between two origins that count as the same."""
_ROUNDED = 0.5
"""Points by which a mark may extend to the left of its letter."""
_BEYOND = 0.5
"""The same to the right, as a share of the letter's width."""
_SHARED = 0.5
"""Minimum overlap of two boxes in the same place, as a share of the smaller one."""
_BASELINE = 0.4
"""Minimum distance between the baselines of two lines, relative to the letter size."""
_WORD = 0.18
"""Minimum gap between two words, relative to the letter size."""
_WORD_FROM_RIGHT = 0.5
"""The same from right to left, where gaps inside a word are often wide."""
_NEAR_A_LETTER = 0.3
"""Maximum distance in points between a space and the letter whose place it has."""
_WORD_OF_PDFIUM = 0.05
"""The same gap where PDFium also has a space."""
_MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
"""Characters drawn right-to-left have the shape, and often the code, of their mirror image."""
_PARAGRAPH = 1.35
"""Minimum gap between two paragraphs, relative to the usual line distance."""
_OTHER_SIZE = 0.3
"""Minimum relative difference in letter size between a heading and the text below."""
_FAR = 3.0
"""Minimum gap between paragraphs on a page with few lines, relative to the letter size."""
_HYPHENS = "-\u00ad\u2010"


@dataclass(slots=True)
class Glyph:
    """The characters in one place of a page.

    Attributes:
        text: the characters.
        places: their numbers on the page, in PDFium's order.
        box: the box around them.
        x: x coordinate of the origin.
        y: y coordinate of the origin, which is on the baseline.
        size: letter size in points.
    """

    text: str
    places: list[int]
    box: Box
    x: float
    y: float
    size: float

    @property
    def direction(self) -> str:
        """Direction of the first character: "R", "L" for letters and numbers, "" for others."""
        kind = unicodedata.bidirectional(self.text[0])
        return "R" if kind in ("R", "AL") else "L" if kind in ("L", "EN", "AN") else ""


@dataclass(slots=True)
class Line:
    """A line: glyphs in reading order, None for a space."""

    glyphs: list[Glyph | None] = field(default_factory=list)
    y: float = 0.0
    size: float = 0.0

    @property
    def text(self) -> str:
        """The characters of the line."""
        return "".join(" " if glyph is None else glyph.text for glyph in self.glyphs)

    @property
    def box(self) -> Box:
        """The box around the whole line."""
        boxes = [glyph.box for glyph in self.glyphs if glyph is not None]
        return (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )


def lines_of(characters: Iterable[Glyph]) -> list[Line]:
    """Return the lines of a page, in order.

    Args:
        characters: characters of the page, in PDFium's order.
    """
    return [_read(row) for row in _rows(list(_distinct(_glyphs(characters))))]


def starts_paragraph(line: Line, before: Line, usual: float) -> bool:
    """Return whether a line starts a new paragraph.

    Args:
        line: the line.
        before: the line before it.
        usual: the usual distance between lines of the page.
    """
    down = before.y - line.y
    other_size = abs(line.size - before.size) > _OTHER_SIZE * max(line.size, before.size)
    most = min(_PARAGRAPH * usual if usual else math.inf, _FAR * max(line.size, 1.0))
    return other_size or down < 0 or down > most


def usual_distance(lines: Sequence[Line]) -> float:
    """Return the median distance between the lines of a page; 0 if there is none."""
    down = sorted(
        one.y - other.y
        for one, other in pairwise(lines)
        if 0 < one.y - other.y < 4 * max(one.size, 1.0)
    )
    return down[len(down) // 2] if down else 0.0


def is_hyphenated(line: str, following: str) -> bool:
    """Return whether a word is hyphenated at the end of a line."""
    return (
        len(line) > 1
        and line[-1] in _HYPHENS
        and line[-2].isalpha()
        and following[:1].isalpha()
        and following[:1].islower()
    )


def is_spaced_between(line: str, following: str) -> bool:
    """Return whether the end of a line stands for a space.

    It does not between scripts without spaces, or inside words such as "Jean-Paul" and "1914-1918".
    """
    if len(line) > 1 and line[-1] in _HYPHENS and line[-2].isalnum() and following[:1].isalnum():
        return False
    return not (_UNSPACED.match(line[-1:]) and _UNSPACED.match(following[:1]))


def _glyphs(characters: Iterable[Glyph]) -> Iterator[Glyph]:
    """Join characters with the same origin."""
    last: Glyph | None = None
    for one in characters:
        is_space = one.text.isspace() or (last is not None and last.text.isspace())
        if last is not None and not is_space and _is_same(last, one):
            last.text += one.text
            last.places += one.places
            last.box = around(last.box, one.box)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _is_same(one: Glyph, other: Glyph) -> bool:
    near = abs(one.x - other.x) < _SAME_PLACE and abs(one.y - other.y) < _SAME_PLACE
    touching = _is_mark(other.text) and abs(one.box[2] - other.box[0]) < _SAME_PLACE
    return near and (touching or _overlap(one.box, other.box))


def _is_mark(text: str) -> bool:
    return all(unicodedata.category(c)[0] == "M" for c in text)


def _distinct(glyphs: Iterable[Glyph]) -> Iterator[Glyph]:
    """Yield glyphs without those that repeat a recent one in the same place.

    Fonts may draw a mark separately; PDFium then gives all characters of the cluster twice.
    """
    recent: list[Glyph] = []
    for glyph in glyphs:
        if any(glyph.text == one.text and _is_repeated(one, glyph) for one in recent):
            continue
        recent = [*recent[-_NEAR + 1 :], glyph]
        yield glyph


def _is_repeated(one: Glyph, again: Glyph) -> bool:
    """Return whether a glyph repeats one with the same text: drawn over it, or as its mark."""
    beyond = one.box[2] + _BEYOND * (one.box[2] - one.box[0])
    inside = one.box[0] - _ROUNDED < again.box[0] and again.box[2] < beyond
    has_mark = len(one.text) > 1 and _is_mark(one.text[-1])
    return _overlap(one.box, again.box) or (has_mark and inside)


def _rows(glyphs: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """Yield runs of glyphs on the same baseline."""
    row: list[Glyph] = []
    for glyph in glyphs:
        if row and _is_elsewhere(row, glyph):
            yield row
            row = []
        row.append(glyph)
    if any(glyph.text.strip() for glyph in row):
        yield row


def _is_elsewhere(row: list[Glyph], glyph: Glyph) -> bool:
    size = max(row[-1].size, glyph.size, 1.0)
    if abs(row[-1].y - glyph.y) <= _BASELINE * size:
        return False
    return not _is_mark(glyph.text)


def _read(row: list[Glyph]) -> Line:
    """Return the glyphs of a line in reading order, with spaces."""
    right = sum(glyph.direction == "R" for glyph in row)
    is_right = right > sum(glyph.direction == "L" and glyph.text[0].isalpha() for glyph in row)
    size = sorted(glyph.size for glyph in row)[len(row) // 2]
    line = Line(y=sorted(g.y for g in row)[len(row) // 2], size=size)
    if is_right:
        letters = sorted((g for g in row if not g.text.isspace()), key=lambda g: -g.box[2])
        spaces = _spaces(letters, [g.x for g in row if g.text.isspace()])
        ordered = _turned(_mirrored(letters), "L")
    else:
        spaces = set()
        ordered = sorted(row, key=lambda g: g.x)
        ordered = _turned(ordered, "R") if right else ordered
    for glyph in ordered:
        last = line.glyphs[-1] if line.glyphs else None
        if glyph.text.isspace():
            if last is not None:
                line.glyphs.append(None)
            continue
        if last is not None and (
            (last.places[0], glyph.places[0]) in spaces
            or _is_apart(last, glyph, max(size, 1.0), is_right=is_right)
        ):
            line.glyphs.append(None)
        line.glyphs.append(glyph)
    while line.glyphs and line.glyphs[-1] is None:
        line.glyphs.pop()
    return line


def _spaces(letters: list[Glyph], found: Iterable[float]) -> set[tuple[int, int]]:
    """Return the pairs of neighbours with a space between them, in a right-to-left line.

    The position of a space may be its own, or that of the letter after it; so the wider of the gaps
    on both sides of that letter is used.

    Args:
        letters: letters from right to left.
        found: x coordinates of the spaces.
    """
    gaps = [_gap(one.box, other.box) for one, other in pairwise(letters)]
    between = set()
    for x in found:
        after = next((n for n, g in enumerate(letters) if g.box[0] <= x + _NEAR_A_LETTER), None)
        near = [n for n in (() if after is None else (after - 1, after)) if 0 <= n < len(gaps)]
        if near:
            widest = max(near, key=lambda n: gaps[n])
            between.add((letters[widest].places[0], letters[widest + 1].places[0]))
    return between


def _is_apart(one: Glyph, other: Glyph, size: float, *, is_right: bool) -> bool:
    """Return whether two neighbours in a line belong to different words."""
    gap = _gap(one.box, other.box) / size
    if (
        not is_right and other.places[0] - one.places[-1] == 2
    ):  # between them is what PDFium made: a space
        return gap > _WORD_OF_PDFIUM
    return gap > (_WORD_FROM_RIGHT if is_right else _WORD)


def _mirrored(glyphs: list[Glyph]) -> list[Glyph]:
    return [replace(glyph, text=glyph.text.translate(_MIRRORED)) for glyph in glyphs]


def _turned(glyphs: list[Glyph], direction: str) -> list[Glyph]:
    """Return glyphs with the runs of one direction reversed, including neutral ones inside."""
    found: list[Glyph] = []
    run: list[Glyph] = []
    neutral: list[Glyph] = []
    for glyph in glyphs:
        if glyph.direction == direction:
            run += [*neutral, glyph]
            neutral = []
        elif run and not glyph.direction:
            neutral.append(glyph)
        else:
            found += [*reversed(run), *neutral, glyph]
            run, neutral = [], []
    return [*found, *reversed(run), *neutral]


def _gap(one: Box, other: Box) -> float:
    return max(other[0] - one[2], one[0] - other[2])


def _overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes share more than half of the smaller one's width and height."""
    return all(
        min(one[high], other[high]) - max(one[low], other[low])
        >= _SHARED * min(one[high] - one[low], other[high] - other[low])
        for low, high in ((0, 2), (1, 3))
    )


def around(one: Box, other: Box) -> Box:
    """Return the smallest box around two boxes."""
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
