"""The memory of stored documents: what counts is what is kept, not what was uploaded."""

import gc
import tracemalloc

import pytest

from babelspan.documents.reading import read_bytes_as_document
from babelspan.service.documents import Documents
from babelspan.service.problems import Problem
from made_documents import docx_of, epub_of, pdf_of
from served import serving

LINES = [f"Line number {n * n * 7919} of a text" for n in range(2000)]
FILES = {
    "x.docx": docx_of("".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in LINES)),
    "x.html": f"<!doctype html><p id={'a' * 500}>{'<p>'.join(LINES)}".encode(),
    "x.epub": epub_of(f"<html><body><p>{'</p><p>'.join(LINES)}</p></body></html>"),
    "x.pdf": pdf_of(*([(50, 700, line), (50, 688, line)] for line in LINES[:500])),
    "x.md": "\n".join(f"# {line}\n" for line in LINES).encode(),
    "x.txt": "\n".join(LINES).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_the_memory_of_a_document_is_what_it_takes(name):
    read_bytes_as_document(name, FILES[name])  # what is made once only
    gc.collect()
    tracemalloc.start()
    stored = Documents(2**30).read(name, FILES[name])
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(stored.named.text) > 30_000
    assert 0.9 * taken <= stored.memory <= 1.5 * taken


def test_a_small_file_with_a_large_text_counts_by_its_text():
    lines = (f"{n}{'x' * 60}" for n in range(10_000))
    raw = docx_of("".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines))
    assert len(raw) < 2**17
    with serving(documents_mib=8) as served:
        status, stored = served.json("PUT", "/v1/documents/a.docx", raw)
        assert (status, stored["bytes"]) == (201, len(raw))
        (told,) = (
            line
            for line in served.call("GET", "/metrics")[2].decode().splitlines()
            if line.startswith("babelspan_documents_bytes")
        )
        assert float(told.split()[1]) == served.service.documents.memory > 2**22
        other = served.json("PUT", "/v1/documents/b.txt", b"y" * 2**22)[1]
        assert served.call("GET", f"/v1/documents/{stored['id']}")[0] == 404
        assert served.call("GET", f"/v1/documents/{other['id']}")[0] == 200


def test_a_text_larger_than_all_the_memory_is_refused():
    raw = FILES["x.docx"]
    with pytest.raises(Problem, match=r"and 200,000 bytes in memory, found [\d,]+ characters"):
        Documents(200_000).read("a.docx", raw)


def test_the_same_bytes_under_another_name_count_once():
    documents = Documents(2**30)
    kept = [documents.read(name, FILES["x.md"]) for name in ("x.md", "x.txt", "x.md")]
    assert kept[0].memory > kept[1].memory
    for one in kept:
        documents.keep(one)
        assert documents.memory == one.memory
    documents.remove(kept[0].id)
    assert documents.memory == 0
