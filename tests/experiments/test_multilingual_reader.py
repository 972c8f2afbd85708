"""The multilingual reader's batches and losses, on a few sentences."""

import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[2] / "experiments/multilingual_reader"


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(FOLDER))
    import asking
    import corpora
    import distilling
    import english
    import train

    yield SimpleNamespace(
        asking=asking, corpora=corpora, distilling=distilling, english=english, train=train
    )
    sys.path.remove(str(FOLDER))


def rows(values):
    return {
        "at": np.cumsum([0, *map(len, values)]),
        "flat": np.concatenate([np.array(v) for v in values]),
    }


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Twelve pairs in two languages: English token i is linked to token n - 1 - i."""
    rng = random.Random(0)
    lengths = [rng.randint(5, 9) for _ in range(12)]
    source = [[10 + i for i in range(n)] for n in lengths]
    target = [[50 + i for i in reversed(range(n))] for n in lengths]
    links = [[[i, n - 1 - i] for i in range(n)] for n in lengths]
    arrays = {"language": np.repeat([0, 3], 6)}
    for name, values in (("source", source), ("target", target), ("links", links)):
        arrays |= {name: rows(values)["flat"], f"{name}_at": rows(values)["at"]}
    path = tmp_path_factory.mktemp("pairs") / "pairs.npz"
    np.savez(path, **arrays)
    return path


def batches(modules, packed, **changed):
    arguments = {
        "frames": ((2, 3), (101, 102)),
        "same": np.arange(200, dtype=np.int32) + 1_000,
        "tokens": 300,
        "english": 0.3,
        "seed": 1,
    }
    return modules.distilling.PairBatches(packed, **(arguments | changed))


def test_links_join_a_token_with_its_translation(modules, packed):
    batch = batches(modules, packed)(3)
    for row, s, t in zip(batch.rows, batch.student_at, batch.teacher_at, strict=True):
        ours, theirs = int(batch.student.ids[row, s]), int(batch.teacher.ids[row, t])
        frame = {2: 101, 3: 102}
        expected = {frame.get(ours, ours - 40), frame.get(ours, ours - 1_000)}
        assert theirs in expected
        assert batch.student.types[row, s] == batch.teacher.types[row, t]
    assert batch.student.mask.sum() > 100


def test_a_batch_depends_on_seed_and_number_only(modules, packed):
    first, again = batches(modules, packed), batches(modules, packed)
    again(20)
    assert torch.equal(first(9).student.ids, again(9).student.ids)
    other = batches(modules, packed, seed=2)(9).student.ids
    assert other.shape != first(9).student.ids.shape or not torch.equal(other, first(9).student.ids)


def encoder(table):
    """Three layers of vectors looked up by id, each half of the one below."""

    def read(*, input_ids, attention_mask, token_type_ids, output_hidden_states):
        vectors = table[input_ids]
        return SimpleNamespace(hidden_states=[vectors / 2**i for i in range(7)])

    return read


def test_distillation_loss_by_a_version_with_loops(modules, packed):
    distilling = modules.distilling
    generator = torch.Generator().manual_seed(0)
    ours, theirs = (torch.randn(1_300, 4, generator=generator) for _ in range(2))
    batch = batches(modules, packed)(0)
    found = distilling.distillation_loss(encoder(ours), encoder(theirs), batch)

    def ratio(pairs):
        mean = sum(t for _, t in pairs) / len(pairs)
        spread = sum(float(((t - mean) ** 2).sum()) for _, t in pairs)
        return sum(float(((s - t) ** 2).sum()) for s, t in pairs) / spread

    linked = [
        (ours[batch.student.ids[b, s]], theirs[batch.teacher.ids[b, t]])
        for b, s, t in zip(batch.rows, batch.student_at, batch.teacher_at, strict=True)
    ]
    segments = []
    for segment in (0, 1):
        for b in range(len(batch.student.ids)):
            means = []
            for side, table in ((batch.student, ours), (batch.teacher, theirs)):
                kept = (side.types[b] == segment) & (side.mask[b] == 1)
                means.append(table[side.ids[b][kept]].mean(0))
            segments.append(tuple(means))
    assert float(found) == pytest.approx((3 * ratio(linked) + ratio(segments)) / 4, rel=1e-4)


def test_span_loss_by_hand(modules):
    start = torch.tensor([[0.0, 1.0, 2.0], [1.0, 1.0, -torch.inf]])
    last = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, -torch.inf]])
    answers = torch.tensor([[1, 2], [0, 1]])
    log = np.log
    e = np.e
    expected = (
        np.mean(
            [
                log(1 + e + e**2) - 1 + log(3),
                log(2 * e) - 1 + log(1 + e) - 1,
            ]
        )
        / 2
    )
    found = modules.asking.span_loss(start, last, answers)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_no_source_without_a_licence_to_pass_weights_on(modules):
    forbidden = {"lafand", "multi30k", "muse", "korquad", "bipar", "poquad", "persianqa", "xquad"}
    named = {q.file.partition("/")[0] for q in modules.corpora.QUESTIONS}
    named |= {source.partition("-")[0] for source in modules.corpora.PARALLEL}
    assert named & (forbidden | {"mlqa", "afriqa", "aqad", "tquad", "parsinlu", "fquad"}) == set()


def test_a_restored_weight_lies_within_its_step(modules):
    arrays = {
        "w_quantized": np.array([[-3, 0, 5]], np.int8),
        "w_scale": np.float32(0.1),
        "w_zero_point": np.int8(0),
    }
    old = np.array([[-0.32, 0.2, 0.5]], np.float32)
    assert modules.english._near(old, arrays, "w") == pytest.approx(
        np.array([[-0.32, 0.05, 0.5]]), abs=1e-6
    )


def test_tasks_take_turns_and_questions_those_of_distillation(modules):
    """All batches of a task are numbered without gaps; `alone` and the cooling are kept."""
    lesson = modules.train.lesson

    def lessons(updates, **how):
        return [lesson(u, **{"alone": 0, "tasks": modules.train.TASKS, **how}) for u in updates]

    assert lessons(range(6), cooled=4) == [
        ("distillation", 0), ("cloze", 0), ("questions", 0),
        ("distillation", 1), ("cloze", 1), ("questions", 1),
    ]  # fmt: skip
    assert lessons([6, 7, 8], cooled=4) == [
        ("questions", modules.train.EXTRA + 2), ("cloze", 2), ("questions", 2)
    ]  # fmt: skip
    assert lessons(range(4), alone=2, cooled=9) == [
        ("distillation", 0), ("distillation", 1), ("distillation", 2), ("cloze", 0)
    ]  # fmt: skip
    assert lessons(range(2), tasks=["distillation"], cooled=0) == [
        ("distillation", 0), ("distillation", 1)
    ]  # fmt: skip
    assert lessons(range(2), tasks=["questions"], cooled=0) == [("questions", 0), ("questions", 1)]
