"""A data set is fetched from a real server, verified, converted, and never half there."""

import gzip
import hashlib
import io
import json
import re
import tarfile
import zipfile

import pytest

from babelspan.data.files import checksum, read_json
from babelspan.data.folder import inside
from babelspan.data.locks import locked
from babelspan.datasets.catalogue import DataSet, ListedFile
from babelspan.datasets.download import Patience
from babelspan.datasets.fetch import RECORD, Way, fetch, select
from babelspan.types import ConfigError, DataError
from hostile import hostile

HASTE = Way(patience=Patience(timeout=4, attempts=2, wait=0.0))
TEXTS = {
    "en": ("Where is the lake?", "The lake lies in Siberia.", "Siberia"),
    "de": ("Wo liegt der See?", "Der See liegt in Sibirien 𠮷.", "Sibirien"),
    "zh": ("湖在哪里？", "湖在西伯利亚。", "西伯利亚"),
}


@pytest.fixture
def server():
    with hostile() as running:
        yield running


def document(language, count=3, context=None):
    question, text, answer = TEXTS[language]
    answers = [{"text": answer, "answer_start": text.index(answer)}]
    qas = [{"id": f"q{n}", "question": question, "answers": answers} for n in range(count)]
    paragraph = {"context": context or text, "qas": qas}
    return json.dumps({"data": [{"title": "Lake", "paragraphs": [paragraph]}]}).encode()


def entry(server, *files, **facts):
    known = {
        "name": "lakes",
        "title": "Lakes",
        "homepage": "https://example.org/lakes",
        "licence": "CC BY 4.0",
        "citation": "Nobody (2020), Lakes",
        "counts": "few",
        "base": server.url,
    }
    return DataSet(**{**known, "files": files, **facts})


def listed(server, path, content, *plan, split="test", languages=("en",), is_known=True, **facts):
    if path not in server.files:
        server.serve(path, content, *plan)
    known = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return ListedFile(
        path=path, split=split, languages=languages, **(known if is_known else {}), **facts
    )


def inventory(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def fetched(data_set, out, way=HASTE, **chosen):
    return fetch(data_set, select(data_set, **chosen), out, way=way)


def two_languages(server):
    return entry(
        server,
        listed(server, "lakes.en.json", document("en")),
        listed(server, "lakes.de.json", document("de"), languages=("de",)),
    )


def test_files_are_written_in_the_folder_layout_with_a_record(server, tmp_path):
    done = fetched(two_languages(server), tmp_path)

    assert inventory(tmp_path) == [
        "lakes/" + n for n in (RECORD, "test.de.json.gz", "test.en.json.gz")
    ]
    assert [(f.path.name, f.questions, f.changes, f.was_there) for f in done] == [
        ("test.en.json.gz", 3, {}, False),
        ("test.de.json.gz", 3, {}, False),
    ]
    (german, english) = inside(tmp_path / "lakes")
    assert (german.context_language, english.question_language) == ("de", "en")
    assert [e.answers[0].text for e in german.load()] == ["Sibirien"] * 3

    record = read_json(tmp_path / "lakes" / RECORD)
    assert (record["licence"], record["citation"]) == ("CC BY 4.0", "Nobody (2020), Lakes")
    content = document("de")
    assert record["files"]["test.de.json.gz"] == {
        "sha256": checksum(german.path),
        "questions": 3,
        "changes": {},
        "from": [
            {
                "file": "lakes.de.json",
                "url": server.url + "lakes.de.json",
                "member": "",
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        ],
    }


def test_the_same_data_set_is_written_to_the_same_bytes(server, tmp_path):
    for name in ("one", "two"):
        fetched(two_languages(server), tmp_path / name)
    for path in (tmp_path / "one").rglob("*.*"):
        assert (
            path.read_bytes()
            == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
        )
    packed = (tmp_path / "one" / "lakes" / "test.en.json.gz").read_bytes()
    assert packed[4:8] == bytes(4)  # no time of writing in the gzip header


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"files": 5},
        {"files": []},
        {"files": {"test.en.json.gz": 5}},
        {"files": {"test.en.json.gz": {"questions": 3, "changes": {}, "sha256": "0"}}},
        {"files": {"test.en.json.gz": {"questions": 3, "changes": {}, "sha256": "0", "from": [1]}}},
    ],
)
def test_a_broken_record_of_an_earlier_fetch_is_named(server, tmp_path, record):
    lakes = two_languages(server)
    fetched(lakes, tmp_path)
    path = tmp_path / "lakes" / RECORD
    path.write_text(json.dumps(record))
    with pytest.raises(
        DataError,
        match=rf"{RECORD}: expected the record of an earlier fetch, .* delete it and rerun",
    ):
        fetched(lakes, tmp_path)
    path.unlink()
    assert len(fetched(lakes, tmp_path)) == 2


