"""`babelspan index` and `ask --in`: from a folder of documents to places in them."""

import json
import sys

import pytest

from babelspan.cli import main
from babelspan.data.files import write_json
from made_documents import pdf_of

BRIDGE = "Die Brücke wurde 1894 eröffnet. Sie steht in London."


@pytest.fixture
def babelspan(monkeypatch, capsys):
    """The command line in this process: exit code, output, errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["babelspan", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main.main()
        return left.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def folder(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "bridge.html").write_text(f"<h1 id=b>Eine Tafel</h1><p>{BRIDGE}", encoding="utf-8")
    lines = [(50, 700, "Penicillin was discovered"), (50, 688, "by Alexander Fleming in 1928.")]
    (docs / "paper.pdf").write_bytes(pdf_of([(50, 700, "Title page.")], lines))
    (docs / "broken.docx").write_bytes(b"PK\x03\x04word/document.xml")
    return docs


def test_a_collection_is_made_checked_and_asked(babelspan, folder, tmp_path):
    out = tmp_path / "papers.index"
    code, said, errors = babelspan("index", folder, "--out", out)
    assert code == 0
    assert said == "2 files added, 0 changed, 0 unchanged, 0 removed; 3 passages read\n"
    assert "skipped" in errors
    assert "broken.docx: the archive is broken" in errors
    assert babelspan("index", folder, "--out", out, "--strict")[0] == 3
    code, said, _ = babelspan("index", "--check", out)
    assert code == 0
    assert said.startswith("2 files, 3 passages, digest ")

    code, said, _ = babelspan("ask", "Who discovered penicillin?", "--in", out, "--json")
    assert code == 0
    (answer,) = json.loads(said)
    assert answer["answer"] == "Alexander Fleming"
    assert answer["file"] == str(folder / "paper.pdf")
    assert (answer["page"], answer["source"]["exact"]) == (2, True)
    assert len(answer["source"]["boxes"]) == 1
    assert answer["start"] == len("Title page.\n\nPenicillin was discovered by ")

    (answer,) = json.loads(
        babelspan("ask", "Wann wurde die Brücke eröffnet?", "--in", out, "--json")[1]
    )
    raw = (folder / "bridge.html").read_bytes()
    source = answer["source"]
    assert raw[source["start"] : source["end"]].decode() == answer["answer"] == "1894"
    assert (source["anchor"], answer["page"]) == ("b", None)

    shown = babelspan("ask", "Who discovered penicillin?", "--in", out)[1]
    assert f"{folder / 'paper.pdf'}:42-59 page 2" in shown


def test_dictionaries_find_passages_in_other_languages(babelspan, folder, tmp_path):
    out = tmp_path / "papers.index"
    for number in range(9):
        (folder / f"{number}.txt").write_text(f"When was it? The number {number} was opened.")
    babelspan("index", folder, "--out", out)
    lexicons = tmp_path / "lexicons"
    lexicons.mkdir()
    (lexicons / "en-de.tsv").write_text("bridge\tBrücke\nopened\teröffnet\n", encoding="utf-8")
    words = ("ask", "When was the bridge opened?", "--in", out, "--json", "--passages", 2)
    with_lexicon = json.loads(
        babelspan(*words, "--translator", f"lexicon:{lexicons}", "--top-k", 9)[1]
    )
    assert str(folder / "bridge.html") in {a["file"] for a in with_lexicon}
    (folder / "0.txt").write_text("It has changed.")
    _, without, errors = babelspan(*words, "--top-k", 9, "--translator", "none")
    assert str(folder / "bridge.html") not in {a["file"] for a in json.loads(without)}
    assert f"passages of {folder / '0.txt'} were skipped: it has changed or is gone" in errors


def test_questions_from_a_file_and_questions_that_find_nothing(babelspan, folder, tmp_path):
    out = tmp_path / "papers.index"
    babelspan("index", folder, "--out", out)
    (tmp_path / "q.txt").write_text("Who discovered penicillin?\n東京\n!?\n", encoding="utf-8")
    code, said, _ = babelspan("ask", "--questions", tmp_path / "q.txt", "--in", out, "--jsonl")
    assert code == 0
    records = [json.loads(line) for line in said.splitlines()]
    assert [len(r["answers"]) for r in records] == [1, 0, 0]
    code, said, _ = babelspan("ask", "東京", "--in", out, "--json")
    assert (code, json.loads(said)) == (1, [])


def test_options_that_do_not_go_together_are_told(babelspan, folder, tmp_path):
    out = tmp_path / "papers.index"
    assert "--in and files cannot be used together" in babelspan("ask", "x", folder, "--in", out)[2]
    assert "--in and -r cannot be used together" in babelspan("ask", "x", "-r", "--in", out)[2]
    assert "--passages works only with --in" in babelspan("ask", "x", folder, "--passages", 3)[2]
    assert "found no collection.toml" in babelspan("ask", "x", "--in", out)[2]
    assert "expected --out INDEX" in babelspan("index", folder)[2]
    assert "expected a folder of documents" in babelspan("index", "--out", out)[2]
    file = folder / "bridge.html"
    assert "expected a folder for the collection" in babelspan("index", folder, "--out", file)[2]
    assert "--check takes a collection" in babelspan("index", folder, "--check", out)[2]


def test_documents_of_every_kind_are_asked_without_a_collection(babelspan, folder):
    code, said, errors = babelspan("ask", "Who discovered penicillin?", "-r", folder, "--json")
    assert code == 0
    (answer,) = json.loads(said)
    assert (answer["answer"], answer["page"]) == ("Alexander Fleming", 2)
    assert "broken.docx: the archive is broken" in errors


def test_retrieval_is_measured(babelspan, tmp_path):
    topics = ["bridge", "canal", "penicillin", "printing press", "telescope", "railway"]
    for language, name in (("en", "number"), ("de", "Zahl")):
        paragraphs = [
            {
                "context": f"{topic} {name} {n}",
                "qas": [{"id": str(n), "question": f"{topic}?", "answers": []}],
            }
            for n, topic in enumerate(topics)
        ]
        data = {"data": [{"title": "t", "paragraphs": paragraphs}]}
        write_json(tmp_path / "sets" / f"test.{language}.json", data)
    code, said, _ = babelspan("evaluate-retrieval", tmp_path / "sets", "--cross", "--json")
    assert code == 0
    found = json.loads(said)
    assert len(found["cells"]) == 4
    assert {cell["R@1"]["value"] for cell in found["cells"]} == {100.0}
    assert set(found["means"]) == {"mean, one language", "mean, two languages"}
    code, said, _ = babelspan("evaluate-retrieval", tmp_path / "sets" / "test.en.json")
    assert "mean, one language" in said
    assert "100.0 (100.0-100.0)" in said
