"""Featurising and decoding compared with `run_qa.py`: questions per second, memory.

Both sides read the same files with the same tokenizer in the same process. The benchmark fails if
their windows differ from ours in any token; different labels and answers are counted. Their
tokenizer uses all cores (its default), ours one. Logits are those of the default reader.

    python bench/featurising.py [--rounds 3]
"""

import argparse
import gzip
import itertools
import json
import os
import tempfile
from functools import partial

import numpy as np
from measured import (
    DATA,
    OUT,
    child,
    peak_memory,
    processor,
    ratio,
    report,
    rounds,
    seconds,
    with_packages,
)

from babelspan.data.files import write_json
from babelspan.data.squad import load_squad
from babelspan.engines.onnx import OnnxEngine, exported_featurizer
from babelspan.readers import DEFAULT_FOLDER
from babelspan.reading.decode import candidates, predictions
from babelspan.types import Limits

SEED = 1
SQUAD = DATA / "qa" / "squad" / "train-without-xquad.en.json.gz"
XQUAD = DATA / "qa" / "xquad"
MAX_LENGTH, OVERLAP, MAX_ANSWER = 384, 128, 30
BATCH = 16
QUESTIONS = 3_000
SIZES = (1_000, 10_000)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", nargs=2, metavar=("SIDE", "QUESTIONS"), help="used by itself")
    wanted = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    with_packages("datasets==5.2.0")
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        if wanted.alone:
            side, questions = wanted.alone
            alone(side, int(questions), folder)
            return
        encoder, tokenizer = exported_featurizer(DEFAULT_FOLDER), their_tokenizer()
        rows = [
            *learning(encoder, tokenizer, folder, wanted.rounds),
            *answering("en", encoder, tokenizer, folder, wanted.rounds),
            *answering("zh", encoder, tokenizer, folder, wanted.rounds),
        ]
    libraries = ["datasets", "transformers", "tokenizers", "numpy", "torch"]
    facts = {"libraries": libraries, "seed": SEED, "rounds": wanted.rounds}
    report("featurising", rows, **facts)
    report("featurising-at-ten-times", list(growing()), **facts)


def learning(encoder, tokenizer, folder, count):
    """Rows for the steps from a training file to batches."""
    import run_qa

    from babelspan.networks.reader import collate

    path = of_size(QUESTIONS)
    examples, dataset = load_squad(path), run_qa.load(path, folder)
    windows, labels = labelled(encoder, examples)
    theirs = partial(run_qa.features, dataset, run_qa.to_learn, tokenizer)
    features = theirs()
    differ = same_windows(windows, labels, features)
    print(f"SQuAD: {len(windows)} equal windows, {differ} with another label")
    ours = partial(labelled, encoder, examples)
    batched = {
        "run_qa.py": partial(run_qa.batches, features, BATCH),
        "ours": lambda: sum(1 for rows in taken_by(BATCH, windows) if collate(encoder, rows)),
    }
    n = len(examples)
    reading = {"run_qa.py": partial(run_qa.load, path, folder), "ours": partial(load_squad, path)}
    yield compared("reading the file", n, reading, count)
    yield compared("windows to learn from", n, {"run_qa.py": theirs, "ours": ours}, count)
    unpadded = partial(theirs, pads=False)
    yield compared("the same, theirs unpadded", n, {"run_qa.py": unpadded, "ours": ours}, count)
    yield compared(f"batches of {BATCH}", n, batched, count)


def answering(language, encoder, tokenizer, folder, count):
    """Rows for featurising questions at inference, and for decoding their logits."""
    import run_qa

    path = XQUAD / f"test.{language}.json.gz"
    examples, dataset = load_squad(path), run_qa.load(path, folder)
    windows = list(windows_of(encoder, examples))
    features = run_qa.features(dataset, run_qa.to_answer, tokenizer)
    same_windows(windows, None, features)
    logits = logits_of(windows, encoder)
    grouped = [list(rows) for _, rows in itertools.groupby(windows, lambda w: w.example.id)]
    decoding = {
        "run_qa.py": partial(run_qa.answers, dataset, features, logits),
        "ours": lambda: dict(decoded(zip(examples, grouped, strict=True), logits)),
    }
    theirs, ours = (call() for call in decoding.values())
    equal = sum(ours[identity] == theirs[identity] for identity in ours)
    print(f"XQuAD {language}: {len(windows)} equal windows, {equal} of {len(ours)} answers equal")
    featurising = {
        "run_qa.py": partial(run_qa.features, dataset, run_qa.to_answer, tokenizer),
        "ours": lambda: list(windows_of(encoder, examples)),
    }
    n = len(examples)
    yield compared(f"windows to answer, XQuAD {language}", n, featurising, count)
    yield compared(f"decoding, XQuAD {language}", n, decoding, count)


def windows_of(encoder, examples):
    return encoder.windows(examples, Limits(max_length=MAX_LENGTH, overlap=OVERLAP))


