"""Figures of generated questions against human ones: BLEU-4, chrF++, language, copied words.

BLEU and chrF are computed by sacrebleu (Post 2018); chrF++: Popovic 2017.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from babelspan.scoring.diversity import distinct, self_bleu
from babelspan.scoring.recognition import Recogniser
from babelspan.text.words import words
from babelspan.types import ConfigError, Example
from babelspan.version import how_to_install

OWN = "words"
"""Our tokenization: words, with punctuation separate, the same in all languages."""
TOKENIZERS = (OWN, "13a", "intl", "zh", "char", "none")
"""The tokenizers of sacrebleu that need no download, and ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How questions are compared.

    Attributes:
        tokenize: tokenizer for BLEU, one of `TOKENIZERS`.
        lowercase: whether to ignore case, for BLEU and chrF.
    """

    tokenize: str = OWN
    lowercase: bool = False

    def bleu(self, questions: Sequence[str], golds: Sequence[str]) -> float:
        """Return BLEU-4 of all questions as a fraction; smoothing "exp", no effective order."""
        score = self._bleu().corpus_score(*self._cut(questions, golds))
        return float(score.score) / 100

    def chrf(self, questions: Sequence[str], golds: Sequence[str]) -> float:
        """Return chrF++ of a set of questions, as a fraction."""
        return float(self._chrf().corpus_score(list(questions), [list(golds)]).score) / 100

    def chrf_each(self, questions: Sequence[str], golds: Sequence[str]) -> list[float]:
        """Return chrF++ of each question, as fractions."""
        metric = self._chrf()
        return [
            float(metric.sentence_score(question, [gold]).score) / 100
            for question, gold in zip(questions, golds, strict=True)
        ]

    def signature(self) -> str:
        """Return sacrebleu's signatures of BLEU and chrF, and how words were tokenized."""
        bleu, chrf = self._bleu(), self._chrf()
        bleu.corpus_score(["a"], [["a"]])  # the number of references is known only after a score
        chrf.corpus_score(["a"], [["a"]])
        own = "|words:babelspan" if self.tokenize == OWN else ""
        return f"BLEU|{bleu.get_signature()}{own}||chrF2++|{chrf.get_signature()}"

    def _cut(
        self, questions: Sequence[str], golds: Sequence[str]
    ) -> tuple[list[str], list[list[str]]]:
        if self.tokenize != OWN:
            return list(questions), [list(golds)]
        return [" ".join(tokens(q)) for q in questions], [[" ".join(tokens(g)) for g in golds]]

    def _bleu(self) -> Any:
        tokenize = "none" if self.tokenize == OWN else self.tokenize
        return _sacrebleu().BLEU(tokenize=tokenize, lowercase=self.lowercase, force=True)

    def _chrf(self) -> Any:
        return _sacrebleu().CHRF(word_order=2, lowercase=self.lowercase)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuestionFigures:
    """Figures of the questions of a language pair, as fractions unless noted.

    Attributes:
        bleu, chrf: scores of all questions together.
        chrf_each: chrF++ of each question, (Q,).
        languages: detected language of each question, among those of the data; None without words.
        right_language: share of questions in the requested language.
        copied: share of a question's words that occur in the text.
        with_answer: share of questions that contain their answer.
        self_bleu: BLEU of the questions against each other.
        gold_self_bleu: the same for human questions.
        distinct_1, distinct_2: share of distinct words and word pairs.
        question_words, gold_words: mean number of words.
        missing: number of questions that could not be generated; they count as empty.
        read_f1, gold_read_f1: F1 of a reader's answers to generated and to human questions; None
            without a reader.
    """

    bleu: float
    chrf: float
    chrf_each: NDArray[np.float64]
    languages: Sequence[str | None]
    right_language: float
    copied: float
    with_answer: float
    self_bleu: float | None
    gold_self_bleu: float | None
    distinct_1: float | None
    distinct_2: float | None
    question_words: float
    gold_words: float
    missing: int
    read_f1: float | None = None
    gold_read_f1: float | None = None

    @property
    def questions(self) -> int:
        """Number of questions, Q."""
        return len(self.chrf_each)


def question_figures(
    examples: Sequence[Example],
    questions: Sequence[str],
    recogniser: Recogniser,
    measure: Measure,
    *,
    missing: int = 0,
    read_f1: float | None = None,
    gold_read_f1: float | None = None,
) -> QuestionFigures:
    """Compare generated questions with human ones.

    Args:
        examples: examples of one language pair, with human questions.
        questions: questions generated about the same answers, in order; empty if there is none.
        recogniser: detects the languages of the data.
        measure: settings of BLEU and chrF.
        missing: number of questions that could not be generated.
        read_f1: F1 of a reader on the generated questions.
        gold_read_f1: F1 of the reader on the human questions.
    """
    golds = [e.question for e in examples]
    cut, gold_cut = [tokens(q.casefold()) for q in questions], [tokens(g.casefold()) for g in golds]
    languages = [recogniser.language_of(question) for question in questions]
    spoken = [_copied(e, q) for e, q in zip(examples, questions, strict=True)]
    words_written = sum(count for _, count in spoken)
    return QuestionFigures(
        bleu=measure.bleu(questions, golds),
        chrf=measure.chrf(questions, golds),
        chrf_each=np.array(measure.chrf_each(questions, golds)),
        languages=languages,
        right_language=_share(
            found == e.question_language for found, e in zip(languages, examples, strict=True)
        ),
        copied=sum(copied for copied, _ in spoken) / max(1, words_written),
        with_answer=_share(
            any(a.text.casefold() in question.casefold() for a in (e.answers or ())[:1])
            for e, question in zip(examples, questions, strict=True)
        ),
        self_bleu=self_bleu(cut),
        gold_self_bleu=self_bleu(gold_cut),
        distinct_1=distinct(cut, 1),
        distinct_2=distinct(cut, 2),
        question_words=words_written / len(questions),
        gold_words=sum(len(words(g, "")) for g in golds) / len(golds),
        missing=missing,
        read_f1=read_f1,
        gold_read_f1=gold_read_f1,
    )


def tokens(text: str) -> list[str]:
    """Return the words, and every other non-space character separately, in order."""
    found: list[str] = []
    end = 0
    for span in words(text, ""):
        found += regex.findall(r"\S", text[end : span.start])
        found.append(span.of(text))
        end = span.end
    return [*found, *regex.findall(r"\S", text[end:])]


def _copied(example: Example, question: str) -> tuple[int, int]:
    """Return how many words of a question occur in its text, and its number of words."""
    text = {s.of(example.context).casefold() for s in words(example.context, "")}
    asked = [s.of(question).casefold() for s in words(question, "")]
    return sum(word in text for word in asked), len(asked)


def _share(those: Iterable[bool]) -> float:
    judged = list(those)
    return sum(judged) / len(judged)


def _sacrebleu() -> Any:
    try:
        from sacrebleu import metrics
    except ImportError:
        raise ConfigError(
            f"BLEU and chrF need sacrebleu, which is not installed; {how_to_install('measure')}"
        ) from None
    return metrics
