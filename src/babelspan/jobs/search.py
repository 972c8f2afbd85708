"""Questions over a collection: search for passages, read them, and place answers in their files."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from babelspan.data.documents import Document
from babelspan.data.parts import cut_out
from babelspan.jobs.ask import Asked, ask_all
from babelspan.jobs.collections import open_collection
from babelspan.readers import DEFAULT, DEFAULT_FOLDER
from babelspan.reading.answerer import Watch
from babelspan.reading.glossed import FOLDER as DICTIONARIES
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.question import Dictionaries, Translated
from babelspan.retrieval.searching import Retrieved, Search
from babelspan.seams import Alternatives
from babelspan.types import UNDETERMINED, ConfigError

if TYPE_CHECKING:
    from babelspan.jobs.answer import Answers

NONE = "none"
"""Name that stands for no translator."""
PASSAGES = 20
"""Default number of passages to read for a question."""
_LEXICON = "lexicon:"


def alternatives_of(translator: str | None) -> Alternatives | None:
    """Return what finds passages in other languages, from the name of a translator.

    Args:
        translator: `lexicon:FILE[+FILE…]` for all translations of each word ("default" as a file
            means the dictionaries of the package); another translator for one translation of the
            whole question; "none" to search for the words of the question only; None for
            `lexicon:default`.

    Raises:
        ConfigError: if the translator or a dictionary does not exist.
    """
    if translator == NONE:
        return None
    if translator is None:
        translator = f"{_LEXICON}{DEFAULT}"
    if translator.startswith(_LEXICON):
        named = [p for p in translator.removeprefix(_LEXICON).split("+") if p]
        if not named:
            raise ConfigError(
                f"--translator {translator}: expected dictionaries after the colon, such as "
                "lexicon:en-de.tsv.gz, or a folder of dictionaries"
            )
        packaged = DEFAULT_FOLDER / DICTIONARIES
        return Dictionaries([packaged if p == DEFAULT else Path(p).expanduser() for p in named])
    from babelspan.translators import load_translator

    return Translated(load_translator(translator))


def searched(place: Path | str, translator: str | None = None) -> Search:
    """Return a search over a collection; raises as `open_collection` and `alternatives_of`."""
    return Search(open_collection(place), alternatives_of(translator))


def ask_collection(
    answerer: "Answers",
    questions: Iterable[str],
    search: Search,
    *,
    passages: int = PASSAGES,
    language: str = UNDETERMINED,
    top_k: int = 1,
    min_score: float = 0.0,
    min_probability: float | None = None,
    watch: Watch | None = None,
) -> Iterator[Asked]:
    """Yield each question with its answers, in order; raises as `ask_all`.

    Args:
        answerer: the reader.
        questions: the questions.
        search: the search over the collection.
        passages: number of passages to read for a question.
        language: language of the questions; "und" to detect it.
        top_k: as in `ask_all`.
        min_score: as in `ask_all`.
        min_probability: as in `ask_all`.
        watch: as in `ask_all`.
    """
    for question in questions:
        texts = joined(search.passages(question, passages, language=language))
        yield from ask_all(
            answerer,
            [question],
            texts,
            question_language=language,
            weights=[text.weight for text in texts],
            top_k=top_k,
            min_score=min_score,
            min_probability=min_probability,
            watch=watch,
        )


def joined(found: Iterable[Retrieved]) -> list[Document]:
    """Return passages as texts to read; overlapping passages of a file become one text."""
    texts: list[Retrieved] = []
    for one in found:
        passage, place, weight = one.passage, len(texts), one.weight
        for number in reversed(range(len(texts))):
            other = texts[number]
            is_near = other.passage.start <= passage.end and passage.start <= other.passage.end
            if other.file == one.file and is_near:
                passage, place = _together(other.passage, passage), number
                weight = max(weight, other.weight)
                del texts[number]
        texts.insert(place, Retrieved(one.file, passage, weight))
    return [
        Document(
            t.file, t.passage.text, parts=t.passage.parts, start=t.passage.start, weight=t.weight
        )
        for t in texts
    ]


def _together(one: Passage, other: Passage) -> Passage:
    """Join two passages that overlap."""
    first, second = sorted((one, other), key=lambda p: (p.start, -p.end))
    if second.end <= first.end:
        return first
    overlap = first.end - second.start
    text = first.text + second.text[overlap:]
    more = cut_out(second.text, second.parts, overlap, len(second.text))
    moved = (part.moved(len(first.text)) for part in more)
    return Passage(first.start, text, first.language, first.heading, (*first.parts, *moved))
