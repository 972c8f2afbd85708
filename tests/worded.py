"""A translator made of rules: words by a small dictionary, others kept; tags and marks stay."""

import re

WORDS = {
    "the": "la",
    "capital": "capital",
    "of": "de",
    "is": "es",
    "paris": "parís",
    "france": "francia",
    "what": "qué",
    "where": "dónde",
    "river": "río",
    "big": "grande",
    "a": "una",
    "city": "ciudad",
    "it": "ello",
    "has": "tiene",
    "two": "dos",
    "parks": "parques",
}


class Worded:
    """English to Spanish, more or less, and back; `wrong` answers some texts otherwise."""

    identity = "worded 1"

    def __init__(self, wrong=None):
        self.wrong = wrong or {}
        self.asked = []

    def translate(self, texts, *, source, target, tags=()):
        self.asked += texts
        words = WORDS if source == "en" else {v: k for k, v in WORDS.items()}
        return [
            self.wrong.get(text, re.sub(r"\w+", lambda m: _one(m[0], words), text))
            for text in texts
        ]


def _one(word, words):
    found = words.get(word.casefold(), word)
    return found.capitalize() if word[0].isupper() else found
