"""Significance tests on a matrix of MLQA's size: time, memory, and two plain programs on one cell.

The matrix is synthetic, with a seed: seven languages with as many test questions as in MLQA, 49
cells with 158,083 questions in total, exact match and F1, three questions for two paragraphs, with
correlated results within a paragraph. The plain programs test one cell, English questions about
English texts, question by question: a loop in numpy, and `permutation_test` of scipy. The benchmark
fails if the three p-values differ by more than chance.

    python bench/significance.py [--rounds 5]
"""

import argparse
import json
import statistics
import time
from functools import partial

import numpy as np
from measured import child, peak_memory, ratio, report, rounds, seconds
from scipy import stats

from babelspan.scoring.clusters import clusters
from babelspan.scoring.significance import bootstrap, clustered, randomisation
from babelspan.types import Example

SEED = 1
RESAMPLES = 10_000
SIZES = {"en": 11_590, "ar": 5335, "de": 4517, "es": 5254, "hi": 4918, "vi": 5495, "zh": 5137}
TOTAL = 158_083
MEANS = 49 + 2  # each cell, XLT, G-XLT


def made_up():
    """Question numbers of each cell, (Q,), and their differences in exact match and F1, (2, Q)."""
    rng = np.random.default_rng(SEED)
    known = {
        language: rng.permutation(SIZES["en"])[:size] if language != "en" else np.arange(size)
        for language, size in SIZES.items()
    }
    shared = {(q, c): np.intersect1d(known[q], known[c]) for q in SIZES for c in SIZES}
    free = [pair for pair in shared if pair[0] != pair[1] and "en" not in pair]
    surplus = sum(map(len, shared.values())) - TOTAL
    lost = rng.multinomial(surplus, [1 / len(free)] * len(free))
    for pair, count in zip(free, lost, strict=True):
        shared[pair] = np.sort(rng.permutation(shared[pair])[count:])
    alike = rng.normal(0, 0.2, size=SIZES["en"])[paragraph_of(np.arange(SIZES["en"]))]
    differences = {}
    for pair, questions in shared.items():
        f1 = np.clip(rng.normal(alike[questions], 0.3), -1, 1).round(2)
        differences[pair] = np.array([np.rint(f1), f1])
    return shared, differences


def paragraph_of(question):
    return question * 2 // 3


def examples(shared):
    """Examples with only the fields that clusters depend on."""
    texts = [f"paragraph {i}" for i in range(SIZES["en"])]
    return {
        (q, c): [
            Example(
                id=f"{i}",
                question="",
                context=texts[paragraph_of(i)],
                answers=None,
                question_language=q,
                context_language=c,
            )
            for i in questions.tolist()
        ]
        for (q, c), questions in shared.items()
    }


def weights(pairs):
    """(49, 51): each cell, XLT, G-XLT."""
    same = np.array([[q == c] for q, c in pairs]) / len(SIZES)
    return np.hstack([np.eye(len(pairs)), same, np.full((len(pairs), 1), 1 / len(pairs))])


def plain_numpy(differences):
    """A loop over exchanges in numpy."""
    rng = np.random.default_rng(SEED)
    observed = abs(differences.mean())
    reached = 0
    for _ in range(RESAMPLES):
        signs = rng.choice([-1, 1], size=len(differences))
        reached += abs((signs * differences).mean()) >= observed
    return (reached + 1) / (RESAMPLES + 1)


def plain_scipy(differences):
    """As in scipy's documentation for paired samples; all exchanges at once need 1.9 GB."""
    found = stats.permutation_test(
        (differences, np.zeros_like(differences)),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=100,
        rng=SEED,
    )
    return found.pvalue


def ours(differences):
    table = clustered([differences[None]], [np.arange(len(differences))])
    return float(randomisation(table, np.ones((1, 1)), resamples=RESAMPLES, seed=SEED)[0, 0])


