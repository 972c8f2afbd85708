"""Downloads from a server that breaks off, lies, changes its mind, or is not there."""

import hashlib
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.datasets import download as module
from babelspan.datasets.download import Patience, download
from babelspan.types import DataError
from hostile import hostile

CONTENT = b'{"data": [' + random.Random(0).randbytes(5000) + b"]}"
OTHER = b'{"data": [' + random.Random(1).randbytes(5000) + b"]}"
SHA = hashlib.sha256(CONTENT).hexdigest()
HASTE = Patience(timeout=4, attempts=3, wait=0.0)
IMPATIENCE = Patience(timeout=0.8, attempts=3, wait=0.0)


@pytest.fixture
def server():
    with hostile() as running:
        yield running


@pytest.fixture
def path(tmp_path):
    return tmp_path / "down" / "file.json"


def names(path):
    return sorted(p.name for p in path.parent.iterdir())


def test_a_file_arrives_whole_and_alone(server, path):
    seen = []
    url = server.serve("a", CONTENT)
    download(url, path, length=len(CONTENT), sha256=SHA, watch=lambda *at: seen.append(at))

    assert path.read_bytes() == CONTENT
    assert names(path) == ["file.json"]
    assert server.requests == [("a", None, None)]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_what_broke_off_goes_on_where_it_was(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), ("break", 500), "ok")
    download(url, path, sha256=SHA, patience=HASTE)

    assert path.read_bytes() == CONTENT
    assert server.requests == [
        ("a", None, None),
        ("a", "bytes=1000-", '"v1"'),
        ("a", "bytes=1500-", '"v1"'),
    ]
    assert names(path) == ["file.json"]


def test_what_broke_off_goes_on_in_a_later_call(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), ("status", 503))
    with pytest.raises(DataError, match=r"a: the server answers 503 .*, 3 times in a row; rerun"):
        download(url, path, patience=HASTE)
    assert names(path) == ["file.json.part", "file.json.part.json"]
    assert path.with_name("file.json.part").read_bytes() == CONTENT[:1000]

    server.plans["a"] = ["ok"]
    download(url, path, patience=HASTE)
    assert path.read_bytes() == CONTENT
    assert server.asked("a")[-1] == "bytes=1000-"
    assert names(path) == ["file.json"]


def test_what_another_address_left_is_not_gone_on_with(server, path):
    first = server.serve("a", OTHER, ("break", 1000), ("status", 503))
    with pytest.raises(DataError):
        download(first, path, patience=HASTE)
    download(server.serve("b", CONTENT), path, patience=HASTE)

    assert path.read_bytes() == CONTENT
    assert server.asked("b") == [None]


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), "ignore")
    download(url, path, patience=HASTE)

    assert path.read_bytes() == CONTENT
    assert server.asked("a") == [None, "bytes=1000-"]


def test_a_file_that_changes_between_the_parts_is_not_mixed(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), ("status", 503))
    with pytest.raises(DataError):
        download(url, path, patience=HASTE)
    server.serve("a", OTHER, tag='"v2"')
    download(url, path, patience=HASTE)

    assert path.read_bytes() == OTHER
    assert server.requests[-1] == ("a", "bytes=1000-", '"v1"')


def test_a_part_of_another_version_is_refused(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), "other part", "ok")
    download(url, path, patience=HASTE)

    assert path.read_bytes() == CONTENT
    assert server.asked("a") == [None, "bytes=1000-", None]


@pytest.mark.parametrize("tag", ['W/"v1"', ""])
def test_a_version_without_a_sure_name_is_begun_again(server, path, tag):
    url = server.serve("a", CONTENT, ("break", 1000), "ok", tag=tag)
    download(url, path, patience=HASTE)

    assert path.read_bytes() == CONTENT
    assert server.asked("a") == [None, None]


def test_a_rest_that_is_not_there_is_begun_again(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), ("status", 503))
    with pytest.raises(DataError):
        download(url, path, patience=HASTE)
    server.serve("a", CONTENT, ("status", 416), "ok")
    download(url, path, patience=HASTE)

    assert path.read_bytes() == CONTENT
    assert server.asked("a")[-2:] == ["bytes=1000-", None]


def test_bytes_that_had_all_arrived_are_not_asked_for_again(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), ("status", 503))
    with pytest.raises(DataError):
        download(url, path, patience=HASTE)
    path.with_name("file.json.part").write_bytes(CONTENT)
    asked = len(server.requests)
    download(url, path, length=len(CONTENT), sha256=SHA)

    assert path.read_bytes() == CONTENT
    assert len(server.requests) == asked


def refused(server, path, message, asked, *plan, **facts):
    url = server.serve("a", CONTENT, *plan)
    with pytest.raises(DataError, match=f"^{re.escape(url)}: {message}"):
        download(url, path, patience=HASTE, **facts)
    assert not path.exists()
    assert len(server.requests) == asked


def test_a_length_that_is_a_lie_is_seen(server, path):
    size = len(CONTENT)
    longer, shorter = ("length", size + 9), ("length", size - 9)
    announces = rf"expected {size:,} bytes, the server announces {size + 9:,}; the file has chang"
    refused(server, path, announces, 1, longer, length=size)
    refused(server, path, rf"expected {size:,} bytes, the server ann", 2, shorter, length=size)
    refused(
        server,
        path,
        r"expected the SHA-256 \w+, found \w+; the transfer was da",
        3,
        shorter,
        sha256=SHA,
    )
    assert names(path) == []
    no_more = "the server has no more of the file than has arrived, 3 times in a row; rerun"
    refused(server, path, no_more, 7, longer)