def labelled(encoder, examples):
    """Windows with the tokens of their answers, as for training."""
    from babelspan.networks.reader import gold_tokens

    windows = list(windows_of(encoder, examples))
    return windows, [gold_tokens(w) for w in windows]


def decoded(pairs, logits):
    """The answer to each (example, windows), by id; `logits` as in `run_qa.answers`."""
    first = 0
    for example, windows in pairs:
        read = [logits(number) for number in range(first, first + len(windows))]
        first += len(windows)
        found = candidates(windows, *zip(*read, strict=True), max_answer_tokens=MAX_ANSWER)
        yield example.id, predictions(example, found)[0].text


def taken_by(size, items):
    remaining = iter(items)
    while rows := list(itertools.islice(remaining, size)):
        yield rows


def their_tokenizer():
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_file=str(DEFAULT_FOLDER / "tokenizer.json"),
        model_max_length=512,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    )


def logits_of(windows, encoder):
    """Start and last logits of the default reader by window number, padded as in `run_qa`."""
    engine = OnnxEngine(DEFAULT_FOLDER)
    read = np.full((len(windows), 2, MAX_LENGTH), -100.0, np.float32)
    for row, window in zip(read, windows, strict=True):
        (logits,) = engine.read([window])
        row[:, : window.length] = logits
    return lambda number: (read[number, 0], read[number, 1])


def same_windows(windows, labels, features):
    """Number of labels that differ; the tokens must be equal."""
    assert len(windows) == len(features), (len(windows), len(features))
    differ = 0
    for number, (window, feature) in enumerate(zip(windows, features, strict=True)):
        theirs = feature["input_ids"][: sum(feature["attention_mask"])]
        assert window.ids().tolist() == theirs, window.example.id
        if labels:
            label = feature["start_positions"], feature["end_positions"]
            differ += (labels[number] or (0, 0)) != label
    return differ


def compared(what, questions, contenders, count):
    taken = rounds(contenders, count, warm=False)  # all but the shortest have been called before
    best = {side: min(times) for side, times in taken.items()}
    return {
        "what": what,
        "questions": questions,
        "run_qa.py, questions/s": questions / best["run_qa.py"],
        "ours, questions/s": questions / best["ours"],
        "times as fast": ratio(taken["run_qa.py"], taken["ours"]),
        "by processor time": ratio(processor(taken["run_qa.py"]), processor(taken["ours"])),
    }


def growing():
    """Rows for both sides with ten times the data, each twice in a separate process."""
    for side in ("run_qa.py", "ours"):
        for questions in SIZES:
            both = [child(__file__, "--alone", side, questions) for _ in range(2)]
            taken = {key: min(one[key] for one in both) for key in both[0]}
            yield {
                "side": side,
                "questions": questions,
                "reading, processor s": taken["reading"],
                "featurising and decoding, processor s": taken["work"],
                "MiB at the start": taken["started"],
                "MiB when read": taken["read"],
                "MiB at the end": taken["ended"],
            }


def alone(side, questions, folder):
    """Read, featurise and decode a file with random logits; print seconds and memory."""
    path = of_size(questions)
    noise = np.random.default_rng(SEED).standard_normal((64, 2, MAX_LENGTH)).astype(np.float32)
    steps = our_steps if side == "ours" else their_steps
    read, work = steps(path, lambda number: noise[number % len(noise)], folder)
    taken = {"started": peak_memory()}
    taken |= {"reading": seconds(read).processor, "read": peak_memory()}
    taken |= {"work": seconds(work).processor, "ended": peak_memory()}
    print(json.dumps(taken))


def our_steps(path, logits, folder):
    examples, encoder = [], exported_featurizer(DEFAULT_FOLDER)

    def work():
        pairs = ((e, list(windows_of(encoder, [e]))) for e in examples)
        return sum(1 for _ in decoded(pairs, logits))

    return lambda: examples.extend(load_squad(path)), work


def their_steps(path, logits, folder):
    import run_qa

    dataset, tokenizer = [], their_tokenizer()

    def work():
        features = run_qa.features(dataset[0], run_qa.to_answer, tokenizer)
        run_qa.answers(dataset[0], features, logits)

    return lambda: dataset.append(run_qa.load(path, folder)), work


def of_size(questions):
    """A file of that many questions: the SQuAD part repeated, with modified contexts."""
    path = OUT / "data" / f"squad.{questions}.json"
    if path.exists():
        return path
    articles = json.loads(gzip.decompress(SQUAD.read_bytes()))["data"]
    paragraphs = [p for article in articles for p in article["paragraphs"]]
    copies, total = [], 0
    while total < questions:
        p = paragraphs[len(copies) % len(paragraphs)]
        qas = [{**q, "id": str(total + i)} for i, q in enumerate(p["qas"][: questions - total])]
        copies.append({"context": f"{p['context']} ({len(copies)})", "qas": qas})
        total += len(qas)
    write_json(path, {"version": "1.1", "data": [{"title": "", "paragraphs": copies}]})
    return path


if __name__ == "__main__":
    main()
