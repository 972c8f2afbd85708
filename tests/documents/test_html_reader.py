"""Web pages: what a browser shows, each character with the bytes that it is from."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.data.parts import UTF8, place_of
from babelspan.documents.html import html
from babelspan.types import DataError, Span


def read(source, encoding="utf-8"):
    return html("page.html", source.encode(encoding))


def test_blocks_lines_and_cells_are_apart_and_white_space_is_one_space():
    page = read(
        "<!DOCTYPE html><html><head><title>Brücken</title><style>p{}</style>"
        "<script>var a = '<p>no</p>';</script></head><body>\n<h1 id=top>Die\n  <b>Brücke</b></h1>"
        "<p>Wurde   1894 er&ouml;ffnet.<br>Sie steht.<ul><li>eins<li>zwei</ul>"
        "<table><tr><td>Höhe<td>60&nbsp;m<tr><td>Jahr</td><td>1894</td></table>"
        "<pre>a\n  b</pre><div hidden>weg<div>weg</div></div>Ende"
    )
    assert page.text == (
        "Brücken\n\nDie Brücke\n\nWurde 1894 eröffnet.\nSie steht.\n\neins\nzwei\n\n"
        "Höhe\t60\xa0m\nJahr\t1894\n\na\n  b\n\nEnde"
    )
    assert [h.of(page.text) for h in page.headings] == ["Brücken", "Die Brücke"]
    place = place_of(page.text, page.parts, Span(*re.search("1894", page.text).span()))
    assert (place.anchor, place.exact) == ("top", True)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p>a<p hidden>no<p>b", "a\n\nb"),
        ("<p hidden>no <b>no</b></i> no</p>a", "a"),
        ("<p hidden>no<div>a</div>", "a"),
        ("<div><p hidden>no <span>no</div>a", "a"),
        ("<ul><li>a<li hidden>no<p>no</p></p><ul><li>no<li>no</ul>no<li>b</ul>c", "a\nb\n\nc"),
        ("<ul><li hidden><p>no<li>a</ul>", "a"),
        ("<dl><dt>a<dd style='display: none'>no<dt>b</dl>", "a\nb"),
        ("<table><tr><td>a<td hidden>no<td>b<tr hidden><td>no<tr><td>c</table>d", "a\tb\nc\n\nd"),
        ("<div hidden><p>no</table>no</p></div>a", "a"),
        ("a<br hidden>b", "a\nb"),
        ("<p hidden>no", ""),
    ],
)
def test_what_is_hidden_is_left_out_up_to_where_it_ends(source, shown):
    """Elements without an end tag end as in a browser: with what cannot stand in them."""
    assert read(f"<body>{source}").text == shown


SOURCE = "<p>Sie &lt;war&gt; Br&#252;cke in 東京 und 👨‍👩 &amp; mehr"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_a_span_is_found_again_in_the_bytes(encoding):
    raw = SOURCE.encode(encoding)
    if encoding == "gb18030":
        raw = b"<meta charset=gb18030>" + raw
    page = html("p", raw)
    assert page.text == "Sie <war> Brücke in 東京 und 👨‍👩 & mehr"
    exact = {"東京", "und 👨‍👩", "Sie", "mehr", "cke in 東"}
    for wanted in [*exact, "Brücke", "<war>"]:
        start = page.text.index(wanted)
        place = place_of(page.text, page.parts, Span(start, start + len(wanted)))
        codec = "utf-16-le" if encoding == "utf-16" else encoding
        found = raw[place.start : place.end].decode(codec)
        source = {"Brücke": "Br&#252;cke", "<war>": "&lt;war&gt;"}.get(wanted, wanted)
        assert found == source
        assert place.exact


INSIDE_A_REFERENCE = "&ngE; &notit; &#x< &#99999999; &bogus; a<b <1> &amp"


def test_odd_references_and_signs_lose_nothing():
    page = read(f"<p>{INSIDE_A_REFERENCE}</p><p>weiter")
    assert page.text.endswith("weiter")
    for kept in ("¬it;", "&bogus;", "&"):
        assert kept in page.text
    assert "<p>" not in page.text


WORDS = st.lists(
    st.sampled_from(
        ["Brücke", "جسر", "東京", "สะพาน", "a&amp;b", "&#8364;", "x &lt; y", "𐍈", "\n"]
    ),
    min_size=1,
    max_size=6,
)
TAGS = st.sampled_from(["p", "b", "div", "span", "li", "td", "h2", "pre", "a id=x"])
TREES = st.recursive(
    WORDS.map(" ".join),
    lambda inside: st.tuples(TAGS, st.lists(inside, max_size=3), st.booleans()).map(
        lambda t: f"<{t[0]}>{' '.join(t[1])}{'</' + t[0].split()[0] + '>' if t[2] else ''}"
    ),
    max_leaves=8,
)


def flat(text):
    return re.sub(r"\s", " ", text)


@settings(max_examples=80, deadline=None)
@given(TREES)
def test_every_character_has_its_bytes(source):
    raw = source.encode()
    page = html("p", raw)
    assert "".join(page.text[p.start : p.end] for p in page.parts) == page.text
    assert all(a.end == b.start for a, b in zip(page.parts, page.parts[1:], strict=False))
    assert all(
        a.source_end <= b.source_start for a, b in zip(page.parts, page.parts[1:], strict=False)
    )
    for part in page.parts:
        if part.step == UTF8:
            found = raw[part.source_start : part.source_end].decode()
            assert flat(found) == flat(page.text[part.start : part.end])
    shown = re.sub(r"<[^>]*>", " ", source)
    for name, sign in (("&amp;", "&"), ("&#8364;", "€"), ("&lt;", "<")):
        shown = shown.replace(name, sign)
    assert "".join(page.text.split()) == "".join(shown.split())


def test_an_encoding_that_does_not_fit_is_told():
    with pytest.raises(
        DataError, match=r"p: expected a page in utf-8, found the byte 0xfc at byte 5"
    ):
        html("p", b"<p>Br\xfccke")
    assert html("p", b"<meta charset=latin1><p>Br\xfccke\x80").text == "Brücke€"
    assert html("p", "<meta charset=latin1><p>Brücke".encode()).text == "Brücke"
    with pytest.raises(DataError, match="expected a page in utf-8"):
        html("p", b"<meta charset=zip>\xff")


def test_an_anchor_may_be_an_empty_element():
    page = read('<p>Eins<p><a id="zwei"/>Zwei')
    start = page.text.index("Zwei")
    assert place_of(page.text, page.parts, Span(start, start + 4)).anchor == "zwei"


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [("euc-kr", "cp949", "똠방"), ("x-sjis", "cp932", "①橋"), ("windows-31j", "cp932", "①橋")],
)
def test_encodings_are_taken_as_browsers_take_them(label, encoding, text):
    raw = f"<meta charset={label}><p>{text}".encode(encoding)
    assert html("page.html", raw).text == text