def test_wrong_bytes_are_seen_and_leave_nothing(server, path):
    sha256 = hashlib.sha256(OTHER).hexdigest()
    refused(server, path, rf"expected the SHA-256 {sha256}, found {SHA}; ", 1, sha256=sha256)
    assert names(path) == []


def test_what_stood_there_stays_when_the_new_is_wrong(server, path):
    path.parent.mkdir()
    path.write_bytes(b"old")
    with pytest.raises(DataError, match="SHA-256"):
        download(server.serve("a", OTHER), path, sha256=SHA)
    assert path.read_bytes() == b"old"


def test_a_file_that_is_not_there_is_not_asked_for_twice(server, path):
    refused(server, path, "the server answers 404 Not Found; the file may", 1, ("status", 404))
    refused(server, path, "the server answers 403 Forbidden; ", 2, ("status", 403))
    assert names(path) == []


def test_a_busy_server_is_asked_again_with_pauses(server, path, monkeypatch):
    pauses = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    url = server.serve("a", CONTENT, ("status", 500), ("status", 429), ("status", 502), "ok")
    download(url, path, patience=Patience(wait=1.0))
    assert path.read_bytes() == CONTENT
    assert pauses == [1.0, 2.0, 4.0]

    server.headers["b"] = {"Retry-After": "7"}
    download(server.serve("b", CONTENT, ("status", 503), "ok"), path)
    assert pauses[3:] == [7.0]
    server.headers["c"] = {"Retry-After": "86400"}
    download(server.serve("c", CONTENT, ("status", 503), "ok"), path)
    assert pauses[4:] == [60.0]


def test_a_server_that_stays_broken_is_given_up(server, path):
    message = (
        r"the server answers 500 Internal Server Error, 3 times in a row; rerun the same command"
    )
    refused(server, path, message, 3, ("status", 500))
    assert names(path) == []


def test_redirects_are_followed_but_not_in_a_circle(server, path):
    server.serve("real", CONTENT)
    download(server.serve("a", b"", ("to", "real")), path, sha256=SHA)
    assert path.read_bytes() == CONTENT
    path.unlink()
    server.requests.clear()
    url = server.serve("a", CONTENT, "loop")
    with pytest.raises(DataError, match=r"a: the server redirects in a loop or to nowhere \(302\)"):
        download(url, path, patience=HASTE)
    assert len(server.requests) <= 11


def test_a_redirect_keeps_the_range(server, path):
    server.serve("real", CONTENT, ("break", 1000), "ok")
    download(server.serve("a", b"", ("to", "real")), path, sha256=SHA, patience=HASTE)
    assert server.asked("real") == [None, "bytes=1000-"]


def test_a_server_that_stops_sending_is_left_and_asked_again(server, path):
    url = server.serve("a", CONTENT, "slow", "silent", "ok")
    download(url, path, sha256=SHA, patience=IMPATIENCE)
    assert path.read_bytes() == CONTENT
    assert server.asked("a") == [None, "bytes=10-", "bytes=10-"]


def test_a_server_that_never_answers_is_given_up(server, path):
    patience = Patience(timeout=0.1, attempts=2, wait=0.0)
    url = server.serve("a", CONTENT, "silent")
    with pytest.raises(
        DataError, match=r"a: the server does not respond \(timed out\), 2 times in"
    ):
        download(url, path, patience=patience)
    assert names(path) == []


def test_a_web_page_is_not_data(server, path):
    message = "expected the file, the server sends a web page; open the address in a browser"
    refused(server, path, message, 1, "page")
    url = server.serve("b", b"\n <html><p>Please log in</p>")
    with pytest.raises(DataError, match="expected the file, the server sends a web page"):
        download(url, path, patience=HASTE)
    assert not path.exists()


def test_a_web_page_in_place_of_the_rest_does_not_lose_the_beginning(server, path):
    url = server.serve("a", CONTENT, ("break", 1000), "page")
    with pytest.raises(DataError, match="a web page"):
        download(url, path, patience=HASTE)
    assert path.with_name("file.json.part").read_bytes() == CONTENT[:1000]


def test_bytes_without_end_are_given_up(server, path, monkeypatch):
    url = server.serve("a", CONTENT, "endless")
    with pytest.raises(
        DataError, match=r"a: the server sends more than [\d,]+ bytes, expected 5,012; stopped"
    ):
        download(url, path, length=len(CONTENT))
    monkeypatch.setattr(module, "LARGEST", 9999)
    with pytest.raises(DataError, match=r"a: the server sends more than [\d,]+ bytes; stopped"):
        download(url, path)
    assert names(path) == []


def test_a_host_that_is_not_there_is_named(path):
    with hostile() as gone:
        url = gone.serve("a", CONTENT)
    with pytest.raises(DataError, match=r"a: cannot reach 127\.0\.0\.1: Connection refused$"):
        download(url, path, patience=Patience(wait=60.0))
    assert names(path) == []


STEP = st.one_of(
    st.just("ignore"),
    st.just("other part"),
    st.just("unnamed"),
    st.tuples(st.just("break"), st.integers(0, len(CONTENT))),
    st.tuples(st.just("status"), st.sampled_from([416, 500, 503])),
)


@settings(max_examples=40)
@given(st.lists(STEP, max_size=6))
def test_whatever_happens_on_the_way_the_bytes_are_the_same(tmp_path_factory, plan):
    path = tmp_path_factory.mktemp("down") / "file.json"
    with hostile() as server:
        url = server.serve("a", CONTENT, *plan, "ok")
        download(url, path, patience=Patience(attempts=9, wait=0.0))

    assert path.read_bytes() == CONTENT
    assert names(path) == ["file.json"]