def test_what_is_there_is_not_fetched_again_but_what_was_spoilt_is(server, tmp_path):
    lakes = two_languages(server)
    fetched(lakes, tmp_path)
    asked = len(server.requests)
    assert all(f.was_there for f in fetched(lakes, tmp_path))
    assert len(server.requests) == asked

    (tmp_path / "lakes" / "test.de.json.gz").write_bytes(gzip.compress(b"{}"))
    (tmp_path / "lakes" / "test.en.json.gz").unlink()
    assert [f.was_there for f in fetched(lakes, tmp_path)] == [False, False]
    assert len(inside(tmp_path / "lakes")[0].load()) == 3


def test_a_new_version_in_the_catalogue_is_fetched(server, tmp_path):
    fetched(two_languages(server), tmp_path)
    server.files.clear()
    newer = listed(server, "lakes.en.json", document("en", 5))
    (file,) = fetched(entry(server, newer), tmp_path)
    assert (file.questions, file.was_there) == (5, False)


def test_languages_and_splits_can_be_chosen_and_added_to(server, tmp_path):
    lakes = two_languages(server)
    assert [f.path.name for f in fetched(lakes, tmp_path, languages=["de"])] == ["test.de.json.gz"]
    assert server.asked("lakes.en.json") == []
    fetched(lakes, tmp_path, languages=["en"])
    assert read_json(tmp_path / "lakes" / RECORD)["files"].keys() == {
        "test.de.json.gz",
        "test.en.json.gz",
    }
    with pytest.raises(ConfigError, match=r"^lakes has no language 'fr'; it has de, en$"):
        select(lakes, languages=["fr"])
    with pytest.raises(ConfigError, match=r"^lakes has no split 'train'; it has test$"):
        select(lakes, splits=["train"])


def test_pairs_need_both_languages(server):
    content = document("en")
    pairs = entry(server, listed(server, "p", content, languages=("de-en", "en-de", "en")))
    assert [s.output for s in select(pairs)] == [
        "test.de-en.json.gz",
        "test.en-de.json.gz",
        "test.en.json.gz",
    ]
    assert [s.output for s in select(pairs, languages=["en"])] == ["test.en.json.gz"]
    with pytest.raises(ConfigError, match=r"nothing in de alone; .* are de-en, en-de, en$"):
        select(pairs, languages=["de"])


def packed_zip(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        for name, content in files.items():
            pack.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def packed_tar(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as pack:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            pack.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "pack"), [("l.zip", packed_zip), ("l.tar.gz", packed_tar)])
def test_archives_are_had_once_and_leave_nothing_unpacked(server, tmp_path, name, pack):
    content = pack({f"L/{c}.json": document(c) for c in TEXTS} | {"L/README": b"read me"})
    file = listed(server, name, content, languages=("zh", "de"), member="L/{language}.json")
    done = fetched(entry(server, file), tmp_path)

    assert [f.path.name for f in done] == ["test.zh.json.gz", "test.de.json.gz"]
    assert server.asked(name) == [None]
    assert inventory(tmp_path / "lakes") == [RECORD, "test.de.json.gz", "test.zh.json.gz"]
    assert not (tmp_path / ".downloads").exists()
    record = read_json(tmp_path / "lakes" / RECORD)
    assert record["files"]["test.de.json.gz"]["from"][0]["member"] == "L/de.json"


def test_an_archive_that_points_outside_is_refused(server, tmp_path):
    content = packed_zip({"L/en.json": document("en"), "../../evil.json": b"{}"})
    file = listed(server, "l.zip", content, member="L/en.json")
    with pytest.raises(DataError, match=r"'../../evil.json', a path outside the archive"):
        fetched(entry(server, file), tmp_path / "out")
    assert inventory(tmp_path) == ["out/.downloads/lakes/l.zip"]


