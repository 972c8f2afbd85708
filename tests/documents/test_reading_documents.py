"""Files of every kind: by what is in them, and strangers' files in a child with limits."""

import gzip
import os
import random
import signal
import sys
import time
import zlib

import pytest

from babelspan.data.parts import place_of
from babelspan.documents import child
from babelspan.documents.confined import Confined, confined
from babelspan.documents.plain import markdown
from babelspan.documents.reading import kind_of, read_all, read_any, read_bytes_as_document
from babelspan.types import DataError, Span
from made_documents import docx_of, epub_of, pdf_of, zip_of

KINDS = {
    "a.txt": (b"The bridge", "text"),
    "a.md": (b"# The bridge", "markdown"),
    "a.html": (b"<p>The bridge", "html"),
    "a.pdf": (b"\xef\xbb\xbf\n<!doctype html><p>The bridge", "html"),
    "b.txt": (pdf_of([(50, 700, "The bridge")]), "pdf"),
    "c.doc": (docx_of("<w:p><w:r><w:t>The bridge</w:t></w:r></w:p>"), "docx"),
    "d.zip": (epub_of("<p>The bridge"), "epub"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_read_by_what_is_in_it(tmp_path, name):
    raw, kind = KINDS[name]
    assert kind_of(name, raw) == kind
    (tmp_path / name).write_bytes(gzip.compress(raw) if name == "a.md" else raw)
    found = read_any(str(tmp_path / name))
    assert (found.kind, found.text.strip("# ")) == (kind, "The bridge")
    start = found.text.index("bridge")
    place = place_of(found.text, found.parts, Span(start, start + 6))
    assert place.exact
    if kind in ("text", "markdown", "html"):
        assert raw[place.start : place.end] == b"bridge"


def test_headings_of_markdown_are_anchors():
    raw = "vorher\n# Über uns!\ntext\n```\n# no\n```\n## Über uns!\nmehr ü\n".encode()
    found = read_bytes_as_document("a.md", raw)
    assert found.text.encode() == raw
    assert [h.of(found.text) for h in found.headings] == ["Über uns!", "Über uns!"]
    assert [p.anchor for p in found.parts] == ["", "über-uns", "über-uns-1"]
    at = found.text.index("mehr")
    place = place_of(found.text, found.parts, Span(at, at + 6))
    assert (raw[place.start : place.end].decode(), place.anchor) == ("mehr ü", "über-uns-1")


def test_what_cannot_be_read_is_named_and_does_not_stop_the_others(tmp_path):
    contents = {
        "good.txt": b"text",
        "old.doc": b"\xd0\xcf\x11\xe0",
        "pack.zip": zip_of({"a": "b"}),
        "empty.html": b"<html></html>",
        "broken.pdf": b"%PDF-1.4",
        "broken.docx": b"PK\x03\x04 and no more",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    documents, skipped = read_all(str(tmp_path / name) for name in (*contents, "missing"))
    assert [d.text for d in documents] == ["text"]
    reasons = (
        "old Office document",
        "a ZIP archive",
        "holds no text",
        "a PDF that can be opened",
        "broken.docx: the archive is broken",
    )
    for line, reason in zip(skipped, (*reasons, "no such file"), strict=True):
        assert reason in line


@pytest.fixture
def small():
    """A child with less memory and time."""
    one = Confined(memory=150 * 2**20, seconds=1)
    yield one
    one.close()


def test_a_child_that_takes_too_much_is_given_up_and_the_next_file_is_read(small):
    for hostile in (b"<!--" * 40_000, b"<p>" + b"x" * 60_000_000):
        began = time.monotonic()
        with pytest.raises(
            DataError, match=r"evil: reading it took more than 1 s of processor time"
        ):
            small.read("html", "evil", hostile)
        assert time.monotonic() - began < 20
    assert small.read("html", "good", b"<p>The bridge").text == "The bridge"


def test_a_pdf_that_unpacks_without_end_is_given_up_and_the_next_file_is_read(small):
    """A page of 300 MB, packed twice into a few kB."""
    packing = zlib.compressobj(9, wbits=-15)
    block = packing.compress(b"BT /F1 10 Tf (bridge) Tj ET\n" * 35_000)
    block += packing.flush(zlib.Z_FULL_FLUSH)
    page = zlib.compress(b"\x78\xda" + 300 * block + b"\x03\x00\x00\x00\x00\x00", 9)
    assert len(page) < 10_000
    raw = pdf_of([(50, 700, "PAGE")])
    start, end = raw.index(b"<< /Length"), raw.index(b"endstream")
    head = b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n" % len(page)
    bomb = raw[:start] + head + page + b"\n" + raw[end:]
    with pytest.raises(DataError, match=r"evil: reading it took more than 1 s of processor time"):
        small.read("pdf", "evil", bomb)
    assert small.read("html", "good", b"<p>The bridge").text == "The bridge"


@pytest.mark.parametrize("name", ["b.txt", "c.doc", "d.zip", "a.pdf"])
def test_files_with_broken_bytes_are_read_or_refused(name):
    """Bytes changed, cut out or put in at random: a document or a reason, never anything else."""
    raw, kind = KINDS[name]
    rng = random.Random(1)
    read = 0
    for _ in range(25):
        broken = bytearray(raw)
        for _ in range(rng.randrange(1, 6)):
            place = rng.randrange(len(broken) + 1)
            way = rng.randrange(3)
            if way == 0:
                broken[place : place + 1] = rng.randbytes(1)
            elif way == 1:
                del broken[place : place + rng.randrange(1, 20)]
            else:
                broken[place:place] = rng.randbytes(rng.randrange(1, 40))
        try:
            document = confined().read(kind, "broken", bytes(broken))
        except DataError as error:
            assert str(error).startswith("broken: ")
            assert "took more than" not in str(error)
            continue
        read += 1
        pieces = [document.text[part.start : part.end] for part in document.parts]
        assert "".join(pieces) == document.text
    assert read < 25 or kind in ("html", "pdf")


def test_a_child_that_is_killed_is_started_again(small):
    assert small.read("html", "a", b"<p>one").text == "one"
    small._child.kill()
    small._child.wait()
    assert small.read("html", "a", b"<p>two").text == "two"


def test_the_child_imports_nothing_from_the_folder_that_it_works_in(tmp_path, monkeypatch):
    """A folder of documents may hold a `html.py`; `python -c` would run it."""
    for name in ("html", "json", "typing"):
        (tmp_path / f"{name}.py").write_text("open(__file__ + '.ran', 'w'); raise ImportError")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    one = Confined()
    assert one.read("html", "a", b"<p>The bridge").text == "The bridge"
    one.close()
    assert not list(tmp_path.glob("*.ran"))


@pytest.mark.skipif(os.name != "posix", reason="needs an alarm")
def test_an_interrupt_does_not_give_one_file_the_text_of_another():
    def interrupt(*_):
        raise KeyboardInterrupt

    one, before = Confined(), signal.signal(signal.SIGALRM, interrupt)
    try:
        assert one.read("html", "a", b"<p>one").text == "one"
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            one.read("html", "b", b"<p>two" + b"<!--" * 20_000)  # takes a second
        assert one.read("html", "c", b"<p>three").text == "three"
    finally:
        signal.signal(signal.SIGALRM, before)
        one.close()


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_an_interrupt_of_the_terminal_does_not_reach_the_child(small):
    small.read("html", "a", b"<p>one")
    assert os.getpgid(small._child.pid) != os.getpgid(0)


@pytest.mark.skipif(os.name != "posix", reason="needs the limits of POSIX")
def test_the_child_cannot_write(tmp_path):
    pid = os.fork()
    if pid == 0:
        child._limit(2**40)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            (tmp_path / "x").write_text("y")
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_a_reader_that_is_not_installed_is_told(monkeypatch):
    def missing(kind, name, raw):
        raise ModuleNotFoundError("No module named 'pypdfium2'", name="pypdfium2")

    from babelspan.documents import reading

    monkeypatch.setattr(reading.confined(), "read", missing)
    with pytest.raises(DataError, match=r"reading pdf files needs pypdfium2.*\[index\]"):
        read_bytes_as_document("a", b"%PDF-1.4")


def test_headings_and_fences_of_markdown_may_end_in_carriage_returns():
    source = b"# Foo\r\n\r\n```\r\n# no\r\n```\r\n\r\n## Foo Bar\r\n\r\n# Foo\r\n\r\nend"
    found = markdown("a.md", source)
    assert [h.of(found.text) for h in found.headings] == ["Foo", "Foo Bar", "Foo"]
    assert [part.anchor for part in found.parts if part.anchor] == ["foo", "foo-bar", "foo-1"]


@pytest.mark.parametrize(
    ("source", "headings", "anchors"),
    [
        ("\ufeff# Foo\nbar", ["Foo"], ["foo"]),
        ("# C#\n## F# ##\n### \n#no\n   #\tc\t#\n", ["C#", "F#", "c"], ["c", "f", "", "c-1"]),
        ("# A\n```\n# no", ["A"], ["a"]),
        ("  ```\n# no\n  ```\n# A", ["A"], ["a"]),
        ("```\n# no\n```python\n# no\n~~~\n````\n# A", ["A"], ["a"]),
        ("````\n```\n# no\n````\n# A\n```a``` `b`\n# B", ["A", "B"], ["a", "b"]),
        (
            "# See [the docs](http://x.y) ![i](j)",
            ["See [the docs](http://x.y) ![i](j)"],
            ["see-the-docs"],
        ),
        ("a\u2028# no\x0c# no", [], []),
    ],
)
def test_headings_of_markdown_are_those_of_commonmark(source, headings, anchors):
    found = markdown("a.md", source.encode())
    assert [h.of(found.text) for h in found.headings] == headings
    parts = [p for p in found.parts if found.text[p.start : p.end].lstrip("\ufeff ")[:1] == "#"]
    assert [part.anchor for part in parts] == anchors
    assert "".join(found.text[p.start : p.end] for p in found.parts) == source


def test_markdown_of_many_blocks_of_code_takes_linear_time():
    """Each heading was compared with each block: 37 s for 8,000 blocks."""
    began = time.process_time()
    found = markdown("a.md", b"```\nx\n```\n# h\n" * 20_000 + b"# a " + b" " * 100_000 + b"b")
    assert len(found.headings) == 20_001
    assert time.process_time() - began < 5
