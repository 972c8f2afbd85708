"""Which questions belong together."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.clusters import clusters
from babelspan.types import Answer, ConfigError, DataError, Example


def example(identity, context, language="en", title="T"):
    return Example(
        id=identity,
        question="?",
        context=context,
        answers=(Answer(context[:1], 0),),
        question_language=language,
        context_language=language,
        title=title,
    )


ENGLISH = [
    example("a1", "a", title="Rivers"),
    example("a2", "a", title="Rivers"),
    example("b1", "b", title="Rivers"),
    example("c1", "c", title="Bridges"),
]


def numbers(found):
    return {pair: of.tolist() for pair, of in found.items()}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("question", [0, 1, 2, 3]), ("paragraph", [0, 0, 1, 2]), ("article", [0, 0, 0, 1])],
)
def test_units_of_one_file(unit, expected):
    assert numbers(clusters({("en", "en"): ENGLISH}, unit)) == {("en", "en"): expected}


def test_a_paragraph_of_a_parallel_set_is_one_cluster_in_all_languages():
    german = [
        replace(e, context=e.context.upper(), context_language="de", title=e.title + " (de)")
        for e in reversed(ENGLISH)
    ]
    cells = {("en", "en"): ENGLISH, ("en", "de"): german, ("de", "en"): ENGLISH[2:]}
    found = {unit: numbers(clusters(cells, unit)) for unit in ("question", "paragraph", "article")}

    assert list(found["question"].values()) == [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3]]
    assert list(found["paragraph"].values()) == [[0, 0, 1, 2], [2, 1, 0, 0], [1, 2]]
    assert list(found["article"].values()) == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 1]]


def test_paragraphs_hang_together_through_the_questions_of_another_language():
    german = [example("a1", "x", "de"), example("b1", "x", "de"), example("d1", "y", "de")]
    found = clusters({("en", "en"): ENGLISH, ("de", "de"): german}, "paragraph")

    assert numbers(found) == {("en", "en"): [0, 0, 0, 1], ("de", "de"): [0, 0, 2]}


def test_equal_texts_of_different_languages_are_different_paragraphs():
    german = [example("z1", "a", "de")]
    found = clusters({("en", "en"): ENGLISH, ("de", "de"): german}, "paragraph")
    assert found["de", "de"].tolist() == [3]


def labels_by_hand(examples, key):
    """Clusters by merging sets until nothing changes."""
    groups = [{("id", e.id), key(e)} for e in examples]
    while True:
        merged = []
        for group in groups:
            near = [m for m in merged if m & group]
            merged = [m for m in merged if not m & group] + [group.union(*near)]
        if len(merged) == len(groups):
            return [next(i for i, m in enumerate(merged) if ("id", e.id) in m) for e in examples]
        groups = merged


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from(["en", "de"])),
        min_size=1,
        max_size=16,
    )
)
def test_clusters_are_the_connected_ones(drawn):
    examples = [example(f"q{i}", f"text {j}", language) for i, j, language in drawn]
    cells = {
        (language, language): [e for e in examples if e.context_language == language]
        for language in ("en", "de")
    }
    found = clusters(cells, "paragraph")
    ours = np.concatenate([found[pair] for pair in cells]).tolist()
    in_order = [e for of in cells.values() for e in of]
    theirs = labels_by_hand(in_order, lambda e: (e.context_language, e.context))

    assert len(set(zip(ours, theirs, strict=True))) == len(set(ours)) == len(set(theirs))
    assert list(dict.fromkeys(ours)) == list(range(len(set(ours))))


def test_errors():
    with pytest.raises(ConfigError, match="unknown clusters 'paragraf'; did you mean 'paragraph'"):
        clusters({("en", "en"): ENGLISH}, "paragraf")
    untitled = [*ENGLISH, example("d1", "d", title="")]
    with pytest.raises(DataError, match=r"question 'd1': its article has no title.*paragraph"):
        clusters({("en", "en"): untitled}, "article")
    assert clusters({("en", "en"): untitled}, "paragraph")["en", "en"].max() == 3
