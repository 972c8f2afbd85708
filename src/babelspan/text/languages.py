"""What is known of languages by their codes."""

UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "bo", "yue"})
"""ISO 639-1 (and -3) codes of languages written without spaces between words."""


UNSPACED_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Their scripts, for a character class of the module `regex`; Tibetan has marks between words."""


def is_spaced(language: str) -> bool:
    """Whether a language parts its words by spaces; so it is taken of unknown codes."""
    return language.partition("-")[0] not in UNSPACED