def test_a_split_in_several_files_is_one(server, tmp_path):
    parts = [listed(server, f"part{n}.json", document("en", n)) for n in (1, 2)]
    (file,) = fetched(entry(server, *parts), tmp_path)

    assert file.questions == 3
    assert file.changes == {"repeated ids made unique": 1}
    origins = read_json(tmp_path / "lakes" / RECORD)["files"]["test.en.json.gz"]["from"]
    assert [o["file"] for o in origins] == ["part1.json", "part2.json"]


def test_what_is_kept_as_it_is_is_the_same_bytes(server, tmp_path):
    content = gzip.compress(b'{"a": 1}\n', mtime=1)
    file = listed(server, "lakes-train.jsonl.gz", content, split="train", languages=("en", "de"))
    lakes = entry(server, file, layout="as-is")
    (done,) = fetched(lakes, tmp_path)

    assert done.path.read_bytes() == content
    assert done.path.name == "train.jsonl.gz"
    assert done.questions is None
    assert fetched(lakes, tmp_path)[0].was_there
    assert inside(tmp_path) == []


def test_what_broke_off_goes_on_at_the_next_fetch(server, tmp_path):
    content = document("en", 50)
    file = listed(server, "lakes.en.json", content, ("break", 700), ("status", 503))
    lakes = entry(server, file)
    with pytest.raises(
        DataError, match=r"answers 503 .*rerun the same command to resume; or fetch"
    ):
        fetched(lakes, tmp_path)
    assert inventory(tmp_path / "lakes") == []

    server.plans["lakes.en.json"] = ["ok"]
    (done,) = fetched(lakes, tmp_path)
    assert done.questions == 50
    assert server.asked("lakes.en.json")[-1] == "bytes=700-"
    assert not (tmp_path / ".downloads").exists()


def test_a_failure_says_how_to_do_it_by_hand_and_that_works(server, tmp_path):
    lakes = two_languages(server)
    server.plans["lakes.de.json"] = [("status", 404)]
    with pytest.raises(DataError) as caught:
        fetched(lakes, tmp_path / "out")
    message = str(caught.value)
    assert "lakes.de.json: the server answers 404 Not Found" in message
    assert "(see https://example.org/lakes)" in message
    folder = re.search(r"put it into (\S+), and rerun with --from (\S+)$", message)
    assert folder[1] == folder[2] == str(tmp_path / "out" / ".downloads" / "lakes")
    assert inventory(tmp_path / "out" / "lakes") == [RECORD, "test.en.json.gz"]

    by_hand = tmp_path / "by hand"
    by_hand.mkdir()
    (by_hand / "lakes.de.json").write_bytes(document("de"))
    done = fetched(lakes, tmp_path / "out", Way(taken_from=by_hand))
    assert [f.was_there for f in done] == [True, False]
    assert inventory(by_hand) == ["lakes.de.json"]


def test_files_put_by_hand_where_the_message_says_stay_there(server, tmp_path):
    downloads = tmp_path / ".downloads" / "lakes"
    downloads.mkdir(parents=True)
    for language in ("en", "de"):
        (downloads / f"lakes.{language}.json").write_bytes(document(language))
    done = fetched(two_languages(server), tmp_path, Way(taken_from=downloads))
    assert [f.questions for f in done] == [3, 3]
    assert inventory(downloads) == ["lakes.de.json", "lakes.en.json"]
    assert server.requests == []


def test_files_put_by_hand_into_a_folder_below_stay_there(server, tmp_path):
    below = tmp_path / ".downloads" / "lakes" / "mine"
    below.mkdir(parents=True)
    for language in ("en", "de"):
        (below / f"lakes.{language}.json").write_bytes(document(language))
    fetched(two_languages(server), tmp_path, Way(taken_from=below))
    assert inventory(below) == ["lakes.de.json", "lakes.en.json"]


def test_two_processes_do_not_fetch_to_one_place_at_a_time(server, tmp_path):
    lakes = two_languages(server)
    with locked(tmp_path / ".downloads" / "lakes"):
        with pytest.raises(ConfigError, match="another process is at work here"):
            fetched(lakes, tmp_path)
        assert server.requests == []
    assert [f.questions for f in fetched(lakes, tmp_path)] == [3, 3]
    assert not (tmp_path / ".downloads").exists()


def test_a_host_that_is_not_there_is_named(tmp_path):
    with hostile() as gone:
        lakes = two_languages(gone)
    with pytest.raises(DataError, match=r"cannot reach 127\.0\.0\.1: .*--from "):
        fetched(lakes, tmp_path)
    assert inventory(tmp_path) == []


