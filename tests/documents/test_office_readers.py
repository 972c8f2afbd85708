"""Word documents and books: order, pages, headings, notes, and bytes of the members."""

import io
import zipfile

import pytest

from babelspan.data.parts import place_of
from babelspan.documents.docx import docx
from babelspan.documents.epub import epub
from babelspan.documents.reading import kind_of
from babelspan.types import DataError, Span
from made_documents import docx_of, epub_of, notes_of, zip_of

BODY = (
    '<w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>Die Brücke</w:t></w:r></w:p>'
    '<w:p w14:paraId="0A1B"><w:r><w:t xml:space="preserve">Eröffnet &amp; be</w:t></w:r>'
    "<w:r><w:t>nutzt seit 1894</w:t><w:tab/><w:t>hier.</w:t><w:br/><w:t>Ja.</w:t></w:r>"
    "<w:del><w:r><w:delText>weg</w:delText></w:r></w:del></w:p>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Höhe</w:t></w:r></w:p></w:tc>"
    "<w:tc><w:p><w:r><w:t>60 m</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    "<w:p><w:r><w:lastRenderedPageBreak/><w:t>Seite zwei.</w:t></w:r></w:p>"
)
STYLES = (
    '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    '<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>'
)


def place_in(document, wanted):
    start = document.text.index(wanted)
    return place_of(document.text, document.parts, Span(start, start + len(wanted)))


def test_a_word_document_is_read_in_its_order():
    raw = docx_of(
        BODY,
        word__styles__xml="",
        **{"word/styles.xml": STYLES, "word/footnotes.xml": notes_of("Fußnote.")},
    )
    found = docx("d", raw)
    assert found.text == (
        "Die Brücke\n\nEröffnet & benutzt seit 1894\thier.\nJa.\n\nHöhe\n60 m\n\nSeite zwei."
        "\n\nFußnote."
    )
    assert [h.of(found.text) for h in found.headings] == ["Die Brücke"]
    main = zipfile.ZipFile(io.BytesIO(raw)).read("word/document.xml")
    for wanted in ("1894", "Brücke", "60 m", "zwei"):
        place = place_in(found, wanted)
        assert main[place.start : place.end].decode() == wanted
        assert (place.member, place.exact) == ("word/document.xml", True)
    assert place_in(found, "1894").anchor == "0A1B"
    assert [place_in(found, w).page for w in ("1894", "zwei")] == [1, 2]
    note = place_in(found, "note")
    assert (note.member, note.page) == ("word/footnotes.xml", None)
    sign = place_in(found, "&")
    assert main[sign.start : sign.end] == b"&amp;"


def test_a_book_is_read_in_the_order_of_its_spine():
    pages = [
        f"<html><body><h1 id=c{n}>Kapitel {n}</h1><p>Die Brücke &amp; {n}.</p></body></html>"
        for n in range(3)
    ]
    found = epub("b", epub_of(*pages))
    assert found.text == "\n\n".join(f"Kapitel {n}\n\nDie Brücke & {n}." for n in range(3))
    assert [h.of(found.text) for h in found.headings] == [f"Kapitel {n}" for n in range(3)]
    place = place_in(found, "Brücke & 2")
    assert (place.member, place.anchor) == ("OEBPS/page 2.xhtml", "c2")
    assert pages[2].encode()[place.start : place.end].decode() == "Brücke &amp; 2"


ENCRYPTION = (
    '<encryption xmlns:e="urn:e"><e:CipherReference URI="OEBPS/page%200.xhtml"/></encryption>'
)
DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("reader", "raw", "message"),
    [
        (docx, zip_of({"word/document.xml": DOCTYPE}), "without a DOCTYPE, found one"),
        (docx, zip_of({"word/other.xml": "<a/>"}), "expected word/document.xml in the archive"),
        (docx, docx_of("<w:p>")[:-30], "the archive is broken"),
        (docx, docx_of("</w:p>"), "word/document.xml: the XML is broken: mismatched tag"),
        (docx, docx_of("<a>" * 300 + "</a>" * 300), "at most 256 nested elements"),
        (epub, epub_of("<p>x", **{"META-INF/encryption.xml": ENCRYPTION}), r"encrypted \(DRM\)"),
        (epub, epub_of(), "expected pages in the spine, found none"),
        (epub, zip_of({"mimetype": "application/epub+zip"}), "expected META-INF/container.xml"),
        (epub, epub_of("<p>x", folder="../.."), None),
    ],
)
def test_what_is_broken_or_hostile_is_told(reader, raw, message):
    if message is None:  # names stay names: nothing outside of the archive is looked for
        assert reader("d", raw).text == "x"
        return
    with pytest.raises(DataError, match=message):
        reader("d", raw)


