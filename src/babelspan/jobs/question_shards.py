"""Making a shard of generated questions: answers, questions, filters, files."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

from babelspan.augment.asked import Tally
from babelspan.augment.candidates import chosen
from babelspan.augment.sift import Made, Told
from babelspan.data.files import checksum, write_json, write_lines
from babelspan.data.squad import save_squad
from babelspan.data.texts import Text
from babelspan.examine.overlap import Reference
from babelspan.generators import QuestionWriter
from babelspan.jobs import shards as sharded
from babelspan.jobs.freed import return_freed_memory
from babelspan.jobs.shards import record_of
from babelspan.reading.answerer import Answerer
from babelspan.scoring.matrix import Pair
from babelspan.scoring.scorers import unicode
from babelspan.types import UNDETERMINED, Answer, Example, Span

if TYPE_CHECKING:
    from babelspan.jobs.generate import Job

STRATEGY = "generated"


@dataclass(frozen=True, slots=True)
class Effort:
    """The work of one run on a shard; not part of the result."""

    questions: int
    """Number of questions, kept and dropped."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Maker:
    """A worker with everything it has loaded.

    Attributes:
        job: the job.
        writer: writes the questions.
        answers: returns the possible answers in a text, best first.
        judge: answers the questions again; None to keep all.
        told: detects the languages of questions; None if they do not matter.
        known: texts to skip; None for none.
    """

    job: "Job"
    writer: QuestionWriter
    answers: Callable[[Text], list[Span]]
    judge: Answerer | None
    told: Told | None
    known: Reference | None

    def make(self, shard: int, texts: Sequence[Text]) -> Effort:
        """Make one shard: first its files, then its record."""
        started = perf_counter()
        job, tally = self.job, Tally()
        dropped: list[dict[str, Any]] = []

        def drop(example: Example, reason: str, *more: str) -> None:
            tally.drop((example.question_language, example.context_language), reason)
            dropped.append(_lost(example, reason, *more))

        wanted = list(chain.from_iterable(self._asked(text, drop) for text in texts))
        made = self._written(wanted, drop)
        kept = []
        for one, reasons in zip(made, self._reasons(made), strict=True):
            example = one.example
            if job.filters:
                pair = example.question_language, example.context_language
                tally.judge(pair, reasons)
            if reasons:
                drop(example, *reasons)
            else:
                kept.append(example)
        by_pair: defaultdict[Pair, list[Example]] = defaultdict(list)
        for example in kept:
            tally.keep(example)
            by_pair[example.question_language, example.context_language].append(example)
        files = {}
        for pair, examples in sorted(by_pair.items()):
            path = job.file(pair, shard)
            save_squad(path, examples)
            files[path.name] = checksum(path)
        write_lines(sharded.lines_of(job.out, shard, "dropped"), dropped)
        write_json(record_of(job.out, shard), {"files": files, "statistics": tally.to_json()})
        return_freed_memory()
        return Effort(len(kept) + len(dropped), perf_counter() - started)

    def _asked(self, text: Text, drop: Callable[[Example, str], None]) -> Iterator[Example]:
        """Yield examples without a question, one per answer and language."""
        job = self.job
        if self._is_known(text):
            drop(asked(text, UNDETERMINED), "the text is in a data set to avoid")
            return
        spans = chosen(text, self.answers(text), job.per_paragraph)
        if not spans:
            drop(asked(text, UNDETERMINED), "no answer in the text")
        for span in spans:
            for language in _languages(text, span, job):
                example = asked(text, language, span)
                if language in job.questions:
                    yield example
                else:
                    drop(example, "the language is not among --questions")

    def _is_known(self, text: Text) -> bool:
        if self.known is None:
            return False
        found = self.known.shared_with([asked(text, UNDETERMINED)])
        return bool(found.questions or found.near_questions)

    def _written(
        self, wanted: Sequence[Example], drop: Callable[[Example, str], None]
    ) -> list[Made]:
        """Return the examples with their questions; no question is repeated for a text."""
        found = []
        seen: set[tuple[str | None, str, str]] = set()
        for example, written in zip(wanted, self.writer.write(wanted), strict=True):
            if isinstance(written, str):
                drop(example, "answer too long, or without tokens")
                continue
            done = replace(example, question=self.writer.text(written))
            key = done.origin, done.question_language, done.question.casefold()
            if not done.question:
                drop(done, "empty question")
            elif not written.has_ended:
                drop(done, "question without end")
            elif key in seen:
                drop(done, "question comes twice")
            else:
                seen.add(key)
                found.append(Made(done, -written.per_piece))
        return found

    def _reasons(self, made: Sequence[Made]) -> list[list[str]]:
        """Return the reasons to drop each question; none for those that are kept.

        The judge reads all questions, so that the filters can be compared (Alberti et al. 2019,
        arXiv:1906.05416).
        """
        examples = [one.example for one in made]
        other = [False] * len(examples)
        if self.judge is not None:
            read = self.judge.predict(examples)
            other = [self._is_other(e, p.text) for e, p in zip(examples, read, strict=True)]
        return self.job.sift.reasons(made, other, self.told)

    def _is_other(self, example: Example, read: str) -> bool:
        """Return whether the answer found differs from the one asked for."""
        (answer,) = example.answers or ()
        return unicode.f1(read, answer.text, example.context_language) < self.job.least_f1


def _languages(text: Text, span: Span, job: "Job") -> tuple[str, ...]:
    """Return the languages in which to ask for an answer."""
    if job.ask == "all":
        return job.questions
    if job.ask == "own":
        return (text.language,)
    key = f"{job.seed}\0{text.id}\0{span.start}\0{span.end}"
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return (job.questions[number % len(job.questions)],)


def asked(text: Text, language: str, span: Span | None = None) -> Example:
    """Return a text with an answer; its id is a hash of text, place and question language."""
    place = (span.start, span.end) if span else ("", "")
    key = f"{text.id}\0{place[0]}\0{place[1]}\0{language}"
    return Example(
        id=hashlib.sha256(key.encode()).hexdigest()[:16],
        question="",
        context=text.text,
        answers=(Answer(span.of(text.text), span.start),) if span else None,
        question_language=language,
        context_language=text.language,
        title=text.title,
        origin=text.id,
        strategy=STRATEGY,
    )


def _lost(example: Example, reason: str, *more: str) -> dict[str, Any]:
    answer = example.answers[0] if example.answers else None
    return {
        "id": example.id,
        "origin": example.origin,
        "question_language": example.question_language,
        "context_language": example.context_language,
        "answer": answer and answer.text,
        "start": answer and answer.start,
        "question": example.question,
        "reason": reason,
        **({"also": list(more)} if more else {}),
    }
