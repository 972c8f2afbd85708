"""Statistics of question generation: questions kept and dropped, by language pair."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from babelspan.scoring.matrix import Pair
from babelspan.text.words import words
from babelspan.types import Example

_FIRST_WORDS = 20

Reasons = tuple[str, ...]
"""The reasons why filters reject a question."""


@dataclass(slots=True)
class Tally:
    """Counts; the tallies of the parts of a data set add up to that of the whole.

    Attributes:
        sums: by language pair of question and text: number of questions kept, their words, words of
            their answers, question words that occur in the text, questions that contain their
            answer.
        dropped: by language pair and reason (the first one if there are several).
        judged: by language pair and all reasons for a question; no reasons for questions kept.
        first_words: by question language: first words of questions, in lower case.
    """

    sums: defaultdict[Pair, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    dropped: defaultdict[Pair, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    judged: defaultdict[Pair, Counter[Reasons]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    first_words: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )

    def keep(self, example: Example) -> None:
        """Count a question that was kept."""
        language = example.question_language
        question = [
            span.of(example.question).casefold() for span in words(example.question, language)
        ]
        text = {
            span.of(example.context).casefold()
            for span in words(example.context, example.context_language)
        }
        answer = example.answers[0].text if example.answers else ""
        self.sums[language, example.context_language].update(
            kept=1,
            question_words=len(question),
            answer_words=len(words(answer, example.context_language)),
            copied_words=sum(word in text for word in question),
            answer_in_question=int(answer.casefold() in example.question.casefold()),
        )
        self.first_words[language].update(question[:1])

    def drop(self, pair: Pair, reason: str) -> None:
        """Count an answer whose question was dropped or not written."""
        self.dropped[pair][reason] += 1

    def judge(self, pair: Pair, reasons: Sequence[str]) -> None:
        """Count a question that went through all filters; without reasons it is kept."""
        self.judged[pair][tuple(reasons)] += 1

    def merge(self, other: "Tally") -> None:
        """Add the counts of another part."""
        for mine, theirs in (
            (self.sums, other.sums),
            (self.dropped, other.dropped),
            (self.first_words, other.first_words),
        ):
            for key, counts in theirs.items():
                mine[key].update(counts)  # type: ignore[index]
        for pair, judged in other.judged.items():
            self.judged[pair].update(judged)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each language pair: counts, and means and shares of the questions kept."""
        rows = []
        for pair in sorted({*self.sums, *self.dropped}):
            sums, dropped = self.sums[pair], self.dropped[pair].total()
            kept, all_words = sums["kept"], sums["question_words"]
            rows.append(
                {
                    "question": pair[0],
                    "text": pair[1],
                    "asked": kept + dropped,
                    "kept": kept,
                    "dropped": dropped,
                    "question_words": round(all_words / kept, 2) if kept else 0.0,
                    "answer_words": round(sums["answer_words"] / kept, 2) if kept else 0.0,
                    "copied": round(sums["copied_words"] / all_words, 4) if all_words else 0.0,
                    "with_answer": round(sums["answer_in_question"] / kept, 4) if kept else 0.0,
                }
            )
        return rows

    def reasons(self) -> list[dict[str, Any]]:
        """The number of dropped questions by language pair and reason."""
        return [
            {"question": pair[0], "text": pair[1], "reason": reason, "count": count}
            for pair in sorted(self.dropped)
            for reason, count in sorted(self.dropped[pair].items())
        ]

    def together(self) -> dict[str, Any]:
        """Counts of rejections by each filter alone, and by each combination of filters."""
        alone: Counter[str] = Counter()
        only: Counter[str] = Counter()
        joint: Counter[Reasons] = Counter()
        for counts in self.judged.values():
            joint.update(counts)
            for reasons, count in counts.items():
                alone.update(dict.fromkeys(reasons, count))
                only.update(dict.fromkeys(reasons, count) if len(reasons) == 1 else {})
        return {
            "seen": joint.total(),
            "kept": joint[()],
            "each": [
                {"reason": reason, "count": count, "alone": only[reason]}
                for reason, count in sorted(alone.items())
            ],
            "joint": [
                {"reasons": list(reasons), "count": count}
                for reasons, count in sorted(joint.items(), key=lambda item: (-item[1], item[0]))
            ],
            "kept_by_pair": [
                {
                    "question": pair[0],
                    "text": pair[1],
                    "seen": counts.total(),
                    "kept": counts[()],
                }
                for pair, counts in sorted(self.judged.items())
            ],
        }

    def to_json(self) -> dict[str, Any]:
        """All counts as plain values."""
        return {
            "sums": [[*pair, dict(sorted(self.sums[pair].items()))] for pair in sorted(self.sums)],
            "dropped": [
                [*pair, dict(sorted(self.dropped[pair].items()))] for pair in sorted(self.dropped)
            ],
            "first_words": {
                language: dict(sorted(counts.items()))
                for language, counts in sorted(self.first_words.items())
            },
            "judged": [
                [*pair, [[list(reasons), n] for reasons, n in sorted(self.judged[pair].items())]]
                for pair in sorted(self.judged)
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Tally":
        """The inverse of `to_json`."""
        tally = cls()
        for question, text, counts in values["sums"]:
            tally.sums[question, text].update(counts)
        for question, text, counts in values["dropped"]:
            tally.dropped[question, text].update(counts)
        for question, text, counts in values.get("judged", ()):
            tally.judged[question, text].update({tuple(reasons): n for reasons, n in counts})
        for language, counts in values["first_words"].items():
            tally.first_words[language].update(counts)
        return tally

    def commonest(self) -> dict[str, dict[str, int]]:
        """The most frequent first words of the questions in each language, with their counts."""
        return {
            language: dict(
                sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_FIRST_WORDS]
            )
            for language, counts in sorted(self.first_words.items())
        }
