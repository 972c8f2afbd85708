"""Statistics of translated examples, counted as in Table 1 of bornea2021 (arXiv:2012.05958).

Counts of the parts of a data set add up to those of the whole.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from babelspan.augment.strategies import Carrier, Made, answer_span
from babelspan.text.words import words
from babelspan.types import Example

QUESTION_WORDS = ("what", "how", "who", "when", "which", "where", "why")
"""First words of English questions that Table 1 distinguishes; the rest is "other"."""

TYPES = (*QUESTION_WORDS, "other")
ORIGINAL = "original"


@dataclass(slots=True)
class Counts:
    """Sums over the examples of one strategy and language."""

    pairs: int = 0
    question_words: int = 0
    answers: int = 0
    answer_words: int = 0
    types: Counter[str] = field(default_factory=Counter)
    """Question types, by the first word of the original question."""

    def add(self, examples: Iterable[tuple[Example, str]]) -> None:
        """Count examples of one strategy and language, each with its question type."""
        for example, question_type in examples:
            self.pairs += 1
            self.question_words += len(words(example.question, example.question_language))
            span = answer_span(example)
            if span is not None:
                self.answers += 1
                answer = span.of(example.context)
                self.answer_words += len(words(answer, example.context_language))
            self.types[question_type] += 1

    def merge(self, other: "Counts") -> None:
        """Add the sums of another part."""
        self.pairs += other.pairs
        self.question_words += other.question_words
        self.answers += other.answers
        self.answer_words += other.answer_words
        self.types += other.types

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Counts":
        """The inverse of `dataclasses.asdict`."""
        return cls(**{**record, "types": Counter(record["types"])})


@dataclass(slots=True)
class Statistics:
    """Counts by strategy and language, and of carried and lost answers, for one source language.

    Attributes:
        counts: counts by strategy ("original" for the source) and target language.
        dropped: dropped examples by strategy, language and reason.
        carried: answers by language and the carriers that found them, joined by "+"; "" for none.
        repaired: answers with repaired tags, by language.
        odd: sentences with a translation of suspicious length, by language.
    """

    counts: dict[tuple[str, str], Counts] = field(default_factory=dict)
    dropped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    carried: Counter[tuple[str, str]] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)

    def add_original(self, examples: Sequence[Example], language: str) -> None:
        """Count the source examples."""
        typed = ((e, question_type(e.question)) for e in examples)
        self.counts.setdefault((ORIGINAL, language), Counts()).add(typed)

    def add(self, origins: Sequence[Example], made: Made, language: str) -> None:
        """Count their translations into a language."""
        types = {e.id: question_type(e.question) for e in origins}
        for strategy, examples in made.examples.items():
            typed = ((e, types[e.origin or ""]) for e in examples)
            self.counts.setdefault((strategy, language), Counts()).add(typed)
        self.dropped.update((d.strategy, language, d.reason) for d in made.dropped)
        self.carried.update((language, "+".join(carriers)) for _, carriers in made.carried)
        self.repaired[language] += made.repaired
        self.odd[language] += len(made.odd)

    def merge(self, other: "Statistics") -> None:
        """Add the counts of another part."""
        for key, counts in other.counts.items():
            self.counts.setdefault(key, Counts()).merge(counts)
        self.dropped += other.dropped
        self.carried += other.carried
        self.repaired += other.repaired
        self.odd += other.odd

    def rows(self) -> list[dict[str, Any]]:
        """One row for each strategy and language, for a table.

        `kept` and `kept_<question type>` are fractions of the original's pairs; `words_question`
        and `words_answer` are means.
        """
        source = next((c for (s, _), c in self.counts.items() if s == ORIGINAL), Counts())
        return [
            {
                "strategy": strategy,
                "language": language,
                "pairs": c.pairs,
                "kept": _share(c.pairs, source.pairs),
                "words_question": _share(c.question_words, c.pairs),
                "words_answer": _share(c.answer_words, c.answers),
                **{t: c.types[t] for t in TYPES},
                **{f"kept_{t}": _share(c.types[t], source.types[t]) for t in TYPES},
            }
            for (strategy, language), c in self.counts.items()
        ]

    def survival(self, carriers: Sequence[Carrier]) -> list[dict[str, Any]]:
        """The answers found by each carrier, by language, and by "any" if there are several.

        Args:
            carriers: the carriers that were tried.
        """
        answers: Counter[str] = Counter()
        arrived: Counter[tuple[str, str]] = Counter()
        for (language, brought), count in self.carried.items():
            answers[language] += count
            for carrier in [*brought.split("+"), "any"] if brought else []:
                arrived[language, carrier] += count
        return [
            {
                "language": language,
                "carrier": carrier,
                "answers": answers[language],
                "arrived": arrived[language, carrier],
                "share": _share(arrived[language, carrier], answers[language]),
            }
            for language in sorted(answers)
            for carrier in (*carriers, *(["any"] if len(carriers) > 1 else []))
        ]

    def to_json(self) -> dict[str, Any]:
        """All counts as plain values; `from_json` is the inverse."""
        return {
            "counts": [
                {
                    "strategy": s,
                    "language": language,
                    "pairs": c.pairs,
                    "question_words": c.question_words,
                    "answers": c.answers,
                    "answer_words": c.answer_words,
                    "types": {t: c.types[t] for t in sorted(c.types)},
                }
                for (s, language), c in self.counts.items()
            ],
            "dropped": _listed(self.dropped, ("strategy", "language", "reason")),
            "carried": _listed(self.carried, ("language", "carriers")),
            "repaired": dict(sorted((+self.repaired).items())),
            "odd": dict(sorted((+self.odd).items())),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Statistics":
        """The inverse of `to_json`."""
        counts = {
            (r["strategy"], r["language"]): Counts.of(
                {k: v for k, v in r.items() if k not in ("strategy", "language")}
            )
            for r in record["counts"]
        }
        return cls(
            counts=counts,
            dropped=Counter(
                {(r["strategy"], r["language"], r["reason"]): r["count"] for r in record["dropped"]}
            ),
            carried=Counter(
                {(r["language"], r["carriers"]): r["count"] for r in record["carried"]}
            ),
            repaired=Counter(record["repaired"]),
            odd=Counter(record["odd"]),
        )


def question_type(question: str) -> str:
    """The first word of an English question if it is in Table 1, else "other"."""
    first = question.split(maxsplit=1)[0].casefold() if question.strip() else ""
    return first if first in QUESTION_WORDS else "other"


def _listed(counter: Counter[Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {**dict(zip(names, key, strict=True)), "count": count}
        for key, count in sorted(counter.items())
    ]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
