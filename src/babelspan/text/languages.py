"""Facts about languages, by their codes."""

UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "bo", "yue"})
"""ISO 639-1 (and -3) codes of languages written without spaces between words."""


UNSPACED_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Their scripts, for a character class of `regex`; not Tibetan, which marks word ends."""


def is_spaced(language: str) -> bool:
    """Whether a language separates words by spaces; true for unknown codes."""
    return language.partition("-")[0] not in UNSPACED
