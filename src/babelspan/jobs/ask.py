"""Questions over texts: which texts are read for each, and which answers are given."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from babelspan.data.documents import Document
from babelspan.data.files import read_text
from babelspan.reading.answerer import Watch
from babelspan.reading.call import unlabelled
from babelspan.reading.pivot import Pivot
from babelspan.seams import Glossing
from babelspan.text.shortlist import Shortlist
from babelspan.types import UNDETERMINED, ConfigError, DataError, Prediction

if TYPE_CHECKING:
    from babelspan.jobs.answer import Answers


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its answers, best first, each with the text that it is from.

    Attributes:
        question: the question.
        answers: its answers.
        in_question: scripts of the question that the reader hardly knows.
        in_texts: the same for each text that was read and has some, by its name.
    """

    question: str
    answers: list[tuple[Document, Prediction]]
    in_question: tuple[str, ...]
    in_texts: Mapping[str, tuple[str, ...]]

    def unfamiliar(self, document: Document | None = None) -> list[str]:
        """Scripts that the reader hardly knows, of the question and a text, or of all texts."""
        texts = self.in_texts.values() if document is None else [self.in_texts.get(document.name)]
        return sorted({*self.in_question, *(s for scripts in texts for s in scripts or ())})


def load_questions(path: Path) -> list[str]:
    """The questions of a UTF-8 text file, one per line; blank lines are skipped.

    Raises:
        DataError: if the file cannot be read or holds no question.
    """
    text = read_text(path).removeprefix("\ufeff")
    questions = [line.strip() for line in text.split("\n") if line.strip()]
    if not questions:
        raise DataError(f"{path}: expected questions, one per line, found none")
    return questions


def ask_all(
    answerer: "Answers",
    questions: Iterable[str],
    documents: Sequence[Document],
    *,
    question_language: str = UNDETERMINED,
    context_language: str = UNDETERMINED,
    top_k: int = 1,
    top_texts: int | None = None,
    weights: Sequence[float] | None = None,
    min_score: float = 0.0,
    min_probability: float | None = None,
    watch: Watch | None = None,
) -> Iterator[Asked]:
    """Each question with its answers, in order.

    Args:
        answerer: the reader.
        questions: the questions.
        documents: the texts to search.
        question_language: of all questions; "und" to find out.
        context_language: of all texts, likewise.
        top_k: how many answers to give to a question, at most.
        top_texts: read only this many texts for a question, those that share most with it; None
            for all. Scores are then shares of what is in these.
        weights: of the documents, as in `Answerer.ask`; not together with `top_texts`.
        min_score: leave out answers with a lower score.
        min_probability: leave out answers that are less probably right; None for all.
        watch: called with the number of windows read for the current question.

    Raises:
        ConfigError: if `min_probability` is given and the reader is not calibrated.
    """
    if min_probability is not None and getattr(answerer, "calibration", None) is None:
        raise ConfigError(
            "the reader is not calibrated and gives no probabilities; run `babelspan calibrate` "
            "with development data, or use --min-score"
        )
    shortlist = None
    if top_texts is not None and top_texts < len(documents):
        shortlist = Shortlist([document.text for document in documents])
    spoken = {"question_language": question_language, "context_language": context_language}
    seen: dict[str, tuple[str, ...]] = {}
    for question in questions:
        read = documents
        if shortlist is not None and top_texts is not None:
            put = _as_read(answerer, question, documents, **spoken)
            read = [documents[i] for i in shortlist.best(question, top_texts, put=put)]
        contexts = [document.text for document in read]
        found = answerer.ask(
            question, contexts, **spoken, top_k=top_k, weights=weights, watch=watch
        )
        seen |= {d.name: _unfamiliar(answerer, d.text) for d in read if d.name not in seen}
        yield Asked(
            question,
            [
                (read[f.context], f.prediction)
                for f in found
                if f.prediction.score >= min_score
                and (f.prediction.probability or 0.0) >= (min_probability or 0.0)
            ],
            _unfamiliar(answerer, question),
            {d.name: seen[d.name] for d in read if seen[d.name]},
        )


def _as_read(
    answerer: "Answers", question: str, documents: Sequence[Document], **spoken: str
) -> list[str]:
    """The question as it is put to each text: perhaps with its words in the text's language."""
    engine = getattr(answerer, "engine", None)
    if not isinstance(engine, Glossing):
        return [question] * len(documents)
    return [engine.read_as(unlabelled("", question, d.text, **spoken)).question for d in documents]


def _unfamiliar(answerer: "Answers", text: str) -> tuple[str, ...]:
    """Scripts of a text that the reader hardly knows; none where it reads a translation of it."""
    return () if isinstance(answerer, Pivot) else answerer.unfamiliar(text)
