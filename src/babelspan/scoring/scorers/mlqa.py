"""MLQA scores, equal to the official script `mlqa_evaluation_v1.py`, faults included.

Lewis et al. (2020), arXiv:1910.07475, Section 4.1: all Unicode punctuation is removed, articles are
those of the answer's language, which is the context's, and Chinese is split into characters. The
faults: in Arabic, every "ال" is treated as an article, even inside words; and the punctuation
depends on Python's Unicode version.
"""

import re
import string
import sys
import unicodedata
from functools import lru_cache

from babelspan.scoring.scorers.squad import overlap_f1
from babelspan.types import ConfigError

NAME = "mlqa"
RULES = f"words:mlqa|articles:mlqa|punctuation:unicode{unicodedata.unidata_version}"

_ARTICLES = {
    "en": re.compile(r"\b(a|an|the)\b"),
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "hi": None,
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "ar": re.compile(r"\sال^|ال"),
    "zh": None,
}
LANGUAGES = tuple(_ARTICLES)
_CHINESE = re.compile(r"([\u4e00-\u9fa5])")


@lru_cache(maxsize=1)
def punctuation() -> dict[int, None]:
    """Return a table that removes ASCII punctuation and every character of a Unicode category P."""
    points = (c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)).startswith("P"))
    return dict.fromkeys([*points, *map(ord, string.punctuation)])


@lru_cache(maxsize=128)  # the strings of a question occur several times in a row
def normalise(text: str, language: str) -> str:
    """Lower-case, remove punctuation and the language's articles, and separate words by one space.

    Raises:
        ConfigError: if the official script does not know the language.
    """
    if language not in _ARTICLES:
        raise ConfigError(
            f"the MLQA scorer knows the languages {', '.join(LANGUAGES)}, got {language!r}; "
            "use another scorer, or name the language of the contexts with --language"
        )
    text = text.lower().translate(punctuation())
    articles = _ARTICLES[language]
    if articles is not None:
        text = articles.sub(" ", text)
    if language == "zh":
        text = _CHINESE.sub(r" \1 ", text)
    return " ".join(text.split())


def exact_match(prediction: str, answer: str, language: str) -> float:
    """Return 1 if both normalise to the same string, else 0."""
    return float(normalise(prediction, language) == normalise(answer, language))


def f1(prediction: str, answer: str, language: str) -> float:
    """Return F1 over words (in Chinese: characters), in [0, 1]."""
    return overlap_f1(normalise(prediction, language).split(), normalise(answer, language).split())
