"""Data about languages, by their codes."""

CODE = r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?"
"""Pattern of a language code in a file name: ISO 639-1 or -3, optionally with a script."""

TAG = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
"""Pattern of a language code as users write it, such as es or pt-BR."""

UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "bo", "yue"})
"""ISO 639-1 (and -3) codes of languages written without spaces between words."""


UNSPACED_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Their scripts, as a character class of `regex`; not Tibetan, which marks word ends."""


def is_spaced(language: str) -> bool:
    """Whether a language separates words by spaces; true for unknown codes."""
    return language.partition("-")[0] not in UNSPACED


AUTONYMS = {
    "ar": "العربية",
    "bn": "বাংলা",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "id": "Bahasa Indonesia",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sv": "Svenska",
    "sw": "Kiswahili",
    "te": "తెలుగు",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
"""Names of languages in the language itself, by code."""
