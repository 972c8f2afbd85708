"""Scripts of letters, and how well a tokenizer covers them."""

import unicodedata
from collections import Counter
from functools import lru_cache

import numpy as np
import regex
from numpy.typing import NDArray

UNKNOWN_SHARE = 0.65
"""Share of unknown letters from which on a script counts as hardly covered."""
LEAST_SHARE = 0.2
"""Share of the letters of a text below which a script is ignored."""

_LETTER = regex.compile(r"(?![\p{Common}\p{Inherited}])[\p{L}\p{M}]", regex.VERSION1)
_ONE_BY_ONE = {"Han", "Hangul", "Hiragana", "Katakana", "Yi"}
"""Scripts whose letters are single tokens even in tokenizers that cover them well."""
_NAMES = {
    "Cjk": "Han",
    "Canadian": "Canadian Aboriginal",
    "Meetei": "Meetei Mayek",
    "New": "New Tai Lue",
    "Ol": "Ol Chiki",
}
"""Scripts whose name is not the first word of the Unicode names of their letters."""


@lru_cache(maxsize=1 << 16)
def script_of(character: str) -> str:
    """The script of a letter or mark, from its Unicode name; "" for any other character.

    >>> script_of("ж"), script_of("中"), script_of("ქ"), script_of("7")
    ('Cyrillic', 'Han', 'Georgian', '')
    """
    if not _LETTER.match(character):
        return ""
    first = unicodedata.name(character, "unknown").split()[0].capitalize()
    return _NAMES.get(first, first)


def hardly_known(text: str, known: NDArray[np.int32]) -> tuple[str, ...]:
    """The scripts in a text that a tokenizer hardly covers, sorted by name.

    A letter counts as known if its token contains other letters too: a word that is split into
    single letters is not in the vocabulary. A word of one letter is ignored unless it is unknown. A
    Chinese character, Hangul syllable or kana is known if it is one token, not several.

    Args:
        text: any text.
        known: characters [start, end) of each token except unknown tokens, (T, 2).
    """
    widest, tokens = (np.zeros(len(text), np.int64) for _ in range(2))
    for start, end in known.tolist():
        widest[start:end] = np.maximum(widest[start:end], end - start)
        tokens[start:end] += 1
    letters: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    scripts = ["", *map(script_of, text), ""]
    for at, (width, count) in enumerate(zip(widest.tolist(), tokens.tolist(), strict=True)):
        before, script, after = scripts[at : at + 3]
        if script in _ONE_BY_ONE:
            letters[script] += 1
            unknown[script] += count != 1
        elif script and (before or after or not count):
            letters[script] += 1
            unknown[script] += width < 2
    least = LEAST_SHARE * letters.total()
    return tuple(
        script
        for script, count in sorted(letters.items())
        if count >= least and unknown[script] > UNKNOWN_SHARE * count
    )
