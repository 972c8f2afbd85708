"""Translation probabilities of words, from dictionaries made from word links.

Words are represented by their search terms (`text.terms`), and the links of all forms of a word
are counted together: of `president` and `presidents`, of `президент` and `президента`. Weights
instead of sets follow probabilistic structured queries (Darwish and Oard 2003; Yang et al. 2024,
arXiv:2404.18797).
"""

from collections.abc import Iterable, Mapping

from babelspan.text.terms import terms

Key = tuple[str, ...]
"""The terms of a word, without repeats, in order."""

LEAST = 0.03
"""Minimum probability of a translation."""
MOST = 12
"""Maximum number of translations of a word."""


def key_of(text: str) -> Key:
    """Return the terms of a word or phrase, without repeats, in order."""
    return tuple(dict.fromkeys(terms(text)))


class Likely:
    """Translations of words in one direction, with probabilities.

    Args:
        entries: words, their translations and the number of links between them. Only the ratios of
            these numbers matter.
    """

    def __init__(self, entries: Iterable[tuple[str, str, float]]) -> None:
        self._linked: dict[Key, dict[Key, float]] = {}
        for word, translation, links in entries:
            key, other = key_of(word), key_of(translation)
            if key and other:
                of_key = self._linked.setdefault(key, {})
                of_key[other] = of_key.get(other, 0.0) + links

    def __len__(self) -> int:
        """Return the number of words with translations."""
        return len(self._linked)

    def of(self, key: Key) -> Mapping[Key, float]:
        """Return the likely translations of a word, most likely first."""
        linked = self._linked.get(key, {})
        total = sum(linked.values())
        best = sorted(linked.items(), key=lambda item: -item[1])[:MOST]
        return {other: n / total for other, n in best if n >= LEAST * total}

    def through(self, key: Key, onward: "Likely") -> Mapping[Key, float]:
        """Return the likely translations via another language.

        Args:
            key: key of the word.
            onward: translations from the other language.
        """
        found: dict[Key, float] = {}
        for middle, share in self.of(key).items():
            for other, probability in onward.of(middle).items():
                found[other] = found.get(other, 0.0) + share * probability
        return found