def test_an_archive_that_grows_too_much_is_given_up():
    bomb = docx_of("<w:p><w:r><w:t>" + "a" * 30_000_000 + "</w:t></w:r></w:p>")
    assert len(bomb) < 60_000
    with pytest.raises(DataError, match=r"expected at most .* MiB unpacked, found more"):
        docx("d", bomb)


def test_an_archive_that_lies_about_its_size_is_given_up():
    raw = bytearray(docx_of("<w:p><w:r><w:t>" + "a" * 3_000_000 + "</w:t></w:r></w:p>"))
    size = len(zipfile.ZipFile(io.BytesIO(raw)).read("word/document.xml")).to_bytes(4, "little")
    assert raw.count(size) == 2
    with pytest.raises(DataError, match=r"unpacked, found more|is broken"):
        docx("d", bytes(raw.replace(size, (10).to_bytes(4, "little"))))


def test_too_many_members_are_refused():
    with pytest.raises(DataError, match="at most 10,000 members, found 10,001"):
        docx("d", zip_of({str(n): "" for n in range(10_001)}, stored=True))


def test_a_page_break_that_word_marks_twice_is_one_break():
    def run(inside):
        return f"<w:p><w:r>{inside}</w:r></w:p>"

    found = docx(
        "d",
        docx_of(
            run("<w:t>eins</w:t>")
            + run('<w:br w:type="page"/>')
            + run("<w:lastRenderedPageBreak/><w:t>zwei</w:t>")
            + run("<w:lastRenderedPageBreak/><w:t>drei</w:t>")
        ),
    )
    assert [place_in(found, w).page for w in ("eins", "zwei", "drei")] == [1, 2, 3]


def test_the_main_member_may_have_a_number():
    raw = docx_of("<w:p><w:r><w:t>Ja.</w:t></w:r></w:p>")
    document = zipfile.ZipFile(io.BytesIO(raw)).read("word/document.xml")
    web = zip_of({"word/document2.xml": document, "word/documents.xml": "no"})
    assert kind_of("web", web) == "docx"
    place = place_in(docx("web", web), "Ja")
    assert (place.member, place.page) == ("word/document2.xml", 1)


def test_a_text_box_is_a_paragraph_of_its_own_wherever_it_is_anchored():
    inside = "<w:p><w:r><w:t>BOX</w:t></w:r></w:p>"
    box = f"<w:r><w:pict><w:txbxContent>{inside}</w:txbxContent></w:pict></w:r>"
    head = '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'
    first = docx("d", docx_of(f"{head}{box}<w:r><w:t>Title</w:t></w:r></w:p>"))
    last = docx("d", docx_of(f"{head}<w:r><w:t>Title</w:t></w:r>{box}</w:p>"))
    assert [first.text, last.text] == ["BOX\n\nTitle", "Title\n\nBOX"]
    assert [[h.of(d.text) for h in d.headings] for d in (first, last)] == [["Title"], ["Title"]]


def test_text_is_read_where_it_was_moved_to_and_hyphens_that_do_not_break_are_kept():
    found = docx(
        "d",
        docx_of(
            "<w:p><w:moveFrom><w:r><w:t>Moved </w:t></w:r></w:moveFrom><w:r><w:t>from 2010</w:t>"
            "<w:noBreakHyphen/><w:t>2012</w:t><w:ptab/><w:t>and</w:t></w:r>"
            "<w:moveTo><w:r><w:t>moved</w:t></w:r></w:moveTo><w:del><w:r><w:t>gone</w:t></w:r>"
            "</w:del></w:p>"
        ),
    )
    assert found.text == "from 2010-2012\tandmoved"
    assert "".join(found.text[p.start : p.end] for p in found.parts) == found.text
    assert place_in(found, "2010-2012").member == "word/document.xml"
