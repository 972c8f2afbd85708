"""Candidate base forms of an inflected word, from its ending alone.

Used to look up a word that is not in a dictionary. English: the forms of be, have and do, and
regular endings, but not `went` or `mice`. Other languages: the word without its last letters.
"""

import re

_AUXILIARIES = {
    **dict.fromkeys(("am", "is", "are", "was", "were", "been", "being"), "be"),
    **dict.fromkeys(("has", "had", "having"), "have"),
    **dict.fromkeys(("does", "did", "done", "doing"), "do"),
}
_ENGLISH = (
    (r"['’]s?$", ("",)),  # dog's, dogs'
    (r"ies$", ("y", "ie")),  # cities, ties
    (r"([sxz]|[cs]h)es$", (r"\1", r"\1e")),  # boxes, houses
    (r"(?<=[^s])s$", ("",)),  # dogs
    (r"ied$", ("y",)),  # carried
    (r"ed$", ("", "e")),  # opened, used
    (r"(.)\1ed$", (r"\1",)),  # stopped
    (r"ing$", ("", "e")),  # opening, using
    (r"(.)\1ing$", (r"\1",)),  # running
    (r"i(?:er|est)$", ("y",)),  # happier
    (r"(?:er|est)$", ("", "e")),  # older, largest
    (r"(.)\1(?:er|est)$", (r"\1",)),  # bigger
)
"""Endings and their replacements; several may match a word. These are the detachment rules of
Morphy (WordNet, morphy(7WN)), with doubled consonants and possessives."""
_SHORTEST_ENGLISH = 3
_SHORTEST = 4
"""Minimum length of a stem in other languages."""
_LONGEST_ENDING = 3


def stems(word: str, language: str) -> list[str]:
    """Candidate base forms of an inflected word, the most likely first.

    Args:
        word: a word in lower case.
        language: ISO 639-1 code.

    Example:
        >>> stems("cities", "en"), stems("casas", "es"), stems("北京", "zh")
        (['city', 'citie'], ['casa'], [])
    """
    if language != "en":
        lengths = range(len(word) - 1, max(_SHORTEST, len(word) - _LONGEST_ENDING) - 1, -1)
        return [word[:length] for length in lengths]
    if word in _AUXILIARIES:
        return [_AUXILIARIES[word]]
    found = [re.sub(ending, base, word) for ending, bases in _ENGLISH for base in bases]
    return [
        stem for stem in dict.fromkeys(found) if stem != word and len(stem) >= _SHORTEST_ENGLISH
    ]
