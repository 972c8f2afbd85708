"""Language identification of short texts among a few languages, from samples of each.

Naive Bayes over character n-grams of words, n = 1 to 3 (Cavnar and Trenkle 1994 compare n-grams by
rank). It knows only the languages of the samples.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from babelspan.text.words import words

_LONGEST = 3
_UNSEEN = 0.05
"""Total probability of the uniform part over all n-grams, in every language, so that languages
with few samples gain nothing from an unseen n-gram."""


class Recogniser:
    """Identifies the language of a text, among some languages.

    Args:
        samples: texts by language; languages without texts are unknown.
    """

    def __init__(self, samples: Mapping[str, Sequence[str]]) -> None:
        counts = {
            language: Counter(run for text in texts for run in _runs(text, language))
            for language, texts in samples.items()
            if texts
        }
        self._unseen = _UNSEEN / (len({run for own in counts.values() for run in own}) + 1)
        self._log_probs = {
            language: {
                run: math.log((1 - _UNSEEN) * count / own.total() + self._unseen)
                for run, count in own.items()
            }
            for language, own in counts.items()
        }

    def language_of(self, text: str) -> str | None:
        """Return the most likely language; None for a text without words, or without languages."""
        runs = list(_runs(text, ""))
        if not runs or not self._log_probs:
            return None
        return max(sorted(self._log_probs), key=lambda language: self._score(language, runs))

    def _score(self, language: str, runs: Sequence[str]) -> float:
        known, unseen = self._log_probs[language], math.log(self._unseen)
        return sum(known.get(run, unseen) for run in runs)


def _runs(text: str, language: str) -> Iterator[str]:
    """Yield the character n-grams of a text's words; each word starts and ends with a space."""
    for span in words(text, language):
        word = f" {span.of(text).casefold()} "
        for length in range(1, _LONGEST + 1):
            for at in range(len(word) - length + 1):
                yield word[at : at + length]
