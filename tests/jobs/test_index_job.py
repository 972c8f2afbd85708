"""Collections: only what changed is read, nothing committed is lost, and faults are told."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import tantivy

from babelspan.data.walking import IGNORE
from babelspan.jobs import index as index_job
from babelspan.jobs.collections import ABOUT, STORE, check, open_collection
from babelspan.jobs.index import index
from babelspan.jobs.samples import sample_texts
from babelspan.retrieval.searching import Search
from babelspan.types import ConfigError, DataError
from made_documents import docx_of, pdf_of

BRIDGE = "The bridge was opened in 1894. It was built by Horace Jones."


@pytest.fixture
def folder(tmp_path):
    """Documents of several kinds, and some that cannot be read."""
    contents = {
        "bridge.txt": BRIDGE.encode(),
        "deep/paper.pdf": pdf_of([(50, 700, "Penicillin was discovered by Alexander Fleming.")]),
        "deep/page.html": b"<h1 id=suez>Suez</h1><p>The canal opened in 1869.",
        "letter.docx": docx_of("<w:p><w:r><w:t>Die Brücke steht in London.</w:t></w:r></w:p>"),
        "broken.pdf": b"%PDF-1.4",
        "empty.txt": b" ",
        ".hidden.txt": b"secret",
        "skip.log": b"left out",
        IGNORE: b"*.log\n# a comment\n",
    }
    for name, content in contents.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_bytes(content)
    return tmp_path / "docs"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "papers.index"


def found(out, question, count=5):
    search = Search(open_collection(out))
    return [Path(r.file).name for r in search.passages(question, count)]


def test_a_folder_is_indexed_and_only_what_changed_is_read_again(folder, out):
    report = index([folder], out)
    assert (report.added, report.unchanged, report.removed, report.passages) == (5, 0, 0, 4)
    reasons = {Path(name).name: reason for name, reason in report.skipped.items()}
    assert set(reasons) == {"broken.pdf", "empty.txt"}
    assert reasons["broken.pdf"].startswith("expected a PDF that can be opened")
    assert found(out, "Who discovered penicillin?")[0] == "paper.pdf"
    whole = check(out)
    assert (whole.files, whole.passages, whole.faults) == (4, 4, [])
    assert whole.languages == {"en": 3, "de": 1}

    again = index([folder], out)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 7 - 1)
    assert again.skipped == report.skipped
    assert check(out).digest == whole.digest

    (folder / "bridge.txt").write_text("The tunnel was opened in 1843.")
    (folder / "new.md").write_text("# A new file\n\nabout ferries")
    os.utime(folder / "letter.docx")  # touched, not changed
    (folder / "deep" / "page.html").unlink()
    third = index([folder], out)
    assert (third.added, third.changed, third.removed) == (1, 1, 1)
    assert "bridge.txt" in found(out, "tunnel")
    assert found(out, "ferries")[0] == "new.md"
    assert "page.html" not in found(out, "canal 1869", 20)
    clean = out.with_name("clean.index")
    index([folder], clean)
    assert check(out).digest == check(clean).digest


def test_a_file_of_the_same_size_and_time_is_read_again_only_if_wished(folder, out):
    index([folder], out)
    before = (folder / "bridge.txt").stat()
    (folder / "bridge.txt").write_text(BRIDGE.replace("1894", "1895"))
    os.utime(folder / "bridge.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert index([folder], out).changed == 0
    assert index([folder], out, rehash=True).changed == 1


def test_files_that_are_gone_are_removed_unless_most_are(folder, out):
    index([folder], out)
    moved = folder.with_name("moved")
    folder.rename(moved)
    with pytest.raises(DataError, match="no such file or folder"):
        index([folder], out)
    folder.mkdir()
    with pytest.raises(ConfigError, match=r"6 of 6 files are gone .* --prune; .* --keep-missing"):
        index([folder], out)
    assert index([folder], out, keep_missing=True).removed == 0
    assert found(out, "penicillin")[0] == "paper.pdf"
    other = folder.with_name("other")
    other.mkdir()
    (other / "a.txt").write_text("ferries")
    assert index([other], out).removed == 0  # what is elsewhere stays
    assert index([folder], out, prune=True).removed == 6
    assert found(out, "penicillin ferries") == ["a.txt"]


def test_odd_files_are_named_and_do_not_stop_the_others(tmp_path, out):
    folder = tmp_path / "odd"
    folder.mkdir()
    names = ["new\nline.txt", "\u202eltr.txt", "x" * 240 + ".txt", os.fsdecode(b"\xff\xfe.txt")]
    for name in names:
        (folder / name).write_text(BRIDGE)
    os.mkfifo(folder / "pipe")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(folder / "socket"))
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "out.txt").symlink_to("/etc/hostname")
    (folder / "nothing").symlink_to(folder / "nowhere")
    report = index([folder], out)
    bound.close()
    assert report.added == len(names)
    assert {Path(name).name for name in report.skipped} == {"pipe", "socket"}
    assert set(found(out, "bridge", 20)) == set(names)
    followed = index([folder], tmp_path / "followed", follow=True)
    assert "No such file" in followed.skipped[str(folder / "nothing")]
    assert followed.added == len(names) + 1


def test_a_file_that_vanishes_or_keeps_changing_is_named(folder, out, monkeypatch):
    read = index_job.read_bytes

    def growing(path, **sizes):
        raw = read(path, **sizes)
        if path.name == "bridge.txt":
            with path.open("a") as file:
                file.write(" More.")
        if path.name == "letter.docx":
            path.unlink()
        return raw

    monkeypatch.setattr(index_job, "read_bytes", growing)
    report = index([folder], out)
    reasons = {Path(name).name: reason for name, reason in report.skipped.items()}
    assert reasons["bridge.txt"] == "it changed 3 times while being read; index it later"
    assert "No such file" in reasons["letter.docx"]
    monkeypatch.undo()
    assert index([folder], out).changed == 1
    assert found(out, "bridge 1894")[0] == "bridge.txt"


def test_what_is_no_collection_is_refused_and_left_alone(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"expected a collection or a new folder, found one with"):
        index([folder], folder)
    with pytest.raises(DataError, match=r"found no collection.toml; make one with"):
        open_collection(tmp_path / "nowhere")
    out = tmp_path / "old"
    index([folder], out)
    about = out / ABOUT
    about.write_text(about.read_text().replace('terms = "', 'terms = "0'))
    with pytest.raises(
        ConfigError, match=r"made with other rules .*\(terms 01 instead of 1\); remove"
    ):
        open_collection(out)
    about.write_text("[rules\n")
    with pytest.raises(DataError, match=r"collection.toml: broken"):
        check(out)


@pytest.mark.parametrize("damage", ["cut", "gone", "meta", "foreign"])
def test_a_damaged_store_is_told(folder, out, damage):
    index([folder], out)
    files = sorted((out / STORE).glob("*.store"))
    if damage == "meta":
        (out / STORE / "meta.json").write_text("{}")
    if damage == "foreign":
        shutil.rmtree(out / STORE)
        (out / STORE).mkdir()
        other = tantivy.SchemaBuilder().add_text_field("body", stored=True).build()
        with tantivy.Index(other, str(out / STORE)).writer(20_000_000, 1) as writer:
            writer.add_document(tantivy.Document(body="not ours"))
    for file in files:
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:20])
        elif damage == "gone":
            file.unlink()
    with pytest.raises(DataError, match="store of this collection cannot be used"):
        checked = check(out)
        raise DataError(checked.faults[0])


def test_two_writers_exclude_each_other_and_readers_see_whole_commits(folder, out):
    index([folder], out)
    writer = open_collection(out, writes=True)
    reader = open_collection(out)
    try:
        with pytest.raises(ConfigError, match="another process is changing this store"):
            open_collection(out, writes=True)
        writer.remove(str(folder / "bridge.txt"))
        assert len(reader.files()) == 6
        writer.commit()
        assert len(reader.files()) == 6  # what was opened stays
        reader.reload()
        assert len(reader.files()) == 5
    finally:
        writer.close()


def test_readers_ask_while_a_writer_works(tmp_path, out):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "bridge.txt").write_text(BRIDGE)
    index([folder], out)
    wrong, stop = [], threading.Event()

    def reads():
        while not stop.is_set():
            names = found(out, "When was the bridge opened?", 3)
            if "bridge.txt" not in names:
                wrong.append(names)

    readers = [threading.Thread(target=reads) for _ in range(8)]
    for reader in readers:
        reader.start()
    for number in range(8):
        (folder / f"{number}.txt").write_text(f"About ferries and number {number}.")
        index([folder], out)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


FORKING = """
import os, sys
from pathlib import Path
from babelspan.jobs import index
from babelspan.text.language_of import language_of
language_of("what is slow to load is loaded once")
index.COMMIT_CHARACTERS = 2000
for _ in sys.stdin:
    child = os.fork()
    if not child:
        index.index([Path(sys.argv[1])], Path(sys.argv[2]))
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
KILLS = 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_indexer_loses_nothing_that_was_committed(tmp_path, out):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in list(sample_texts().items())[::3]:
        (folder / name).write_text(text, encoding="utf-8")
    clean = tmp_path / "clean.index"
    start = time.perf_counter()
    index([folder], clean)
    seconds = time.perf_counter() - start
    whole = check(clean).digest
    rng = random.Random(1)
    command = [sys.executable, "-c", FORKING, str(folder), str(out)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as forking:
        kills, last = 0, 0
        while kills < KILLS:  # whoever is faster, the indexer or the kill: it begins again
            print("go", file=forking.stdin, flush=True)
            child = int(forking.stdout.readline())
            time.sleep(rng.uniform(0, seconds))
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            code = int(forking.stdout.readline())
            if (out / STORE / "meta.json").exists():
                there = check(out)
                assert there.faults == []
                assert there.files >= last
                last = there.files
            if code == -signal.SIGKILL:
                kills += 1
                seconds *= 1.1  # so that the last kills come late in the work
                continue
            assert code == 0
            assert check(out).digest == whole
            shutil.rmtree(out)
            seconds, last = seconds * 0.7, 0
        forking.stdin.close()
    index([folder], out)
    assert check(out).digest == whole


@pytest.mark.parametrize("change", ["skipped", "renewed", "removed"])
def test_a_change_without_text_is_committed_in_time_too(folder, out, monkeypatch, change):
    def stopped(*_):
        raise KeyboardInterrupt

    first, other = folder / "a.txt", folder / "letter.docx"
    first.write_text(BRIDGE)
    index([folder], out)
    if change == "skipped":
        first.write_bytes(b"%PDF-1.4")
    elif change == "renewed":
        os.utime(first, ns=(1, 1))
    else:
        other.unlink()
    monkeypatch.setattr(index_job, "COMMIT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        index([folder], out, watch=stopped)
    store = open_collection(out)
    kept = store.files()
    store.close()
    found = {
        "skipped": "reason" in kept[str(first)],
        "renewed": kept[str(first)]["changed"] == 1,
        "removed": str(other) not in kept,
    }
    assert [name for name, is_kept in found.items() if is_kept] == [change]


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs a small disk")
def test_a_full_disk_is_told_and_the_last_commit_stays(tmp_path, folder):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("may not mount")
    try:
        out = disk / "a.index"
        index([folder], out)
        before = check(out).digest
        rng = random.Random(1)
        words = [f"w{rng.randrange(10**9)}" for _ in range(60_000)]
        (folder / "large.txt").write_text(" ".join(words))
        with pytest.raises((DataError, OSError), match=r"[Nn]o space|cannot be used"):
            index([folder], out)
        (folder / "large.txt").unlink()
        assert check(out).digest == before
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_files_that_cannot_be_read_are_named_each_time(folder, out):
    first = index([folder], out)
    (folder / "broken.pdf").touch()
    for again in (index([folder], out), index([folder], out, rehash=True)):
        assert again.skipped == first.skipped
        assert str(folder / "broken.pdf") in again.skipped


def test_a_collection_inside_of_its_folder_does_not_index_itself(folder):
    first = index([folder], folder / "papers.index")
    again = index([folder], folder / "papers.index")
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert again.skipped == first.skipped
