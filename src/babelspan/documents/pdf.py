"""PDF files, read with PDFium (extra `index`): pages, lines, and a box for each line.

Places count the characters of a page in PDFium's order (`FPDFText_GetUnicode`).
"""

import ctypes
import unicodedata
from collections.abc import Iterator
from typing import Any

from babelspan.data.documents import Document
from babelspan.data.parts import Box
from babelspan.documents.building import PARAGRAPH, SPACE, Builder
from babelspan.documents.pdf_lines import (
    Glyph,
    Line,
    around,
    is_hyphenated,
    is_spaced_between,
    lines_of,
    starts_paragraph,
    usual_distance,
)
from babelspan.types import DataError

_HYPHEN = 2
"""PDFium's code for a hyphen at the end of a line."""
_NOTHING = frozenset((0, 0xFFFE, 0xFFFF))
_FORMS = ((0xFB00, 0xFDFF), (0xFE70, 0xFEFC))
"""Ligatures and Arabic presentation forms, which are replaced by plain letters."""
_ONE_ORIGIN = 0.02
"""Maximum distance in points between the origins of characters drawn as one glyph."""
_ENDS = tuple(".!?…。！？।؟۔:\"'”’»)")


def pdf(name: str, raw: bytes) -> Document:
    """Return the text of a PDF.

    Raises:
        DataError: if it is broken or encrypted, or has no text (a scan).
        ModuleNotFoundError: if pypdfium2 is not installed.
    """
    import pypdfium2

    try:
        opened = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            why = "it is encrypted; save a copy without a password"
        else:
            why = f"PDFium cannot ({error}); print it to a new PDF, or leave it out"
        raise DataError(f"{name}: expected a PDF that can be opened, but {why}") from None
    built, pages = Builder(), len(opened)
    put_together = _Pages(built)
    for number in range(pages):
        try:
            lines = lines_of(_characters(opened[number]))
        except pypdfium2.PdfiumError:  # one broken page does not stop the others
            continue
        put_together.add(lines, number + 1)
    put_together.finish()
    text, parts, headings = built.finished()
    if pages and not text.strip():
        raise DataError(
            f"{name}: image only: {pages} pages without text; recognise it with a program such as "
            "ocrmypdf"
        )
    return Document(name, text, "pdf", parts, headings)


