"""Collections in the service: passages, answers with their places, the text of a file."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from babelspan.jobs.index import index
from babelspan.jobs.search import ask_collection, searched
from babelspan.service.collections import opened
from babelspan.types import ConfigError, DataError
from made_documents import pdf_of
from served import default_answerer, serving

WHO = "Who discovered penicillin?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    docs = tmp_path_factory.mktemp("docs")
    bridge = "<h1 id=b>Eine Tafel 🌊</h1><p>Die Brücke wurde 1894 eröffnet."
    (docs / "bridge.html").write_text(bridge, encoding="utf-8")
    lines = [(50, 700, "Penicillin was discovered"), (50, 688, "by Alexander Fleming in 1928.")]
    (docs / "paper.pdf").write_bytes(pdf_of([(50, 700, "Title page.")], lines))
    (docs / "empty.txt").write_text(" ")
    return docs


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "papers.index"
    index([folder], out)
    return out


@pytest.fixture(scope="module")
def served(made):
    with serving(opened({"papers": str(made)})) as one:
        yield one


def asked(served, question=WHO, **more):
    return served.json("POST", "/v1/answer", {"question": question, "collection": "papers"} | more)


def test_an_answer_is_that_of_ask_in_bit_for_bit(served, made):
    question = "Who discovered penicillin, and when was the Brücke?"
    status, found = asked(served, question, top_k=3, passages=2)
    answerer = default_answerer()
    (one,) = ask_collection(answerer, [question], searched(made), top_k=3, passages=2)
    assert (status, found["complete"], found["read"]["passages"]) == (200, True, 2)
    assert [(a["answer"], a["score"], a["probability"]) for a in found["answers"]] == [
        (p.text, p.score, p.probability) for _, p in one.answers
    ]
    for answer, (document, prediction) in zip(found["answers"], one.answers, strict=True):
        place, passage = answer["place"], answer["passage"]
        assert place["document"] == document.name
        assert place["start"] == document.start + prediction.span.start
        assert passage["text"][place["start"] - passage["start"] :].startswith(answer["answer"])
        assert "utf16" not in place


def test_an_answer_has_its_page_and_its_place_in_the_file(served, folder):
    (answer,) = asked(served)[1]["answers"]
    assert (answer["answer"], answer["language"]) == ("Alexander Fleming", "en")
    assert answer["place"]["document"] == str(folder / "paper.pdf")
    assert answer["place"]["page"] == 2 and len(answer["place"]["source"]["boxes"]) == 1
    (answer,) = asked(served, "Wann wurde die Brücke eröffnet?")[1]["answers"]
    raw, source = (folder / "bridge.html").read_bytes(), answer["place"]["source"]
    assert raw[source["start"] : source["end"]].decode() == answer["answer"] == "1894"
    assert (source["anchor"], answer["place"]["page"]) == ("b", None)


def test_the_text_of_a_file_has_the_answer_at_its_place(served):
    for question in (WHO, "Wann wurde die Brücke eröffnet?"):
        (answer,) = asked(served, question)[1]["answers"]
        place = answer["place"]
        path = f"/v1/collections/papers/text?file={quote(place['document'])}"
        status, headers, content = served.call("GET", path)
        assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert content.decode()[place["start"] : place["end"]] == answer["answer"]


@pytest.mark.parametrize("file", ["/etc/passwd", "../paper.pdf", "", "%00", "empty.txt"])
def test_only_files_of_the_collection_can_be_read(served, file):
    status, problem = served.json("GET", f"/v1/collections/papers/text?file={file}")
    assert status == 404 and "the collection 'papers' has no file" in problem["detail"]


def test_collections_are_told(served):
    status, found = served.json("GET", "/v1/collections")
    (one,) = found["collections"]
    assert status == 200
    assert one == served.json("GET", "/v1/collections/papers")[1]
    described = served.json("GET", "/openapi.json")[1]["components"]["schemas"]["Collection"]
    assert one.keys() == described["properties"].keys() == {*described["required"]}
    assert (one["name"], one["files"], one["skipped"]) == ("papers", 2, 1)
    assert one["passages"] == sum(one["languages"].values()) == 3
    assert b'babelspan_index_passages{collection="papers"} 3.0' in served.call("GET", "/metrics")[2]
    status, problem = served.json("GET", "/v1/collections/paper")
    assert status == 404 and "did you mean 'papers'?" in problem["detail"]


def test_passages_are_found_without_reading_them(served, folder):
    body = {"question": WHO, "passages": 1}
    status, found = served.json("POST", "/v1/collections/papers/search", body)
    (passage,) = found["passages"]
    assert (status, passage["document"], passage["page"]) == (200, str(folder / "paper.pdf"), 2)
    assert passage["text"] == "Penicillin was discovered by Alexander Fleming in 1928."
    assert passage["end"] - passage["start"] == len(passage["text"])


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"texts": [{"text": "x"}]}, "found both"),
        ({"collection": None}, "expected either texts, documents (one or more) or a collection"),
        ({"passages": 0}, "passages: expected greater than or equal to 1, found 0"),
        ({"passages": 201}, "less than or equal to 200, found 201"),
        ({"question": " "}, "question: expected a question"),
        ({"question_language": "?"}, "expected a language code"),
    ],
)
def test_what_cannot_be_searched_is_told(served, more, why):
    status, problem = asked(served, **more)
    assert status == 422 and why in problem["detail"]


def test_questions_that_find_nothing_and_batches(served):
    assert asked(served, "東京")[1]["answers"] == []
    line = json.dumps({"id": 1, "question": WHO, "collection": "papers"})
    kind = {"Content-Type": "application/x-ndjson"}
    found = json.loads(served.call("POST", "/v1/batch", line, **kind)[2])
    assert (found["id"], found["answers"]) == (1, asked(served)[1]["answers"])
    status, problem = served.ask(passages=3)
    assert status == 422 and "`passages` takes `collection`" in problem["detail"]


def test_what_is_indexed_later_is_found(tmp_path):
    docs, out = tmp_path / "docs", tmp_path / "i"
    docs.mkdir()
    (docs / "a.txt").write_text("The lake lies in Siberia.")
    index([docs], out)
    with serving(opened({"papers": str(out)})) as served:
        (answer,) = asked(served, "When was the bridge opened?")[1]["answers"]
        assert answer["place"]["document"] == str(docs / "a.txt")
        (docs / "b.txt").write_text("The bridge was opened in 1894.")
        index([docs], out)
        (answer,) = asked(served, "When was the bridge opened?", passages=1)[1]["answers"]
        assert answer["answer"] == "1894"
        (docs / "a.txt").write_text("The lake is gone.")
        path = f"/v1/collections/papers/text?file={quote(str(docs))}"
        status, problem = served.json("GET", f"{path}/a.txt")
        assert status == 409 and "has changed since it was indexed" in problem["detail"]
        (docs / "b.txt").unlink()
        status, problem = served.json("GET", f"{path}/b.txt")
        assert status == 404 and "can no longer be read" in problem["detail"]
        (out / "collection.toml").unlink()
        (out / "store" / "x").write_text("")
        status, problem = asked(served)
        assert status == 503 and "expected a collection" in problem["detail"]


def broken_by(breakage, out):
    """Make a collection one that cannot be opened."""
    rules = out / "collection.toml"
    rules.unlink()
    if breakage == "folder":
        rules.mkdir()
    (out / "store" / "x").write_text("")


@pytest.mark.parametrize("breakage", ["missing", "folder"])
def test_a_broken_collection_does_not_hide_the_others(made, tmp_path, monkeypatch, breakage):
    monkeypatch.setattr("babelspan.service.answering._CHECKED_WITHIN", 60)
    docs, out = tmp_path / "docs", tmp_path / "i"
    docs.mkdir()
    (docs / "a.txt").write_text("The lake lies in Siberia.")
    index([docs], out)
    with serving(opened({"lakes": str(out), "papers": str(made)})) as served:
        before = served.json("GET", "/v1/collections")[1]["collections"]
        assert [one["available"] for one in before] == [True, True]
        rules = (out / "collection.toml").read_text()
        broken_by(breakage, out)
        text = served.call("GET", "/metrics")[2].decode()
        for name, passages, available in (("lakes", 1, 0), ("papers", 3, 1)):
            labels = f'{{collection="{name}"}}'
            assert f"babelspan_index_passages{labels} {passages}.0" in text
            assert f"babelspan_index_available{labels} {available}.0" in text
        status, found = served.json("GET", "/v1/collections")
        assert status == 200
        assert found["collections"] == [before[0] | {"available": False}, before[1]]
        status, problem = served.json("GET", "/v1/collections/lakes")
        assert status == 503 and "the collection 'lakes'" in problem["detail"]
        assert asked(served)[0] == 200
        if breakage == "folder":
            (out / "collection.toml").rmdir()
        (out / "collection.toml").write_text(rules)
        assert served.json("GET", "/v1/collections")[1]["collections"] == before


def test_neither_searches_nor_servers_that_hang_hold_up_the_metrics(made, monkeypatch):
    monkeypatch.setattr("babelspan.service.answering._CHECKED_WITHIN", 0.05)
    found = opened({"papers": str(made)})
    with serving(found) as served:
        release, searching = threading.Event(), threading.Event()

        def hangs(*_):
            searching.set()
            assert release.wait(60)

        monkeypatch.setattr(found["papers"], "passages", hangs)
        with ThreadPoolExecutor(1) as client:
            search = client.submit(
                served.call, "POST", "/v1/collections/papers/search", {"question": WHO}
            )
            try:
                assert searching.wait(60)
                for check in (found["papers"].check, hangs):
                    monkeypatch.setattr(found["papers"], "check", check)
                    status, _, content = served.call("GET", "/metrics")
                    assert status == 200
                    assert b'babelspan_index_passages{collection="papers"} 3.0' in content
                    (one,) = served.json("GET", "/v1/collections")[1]["collections"]
                    assert (one["available"], one["passages"]) == (True, 3)
            finally:
                release.set()
            search.result(60)


def test_a_collection_that_is_none_is_told_at_the_start(tmp_path, made):
    with pytest.raises(DataError, match=r"expected a collection, found no collection\.toml"):
        opened({"x": str(tmp_path)})
    with pytest.raises(ConfigError, match="expected a dictionary"):
        opened({"x": str(made)}, f"lexicon:{tmp_path / 'none'}")
