"""Statistical word alignment: IBM model 1 in both directions, with a prior for the diagonal.

Model 1: Brown et al. (1993), "The mathematics of statistical machine translation", Section 4.1.
Its uniform prior over positions is replaced by that of Dyer et al. (2013), with a fixed tension.
Tables are re-estimated with a sparse Dirichlet prior (variational Bayes; Mermer and Saraclar 2011,
"Bayesian word alignment for statistical machine translation"). A target word may align to the null
word, which generates target types by their frequency.

Chosen over eflomal, fast_align and GIZA++ because it needs NumPy only, takes token ids of any
tokenizer, and gives expected counts, not just links.

Shapes: E, C, S and T as in `cells`; n and m words of one pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babelspan.alignment.cells import Cells, Ids, cells, diagonal

Floats = NDArray[np.float32]

_FLOOR = 1e-9
"""Probability of a pair of types that never co-occurred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the estimation.

    Attributes:
        iterations: iterations of EM.
        tension: strength of the preference for the diagonal (Dyer et al. start at 4).
        null: prior probability of the null word (Dyer et al.: 0.08).
        concentration: concentration of the Dirichlet prior; small values make tables sparse.
    """

    iterations: int = 5
    tension: float = 4.0
    null: float = 0.08
    concentration: float = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Translation probabilities in both directions, for the cells of a bitext.

    Attributes:
        keys: source type * T + target type of each cell, sorted, (C,).
        target_size: T.
        forward: probability of the target type given the source type, (C,).
        backward: probability of the source type given the target type, (C,).
        counts: expected number of links that both directions agree on: the sum, over all possible
            links of a cell, of the product of both posteriors, (C,).
        source_shares: relative frequency of each source type, (S,).
        target_shares: relative frequency of each target type, (T,).
        settings: settings of the estimation.
    """

    keys: NDArray[np.int64]
    target_size: int
    forward: Floats
    backward: Floats
    counts: Floats
    source_shares: Floats
    target_shares: Floats
    settings: Settings

    @property
    def sources(self) -> NDArray[np.int64]:
        """Source type of each cell, (C,)."""
        return self.keys // self.target_size

    @property
    def targets(self) -> NDArray[np.int64]:
        """Target type of each cell, (C,)."""
        return self.keys % self.target_size

    def posteriors(self, source: Ids, target: Ids) -> tuple[Floats, Floats]:
        """Alignment posteriors of a pair, in both directions.

        Args:
            source: types of the source words, (n,).
            target: types of the target words, (m,).

        Returns:
            Two matrices (n, m). Columns of the first and rows of the second sum to less than 1;
            the remainder is the posterior of the null word.
        """
        keys = source[:, None].astype(np.int64) * self.target_size + target
        place = np.searchsorted(self.keys, keys).clip(max=max(len(self.keys) - 1, 0))
        known = self.keys[place] == keys
        near = diagonal(len(source), len(target), tension=self.settings.tension)
        null = self.settings.null
        forward = np.where(known, self.forward[place], _FLOOR) * near * (1 - null)
        forward /= near.sum(axis=0)
        forward /= forward.sum(axis=0) + null * self.target_shares[target]
        backward = np.where(known, self.backward[place], _FLOOR) * near * (1 - null)
        backward /= near.sum(axis=1, keepdims=True)
        total = backward.sum(axis=1) + null * self.source_shares[source]
        backward /= total[:, None]
        return forward, backward


def estimate(
    sources: Sequence[Ids],
    targets: Sequence[Ids],
    *,
    source_size: int,
    target_size: int,
    settings: Settings = Settings(),
) -> Tables:
    """Estimate tables from sentence pairs, given as word types.

    Args:
        sources: word types of each source sentence.
        targets: word types of each translation, as many. Pairs with an empty side are skipped.
        source_size: S; source types are below it.
        target_size: T; target types are below it.
        settings: settings of the estimation.

    Raises:
        ValueError: if no pair has words on both sides.
    """
    kept = [(s, t) for s, t in zip(sources, targets, strict=True) if len(s) and len(t)]
    if not kept:
        raise ValueError(f"expected pairs with words on both sides, got none in {len(sources)}")
    all_links = cells(
        [s for s, _ in kept],
        [t for _, t in kept],
        target_size=target_size,
        tension=settings.tension,
    )
    of_source, of_target = all_links.keys // target_size, all_links.keys % target_size
    source_shares = _shares(all_links.source_types, source_size)
    target_shares = _shares(all_links.target_types, target_size)
    forward, forward_posteriors = _learnt(
        all_links, all_links.target_word, of_source, target_shares[all_links.target_types], settings
    )
    backward, backward_posteriors = _learnt(
        all_links, all_links.source_word, of_target, source_shares[all_links.source_types], settings
    )
    both = np.bincount(
        all_links.cell, forward_posteriors * backward_posteriors, len(all_links.keys)
    )
    return Tables(
        all_links.keys,
        target_size,
        forward,
        backward,
        both.astype(np.float32),
        source_shares,
        target_shares,
        settings,
    )


def _learnt(
    links: Cells,
    word: NDArray[np.int32],
    given: NDArray[np.int64],
    null_shares: Floats,
    settings: Settings,
) -> tuple[Floats, Floats]:
    """Run EM in one direction; returns the table, (C,), and the last posteriors, (E,).

    Args:
        links: the possible links of the bitext.
        word: index of the word that each possible link explains, (E,).
        given: the type in each cell that the probability is conditioned on, (C,).
        null_shares: probability that the null word generates each word.
        settings: settings of the estimation.
    """
    whole_near = np.bincount(word, links.nearness) / (1 - settings.null)
    near: Floats = np.divide(links.nearness, whole_near[word], dtype=np.float32)
    null: Floats = np.multiply(settings.null, null_shares, dtype=np.float32)
    types = np.bincount(given)
    table: Floats = (1 / types[given]).astype(np.float32)
    posteriors: Floats = near
    for _ in range(settings.iterations):
        posteriors = np.multiply(near, table[links.cell], dtype=np.float32)
        total = (np.bincount(word, posteriors) + null).astype(np.float32)
        np.divide(posteriors, total[word], out=posteriors)
        counts = np.bincount(links.cell, posteriors, len(links.keys))
        whole = np.bincount(given, counts) + settings.concentration * np.maximum(types, 1)
        table = exp_digamma(counts + settings.concentration).astype(np.float32)
        np.divide(table, exp_digamma(whole).astype(np.float32)[given], out=table)
    return table, posteriors


def exp_digamma(x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """exp(digamma(x)) for positive x, to about seven digits.

    Digamma is computed by six steps of its recurrence and its asymptotic series there (Abramowitz
    and Stegun, 6.3.5 and 6.3.18). The reciprocals of the steps are summed in pairs.
    """
    low = x.astype(np.float64)
    high = low + 6
    steps = (2 * low + 1) / (low * (low + 1)) + (2 * low + 5) / ((low + 2) * (low + 3))
    steps += (2 * low + 9) / ((low + 4) * (low + 5)) + 0.5 / high
    squared = 1 / (high * high)
    steps += squared * (1 / 12 - squared * (1 / 120 - squared / 252))
    result: NDArray[np.float64] = high * np.exp(-steps)
    return result


def _shares(types: Ids, size: int) -> Floats:
    counts = np.bincount(types, minlength=size)
    shares: Floats = (counts / counts.sum()).astype(np.float32)
    return shares
