"""The public data that the reader is trained on, and the parts that are held out.

Only data whose licence allows distributing the weights. Left out: MUSE, LAFAND, BiPaR, ParsiNLU,
FQuAD (no commercial use), KorQuAD (no changed copies), PoQuAD, PersianQA, FreeDict (GPL), Multi30K
(research only), and data without a stated licence. Never used for training or model selection:
XQuAD, the dev split of TyDiQA, AfriQA, MLQA, the gold word alignments, and the test split of every
other set (except the first half of the test splits of DRCD and SQuAD-it, which is used for training
because no other split of them is available).
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from babelspan.data.bitext import distinct, held_back, load_bitext, named
from babelspan.data.files import read_text
from babelspan.data.lexicon import read_pairs
from babelspan.data.squad import load_squad
from babelspan.types import Example, SentencePair

LANGUAGES = [
    "ar",
    "bn",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "fa",
    "fi",
    "fr",
    "he",
    "hi",
    "id",
    "it",
    "ja",
    "kk",
    "ko",
    "no",
    "pl",
    "pt",
    "ro",
    "ru",
    "sv",
    "sw",
    "ta",
    "te",
    "th",
    "tr",
    "uk",
    "ur",
    "vi",
    "zh",
]

PARALLEL = [
    "ntrex",
    "tatoeba",
    "tatoeba-anki",
    "tico19",
    "pud",
    "koreannews",
    "qald9plus-questions",
    "pythondocs",
    "reactdocs",
    "opensourceguide",
    "mscourse-edgeai",
    "mscourse-iot",
    "mscourse-security",
]
"""Sources of sentence pairs, the most useful first; a cap is filled in this order."""

HELD_BACK = 0.03
"""Fraction of sentence pairs held out to measure retrieval."""

DEV_SHARE = 0.06
"""Fraction of paragraphs of each question set held out for model selection."""


@dataclass(frozen=True, slots=True)
class Questions:
    """A question set: its file in `qa/`, its language, and the number of questions to use."""

    file: str
    language: str
    most: int = 10_000
    is_dev: bool = False


QUESTIONS = (
    Questions("squad/train-without-xquad", "en"),
    Questions("squadshifts/new-wiki", "en"),
    Questions("tydiqa/train", "en"),
    Questions("squadshifts/amazon-reviews", "en", 1_500),
    Questions("squadshifts/reddit", "en", 1_500),
    Questions("policyqa/dev", "en", 800),
    Questions("squad-es/train-without-xquad", "es"),
    Questions("squad-it/test-first-half", "it"),
    Questions("squad-da/train-without-xquad", "da"),
    Questions("squad-sv/train-without-xquad", "sv"),
    Questions("squad-id/train-without-xquad", "id"),
    Questions("squad-pt/train-part", "pt"),
    Questions("faquad/train", "pt"),
    Questions("tydiqa/train", "id"),
    Questions("facqa/train", "id"),
    Questions("piaf/train", "fr"),
    Questions("arcd/train", "ar"),
    Questions("cmrc2018/dev", "zh"),
    Questions("cmrc2018/trial", "zh", 200, is_dev=True),
    Questions("drcd/dev", "zh"),
    Questions("drcd/test-first-half", "zh"),
    Questions("jaquad/train", "ja", 8_000),
    Questions("jaquad/dev", "ja", 200, is_dev=True),
    Questions("tydiqa/train", "ko"),
    Questions("tydiqa/train", "sw"),
    Questions("pquad/valid", "fa"),
    Questions("heq/valid", "he"),
    Questions("iapp/train", "th"),
    Questions("iapp/valid", "th", 200, is_dev=True),
    Questions("thquad/train", "tr"),
    Questions("norquad/train", "no"),
    Questions("norquad/valid", "no"),
    Questions("kazqad/valid", "kk"),
    Questions("uquad/train", "ur"),
)
TRANSLATED = {"squad-es", "squad-it", "squad-da", "squad-sv", "squad-id", "squad-pt"}
"""Translations of SQuAD, which share its ids, for questions and texts in different languages."""


def plain_texts(data: Path, language: str) -> Iterator[str]:
    """Lines of plain text; traditional Chinese counts as Chinese."""
    for path in sorted((data / "text").glob("*.txt.gz")):
        if path.name.split(".")[-3].partition("-")[0] == language:
            yield from read_text(path).split("\n")


def bitext(data: Path, language: str) -> list[tuple[str, list[SentencePair]]]:
    """Pairs of English and another language by source, without the held-out ones."""
    is_held_back = held_back(HELD_BACK)
    return [
        (source, [p for p in pairs if not is_held_back(p)])
        for source, pairs in _bitext(data, language)
    ]


def held_bitext(data: Path, language: str) -> list[tuple[str, list[SentencePair]]]:
    """The held-out pairs, by source."""
    is_held_back = held_back(HELD_BACK)
    return [
        (source, [p for p in pairs if is_held_back(p)]) for source, pairs in _bitext(data, language)
    ]


def _bitext(data: Path, language: str) -> Iterator[tuple[str, list[SentencePair]]]:
    files = {named(p): p for p in (data / "parallel").glob("*.tsv.gz")}
    wanted = {language, "zh-Hant"} if language == "zh" else {language}
    for source in PARALLEL:
        pairs = [
            pair
            for key, path in sorted(files.items(), key=lambda item: str(item[1]))
            if key and key[0] == source and key[1] == "en" and key[2] in wanted
            for pair in load_bitext(path)
        ]
        if pairs:
            yield source, list(distinct(pairs))


def dictionary(data: Path, language: str) -> list[tuple[str, str]]:
    """English words and phrases with their translations, from the Open Multilingual Wordnet."""
    path = data / "lexicons" / f"en-{language}.tsv.gz"
    return list(read_pairs(path)) if path.exists() else []


def questions(data: Path, *, dev: bool) -> list[Example]:
    """Questions for training, or for model selection; both exclude paragraphs of XQuAD."""
    found: list[Example] = []
    for index, entry in enumerate(QUESTIONS):
        if entry.is_dev and not dev:
            continue
        path = data / "qa" / f"{entry.file}.{entry.language}.json.gz"
        examples = load_squad(
            path,
            question_language=entry.language,
            context_language=entry.language,
            keep_misplaced=True,
        )
        name = entry.file.partition("/")[0]
        tested = {e.context for e in examples if e.id in xquad_ids(data)}
        usable = [
            replace(e, title=name if name in TRANSLATED or name == "squad" else f"{name}#{index}")
            for e in examples
            if any(a.start is not None for a in e.answers or ())
            and e.question.strip()
            and e.context not in tested
            and _plain(e.context) not in xquad_texts(data)
            and (entry.is_dev or _is_dev(e, name) == dev)
        ]
        found += sorted(usable, key=lambda e: fraction(e.id))[: entry.most]
    return found


def translated_questions(data: Path, language: str) -> list[SentencePair]:
    """Questions to learn from in English and in another language, from translations of SQuAD."""
    return _parallel_questions(data).get(language, [])


@cache
def _parallel_questions(data: Path) -> dict[str, list[SentencePair]]:
    """For each language of `TRANSLATED`, the questions that are there in English, too."""
    by_language: dict[str, dict[str, str]] = {}
    for example in questions(data, dev=False):
        if example.title == "squad" or example.title in TRANSLATED:
            by_language.setdefault(example.context_language, {})[example.id] = example.question
    english = by_language.pop("en")
    return {
        language: [SentencePair(english[i], q) for i, q in of_language.items() if i in english]
        for language, of_language in by_language.items()
    }


@cache
def xquad_texts(data: Path) -> frozenset[str]:
    """Contexts of XQuAD in all its languages, letters and digits only."""
    return frozenset(
        _plain(e.context)
        for path in sorted((data / "qa" / "xquad").glob("test.*.json.gz"))
        for e in load_squad(path)
    )


@cache
def xquad_ids(data: Path) -> frozenset[str]:
    """Ids of the questions of XQuAD, which the translations of SQuAD also use."""
    return frozenset(e.id for e in load_squad(data / "qa" / "xquad" / "test.en.json.gz"))


def _is_dev(example: Example, name: str) -> bool:
    """Whether a question is held out: by its id in sets that share ids, else by its text."""
    key = example.id if name in TRANSLATED or name == "squad" else example.context
    return fraction(key) < DEV_SHARE


def fraction(text: str) -> float:
    """A pseudo-random number in [0, 1) that depends only on the text."""
    digest = hashlib.sha256(text.encode(errors="replace")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@lru_cache(maxsize=8)
def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())
