"""The engine for OpenSearch: the real client, against a server of the documented forms here."""

import json
import random
from contextlib import contextmanager

import pytest

from babelspan.engines.tantivy import TantivyIndex
from babelspan.seams import Entry, Group
from babelspan.types import ConfigError, DataError
from opensearch_server import MOST_TERMS, opensearch

pytest.importorskip("opensearchpy", reason="takes the extra `opensearch`")
from babelspan.engines.opensearch import OpenSearchIndex

RULES = {"terms": "1"}


@pytest.fixture
def server():
    with opensearch() as (running, address):
        running.address = address
        yield running


@pytest.fixture
def opened(server):
    """An index for writing."""
    index = OpenSearchIndex(f"{server.address}/papers", rules=RULES, writes=True)
    yield index
    index.close()


def entry(text, language="en", content="[0]"):
    return Entry(text.split(), language, content)


def reader(server):
    return OpenSearchIndex(f"{server.address}/papers", rules=RULES)


def found(index, *words, language=None):
    groups = [Group(((word,),)) for word in words]
    return [hit.file for hit in index.search(groups, language=language, count=9)]


@contextmanager
def dying(server, after):
    """The server answers so many requests, and then no more."""
    answer, left = server.answer, iter(range(after))

    def answered(*given):
        if next(left, None) is None:
            raise ConnectionAbortedError
        return answer(*given)

    server.answer = answered
    yield
    server.answer = answer


def test_nothing_is_seen_before_a_commit_and_all_of_it_after(server, opened, monkeypatch):
    monkeypatch.setattr("babelspan.engines.opensearch._BATCH", 0)  # sent at once, and not seen
    opened.replace("a", {"size": 1}, [entry("bridge x", content="[7]"), entry("x y", "de")])
    assert found(reader(server), "bridge") == [] and reader(server).files() == {}
    opened.commit()
    there = reader(server)
    assert found(there, "bridge") == ["a"]
    assert there.files() == {"a": {"size": 1}}
    assert there.languages() == {"en": 1, "de": 1}
    assert sorted(hit.content for hit in there.everything()) == ["[0]", "[7]"]
    assert found(there, "x", language="de") == ["a"] and found(there, "x", language="th") == []


def test_what_a_file_had_is_replaced_renewed_and_removed(server, opened):
    for name in ("a", "b", "c\udcff"):
        opened.replace(name, {"size": 1}, [entry(f"old {name[0]}"), entry("old more")])
    opened.commit()
    opened.replace("a", {"size": 2}, [entry("new")])
    opened.renew("b", {"size": 3})
    opened.remove("c\udcff")
    assert len(reader(server).search([Group((("old",),))], language=None, count=9)) == 6
    opened.commit()
    there = reader(server)
    assert there.files() == {"a": {"size": 2}, "b": {"size": 3}}
    assert found(there, "old") == ["b", "b"] and found(there, "new") == ["a"]
    assert len(list(there.everything())) == 3


def test_a_file_that_changes_twice_before_a_commit_is_as_it_was_last(server, opened):
    opened.replace("a", {"size": 1}, [entry("one"), entry("one")])
    opened.replace("a", {"size": 2}, [entry("two")])
    opened.commit()
    assert [hit.file for hit in reader(server).everything()] == ["a"]
    assert found(opened, "two") == ["a"] and found(opened, "one") == []


def test_more_files_may_change_at_once_than_a_query_may_name(server, opened):
    for number in range(MOST_TERMS + 1):
        opened.remove(str(number))
    opened.replace("last", {"reason": "broken"}, ())
    opened.commit()
    assert reader(server).files() == {"last": {"reason": "broken"}}


def test_changes_without_passages_are_sent_when_there_are_many(server, opened, monkeypatch):
    monkeypatch.setattr("babelspan.engines.opensearch._BATCH", 400)
    changes = [
        lambda name: opened.replace(name, {"reason": "broken"}, ()),
        lambda name: opened.renew(name, {"reason": "still broken"}),
        opened.remove,
    ]
    for change in changes:
        first = len(server.requests)
        for number in range(100):
            change(f"{number}")
        sent = [path for _, path, _ in server.requests[first:]]
        assert "/papers/_refresh" not in sent  # no commit was needed
        assert 2 <= len(sent) < 100
        opened.commit()
    assert reader(server).files() == {}


def test_the_version_changes_with_a_commit_of_another_process(server, opened):
    there = reader(server)
    before = there.version()
    assert there.version() == before
    opened.replace("a", {}, [entry("bridge")])
    opened.commit()
    assert there.version() != before
    there.reload()
    assert found(there, "bridge") == ["a"]


def test_a_killed_run_leaves_no_file_whose_record_says_more_than_is_there(server, opened):
    """Wherever the requests of a commit stop, the record of a file that changed is gone or old."""
    opened.replace("a", {"size": 1}, [entry("old"), entry("old")])
    opened.commit()
    first = len(server.requests)
    opened.replace("a", {"size": 2}, [entry("new")])
    opened.commit()
    needed = len(server.requests) - first
    for stopped in range(needed):
        index = OpenSearchIndex(f"{server.address}/try{stopped}", rules=RULES, writes=True)
        index.replace("a", {"size": 1}, [entry("old"), entry("old")])
        index.commit()
        index.replace("a", {"size": 2}, [entry("new")])
        with dying(server, stopped), pytest.raises(DataError, match="cannot be reached"):
            index.commit()
        again = OpenSearchIndex(f"{server.address}/try{stopped}", rules=RULES, writes=True)
        passages = [hit.content for hit in again.everything()]
        expected = {(): None, (1,): 2, (2,): 1}
        known = tuple(about["size"] for about in again.files().values())
        assert known == () or len(passages) == expected[known]
        again.replace("a", {"size": 2}, [entry("new")])
        again.commit()
        assert found(again, "new") == ["a"] and found(again, "old") == []
        assert len(list(again.everything())) == 1


