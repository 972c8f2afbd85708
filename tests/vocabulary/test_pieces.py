"""Choice of pieces: balance of languages, merges, scores."""

import math
from collections import Counter

import pytest

from babelspan.vocabulary.pieces import balanced, merged_pieces, scored_pieces, zipf_counts


def test_balance_of_languages():
    counts = {
        "large": Counter({f"word{i:04}": 10 for i in range(1_000)}),
        "small": Counter({f"vort{i:04}": 1 for i in range(1_000)}),
    }
    equal = balanced(counts, power=0.0, total=16_000)
    sizes = [sum(c for w, c in equal.items() if w.startswith(p)) for p in ("word", "vort")]
    assert sizes[0] == pytest.approx(1_000, rel=0.1)
    assert sizes[1] == 1_000
    as_they_are = balanced(counts, power=1.0, total=88_000)
    assert as_they_are == counts["large"] + counts["small"]
    assert balanced(counts, power=0.3, total=4_000) == balanced(counts, power=0.3, total=4_000)


def test_merges_follow_counts():
    pieces = merged_pieces({"▁không": 50, "▁những": 5, "▁x": 4}, size=40, longest=16)
    assert "▁không" in pieces
    assert max(map(len, merged_pieces({"▁không": 50}, size=40, longest=3))) <= 3


def best_cut(word, scores):
    """Dynamic programming over ends of pieces, with its log-probability."""
    best = [(0.0, [])] + [(-math.inf, [])] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end):
            if (piece := word[start:end]) in scores and best[start][0] > -math.inf:
                score = best[start][0] + scores[piece]
                if score > best[end][0]:
                    best[end] = (score, [*best[start][1], piece])
    return best[-1][1]


def test_one_round_equals_a_version_with_loops():
    words = {"▁ab": 5, "▁abc": 3, "▁c": 7}
    letters = ["▁", "a", "b", "c"]
    candidates = ["▁ab", "bc", "▁c"]
    found = dict(
        scored_pieces(words, candidates, size=10, kept=letters, least_counts={"bc": 2.0}, rounds=1)
    )
    counts = {p: max(words.get(p, 0), 2.0 if p == "bc" else 0, 0.1) for p in letters + candidates}
    first = {p: math.log(c / sum(counts.values())) for p, c in counts.items()}
    used = Counter(p for w, c in words.items() for p in best_cut(w, first) for _ in range(c))
    counts = {p: max(used[p], 2.0 if p == "bc" else 0, 0.1) for p in letters + candidates}
    assert found == pytest.approx(
        {p: math.log(c / sum(counts.values())) for p, c in counts.items()}, abs=1e-5
    )


def test_the_rarest_pieces_go_and_kept_ones_stay():
    words = {"▁ab": 9, "▁cd": 5, "▁ef": 1}
    letters = ["▁", *"abcdef"]
    found = [
        p
        for p, _ in scored_pieces(
            words, ["▁ab", "▁cd", "▁ef"], size=9, kept=letters, least_counts={}
        )
    ]
    assert sorted(found) == sorted([*letters, "▁ab", "▁cd"])
    with pytest.raises(ValueError, match="expected at most 3 pieces to keep, got 7"):
        scored_pieces(words, [], size=3, kept=letters, least_counts={})


def test_counts_by_rank():
    assert zipf_counts(["a", "b"], total=3.0) == pytest.approx({"a": 2.0, "b": 1.0})
