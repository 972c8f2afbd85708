"""Collections in an index of OpenSearch: the jobs and commands are those of a folder."""

import json
import shutil
from pathlib import Path

import pytest

from babelspan.jobs.collections import check, open_collection
from babelspan.jobs.index import index
from babelspan.jobs.search import searched
from babelspan.service.collections import opened
from babelspan.types import ConfigError, DataError
from command_line import run
from opensearch_server import opensearch

pytest.importorskip("opensearchpy", reason="takes the extra `opensearch`")

WHO = "Who discovered penicillin?"


@pytest.fixture
def folder(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "paper.txt").write_text("Penicillin was discovered by Alexander Fleming.")
    (docs / "bridge.html").write_text("<p>Die Brücke wurde 1894 eröffnet.", encoding="utf-8")
    (docs / "empty.txt").write_text(" ")
    return docs


@pytest.fixture
def server():
    with opensearch() as (running, address):
        running.place = f"opensearch:{address}/papers"
        yield running


def found(place, question=WHO):
    return [Path(one.file).name for one in searched(place).passages(question, 1)]


def test_a_folder_is_indexed_and_only_what_changed_is_read_again(folder, server):
    assert index([folder], server.place).added == 3
    assert found(server.place) == ["paper.txt"] and found(server.place, "1894") == ["bridge.html"]
    assert index([folder], server.place).unchanged == 3
    (folder / "bridge.html").write_text("<p>Er wurde 1902 eröffnet.", encoding="utf-8")
    (folder / "paper.txt").unlink()
    report = index([folder], server.place)
    assert (report.changed, report.removed) == (1, 1)
    assert found(server.place, "1902") == ["bridge.html"] and found(server.place, "1894") == []
    whole = check(server.place)
    assert (whole.files, whole.passages, whole.faults) == (1, 1, [])
    assert [Path(name).name for name in whole.skipped] == ["empty.txt"]


def test_it_holds_all_texts_so_that_other_machines_can_ask_it(folder, server):
    index([folder], server.place)
    shutil.rmtree(folder)
    (one,) = searched(server.place).passages(WHO, 1)
    assert one.passage.text == "Penicillin was discovered by Alexander Fleming."
    assert (one.passage.parts[0].source_start, one.passage.parts[-1].source_end) == (0, 47)


def test_other_rules_other_indexes_and_none_are_refused(folder, server):
    with pytest.raises(DataError, match="found no index 'papers'"):
        open_collection(server.place)
    index([folder], server.place)
    meta = server.indexes["papers"].meta["babelspan"]
    meta["rules"]["terms"] = "0"
    with pytest.raises(ConfigError, match=r"terms 0 instead of \d+\); remove the index and make"):
        open_collection(server.place)
    server.indexes["papers"].meta = None
    with pytest.raises(ConfigError, match="expected a collection, found another index"):
        index([folder], server.place)


def test_commands_and_the_service_take_it(folder, server):
    made = run("index", folder, "--out", server.place)
    assert made.returncode == 0, made.stderr
    assert run("index", "--check", server.place).stdout.startswith(b"2 files, 2 passages")
    asked = run("ask", WHO, "--in", server.place, "--json")
    (answer,) = json.loads(asked.stdout)
    assert answer["answer"] == "Alexander Fleming"
    assert answer["source"] | {"start": 29, "end": 46} == answer["source"]
    collection = opened({"papers": server.place})["papers"]
    assert collection.about()["passages"] == 2
    (folder / "new.txt").write_text("The tower has 60 metres.")
    index([folder], server.place)
    collection.check()
    assert collection.about()["passages"] == 3  # opened again, as there was a commit
