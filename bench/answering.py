"""Answering speed against the pipeline of transformers 4 and Haystack, on the same weights.

Each contender is a process in its own environment; all take turns within a round. Checkpoints and
environments are created in build/bench on the first run: all-MiniLM-L6-v2 with an untrained head,
and XLM-R base with random weights, which does not affect the time per answer.

    python bench/answering.py [--rounds 3] [--questions 128 16] [--cores N]

Compare wall-clock times if nothing else is running. Otherwise `--cores 1` and the ratio of CPU
times are more reliable: with several threads, PyTorch spends CPU time on waiting.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
from checkpoints import MODELS, made
from measured import DATA, OUT, Ratio, ratio, report
from rates import operations, rates

from babelspan.data.squad import load_squad
from babelspan.engines.onnx import exported_featurizer
from babelspan.types import UNDETERMINED, Example

SEED = 1
LANGUAGES = ("en", "zh")
BATCHES = (4, 16, 32)
PEERS = Path(__file__).parent / "peers"
PIPELINE = "pipeline (transformers 4.57)"
HAYSTACK = "reader of Haystack 3.4"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, nargs=2, default=(128, 16), help="MiniLM, XLM-R")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    wanted = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: wanted.cores])
    pythons = {name: environment(name) for name in ("pipeline", "haystack")}
    rows, floors = [], []
    for model, count in zip(MODELS, wanted.questions, strict=True):
        if model not in wanted.models:
            continue
        folders = made(model, SEED)
        with contextlib.ExitStack() as running:
            sides = contenders(folders, pythons, running)
            for language in wanted.languages:
                questions = sample(language, count)
                taken = measured(sides, questions, folders, wanted.rounds)
                what = {"model": model, "XQuAD": language}
                rows += [{**what, **row} for row in told(taken, len(questions))]
                print(f"{model}, XQuAD {language}: done", flush=True)
                floors += [{**what, **row} for row in floor(taken, questions, folders)]
    facts = {"seed": SEED, "rounds": wanted.rounds, "cores": wanted.cores}
    facts["questions"] = dict(zip(MODELS, wanted.questions, strict=True))
    libraries = ["onnxruntime", "tokenizers", "numpy"]
    facts["peers"] = {p.stem: p.read_text().split() for p in sorted(PEERS.glob("*.txt"))}
    report("answering", rows, libraries=libraries, **facts)
    report("answering-floor", floors, libraries=libraries, **facts)


def environment(name):
    """The interpreter of an environment with a peer's requirements, created if needed."""
    folder = OUT / "environments" / name
    python, requirements = folder / "bin" / "python", PEERS / f"{name}.txt"
    complete = folder / "complete"
    if not complete.exists() or complete.read_text() != requirements.read_text():
        venv.create(folder, clear=True, with_pip=True)
        for packages in (["torch==2.13.0"], ["-r", str(requirements)]):
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        complete.write_text(requirements.read_text())
    return python


