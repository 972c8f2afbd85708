"""Passages are read from their files, as long as these have them."""

import gzip
import os

import pytest

from babelspan.data.parts import UTF8, Part, place_of
from babelspan.documents.plain import markdown, text
from babelspan.jobs.collections import check, open_collection
from babelspan.jobs.index import index
from babelspan.retrieval.passages import Passage, passages_of
from babelspan.retrieval.searching import Search
from babelspan.retrieval.stored import entry_of, passage_of, start_of
from babelspan.seams import Hit
from babelspan.types import Span

SECRET = "Die Brücke 👩‍🔬 über den Fluß wurde 1894 eröffnet."
FILLING = " ".join(["Ein Satz über Fähren und ihre Häfen."] * 40)


@pytest.mark.parametrize(
    "raw",
    [
        SECRET.encode(),
        f"\ufeff{SECRET}".encode(),
        f"\r\n\r\n{FILLING}\r\n\r\n{SECRET}\r\n".encode(),
        f"# Brücken\n\n{FILLING}\n\n## Die zweite\n\n{SECRET}\n\n{FILLING}".encode(),
    ],
)
def test_the_text_of_a_passage_is_read_from_its_file(tmp_path, raw):
    file = tmp_path / "a.txt"
    file.write_bytes(raw)
    for document in (text("a", raw), markdown("a", raw)):
        for passage in passages_of(document):
            entry = entry_of(passage, raw)
            assert passage.text not in entry.content
            assert entry.terms == entry_of(passage).terms
            assert start_of(Hit("", entry.content, 1.0)) == passage.start
            assert passage_of(Hit(str(file), entry.content, 1.0)) == passage
            place = place_of(passage.text, passage.parts, Span(0, len(passage.text)))
            assert raw[place.start : place.end].decode() == passage.text


def test_a_passage_in_one_piece_keeps_its_heading(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("Über Brücken.", encoding="utf-8")
    passage = Passage(7, "Brücken.", "de", "1,2, und [3],", (Part(0, 8, 6, 15, UTF8),))
    entry = entry_of(passage, file.read_bytes())
    assert not entry.content.startswith("[") and start_of(Hit("", entry.content, 1.0)) == 7
    assert passage_of(Hit(str(file), entry.content, 1.0)) == passage
    file.write_text("Über Brucken.", encoding="utf-8")
    assert passage_of(Hit(str(file), entry.content, 1.0)) is None


def test_a_passage_that_its_file_has_not_is_kept():
    (passage,) = passages_of(text("a", SECRET.encode()))
    for other in (b"", SECRET.encode("utf-16"), b"x" + SECRET.encode()):
        entry = entry_of(passage, other)
        assert passage.text in entry.content
        assert passage_of(Hit("nowhere", entry.content, 1.0)) == passage


@pytest.fixture
def searched(tmp_path):
    """A collection of two files, and what a search in it finds."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text(SECRET, encoding="utf-8")
    (docs / "b.txt").write_bytes(gzip.compress(f"Noch eine Brücke. {FILLING}".encode()))
    index([docs], tmp_path / "index")

    def search():
        search = Search(open_collection(tmp_path / "index"))
        found = search.passages("Wann wurde die Brücke eröffnet?", 5)
        return {os.path.basename(r.file) for r in found}, search.changed

    return docs, search


def test_unpacked_text_is_kept_and_plain_text_is_not(tmp_path, searched):
    docs, search = searched
    assert search() == ({"a.txt", "b.txt"}, set())
    kept = {hit.file: hit.content for hit in open_collection(tmp_path / "index").everything()}
    assert "Fluß" not in kept[str(docs / "a.txt")]
    assert "Fähren" in kept[str(docs / "b.txt")]


@pytest.mark.parametrize("change", ["before", "inside", "shorter", "gone", "pipe"])
def test_a_passage_that_has_changed_is_not_found_and_its_file_is_named(tmp_path, searched, change):
    docs, search = searched
    file = docs / "a.txt"
    before = check(tmp_path / "index").digest
    file.unlink()
    if change == "pipe":
        os.mkfifo(file)
    elif change != "gone":
        changed = {"before": f"x{SECRET}", "inside": SECRET.replace("1894", "1895")}
        file.write_text(changed.get(change, SECRET[:20]), encoding="utf-8")
    assert search() == ({"b.txt"}, {str(file)})
    assert check(tmp_path / "index").digest == before


def test_what_comes_after_a_passage_may_change(searched):
    docs, search = searched
    with (docs / "a.txt").open("a", encoding="utf-8") as file:
        file.write(" Und mehr.")
    assert search() == ({"a.txt", "b.txt"}, set())