def one_cell(differences, count):
    """One row for each program."""
    error = differences.std() / len(differences) ** 0.5
    differences = differences - differences.mean() + error  # a p-value of about 0.32
    programs = {"ours": ours, "numpy loop": plain_numpy, "scipy permutation_test": plain_scipy}
    p_values = {name: call(differences) for name, call in programs.items()}
    assert max(p_values.values()) - min(p_values.values()) < 0.03, p_values
    taken = rounds({n: partial(call, differences) for n, call in programs.items()}, count)
    for name, times in taken.items():
        yield {
            "one cell": name,
            "questions": len(differences),
            "p": p_values[name],
            "median, s": statistics.median(times),
            "least, s": min(times),
            "processor, s": processor_seconds(partial(programs[name], differences)),
            "ours is faster, times": ratio(times, taken["ours"]),
        }


def whole_matrix(shared, differences, count):
    """A row for each part of the work on all cells."""
    cells = examples(shared)
    numbers = list(clusters(cells, "paragraph").values())
    table = clustered(list(differences.values()), numbers)
    by_cell = weights(list(shared))
    resampling = {"resamples": RESAMPLES, "seed": SEED}
    parts = {
        "clusters": partial(clusters, cells, "paragraph"),
        "sums": partial(clustered, list(differences.values()), numbers),
        "randomisation": partial(randomisation, table, by_cell, **resampling),
        "bootstrap": partial(bootstrap, table, by_cell, **resampling),
    }
    taken = rounds(parts, count)
    taken["together"] = [sum(times) for times in zip(*taken.values(), strict=True)]
    processor = {part: processor_seconds(call) for part, call in parts.items()}
    processor["together"] = sum(processor.values())
    height = len(table.sums)
    products = {"randomisation": 2 * MEANS, "bootstrap": 3 * len(cells)}  # columns
    rate = operations_per_second(height)
    for part, times in taken.items():
        columns = products.get(part, sum(products.values()) if part == "together" else 0)
        yield {
            "whole matrix": part,
            "questions": sum(map(len, shared.values())),
            "clusters": height,
            "median, s": statistics.median(times),
            "least, s": min(times),
            "most, s": max(times),
            "processor, s": processor[part],
            "products alone, s": 2 * RESAMPLES * height * columns / rate,
        }


def processor_seconds(call):
    """CPU seconds of all threads, which other programs affect less than wall-clock time."""
    began = time.process_time()
    call()
    return time.process_time() - began


def operations_per_second(height):
    """Peak rate of numpy's float64 matrix product with that many clusters."""
    rng = np.random.default_rng(0)
    left, right = rng.random((2000, height)), rng.random((height, 100))
    best = min(seconds(partial(np.matmul, left, right)) for _ in range(5))
    return 2 * left.size * right.shape[1] / best


def memory(resamples):
    """Peak memory of this process in MiB, before and after the tests."""
    shared, differences = made_up()
    numbers = [paragraph_of(questions) for questions in shared.values()]
    table = clustered(list(differences.values()), numbers)
    before = peak_memory()
    for test in (randomisation, bootstrap):
        test(table, weights(list(shared)), resamples=resamples, seed=SEED)
    return {"before": before, "after": peak_memory()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, help="print the memory of so many resamples only")
    wanted = parser.parse_args()
    if wanted.memory:
        print(json.dumps(memory(wanted.memory)))
        return
    shared, differences = made_up()
    facts = {"libraries": ["numpy", "scipy"], "seed": SEED, "resamples": RESAMPLES}
    rows = whole_matrix(shared, differences, wanted.rounds)
    report("significance", list(rows), rounds=wanted.rounds, **facts)
    rows = one_cell(differences["en", "en"][1], wanted.rounds)
    report("significance-one-cell", list(rows), rounds=wanted.rounds, **facts)
    rows = [
        {"resamples": count, **child(__file__, "--memory", count)}
        for count in (1000, 10_000, 30_000)
    ]
    report("significance-memory", rows, **facts)


if __name__ == "__main__":
    main()
