"""Shards of any job: claimed, made side by side, resumed; nothing here is of one verb."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from babelspan.data.files import read_json, write_json
from babelspan.jobs.shards import ALONE, Crew, carry_out, claimed, is_finished, record_of
from babelspan.types import ConfigError, DataError

CREWS = [ALONE, Crew(workers=2), Crew(on="ray", workers=2)]


@dataclass(frozen=True)
class Squares:
    """A job that squares numbers; `fails_at` and `dies_at` are shards where it cannot."""

    folder: Path
    fails_at: int = -1
    dies_at: int = -1

    def start(self):
        write_json(self.folder / f"started.{os.getpid()}.json", {})

        def make(shard, number):
            if shard == self.fails_at:
                raise DataError(f"shard {shard}: no number")
            if shard == self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            write_json(record_of(self.folder, shard), {"square": number**2})
            return number**2

        return make


@pytest.fixture(params=CREWS, ids=["alone", "two", "ray"])
def crew(request):
    if request.param.on == "ray":
        request.getfixturevalue("ray_address")
        import ray

        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # no module of its workers
    return request.param


def test_every_shard_is_made_once_and_kept(tmp_path, crew):
    inputs = [(shard, shard + 10) for shard in range(9)]
    made = dict(carry_out(Squares(tmp_path), iter(inputs), count=9, crew=crew))
    assert made == {shard: number**2 for shard, number in inputs}
    assert all(is_finished(tmp_path, shard) for shard in range(9))
    assert read_json(record_of(tmp_path, 8)) == {"square": 18**2}
    started = len(list(tmp_path.glob("started.*")))
    assert 1 <= started <= crew.workers  # loaded once by each worker


def test_an_error_is_the_error_of_the_shard_and_what_was_made_stays(tmp_path, crew):
    work = Squares(tmp_path, fails_at=4)
    with pytest.raises(DataError, match=r"^shard 4: no number$"):
        list(carry_out(work, ((n, n) for n in range(9)), count=9, crew=crew))
    assert any(is_finished(tmp_path, shard) for shard in range(4))
    assert not is_finished(tmp_path, 4)


def test_a_killed_worker_is_told_and_what_was_made_stays(tmp_path):
    work = Squares(tmp_path, dies_at=3)
    with pytest.raises(ConfigError, match=r"a worker was killed, .* rerun the same command to"):
        list(carry_out(work, ((n, n) for n in range(9)), count=9, crew=Crew(workers=2)))
    assert any(is_finished(tmp_path, shard) for shard in range(3))
    assert not is_finished(tmp_path, 3)


def test_nothing_to_make_starts_nothing(tmp_path):
    for crew in CREWS:
        assert list(carry_out(Squares(tmp_path), iter([]), count=0, crew=crew)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("crew", CREWS[:2], ids=["alone", "two"])
def test_inputs_are_read_as_workers_become_free(tmp_path, crew):
    """A large file is never in memory: of 40 inputs only a few wait at any moment."""
    read = []

    def inputs():
        for number in range(40):
            read.append(number)
            yield number, number

    most = 0
    for finished, _ in enumerate(carry_out(Squares(tmp_path), inputs(), count=40, crew=crew)):
        most = max(most, len(read) - finished)
        time.sleep(0.01)
    assert most <= 2 * crew.workers + 1


def test_threads_are_shared_by_the_workers_of_a_machine(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    assert [Crew(workers=n).threads for n in (1, 2, 3, 8, 20)] == [0, 4, 2, 1, 1]
    assert Crew(on="ray", workers=4).threads == 1


def claim(folder, depends_on, under="", **how):
    with claimed(folder / "job.json", depends_on, under=under, **how):
        return read_json(folder / "job.json")


@pytest.mark.parametrize("under", ["", "job"])
def test_a_folder_is_of_one_job(tmp_path, under):
    depends_on = {"data": "a", "shards": 3}
    recorded = {under: depends_on} if under else depends_on
    assert claim(tmp_path / "new", depends_on, under) == recorded
    assert claim(tmp_path / "new", depends_on, under) == recorded
    for other, keys in (
        ({"data": "b", "shards": 4}, "data, shards"),
        ({"data": "a"}, "shards"),
        ({"data": "a", "shards": 3, "seed": 1}, "seed"),
    ):
        with pytest.raises(ConfigError, match=rf"differs in {keys}; choose another folder"):
            claim(tmp_path / "new", other, under)


def test_a_folder_of_other_files_is_not_taken(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ConfigError, match=r"found other files, such as 'mine.txt'; choose another"):
        claim(tmp_path, {"data": "a"})
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert claim(tmp_path, {"data": "a"}, may_stay=lambda p: p.suffix == ".txt")
