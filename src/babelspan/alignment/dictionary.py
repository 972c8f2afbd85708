"""A probabilistic dictionary from the tables of IBM model 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babelspan.alignment.ibm1 import Floats, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Thresholds for translations.

    Attributes:
        probability: minimum probability of the translation given the word, or of the word given the
            translation.
        count: minimum expected number of links that both directions agree on.
        most: maximum number of translations of a word, and of words with one translation.
        vanishing: minimum frequency of a word that may have no translation.
        linked: fraction of a word's occurrences with a link below which it may have no translation.
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
    """Translations of each source word with their weights, best first.

    The dictionary serves both directions. It has the most frequent translations of each source
    word, and the most frequent source words of each translation: a rare inflected form is never a
    likely translation, but its own translation is known.

    A frequent word that is rarely linked, such as an article if the target language has none, has
    "" among its translations, with the weight of its occurrences without a link.

    Args:
        tables: tables over words, not subwords.
        source_words: word of each source type.
        target_words: word of each target type.
        source_total: number of words on the source side of the bitext.
        limits: thresholds for translations.
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
    """Return which links are among the likely links of their word with the highest counts, (C,).

    Args:
        words: word of each link, (C,).
        counts: count of each link, (C,).
        likely: which links may be kept, (C,).
        most: maximum number of links of a word.
    """
    links = np.flatnonzero(likely)
    links = links[np.lexsort((-counts[links], words[links]))]
    _, first, number = np.unique(words[links], return_index=True, return_inverse=True)
    best = np.zeros_like(likely)
    best[links[np.arange(len(links)) - first[number] < most]] = True
    return best
