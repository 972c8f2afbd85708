"""Two systems compared: figures, tests and lists belong to each other."""

import json
from statistics import mean, stdev

import numpy as np
import pytest

from babelspan.scoring.comparison import Settings, compare
from babelspan.scoring.figures import figures
from babelspan.scoring.matrix import Matrix
from babelspan.scoring.scorers import mlqa, squad, squad2
from babelspan.scoring.significance import holm, mcnemar
from babelspan.types import Answer, ConfigError, DataError, Example

COLOURS = ["red stone", "blue sail", "green gate", "grey tower"]


def parallel_set(paragraphs=12, languages=("en", "de")):
    """Four questions of each paragraph, in every pair of languages."""
    return {
        (question, context): [
            Example(
                id=f"p{p}-{c}",
                question=f"{question}: {c}?",
                context=f"{context} {p}: " + ", ".join(COLOURS),
                answers=(Answer(colour, None),),
                question_language=question,
                context_language=context,
                title=f"Harbours {p // 3}",
            )
            for p in range(paragraphs)
            for c, colour in enumerate(COLOURS)
        ]
        for question in languages
        for context in languages
    }


def answers(cells, seed, rate):
    """Right with a chance of `rate`, else half right or wrong."""
    rng = np.random.default_rng(seed)
    return {
        pair: {
            e.id: str(
                e.answers[0].text
                if rng.random() < rate
                else rng.choice([e.answers[0].text.split()[0], "no idea"])
            )
            for e in examples
        }
        for pair, examples in cells.items()
    }


CELLS = parallel_set()
A = [answers(CELLS, 1, 0.8), answers(CELLS, 2, 0.7), answers(CELLS, 3, 0.8)]
B = [answers(CELLS, 4, 0.5)]
SETTINGS = Settings(resamples=400)


def matrices(seeds):
    return [Matrix({p: figures(e, seed[p], squad) for p, e in CELLS.items()}) for seed in seeds]


def test_figures_are_means_and_deviations_over_seeds():
    found = compare(CELLS, A, B, squad, SETTINGS)
    of_a, of_b = matrices(A), matrices(B)

    assert list(found.cells) == list(CELLS)
    assert list(found.means) == ["XLT", "G-XLT"]
    for metric in ("exact_match", "f1"):
        values = {pair: [m.value(pair, metric) for m in of_a] for pair in CELLS}
        values |= {"XLT": [m.xlt(metric) for m in of_a], "G-XLT": [m.g_xlt(metric) for m in of_a]}
        for name, of_seeds in values.items():
            one = found.means[name] if isinstance(name, str) else found.cells[name].differences
            assert one[metric].a == pytest.approx(mean(of_seeds))
            assert one[metric].a_sd == pytest.approx(stdev(of_seeds))
            assert one[metric].b_sd is None
            assert one[metric].difference == pytest.approx(one[metric].a - one[metric].b)
            assert one[metric].low < one[metric].difference < one[metric].high
        assert found.means["XLT"][metric].b == pytest.approx(of_b[0].xlt(metric))
        assert found.means["G-XLT"][metric].b == pytest.approx(of_b[0].g_xlt(metric))


def test_cells_are_corrected_together_and_means_are_not():
    found = compare(CELLS, A, B, squad, SETTINGS)
    for metric in ("exact_match", "f1"):
        cells = [cell.differences[metric] for cell in found.cells.values()]
        expected = holm(np.array([d.p_value for d in cells]))
        assert [d.corrected for d in cells] == expected.tolist()
        assert [of[metric].corrected for of in found.means.values()] == [None, None]
    other = compare(CELLS, A, B, squad, Settings(correction="benjamini-yekutieli", resamples=400))
    differences = [cell.differences["f1"] for cell in other.cells.values()]
    assert differences[0].corrected != found.cells["en", "en"].differences["f1"].corrected


def test_one_cell_has_no_means():
    cells = {("en", "en"): CELLS["en", "en"]}
    found = compare(cells, A, B, squad, SETTINGS)
    assert found.means == {}
    one = found.cells["en", "en"].differences["f1"]
    assert one.corrected == one.p_value
    assert list(
        compare({p: CELLS[p] for p in [("en", "de"), ("de", "en")]}, A, B, squad, SETTINGS).means
    ) == ["G-XLT"]


def test_right_is_what_most_seeds_have_right():
    found = compare(CELLS, A, B, squad, SETTINGS)
    for pair, cell in found.cells.items():
        table = {(True, True): [], (True, False): [], (False, True): [], (False, False): []}
        for e in CELLS[pair]:
            votes = [seed[pair][e.id] == e.answers[0].text for seed in A]
            table[sum(votes) >= 2, B[0][pair][e.id] == e.answers[0].text].append(e.id)
        assert cell.only_a == tuple(table[True, False])
        assert cell.only_b == tuple(table[False, True])
        assert (cell.both, cell.neither) == (len(table[True, True]), len(table[False, False]))
        assert cell.counts["mcnemar_p_value"] == mcnemar(len(cell.only_a), len(cell.only_b))
        assert (cell.questions, cell.clusters) == (48, 12)
    two = [A[0], A[1]]  # with an even number of seeds a half is not enough
    cell = compare(CELLS, two, B, squad, SETTINGS).cells["en", "en"]
    right = [
        all(seed["en", "en"][e.id] == e.answers[0].text for seed in two) for e in CELLS["en", "en"]
    ]
    assert cell.both + len(cell.only_a) == sum(right)


