"""A probabilistic dictionary from the tables of IBM model 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from babelspan.alignment.ibm1 import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Thresholds for translations.

    Attributes:
        probability: minimum probability of the translation given the word.
        count: minimum expected number of links that both directions agree on.
        most: maximum number of translations of a word.
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

    A frequent word that is rarely linked, such as an article if the target language has none, has
    "" among its translations, with the weight of its occurrences without a link.

    Args:
        tables: tables over words, not subwords.
        source_words: word of each source type.
        target_words: word of each target type.
        source_total: number of words on the source side of the bitext.
        limits: thresholds for translations.
    """
    occurrences = tables.source_shares * source_total
    linked = np.bincount(tables.sources, tables.counts, len(source_words))
    good = (tables.forward >= limits.probability) & (tables.counts >= limits.count)
    sources, targets = tables.sources[good], tables.targets[good]
    weights = tables.counts[good]
    found: dict[str, dict[str, float]] = {}
    for i in np.lexsort((targets, -weights, sources)).tolist():
        options = found.setdefault(source_words[sources[i]], {})
        if len(options) < limits.most:
            options[target_words[targets[i]]] = float(weights[i])
    for source in np.flatnonzero(
        (occurrences >= limits.vanishing) & (linked < limits.linked * occurrences)
    ).tolist():
        options = found.setdefault(source_words[source], {})
        options[""] = float(occurrences[source] - linked[source])
    return found
