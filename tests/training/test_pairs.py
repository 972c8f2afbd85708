"""Questions with their translations: who goes with whom, missing partners, windows side by side."""

from dataclasses import replace

import pytest

from babelspan.networks.reader import gold_tokens
from babelspan.training.pairs import paired, question_pairs
from babelspan.training.run import Run, RunConfig
from babelspan.training.stream import Order
from babelspan.types import Answer, ConfigError, DataError, Example
from miniature import miniature_reader
from world import World

WORLD = World(0)
ORIGINALS = WORLD.examples(4)
TO_L1 = WORLD.translations(4, "L1")
TO_L2 = WORLD.translations(4, "L2")


def names(examples):
    return [(own.id, other.id) for own, other in question_pairs(examples)]


def run_of(**config):
    return Run(config=RunConfig(**{"threads": 1, "batch_size": 4, "epochs": 1, **config}))


def test_translated_questions_go_with_their_originals():
    """In whatever order the files come."""
    one = {(f"0-{n}", f"0-{n}-L1-L0") for n in range(4)}
    two = {(f"0-{n}", f"0-{n}-L2-L0") for n in range(4)}
    assert set(names([*ORIGINALS, *TO_L1])) == one
    assert set(names([*TO_L2[::-1], *ORIGINALS, *TO_L1])) == one | two


def test_of_all_strategies_questions_pair_by_their_context():
    """T(Q) with the originals, T(Q+C) with T(C): never over two contexts, never one language."""
    data = [
        *ORIGINALS,
        *(e for to in ("L1", "L2") for e in WORLD.translations(4, to)),
        *(e for to in ("L1", "L2") for e in WORLD.translations(4, "L0", to)),
        *(e for to in ("L1", "L2") for e in WORLD.translations(4, to, to)),
    ]
    pairs = question_pairs(data)
    assert len(pairs) == len(set(names(data))) == 4 * (2 + 2)
    for own, other in pairs:
        assert own.context == other.context
        assert (own.question_language, other.question_language) in {("L0", "L1"), ("L0", "L2")}
        assert other.origin == (own.origin or own.id)
    assert {(own.strategy, other.strategy) for own, other in pairs} == {
        ("", "T(Q)"),
        ("T(C)", "T(Q+C)"),
    }


def test_a_missing_original_is_named():
    with pytest.raises(
        DataError,
        match=r"^2 translations have no original question over the same context among the training "
        r"data: 0-1-L1-L0, 0-2-L1-L0; add what they were made from",
    ):
        question_pairs([ORIGINALS[0], ORIGINALS[3], *TO_L1])


def test_of_many_missing_originals_some_are_named():
    with pytest.raises(DataError, match=r"^8 translations .*: (0-\d-L\d-L0, ){5}…; add"):
        question_pairs([*TO_L1, *TO_L2])


def test_a_translated_context_without_its_own_question_is_named():
    with pytest.raises(DataError, match=r"^4 translations .* 0-0-L1-L1, .* T\(Q\+C\) with T\(C\)"):
        question_pairs([*ORIGINALS, *WORLD.translations(4, "L1", "L1")])


def test_no_translation_at_all():
    for data in (ORIGINALS, [], [*ORIGINALS, *WORLD.translations(4, "L0", "L1")]):
        with pytest.raises(DataError, match="found no translation of a question; add T"):
            question_pairs(data)


def test_parallel_sets_that_share_ids_are_not_translations():
    """As in XQuAD: a question in another language that names no origin is nobody's translation."""
    expected = [(f"0-{n}", f"0-{n}-L2-L0") for n in range(4)]
    for elsewhere in (WORLD.examples(4, "L1", "L1"), WORLD.examples(4, "L1", "L0")):
        assert names([*ORIGINALS, *elsewhere, *TO_L2]) == expected
        assert names([*ORIGINALS, *TO_L2, *elsewhere]) == expected


def test_a_translation_that_reads_like_its_original_is_one():
    same = replace(TO_L1[0], question=ORIGINALS[0].question)
    assert names([same, ORIGINALS[0]]) == [("0-0", "0-0-L1-L0")]


def test_pairs_are_read_side_by_side_and_the_rest_is_told(capsys):
    reader = miniature_reader(WORLD.vocabulary())
    run = run_of()
    stream = paired(reader, [*ORIGINALS, *TO_L1[:3], *TO_L2[:1]], run)
    assert capsys.readouterr().err == "skipped 1 examples: they have no translation\n"
    seen = []
    for (share,) in stream.in_order(Order.of(run)).starting_at(0):
        windows = share.batch.windows.windows
        seen += [
            (w.example.id, v.example.id) for w, v in zip(windows[::2], windows[1::2], strict=True)
        ]
    assert sorted(seen) == sorted(
        [*((f"0-{n}", f"0-{n}-L1-L0") for n in range(3)), ("0-0", "0-0-L2-L0")]
    )


def windows_of(stream):
    return [window for row in stream.items for window in row]


def example(question, identity, origin, language):
    context = " ".join(["w"] * 90 + ["a"])
    return Example(
        id=identity,
        question=question,
        context=context,
        answers=(Answer("a", len(context) - 1),),
        question_language=language,
        context_language="en",
        origin=origin,
    )


def test_both_windows_of_a_pair_hold_the_same_context_tokens():
    """Windows of 64 tokens over a context of 91: the longer question leaves room for 32."""
    reader = miniature_reader(["w", "a", "?"], max_length=64, overlap=0)
    own = example("w ?", "x", None, "en")
    other = example("w " * 28 + "?", "y", "x", "de")
    windows = windows_of(paired(reader, [other, own], run_of()))
    assert [w.example.id for w in windows] == ["x", "y"] * 3
    shown = [(w.first_token, w.size) for w in windows]
    assert shown[::2] == shown[1::2] == [(0, 32), (32, 32), (64, 27)]


def test_an_answer_is_in_both_windows_of_a_pair_or_in_neither():
    """100 places of an answer, questions of 2 and 29 tokens: no pair of windows disagrees."""
    reader = miniature_reader(["w", "a", "?"], max_length=64, overlap=16)
    for place in range(100):
        context = " ".join("a" if i == place else "w" for i in range(100))
        answers = (Answer("a", 2 * place),)
        pair = [
            replace(example(q, i, o, "en"), context=context, answers=answers, question_language=i)
            for q, i, o in (("w ?", "x", None), ("w " * 28 + "?", "y", "x"))
        ]
        windows = windows_of(paired(reader, pair, run_of()))
        gold = [gold_tokens(w) for w in windows]
        held = [
            None if g is None else g[0] - w.context_at for g, w in zip(gold, windows, strict=True)
        ]
        assert held[::2] == held[1::2]
        assert any(at is not None for at in held)


def test_pairs_that_no_window_answers_are_left_out(capsys):
    reader = miniature_reader(WORLD.vocabulary())
    lost = [replace(e, answers=(Answer("gone", None),)) for e in (ORIGINALS[0], TO_L1[0])]
    stream = paired(reader, [*lost, *ORIGINALS[1:], *TO_L1[1:]], run_of())
    assert "skipped 2 examples: no window contains their answer" in capsys.readouterr().err
    assert len(windows_of(stream)) == 6


def test_questions_over_the_wrong_text_are_refused():
    reader = miniature_reader(WORLD.vocabulary())
    with pytest.raises(ConfigError, match=r"^expected negatives = 0, got 0\.5: questions over the"):
        paired(reader, [*ORIGINALS, *TO_L1], run_of(negatives=0.5))