def test_the_other_way_round_differences_change_their_signs_only():
    found = compare(CELLS, A, B, squad, SETTINGS).cells["de", "en"]
    other = compare(CELLS, B, A, squad, SETTINGS).cells["de", "en"]
    for metric in ("exact_match", "f1"):
        one, two = found.differences[metric], other.differences[metric]
        assert (one.difference, one.p_value) == (-two.difference, two.p_value)
        assert (one.low, one.high) == pytest.approx((-two.high, -two.low))
    assert (found.only_a, found.only_b) == (other.only_b, other.only_a)


def test_a_system_does_not_differ_from_itself():
    found = compare(CELLS, A, A, squad, SETTINGS)
    for of in [cell.differences for cell in found.cells.values()] + list(found.means.values()):
        for one in of.values():
            assert (one.difference, one.low, one.high, one.p_value) == (0, 0, 0, 1)
    assert found.cells["en", "en"].counts["mcnemar_p_value"] == 1


def test_larger_clusters_are_fewer():
    sizes = [
        compare(CELLS, A, B, squad, Settings(unit, resamples=50)).cells["en", "de"].clusters
        for unit in ("question", "paragraph", "article")
    ]
    assert sizes == [48, 12, 4]


def test_the_seed_decides_everything():
    found = [
        compare(CELLS, A, B, squad, Settings("question", resamples=99, seed=seed)).to_json()
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]


def test_json_has_all_of_it():
    record = json.loads(json.dumps(compare(CELLS, A, B, squad, SETTINGS).to_json()))
    assert set(record) == {"cells", "xlt", "g_xlt"}
    cell = record["cells"][1]
    assert (cell["question"], cell["context"]) == ("en", "de")
    assert len(cell["only_a_ids"]) == cell["only_a"]
    assert cell["both"] + cell["only_a"] + cell["only_b"] + cell["neither"] == cell["questions"]
    assert set(record["xlt"]["f1"]) == set(cell["f1"]) >= {"a", "b", "a_sd", "p_value", "low"}


def test_errors():
    with pytest.raises(ConfigError, match="unknown correction 'holms'; did you mean 'holm'"):
        Settings(correction="holms")
    with pytest.raises(ConfigError, match="expected one resample or more, got 0"):
        Settings(resamples=0)
    with pytest.raises(ConfigError, match=r"--language en: expected contexts of one.*de, en"):
        compare(CELLS, A, B, squad, SETTINGS, language="en")
    few = {pair: examples[:4] for pair, examples in CELLS.items()}
    with pytest.raises(DataError, match=r"en-en: expected questions to compare on, found none"):
        compare({("en", "en"): []}, [{("en", "en"): {}}], [{("en", "en"): {}}], squad, Settings())
    with pytest.raises(
        DataError, match=r"en-en: expected questions from two clusters.*one paragraph"
    ):
        compare(few, A, B, squad, SETTINGS)
    assert compare(few, A, B, squad, Settings("question")).cells["en", "en"].clusters == 4


def test_the_language_of_the_answers_reaches_the_scorer():
    cells = {("und", "und"): CELLS["en", "en"]}
    a, b = ({("und", "und"): seed["en", "en"]} for seed in (A[0], B[0]))
    with pytest.raises(ConfigError, match="--language"):
        compare(
            {("und", "und"): parallel_set(languages=["und"])["und", "und"]},
            [a],
            [b],
            mlqa,
            SETTINGS,
        )
    found = compare(cells, [a], [b], mlqa, SETTINGS, language="de")
    assert found.cells["und", "und"].questions == 48


@pytest.mark.parametrize("missing_of", ["a", "both"])
def test_a_question_that_is_not_counted_is_refused_by_name(missing_of):
    """By squad2 a missing prediction is nan: of identical systems it made p = 0."""
    lacking = {pair: dict(of) for pair, of in B[0].items()}
    del lacking["en", "de"]["p3-2"]
    b = [lacking] if missing_of == "both" else B
    with pytest.raises(
        DataError, match=r"^en-de: expected a score of every question, found that 'p3-2'"
    ):
        compare(CELLS, [lacking], b, squad2, SETTINGS)


def test_identical_systems_do_not_differ():
    found = compare(CELLS, B, B, squad2, SETTINGS)
    for of_cell in [*(c.differences for c in found.cells.values()), *found.means.values()]:
        assert all(d.difference == 0 and d.p_value == 1 for d in of_cell.values())