def test_an_index_that_was_not_made_to_the_end_is_a_collection_or_not_there(server, opened):
    for stopped in range(len(server.requests)):
        place = f"{server.address}/try{stopped}"
        with dying(server, stopped), pytest.raises(DataError, match="cannot be reached"):
            OpenSearchIndex(place, rules=RULES, writes=True)
        again = OpenSearchIndex(place, rules=RULES, writes=True)
        assert again.rules() == RULES and again.version() != "None"


def test_a_search_ranks_as_the_store_in_a_folder_does(tmp_path, opened):
    """Words, alternatives with shares, phrases, sounds and pairs of characters, one language.

    The average length of a passage differs by the records of files, which tantivy counts, so the
    scores are equal but for that.
    """
    rng = random.Random(5)
    words = [f"w{n}" for n in range(40)]
    sounds, pairs = [f"~s{n}" for n in range(6)], ["東京", "京都", "大阪"]
    entries = []
    for number in range(300):
        text = [min(rng.choices(words, k=2)) for _ in range(rng.randrange(5, 90))]
        text += rng.sample(sounds, 2) + rng.sample(pairs, rng.randrange(3))
        entries.append(Entry(text, rng.choice(["en", "de"]), str(number)))
    local = TantivyIndex(tmp_path / "store", writes=True)
    for store in (local, opened):
        store.replace("all", {}, entries)
        store.commit()
    for _ in range(40):
        groups = []
        for _ in range(rng.randrange(1, 5)):
            alternatives = [(rng.choice([*words, *sounds, *pairs]),) for _ in range(4)]
            alternatives += [tuple(rng.sample(words, 2)), ("nowhere",)]
            shares = tuple(rng.choice([1.0, 0.3, 0.6]) for _ in alternatives)
            groups.append(Group(tuple(alternatives), rng.choice([1, 2]), rng.choice([(), shares])))
        language = rng.choice([None, "en", "de"])
        here = local.search(groups, language=language, count=20)
        there = opened.search(groups, language=language, count=20)
        assert len(here) == len(there) == 20
        scores = {hit.content: hit.score for hit in there}
        for rank, hit in enumerate(here):
            assert there[rank].score == pytest.approx(hit.score, rel=0.003)
            assert scores.get(hit.content, there[-1].score) == pytest.approx(hit.score, rel=0.003)
    local.close()


def test_a_very_long_question_is_cut_to_what_a_server_takes(server, opened):
    opened.replace("a", {}, [entry("best other")])
    opened.commit()
    listed = tuple((f"t{n}",) for n in range(28))
    group = Group((*listed, ("best",)), shares=(*[0.1] * len(listed), 1.0))
    assert [hit.file for hit in opened.search([group] * 60, language=None, count=9)] == ["a"]
    assert found(opened, *["none"] * 1500, "best") == []


def test_an_index_that_is_not_there_or_is_another_is_refused(server):
    with pytest.raises(DataError, match="found no index 'papers'; make one with `babelspan index"):
        reader(server)
    for address in ("papers", "http://x", "ftp://x/y", "http://x/y/z", "http:///y"):
        with pytest.raises(ConfigError, match="expected the address of a server and an index"):
            OpenSearchIndex(address, rules=RULES)
    with pytest.raises(ConfigError, match="without user and password for x; put them into") as said:
        OpenSearchIndex("http://me:secret@x/y", rules=RULES)
    assert "secret" not in str(said.value)


def test_what_made_an_index_is_kept_in_it(server, opened):
    opened.replace("a", {}, [entry("x")])
    opened.commit()
    assert reader(server).rules() == RULES
    server.indexes["papers"].meta = None
    assert reader(server).rules() is None


def test_the_account_is_that_of_the_environment(server, monkeypatch):
    server.account = "Basic bWU6czpjcmV0"
    with pytest.raises(DataError, match=r"refuses this user; put .* BABELSPAN_OPENSEARCH"):
        OpenSearchIndex(f"{server.address}/papers", rules=RULES, writes=True)
    monkeypatch.setenv("BABELSPAN_OPENSEARCH", "me:s:cret")
    OpenSearchIndex(f"{server.address}/papers", rules=RULES, writes=True).close()


def test_a_server_that_is_gone_or_refuses_is_named(server, opened):
    server.refused = {"/papers/_search": [400]}
    with pytest.raises(DataError, match=r"papers: the server refuses this: .*busy"):
        opened.files()
    with pytest.raises(DataError, match=r"the server cannot be reached .*; check the address"):
        OpenSearchIndex("http://127.0.0.1:9/papers", rules=RULES)


def test_a_busy_server_is_asked_again(server, opened, monkeypatch):
    monkeypatch.setattr("babelspan.engines.opensearch._PATIENCE", 0.01)
    opened.replace("a", {}, [entry("bridge")])
    server.refused = {"/_bulk": [429, 429]}
    opened.remove("b")
    opened.commit()
    assert found(opened, "bridge") == ["a"]


def test_terms_are_not_kept_twice(server, opened):
    opened.replace("a", {}, [entry("bridge")])
    opened.commit()
    (hit,) = opened.search([Group((("bridge",),))], language=None, count=1)
    assert hit.content == "[0]" and hit.score > 0
    sent = [json.loads(line) for _, path, body in server.requests for line in body.splitlines()
            if path == "/_bulk"]  # fmt: skip
    assert {"counted": "bridge", "once": ""}.items() <= {"once": "", **sent[1]}.items()
    assert server.indexes["papers"].left_out == ["counted", "once"]
