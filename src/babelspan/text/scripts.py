"""Scripts of letters, and which of them a tokenizer hardly knows."""

import unicodedata
from collections import Counter
from functools import lru_cache

import numpy as np
import regex
from numpy.typing import NDArray

UNKNOWN_SHARE = 0.65
"""Share of the letters of a script from which on a tokenizer hardly knows it."""
LEAST_SHARE = 0.2
"""Share of the letters of a text below which a script in it does not count."""

_LETTER = regex.compile(r"(?![\p{Common}\p{Inherited}])[\p{L}\p{M}]", regex.VERSION1)
_ONE_BY_ONE = {"Han", "Hangul", "Hiragana", "Katakana", "Yi"}
"""Scripts whose letters are pieces of their own even where a reader knows them well."""
_NAMES = {
    "Cjk": "Han",
    "Canadian": "Canadian Aboriginal",
    "Meetei": "Meetei Mayek",
    "New": "New Tai Lue",
    "Ol": "Ol Chiki",
}
"""Scripts whose names are not the first word of the names of their letters."""


@lru_cache(maxsize=1 << 16)
def script_of(character: str) -> str:
    """The script of a letter or mark, by its name in Unicode; "" for any other character.

    >>> script_of("ж"), script_of("中"), script_of("ქ"), script_of("7")
    ('Cyrillic', 'Han', 'Georgian', '')
    """
    if not _LETTER.match(character):
        return ""
    first = unicodedata.name(character, "unknown").split()[0].capitalize()
    return _NAMES.get(first, first)


def hardly_known(text: str, known: NDArray[np.int32]) -> tuple[str, ...]:
    """The scripts of a text that a tokenizer hardly knows, in order of their names.

    A letter is known if a token covers it that covers other letters, too: what is spelt letter by
    letter was not learnt as words. A word of one letter, which cannot be spelt otherwise, does not
    count unless it is unknown. A Chinese character, syllable or kana is known if there is one
    token for it, not several for its parts.

    Args:
        text: any text.
        known: characters [start, end) of each token that does not stand for unknown ones, (T, 2).
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