def _characters(page: Any) -> Iterator[Glyph]:
    """Yield the meaningful characters of a page, in PDFium's order."""
    from pypdfium2 import raw

    of_page = page.get_textpage()  # closes what it holds when it is released
    text = of_page.raw
    drawn_with = _drawn_with(page, text)
    rectangle = raw.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    high = 0
    for place in range(raw.FPDFText_CountChars(text)):
        code = raw.FPDFText_GetUnicode(text, place)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
        high = 0
        generated = raw.FPDFText_IsGenerated(text, place) == 1
        if code in _NOTHING or generated or (code < 32 and code != _HYPHEN):
            continue
        raw.FPDFText_GetLooseCharBox(text, place, rectangle)
        raw.FPDFText_GetCharOrigin(text, place, x, y)
        size = abs(rectangle.top - rectangle.bottom)
        box = (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
        box = around(box, drawn_with.get(_object_of(text, place), box))
        yield Glyph(_plain(code), [place], box, x.value, y.value, size)


def _drawn_with(page: Any, text: Any) -> dict[int, Box]:
    """Return the boxes of glyphs that no character stands for, by the object they follow.

    A PDF may draw a vowel sign separately and let the letter before it stand for both. PDFium then
    places the characters of both at the letter. Right-to-left letters are left out, because their
    boxes determine the reading order.
    """
    from pypdfium2 import raw

    x, y = ctypes.c_double(), ctypes.c_double()
    origins: dict[int, set[int]] = {}
    from_right = set()
    for place in range(raw.FPDFText_CountChars(text)):
        raw.FPDFText_GetCharOrigin(text, place, x, y)
        address = _object_of(text, place)
        origins.setdefault(address, set()).add(round(x.value / _ONE_ORIGIN))
        if unicodedata.bidirectional(chr(raw.FPDFText_GetUnicode(text, place))) in ("R", "AL"):
            from_right.add(address)
    found: dict[int, Box] = {}
    edges = [ctypes.c_float() for _ in range(4)]
    last = 0
    for number in range(raw.FPDFPage_CountObjects(page.raw)):
        one = raw.FPDFPage_GetObject(page.raw, number)
        if raw.FPDFPageObj_GetType(one) != raw.FPDF_PAGEOBJ_TEXT:
            continue
        address = ctypes.addressof(one.contents)
        if address in origins:
            is_cluster = len(origins[address]) == 1 and address not in from_right
            last = address if is_cluster else 0
        elif last and raw.FPDFPageObj_GetBounds(one, *edges):
            left, bottom, right, top = (edge.value for edge in edges)
            box = left, bottom, right, top
            if left < right:  # not a space
                found[last] = around(found.get(last, box), box)
    return found


def _object_of(text: Any, place: int) -> int:
    """Return the address of a character's page object; 0 for characters that PDFium generated."""
    from pypdfium2 import raw

    one = raw.FPDFText_GetTextObject(text, place)
    return ctypes.addressof(one.contents) if one else 0


def _plain(code: int) -> str:
    if code == _HYPHEN:
        return "-"
    is_form = any(first <= code <= last for first, last in _FORMS)
    return unicodedata.normalize("NFKC", chr(code)).strip() or " " if is_form else chr(code)


class _Pages:
    """Joins the lines of pages; each line is added when the next one is known."""

    def __init__(self, built: Builder) -> None:
        self._built = built
        self._waiting: tuple[Line, int] | None = None
        self._mark = ""

    def add(self, lines: list[Line], page: int) -> None:
        """Add the lines of a page; a sentence that continues from the last page is not broken."""
        usual = usual_distance(lines)
        for number, line in enumerate(lines):
            if self._waiting is not None:
                before = self._waiting[0]
                if number:
                    is_apart = starts_paragraph(line, before, usual)
                else:
                    is_apart = before.text.endswith(_ENDS)
                self._put(None if is_apart else line.text)
            self._waiting = line, page

    def finish(self) -> None:
        """Add the last line."""
        if self._waiting is not None:
            self._put(None)

    def _put(self, following: str | None) -> None:
        """Add the waiting line; `following` continues its paragraph, None if nothing does."""
        assert self._waiting is not None
        line, page = self._waiting
        is_cut = following is not None and is_hyphenated(line.text, following)
        self._built.separate(self._mark, 0, 0)
        for is_apart, run in _runs(line.glyphs[:-1] if is_cut else line.glyphs):
            if is_apart:
                self._built.separate(SPACE, 0, 0)
            self._add_run(run, page)
        if following is None:
            self._mark = PARAGRAPH
        else:
            is_spaced = not is_cut and is_spaced_between(line.text, following)
            self._mark = SPACE if is_spaced else ""

    def _add_run(self, run: list[Glyph | None], page: int) -> None:
        glyphs = [glyph for glyph in run if glyph is not None]
        text = "".join(" " if glyph is None else glyph.text for glyph in run)
        places = [place for glyph in glyphs for place in glyph.places]
        start, end = min(places), max(places) + 1
        box = Line(run).box
        rounded = (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))
        step = 1 if len(text) == end - start else None
        self._built.add(text, start, end, step, page=page, box=rounded)


def _runs(glyphs: list[Glyph | None]) -> Iterator[tuple[bool, list[Glyph | None]]]:
    """Split a line into pieces whose characters are also consecutive on the page.

    Each comes with whether a space is before it; a space that PDFium also has is inside a piece.
    """
    run: list[Glyph | None] = []
    last: Glyph | None = None
    gap = is_apart = False
    for glyph in glyphs:
        if glyph is None:
            gap = True
            continue
        if last is not None and glyph.places[0] == last.places[-1] + 1 + gap:
            run += [None, glyph] if gap else [glyph]
        else:
            if run:
                yield is_apart, run
            run, is_apart = [glyph], gap
        last, gap = glyph, False
    if run:
        yield is_apart, run