def sample(language, count):
    """All questions of evenly spaced paragraphs of XQuAD, with their contexts."""
    examples = load_squad(DATA / "qa" / "xquad" / f"test.{language}.json.gz")
    contexts = list(dict.fromkeys(e.context for e in examples))
    step = max(1, len(examples) // count)
    kept = set(contexts[::step])
    return [[e.question, e.context] for e in examples if e.context in kept][:count]


class Contender:
    """A process that answers; see `peers/serving.py`."""

    def __init__(self, python, script, *arguments):
        command = [str(python), str(PEERS / script), *map(str, arguments)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **pipes)
        self.reply()

    def reply(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended; run it by hand to see why")
        return json.loads(line)

    def answer(self, questions, batch):
        print(
            json.dumps({"questions": questions, "batch": batch}),
            file=self.process.stdin,
            flush=True,
        )
        return self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def contenders(folders, pythons, running):
    """Contenders by name and mode: one question at a time, or all at once."""
    start = lambda *command: running.enter_context(Contender(*command))  # noqa: E731
    pipeline = start(pythons["pipeline"], "pipeline.py", folders["checkpoint"])
    haystack = start(pythons["haystack"], "haystack_reader.py", folders["checkpoint"])
    sides = {(PIPELINE, "one"): pipeline, (PIPELINE, "all"): pipeline, (HAYSTACK, "one"): haystack}
    for precision in ("fp32", "int8"):
        for way, workers in (("one", 1), ("all", 0)):
            sides[f"ours, {precision}", way] = start(
                sys.executable, "ours.py", folders[precision], workers
            )
    return sides


def measured(sides, questions, folders, rounds):
    """Replies of each contender by round, and the peak rates of the CPU in the same rounds."""
    pipeline = sides[PIPELINE, "all"]
    tried = {size: pipeline.answer(questions[:64], size)["seconds"] for size in BATCHES}
    best = min(tried, key=tried.get)
    taken = {side: [] for side in sides} | {"batch": best, "rates": []}
    for side, contender in sides.items():
        contender.answer(questions[:4], 1 if side[1] == "one" else best)
    for number in range(rounds):
        for side in list(sides) if number % 2 == 0 else list(sides)[::-1]:
            taken[side].append(sides[side].answer(questions, 1 if side[1] == "one" else best))
        taken["rates"].append(rates(folders["config"]))
    check_answers(taken)
    return taken


def check_answers(taken):
    """Check that our answers are the same in both modes, in every round."""
    for precision in ("fp32", "int8"):
        replies = taken[f"ours, {precision}", "one"] + taken[f"ours, {precision}", "all"]
        assert all(r["answers"] == replies[0]["answers"] for r in replies), precision


def told(taken, count):
    """Rows of the table: medians over rounds, and ratios to the pipeline's best per round."""
    ways = [(PIPELINE, way) for way in ("one", "all")]
    best = min(ways, key=lambda way: statistics.median(r["seconds"] for r in taken[way]))
    theirs = taken[PIPELINE, "one"][0]["answers"]
    for name in dict.fromkeys(side[0] for side in taken if isinstance(side, tuple)):
        one, every = taken[name, "one"], taken.get((name, "all"))
        calls = np.concatenate([r["calls"] for r in one]) * 1000
        fastest = taken[best] if name == PIPELINE else every or one
        yield {
            "contender": name,
            "one by one, q/s": count / median("seconds", one),
            "p50, ms": float(np.percentile(calls, 50)),
            "p99, ms": float(np.percentile(calls, 99)),
            "all at once, q/s": count / median("seconds", every) if every else "",
            "batch": taken["batch"] if name == PIPELINE else "",
            "times the pipeline's best": of_times("seconds", taken[best], fastest),
            "the same in processor time": of_times("cpu", taken[best], fastest),
            "CPU ms a question": 1000 * median("cpu", fastest) / count,
            "peak MiB": float(max(r["MiB"] for r in fastest)),
            "answers as the pipeline's": alike(one[0]["answers"], theirs) / count,
        }


def alike(answers, others):
    """Number of answers that are equal, or differ only by cut words, which the pipeline extends."""
    return sum(a in b or b in a for a, b in zip(answers, others, strict=True))


def median(key, replies):
    return statistics.median(r[key] for r in replies)


def of_times(key, over, under) -> Ratio:
    return ratio([r[key] for r in over], [r[key] for r in under])


def floor(taken, questions, folders):
    """Rows with lower bounds for a core: operations divided by the peak rate of their kind."""
    encoder = exported_featurizer(folders["fp32"])
    count, config = len(questions), folders["config"]
    lengths = [length for q, c in questions for length in lengths_of(encoder, q, c)]
    weights, attention = np.sum([operations(config, n) for n in lengths], axis=0) / count / 1e9
    rate = {key: statistics.median(r[key] for r in taken["rates"]) for key in taken["rates"][0]}
    for precision in ("fp32", "int8"):
        least = 1000 * (weights / rate[precision] + attention / rate["fp32"])
        spent = 1000 * median("cpu", taken[f"ours, {precision}", "all"]) / count
        yield {
            "precision": precision,
            "tokens a window": sum(lengths) / len(lengths),
            "windows a question": len(lengths) / count,
            "Gop a question": weights + attention,
            "Gop/s of a core, fp32": rate["fp32"],
            "int8": rate["int8"],
            "PyTorch fp32": rate["torch"],
            "floor, CPU ms a question": least,
            "ours": spent,
            "ours over the floor": spent / least,
        }


def lengths_of(encoder, question, context):
    example = Example(
        id="",
        question=question,
        context=context,
        answers=None,
        question_language=UNDETERMINED,
        context_language=UNDETERMINED,
    )
    return [window.length for window in encoder.windows([example])]


if __name__ == "__main__":
    main()