def test_files_got_by_hand_are_verified(server, tmp_path):
    lakes = two_languages(server)
    by_hand = tmp_path / "by hand"
    by_hand.mkdir()
    way = Way(taken_from=by_hand)
    with pytest.raises(DataError, match=r"lakes.en.json: there is no such file; put it into"):
        fetched(lakes, tmp_path, way)
    length = len(document("en"))
    for content, message in (
        (
            document("en")[:-1],
            rf"lakes.en.json: expected {length} bytes, found {length - 1}; fetch",
        ),
        (b" " + document("en")[1:], r"lakes.en.json: expected the SHA-256 \w+, found \w+; fetch"),
    ):
        (by_hand / "lakes.en.json").write_bytes(content)
        with pytest.raises(DataError, match=message):
            fetched(lakes, tmp_path, way)
    assert server.requests == []


def test_a_changed_file_is_taken_only_on_request(server, tmp_path):
    lakes = two_languages(server)
    server.files["lakes.en.json"] = document("en", 4)
    with pytest.raises(DataError, match=r"accept it with --accept-changed"):
        fetched(lakes, tmp_path, languages=["en"])
    way = Way(accepts_changed=True)
    (file,) = fetched(lakes, tmp_path, way, languages=["en"])
    assert file.questions == 4
    assert fetched(lakes, tmp_path, way, languages=["en"])[0].was_there
    (tmp_path / "lakes" / "test.en.json.gz").write_bytes(b"spoilt")
    assert not fetched(lakes, tmp_path, way, languages=["en"])[0].was_there
    record = read_json(tmp_path / "lakes" / RECORD)["files"]["test.en.json.gz"]
    assert record["from"][0]["sha256"] == hashlib.sha256(document("en", 4)).hexdigest()


def test_what_cannot_be_fetched_says_how_to_get_it(server, tmp_path):
    content = document("en")
    file = listed(server, "form.json", content, is_known=False)
    lakes = entry(server, file, base="", by_hand="ask its authors")
    with pytest.raises(
        ConfigError, match=r"^Lakes cannot be fetched: ask its authors; .*that holds form.json$"
    ):
        fetched(lakes, tmp_path)
    (tmp_path / "form.json").write_bytes(content)
    assert fetched(lakes, tmp_path / "out", Way(taken_from=tmp_path))[0].questions == 3


def test_a_cut_file_that_nothing_vouches_for_is_had_anew(server, tmp_path):
    content = document("en", 50)
    short = ("length", 600)
    file = listed(server, "lakes.en.json", content, short, "ok", is_known=False)
    lakes = entry(server, file)
    with pytest.raises(DataError, match=r"lakes.en.json: expected JSON, .*may be cut short"):
        fetched(lakes, tmp_path)
    assert inventory(tmp_path) == []
    assert fetched(lakes, tmp_path)[0].questions == 50


def test_a_verified_file_of_another_layout_is_not_had_again(server, tmp_path):
    file = listed(server, "lakes.en.json", b'{"version": 3}')
    lakes = entry(server, file)
    for _ in range(2):
        with pytest.raises(DataError, match=r"expected a list of objects 'data'"):
            fetched(lakes, tmp_path)
    assert server.asked("lakes.en.json") == [None]
    assert inventory(tmp_path / "lakes") == []


def test_published_files_are_kept_on_request(server, tmp_path):
    fetched(two_languages(server), tmp_path, Way(keeps=True))
    kept = tmp_path / ".downloads" / "lakes" / "lakes.en.json"
    assert kept.read_bytes() == document("en")
    (tmp_path / "lakes" / "test.en.json.gz").unlink()
    asked = len(server.requests)
    fetched(two_languages(server), tmp_path, Way(keeps=True))
    assert len(server.requests) == asked


def test_a_kept_file_that_was_spoilt_is_had_again(server, tmp_path):
    lakes = two_languages(server)
    kept = tmp_path / ".downloads" / "lakes" / "lakes.en.json"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"spoilt")
    assert fetched(lakes, tmp_path)[0].questions == 3


def test_the_watch_is_told_of_each_file(server, tmp_path):
    lakes = two_languages(server)
    seen = []
    fetch(lakes, select(lakes), tmp_path, way=HASTE, watch=lambda *at: seen.append(at))
    length = len(document("de"))
    assert ("lakes.de.json", length, length) in seen
    assert {name for name, _, _ in seen} == {"lakes.en.json", "lakes.de.json"}
