"""Quality of word links: alignment error rate, precision and recall.

Och and Ney (2003), "A systematic comparison of various statistical alignment models", Section 5.
"""

from collections.abc import Iterable
from typing import NamedTuple

from babelspan.types import Alignment


class LinkFigures(NamedTuple):
    """Figures of links over a whole set, in percent; None if the denominator is 0.

    Attributes:
        aer: alignment error rate, 1 - (|A & S| + |A & P|) / (|A| + |S|).
        precision: |A & P| / |A|.
        recall: |A & S| / |S|.
        links: number of links found, |A|.
        sentences: number of sentence pairs.
    """

    aer: float | None
    precision: float | None
    recall: float | None
    links: int
    sentences: int


def link_figures(rated: Iterable[tuple[Alignment, Alignment, Alignment]]) -> LinkFigures:
    """Return figures of found links A against sure links S and possible links P.

    Args:
        rated: found, sure and possible links of each pair; sure links also count as possible.
    """
    links = sure = of_sure = of_possible = sentences = 0
    for found, gold, possible in rated:
        links += len(found.links)
        sure += len(gold.links)
        of_sure += len(found.links & gold.links)
        of_possible += len(found.links & (possible.links | gold.links))
        sentences += 1
    right = _percent(of_sure + of_possible, links + sure)
    return LinkFigures(
        None if right is None else 100 - right,
        _percent(of_possible, links),
        _percent(of_sure, sure),
        links,
        sentences,
    )


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
