"""Translations from files, for readers that read them together with the text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from babelspan.data.folder import DataFile
from babelspan.data.squad import refuse_repeated_ids
from babelspan.reading.beside import refuse_unread
from babelspan.scoring.matrix import Pair
from babelspan.types import DataError, Example


class Together(NamedTuple):
    """Questions with their translations.

    cells: questions by language pair.
    present: language -> number of questions that have a translation.
    questions: total number of questions.
    """

    cells: Mapping[Pair, Sequence[Example]]
    present: Counter[str]
    questions: int

    def summary(self) -> list[str]:
        """Return one line per language: how many questions have a translation."""
        return [
            f"{language}: {found} of {self.questions} questions have a translation to read with "
            "them"
            for language, found in sorted(self.present.items())
        ]


def with_files(
    cells: Mapping[Pair, Sequence[Example]], files: Sequence[DataFile], *, read: Sequence[str]
) -> Together:
    """Attach to each question, as `others`, those of the same id or `origin` in other files.

    Args:
        cells: questions by language pair.
        files: files parallel to those of the questions, each in one language.
        read: languages of the translations that the reader reads.

    Raises:
        ConfigError: if the reader does not read the language of a file.
        DataError: if a file is in two languages or repeats an id, or two are in one language.
    """
    by_language: dict[str, dict[str, Example]] = {}
    whole: dict[str, Path] = {}
    questions = sum(map(len, cells.values()))
    if not files:
        return Together(cells, Counter(), questions)
    for file in files:
        language = file.context_language
        if file.question_language != language:
            raise DataError(
                f"--beside {file.path}: expected questions and contexts in one language, found "
                f"questions in {file.question_language!r} and contexts in {language!r}"
            )
        refuse_unread([language], read)
        if whole.setdefault(language, file.whole) != file.whole:
            raise DataError(f"{file.path}: this is a second file in {language!r}; give only one")
        examples = file.load(keep_misplaced=True)
        refuse_repeated_ids(examples, file.path)
        found = {e.origin or e.id: replace(e, answers=None) for e in examples}
        by_language.setdefault(language, {}).update(found)
    present = Counter(dict.fromkeys(by_language, 0))
    joined: dict[Pair, list[Example]] = {}
    for pair, asked in cells.items():
        joined[pair] = []
        for example in asked:
            others = [of_id[example.id] for of_id in by_language.values() if example.id in of_id]
            present.update(other.context_language for other in others)
            joined[pair].append(replace(example, others=tuple(others)))
    return Together(joined, present, questions)
