"""The translation cache: what is asked once, kept, shared and refused."""

import errno
import os
import shutil
import subprocess

import pytest

from babelspan.augment.cache import Cached
from babelspan.types import TranslationError


class Upper:
    """A translator that shouts and counts what it is asked."""

    def __init__(self, identity="upper 1"):
        self.identity = identity
        self.asked = []

    def translate(self, texts, *, source, target, tags=()):
        self.asked += texts
        return [f"{text.upper()}{'|'.join(tags)}" for text in texts]


def say(cached, *texts, tags=(), target="es"):
    return cached.translate(texts, source="en", target=target, tags=tags)


def test_each_text_is_asked_once(tmp_path):
    engine = Upper()
    cached = Cached(engine, tmp_path)
    assert say(cached, "a", "b", "a") == ["A", "B", "A"]
    assert say(cached, "b", "c") == ["B", "C"]
    assert engine.asked == ["a", "b", "c"]
    assert cached.asked == 3


def test_what_was_kept_serves_the_next_process(tmp_path):
    say(Cached(Upper(), tmp_path), "a", "b")
    engine = Upper()
    assert say(Cached(engine, tmp_path), "b", "a") == ["B", "A"]
    assert engine.asked == []


def test_without_a_folder_nothing_is_kept(tmp_path):
    engine = Upper()
    cached = Cached(engine, None)
    say(cached, "a")
    say(cached, "a")
    assert engine.asked == ["a", "a"]


@pytest.mark.parametrize(
    ("identity", "tags", "target"),
    [("upper 2", (), "es"), ("upper 1", ("b",), "es"), ("upper 1", (), "de")],
)
def test_another_engine_direction_or_markup_is_another_translation(
    tmp_path, identity, tags, target
):
    say(Cached(Upper(), tmp_path), "a")
    engine = Upper(identity)
    say(Cached(engine, tmp_path), "a", tags=tags, target=target)
    assert engine.asked == ["a"]


def test_identities_with_one_readable_part_have_files_of_their_own(tmp_path):
    say(Cached(Upper("x/y"), tmp_path), "a")
    say(Cached(Upper("x y"), tmp_path), "a")
    assert len(list(tmp_path.glob("*.en-es.sqlite"))) == 2


class Wrong(Upper):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def translate(self, texts, *, source, target, tags=()):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (["A"], "expected 2 translations, found 1 items"),
        (["A", "B", "C"], "expected 2 translations, found 3 items"),
        (["A", None], "found 2 items, 1 of them texts"),
    ],
)
def test_answers_that_do_not_fit_are_refused_and_not_kept(tmp_path, answer, message):
    with pytest.raises(TranslationError, match=message):
        say(Cached(Wrong(answer), tmp_path), "a", "b")
    engine = Upper()
    assert say(Cached(engine, tmp_path), "a", "b") == ["A", "B"]
    assert engine.asked == ["a", "b"]


def test_what_came_before_a_failure_is_kept(tmp_path):
    class Failing(Upper):
        def translate(self, texts, *, source, target, tags=()):
            if len(self.asked) >= 500:
                raise TranslationError("gone")
            return super().translate(texts, source=source, target=target, tags=tags)

    texts = [f"text {n}" for n in range(600)]
    with pytest.raises(TranslationError, match="gone"):
        say(Cached(Failing(), tmp_path), *texts)
    engine = Upper()
    say(Cached(engine, tmp_path), *texts)
    assert engine.asked == texts[500:]


def test_nul_and_nothing_are_texts_too(tmp_path):
    cached = Cached(Upper(), tmp_path)
    assert say(cached, "a\0b", "") == ["A\0B", ""]
    assert say(Cached(Upper(), tmp_path), "a\0b", "") == ["A\0B", ""]


def test_it_can_be_closed_and_used_again(tmp_path):
    engine = Upper()
    cached = Cached(engine, tmp_path)
    say(cached, "a")
    cached.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".sqlite"]
    assert say(cached, "a") == ["A"]
    assert engine.asked == ["a"]


def test_a_lone_surrogate_is_asked_and_answered_with_a_question_mark(tmp_path):
    for folder in (None, tmp_path, tmp_path):
        assert say(Cached(Upper(), folder), "a\ud800", "b") == ["A?", "B"]


def test_a_file_that_breaks_while_it_is_read_is_named(tmp_path):
    texts = [f"text {n}" for n in range(2000)]
    cached = Cached(Upper(), tmp_path)
    say(cached, *texts)
    cached.close()
    (file,) = tmp_path.glob("*.sqlite")
    raw = file.read_bytes()
    file.write_bytes(raw[:4096] + b"\xff" * (len(raw) - 4096))
    with pytest.raises(OSError, match="translation cache: database disk image is malformed"):
        say(Cached(Upper(), tmp_path), *texts)


def test_a_broken_file_is_named(tmp_path):
    say(Cached(Upper(), tmp_path), "a")
    (file,) = tmp_path.glob("*.sqlite")
    for path in tmp_path.iterdir():
        path.unlink()
    file.write_bytes(b"this is not a database, and long enough to be read as one" * 100)
    with pytest.raises(OSError, match="translation cache: file is not a database"):
        say(Cached(Upper(), tmp_path), "a")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="takes root to mount"
)
def test_a_full_disk_is_told_and_loses_nothing(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine does not let a tmpfs be mounted")
    try:
        engine = Upper()
        cached = Cached(engine, small)
        assert say(cached, "kept") == ["KEPT"]
        with pytest.raises(OSError, match="No space left") as caught:
            for part in range(100):
                say(cached, *(f"{part} {n} {'x' * 100}" for n in range(100)))
        assert caught.value.errno == errno.ENOSPC
        again = Upper()
        assert say(Cached(again, small), "kept") == ["KEPT"]
        assert again.asked == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
