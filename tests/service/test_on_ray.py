"""Windows read by replicas on a real Ray: the same answers, and none lost with a replica."""

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_limits import until

from babelspan.readers import DEFAULT_FOLDER
from babelspan.service import on_ray
from babelspan.service.on_ray import OnRay
from babelspan.service.readers import Readers
from babelspan.types import ConfigError
from served import TEXT, default_answerer, serving

LONG = "The lake lies in Siberia. Anna Köhler measured it in 1984. " * 60
ASKED = [("Where is the lake?", TEXT), ("Who measured the lake?", LONG), ("When?", TEXT)]


@pytest.fixture(scope="module")
def replicated(ray_address):
    """A service with two replicas, and the engine that stands for them."""
    reading = Readers({"default": "default"}, workers=2, on="ray")
    with serving(reading=reading) as served:
        yield served, reading.named(None).crew.engine


def pid_of(replica):
    """The process of a replica."""
    import ray

    return ray.get(replica.actor.__ray_call__.remote(lambda _: os.getpid()))


def both_are_ready(engine):
    with engine._choosing:
        engine._renew()
        return all(one.is_ready() for one in engine._replicas)


def test_answers_are_those_of_the_reader_here(replicated):
    served, engine = replicated
    assert engine.workers == served.service.readers.named(None).crew.workers == 2
    for question, text in ASKED:
        (best,) = default_answerer().ask(question, [text])
        status, told = served.ask(question, text)
        (found,) = told["answers"]
        scores = (found["score"], found["logit"], found["probability"])
        assert (status, found["answer"]) == (200, best.prediction.text)
        assert scores == (
            best.prediction.score,
            best.prediction.logit,
            best.prediction.probability,
        )


def test_a_replica_that_is_killed_under_load_takes_no_answer_with_it(replicated):
    served, engine = replicated
    until(lambda: both_are_ready(engine))
    doomed = engine._replicas[0]
    expected = {q: default_answerer().ask(q, [t])[0].prediction for q, t in ASKED}
    process = pid_of(doomed)
    os.kill(process, signal.SIGSTOP)  # what it has been given stays with it
    with ThreadPoolExecutor(12) as clients:
        begun = [clients.submit(served.ask, *ASKED[n % len(ASKED)]) for n in range(24)]
        until(lambda: doomed.under_way > 0)
        os.kill(process, signal.SIGKILL)
        told = [one.result(300) for one in begun]
    assert [status for status, _ in told] == [200] * 24
    for n, (_, answers) in enumerate(told):
        best = expected[ASKED[n % len(ASKED)][0]]
        (found,) = answers["answers"]
        assert (found["answer"], found["score"]) == (best.text, best.score)
    assert doomed.is_lost
    until(lambda: both_are_ready(engine))
    assert doomed not in engine._replicas
    assert served.ask(*ASKED[0])[0] == 200


def test_a_window_that_kills_replicas_is_given_up(replicated, monkeypatch):
    served, engine = replicated
    until(lambda: both_are_ready(engine))
    monkeypatch.setattr(on_ray, "LOSSES", 1)
    doomed = engine._replicas[0]
    process = pid_of(doomed)
    os.kill(process, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as client:
        begun = client.submit(served.ask, *ASKED[0])
        until(lambda: doomed.under_way > 0)
        os.kill(process, signal.SIGKILL)
        assert begun.result(300)[0] == 500
    assert served.ask(*ASKED[0])[0] == 200


def test_replicas_with_another_reader_are_refused(replicated, monkeypatch):
    monkeypatch.setattr(on_ray, "checksum_of", lambda _: "0" * 64)
    with pytest.raises(ConfigError, match="and reader 000000000000 on every machine, found"):
        OnRay(default_answerer().engine, "default", 1)


def test_a_new_replica_with_another_reader_gets_no_windows(
    replicated, tmp_path, monkeypatch, capfd
):
    folder = shutil.copytree(DEFAULT_FOLDER, tmp_path / "reader")
    (folder / "calibration.json").unlink()  # it is of these files only
    engine = OnRay(default_answerer().engine, str(folder), 1)
    settings = (folder / "config.json").read_bytes()
    (folder / "config.json").write_bytes(settings + b"\n")
    engine._replicas[0].is_lost = True
    engine._renew()
    (other,) = engine._replicas
    until(lambda: other.is_ready() or other.is_lost)
    assert other.is_lost and not other.was_ready
    logged = capfd.readouterr().err
    assert '"event": "replica not ready"' in logged and "on every machine, found" in logged
    (folder / "config.json").write_bytes(settings)
    monkeypatch.setattr(on_ray, "_AGAIN_AFTER", 0)
    until(lambda: both_are_ready(engine))
    assert other not in engine._replicas


def test_a_checkpoint_is_refused():
    with pytest.raises(ConfigError, match="expected an exported reader, found a checkpoint"):
        OnRay(object(), "runs/mine", 1)
