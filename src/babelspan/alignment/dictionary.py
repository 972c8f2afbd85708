"""A dictionary with probabilities, read off the tables of a word-by-word estimate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babelspan.alignment.ibm1 import Floats, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which translations are good enough.

    Attributes:
        probability: of the translation given the word, or of the word given the translation, at
            least.
        count: expected number of links that both directions agree on, at least.
        most: translations of a word, and words of a translation.
        vanishing: occurrences of a word from which on it may have no translation.
        linked: share of a word's occurrences with a link, below which it may have none.
    """

    probability: float = 0.08
    count: float = 0.5
    most: int = 4
    vanishing: int = 100
    linked: float = 0.4


def translations(
    tables: Tables,
    source_words: Sequence[str],
    target_words: Sequence[str],
    *,
    source_total: int,
    limits: Limits = Limits(),
) -> dict[str, dict[str, float]]:
    """Translations of each source word with their weights, best first, for lookups both ways.

    Kept are the most likely translations of each source word, and the most likely source words of
    each translation: of many inflected forms none may be a likely translation.

    A frequent word that is rarely linked, such as an article before a language without any, has ""
    among its translations, with the weight of the occurrences that have no link.

    Args:
        tables: of words, not of pieces.
        source_words: word of each source type.
        target_words: word of each target type.
        source_total: words on the source side of the bitext.
        limits: which translations are good enough.
    """
    sources, targets, counts = tables.sources, tables.targets, tables.counts
    occurrences = tables.source_shares * source_total
    linked = np.bincount(sources, counts, len(source_words))
    forward, backward = (
        (counts >= limits.count) & (probabilities >= limits.probability)
        for probabilities in (tables.forward, tables.backward)
    )
    kept = _best(sources, counts, forward, limits.most)
    kept |= _best(targets, counts, backward, limits.most)
    found: dict[str, dict[str, float]] = {}
    for i in np.flatnonzero(kept)[np.lexsort((-counts[kept], sources[kept]))].tolist():
        options = found.setdefault(source_words[sources[i]], {})
        options[target_words[targets[i]]] = float(counts[i])
    for source in np.flatnonzero(
        (occurrences >= limits.vanishing) & (linked < limits.linked * occurrences)
    ).tolist():
        options = found.setdefault(source_words[source], {})
        options[""] = float(occurrences[source] - linked[source])
    return found


def _best(
    words: NDArray[np.int64], counts: Floats, likely: NDArray[np.bool_], most: int
) -> NDArray[np.bool_]:
    """The likely links of each word with the highest counts.

    Args:
        words: word of each link, (C,).
        counts: of each link, (C,).
        likely: whether a link may be kept, (C,).
        most: links of a word that are kept, at most.
    """
    links = np.flatnonzero(likely)
    links = links[np.lexsort((-counts[links], words[links]))]
    _, first, number = np.unique(words[links], return_index=True, return_inverse=True)
    best = np.zeros_like(likely)
    best[links[np.arange(len(links)) - first[number] < most]] = True
    return best
