"""Scores of the TyDi QA gold passage task: those of SQuAD 1.1, per language.

Clark et al. (2020), arXiv:2003.05002, Section 8, and the README of its gold passage baseline: each
language is scored with the script of SQuAD 1.1, and a system's figure is the mean over the
languages without English. The faults are those of `babelspan.scoring.scorers.squad`.
"""

from collections.abc import Sequence
from statistics import mean
from typing import Any

import numpy as np

from babelspan.scoring.figures import Figures
from babelspan.scoring.scorers import squad
from babelspan.types import UNDETERMINED, DataError, Example

NAME = "tydiqa"
RULES = f"{squad.RULES}|mean:languages-without-en"

LANGUAGES = {
    "english": "en",
    "arabic": "ar",
    "bengali": "bn",
    "finnish": "fi",
    "indonesian": "id",
    "japanese": "ja",
    "swahili": "sw",
    "korean": "ko",
    "russian": "ru",
    "telugu": "te",
    "thai": "th",
}
"""Languages of TyDi QA by their names in its files, in the order of the official script."""

exact_match = squad.exact_match
f1 = squad.f1


def details(examples: Sequence[Example], found: Figures) -> dict[str, Any]:
    """Return figures of each language, and the mean without English instead of the total.

    The mean is None if there is only English.

    Raises:
        DataError: if the language of a question is unknown.
    """
    languages = np.array([_language(e) for e in examples])
    of_language = {
        str(language): {
            "exact_match": float(found.exact_matches[languages == language].mean()),
            "f1": float(found.f1s[languages == language].mean()),
            "questions": int((languages == language).sum()),
        }
        for language in dict.fromkeys(languages)
    }
    counted = [figures for language, figures in of_language.items() if language != "en"]
    means = {
        name: mean(f[name] for f in counted) if counted else None for name in ("exact_match", "f1")
    }
    return {**means, "languages": of_language}


def _language(example: Example) -> str:
    """Return the language, from the id, such as "arabic-7-0", or from the file."""
    language = LANGUAGES.get(example.id.partition("-")[0], example.context_language)
    if language == UNDETERMINED:
        raise DataError(
            f"question {example.id!r}: expected an id that starts with a language, such as "
            "'arabic-7-0', or a file name with one, such as dev.ar.json; give it with --language"
        )
    return language
