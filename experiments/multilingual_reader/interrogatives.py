"""Translations of English question words, counted in questions only.

"Who" and "when" mostly start relative clauses in other sentences, with other translations.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from babelspan.alignment.ibm1 import Tables
from babelspan.types import SentencePair

WORDS = frozenset({"who", "whom", "whose", "what", "which", "when", "where", "why", "how"})
AFTER_HOW = frozenset({"many", "much", "long", "old", "often", "far", "high", "tall", "big"})
"""Words that are translated together with "how" in many languages."""
MOST = 6
"""Maximum number of translations of a word."""
LEAST = 0.5
"""Minimum expected number of links of a translation."""
TOGETHER = 0.3
"""Minimum fraction of the occurrences of two words that are linked to the same word."""
MOST_WORDS = 64


def asked(
    pairs: Iterable[SentencePair],
    words: Callable[[str], list[str]],
    tables: Tables,
    known: tuple[dict[str, int], dict[str, int]],
) -> dict[str, dict[str, float]]:
    """Translations of question words and of "how many" and the like, with numbers of links.

    Args:
        pairs: sentence pairs; those without a question mark are skipped.
        words: cuts a sentence into words.
        tables: links of words.
        known: numbers of the words of both sides in these tables.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    occurrences: Counter[str] = Counter()
    for pair in pairs:
        left = words(pair.source) if "?" in pair.source else []
        right = words(pair.target) if WORDS & {*left} else []
        if not 0 < len(right) <= MOST_WORDS or len(left) > MOST_WORDS:
            continue
        if not ({*left} <= known[0].keys() and {*right} <= known[1].keys()):
            continue
        ids = (
            np.array([of[w] for w in side]) for side, of in zip((left, right), known, strict=True)
        )
        forward, backward = tables.posteriors(*ids)
        links = forward * backward
        for place, word in enumerate(left):
            if word in WORDS:
                _count(counts[word], right, links[place])
            if word == "how" and left[place + 1 : place + 2] and left[place + 1] in AFTER_HOW:
                phrase = f"how {left[place + 1]}"
                occurrences[phrase] += 1
                _count(counts[phrase], right, 2 * links[place : place + 2].min(axis=0))
    return {
        word: {other: float(n) for other, n in found.most_common(MOST) if n >= LEAST}
        for word, found in counts.items()
        if max(found.values(), default=0.0) >= max(LEAST, TOGETHER * occurrences[word])
    }


def _count(counts: Counter[str], words: list[str], links: np.ndarray) -> None:
    for word, n in zip(words, links.tolist(), strict=True):
        counts[word] += n
