"""Passages: all of a text, within limits, each character with its place in the file."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.data.parts import Part, cut_out, place_of
from babelspan.documents.html import html
from babelspan.documents.plain import markdown, text
from babelspan.retrieval.passages import LONGEST, LONGEST_UNSPACED, passages_of, spans_of
from babelspan.retrieval.stored import entry_of, passage_of
from babelspan.seams import Hit
from babelspan.types import Span

SENTENCE = "The bridge over the river was opened in the year 1894 by the King. "
PIECES = st.lists(
    st.sampled_from(
        [
            SENTENCE,
            "\n\n",
            "\n",
            "桥于一八九四年开通。" * 9,
            "ก" * 120,
            "x" * 1000,
            "👨‍👩‍👧",
            " ",
            "Ende",
        ]
    ),
    max_size=30,
).map("".join)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_no_character_is_lost_and_no_passage_too_long(whole):
    spans = spans_of(whole)
    covered = set()
    for span in spans:
        piece = span.of(whole)
        assert piece == piece.strip() != ""
        assert len(piece) <= LONGEST
        covered |= set(range(span.start, span.end))
    assert [s.start for s in spans] == sorted({s.start for s in spans})
    assert all(whole[i].isspace() for i in set(range(len(whole))) - covered)


def test_paragraphs_are_joined_up_to_the_limit_and_long_ones_cut_at_sentences():
    short = "\n\n".join(["One short paragraph."] * 3)
    assert [s.of(short) for s in spans_of(short)] == [short]
    long = SENTENCE * 30
    pieces = [s.of(long) for s in spans_of(long)]
    assert all(p.endswith("King.") and p.startswith("The bridge") for p in pieces)
    assert all(len(p) > LONGEST / 2 for p in pieces[:-1])
    for one, other in zip(spans_of(long), spans_of(long)[1:], strict=False):
        assert one.end > other.start, "neighbours share a sentence"
    chinese = "桥于一八九四年开通。" * 100
    assert max(len(s.of(chinese)) for s in spans_of(chinese)) <= LONGEST_UNSPACED


def test_a_heading_is_kept_with_what_is_below():
    document = markdown("a.md", f"# Bridges\n\n{SENTENCE * 12}\n\n{SENTENCE * 12}".encode())
    first, *others = passages_of(document)
    assert (first.text[:9], first.heading) == ("# Bridges", "")
    assert {p.heading for p in others} == {"Bridges"}
    assert {p.language for p in (first, *others)} == {"en"}
    assert "bridg" in entry_of(others[-1]).terms


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["Brücke", "जल", "&amp;", "👨‍👩", "\n\n", SENTENCE]), max_size=60))
def test_places_of_a_passage_are_those_of_the_document(words):
    source = "<p>" + " ".join(words)
    document = html("p", source.encode())
    for passage in passages_of(document):
        kept = passage_of(Hit("p", entry_of(passage).content, 0.0))
        assert kept == passage
        assert passage.text == document.text[passage.start : passage.end]
        middle = len(passage.text) // 2
        for span in (Span(0, 1), Span(middle, middle + 1), Span(0, len(passage.text))):
            moved = Span(span.start + passage.start, span.end + passage.start)
            assert place_of(passage.text, passage.parts, span) == place_of(
                document.text, document.parts, moved
            )


def test_pages_are_kept_apart_unless_a_sentence_runs_on():
    parts = (Part(0, 5, 0, 5, 1, page=1), Part(5, 7, 5, 5), Part(7, 12, 0, 5, 1, page=2))
    from babelspan.data.documents import Document

    apart = Document("p", "One.\x20\n\nTwo. ", "pdf", parts)
    assert [p.text for p in passages_of(apart)] == ["One.", "Two."]
    goes_on = Document("p", "One a b Two. ", "pdf", parts)
    assert [p.text for p in passages_of(goes_on)] == ["One a b Two."]


@pytest.mark.parametrize("hostile", ["x" * 200_000, "a. " * 60_000, "\n" * 200_000, "́" * 50_000])
def test_hostile_texts_take_no_time(hostile):
    spans = passages_of(text("h", hostile.encode()))
    assert all(len(p.text) <= LONGEST for p in spans)


def test_parts_can_be_cut_anywhere():
    whole = "Größe &"
    parts = [Part(0, 6, 0, 8, 0), Part(6, 7, 8, 13)]
    assert cut_out(whole, parts, 2, 7) == [Part(0, 4, 2, 8, 0), Part(4, 5, 8, 13)]
    assert Part.unpacked(parts[0].packed()) == parts[0]
    full = Part(1, 2, 3, 4, 1, 5, "a", "b", (1.0, 2.0, 3.0, 4.0))
    assert Part.unpacked(full.packed()) == full
