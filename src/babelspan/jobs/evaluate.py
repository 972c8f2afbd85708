"""Evaluation of a reader: the q/c matrix, saved cell by cell.

With an output folder, predictions are written shard by shard (`jobs.shards`), and a file for each
language pair as soon as it is complete.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from babelspan.data.files import checksum, read_json, write_json
from babelspan.data.folder import SHARDS, DataFile, chosen, cross
from babelspan.data.predictions import RECORD, load_null_odds, load_predictions
from babelspan.data.squad import refuse_repeated_ids
from babelspan.jobs.answer import (
    Answering,
    AnswerWork,
    Given,
    ReaderSpec,
    in_shards,
    probabilities_of,
    refuse_long_questions,
    save,
    tell_of_translations,
)
from babelspan.jobs.shards import ALONE, Crew, carry_out, claimed, is_finished, record_of
from babelspan.readers import shortened
from babelspan.reports.evaluation import Evaluation
from babelspan.scoring.figures import Scorer, figures, signature
from babelspan.scoring.matrix import Matrix, Pair
from babelspan.types import ConfigError, DataError, Example
from babelspan.version import VERSION


class Measured(NamedTuple):
    """Answers by language pair and question id, and the figures.

    Probabilities exist only for a calibrated reader, and only for answers that have one.
    """

    matrix: Matrix
    predictions: dict[Pair, dict[str, str]]
    probabilities: dict[Pair, dict[str, float]]


def load_cells(
    files: Sequence[DataFile],
    *,
    crossed: bool = False,
    sample: int | None = None,
    keep_misplaced: bool = False,
) -> dict[Pair, list[Example]]:
    """Return the examples of each language pair.

    Args:
        files: one per language pair or, if crossed, one per language.
        crossed: whether to combine questions of every language with contexts of every language.
        sample: number of questions per language pair, the same ids in all; None for all.
        keep_misplaced: as in `load_squad`.

    Raises:
        DataError: if two files have the same language pair, an id occurs twice in a file, or the
            sets to cross are not parallel.
    """
    whole: dict[Pair, Path] = {}
    read: dict[Pair, list[Example]] = {}
    for file in files:
        pair = file.question_language, file.context_language
        if whole.setdefault(pair, file.whole) != file.whole:
            raise DataError(
                f"{file.path}: this is a second file with questions in {pair[0]!r} and contexts "
                f"in {pair[1]!r}; evaluate one data set and one split at a time"
            )
        read.setdefault(pair, []).extend(file.load(keep_misplaced=keep_misplaced))
        refuse_repeated_ids(read[pair], file.path)
    cells = {pair: sampled(examples, sample) for pair, examples in read.items()}
    if not crossed:
        return cells
    for question, context in cells:
        if question != context:
            raise DataError(
                "--cross needs files with question and context in one language, found questions "
                f"in {question!r} and contexts in {context!r}; leave out --cross, or that file"
            )
    return cross({context: examples for (_, context), examples in cells.items()})


def sampled(examples: Sequence[Example], count: int | None) -> list[Example]:
    """Return `count` of the examples, in order; all of them for None.

    They are chosen as `data.folder.chosen` does.
    """
    if count is None:
        return list(examples)
    kept = chosen([e.id for e in examples], count)
    return [e for e in examples if e.id in kept]


def measure(
    answering: Answering,
    cells: Mapping[Pair, Sequence[Example]],
    scorer: Scorer,
    *,
    keep: Path | None = None,
    depends_on: Mapping[str, Any] | None = None,
    crew: Crew = ALONE,
) -> Measured:
    """Answer the questions of every language pair and score the answers.

    Args:
        answering: the reader to measure; with several workers, each loads its own.
        cells: examples by language pair.
        scorer: a module of `babelspan.scoring.scorers`.
        keep: folder for the predictions, one file per language pair; existing files and finished
            shards are not recomputed. None to save nothing.
        depends_on: everything that the predictions depend on (reader, data).
        crew: the workers.

    Raises:
        ConfigError: if `keep` holds predictions that depend on something else, or the scorer
            requires readers that may give no answer, and this one may not.
        DataError: if saved predictions are broken or lack an answer; or as `figures`.
    """
    _refuse_one_sided(scorer, answering)
    for examples in cells.values():
        empty = dict.fromkeys((e.id for e in examples), "")
        figures(examples, empty, scorer)  # find out now whether scoring will fail
    with ExitStack() as held:
        if keep is not None:
            whole = {
                **(depends_on or {}),
                "no_answer": answering.allows_no_answer,
                "babelspan": VERSION,
            }
            held.enter_context(claimed(keep / RECORD, whole))
        given = _answers(answering, cells, keep, crew)
    found = {pair: figures(of, given[pair].texts, scorer) for pair, of in cells.items()}
    return Measured(
        Matrix(found),
        {pair: of_pair.texts for pair, of_pair in given.items()},
        {pair: of_pair.probabilities for pair, of_pair in given.items()},
    )


def evaluate(
    spec: ReaderSpec,
    files: Sequence[DataFile],
    cells: Mapping[Pair, Sequence[Example]],
    scorer: Scorer,
    *,
    sample: int | None = None,
    allows_no_answer: bool = False,
    keep: Path | None = None,
    crew: Crew = ALONE,
    beside: Sequence[DataFile] = (),
    only: str | None = None,
) -> Evaluation:
    """Measure a reader by name; `cells` come from `files`; other arguments and errors as `measure`.

    `cells` already include the questions from the files `beside`, and only questions whose ids
    have the digest `only`.

    Raises:
        DataError: also if a question leaves no room for its context.
    """
    name, spec = spec.reader, spec.absolute()
    try:
        identity = spec.identity()
        refuse_long_questions(spec.load(), (e for of_pair in cells.values() for e in of_pair))
        if crew.is_elsewhere:
            spec.unload()
        matrix, predictions, probabilities = measure(
            Answering(spec.load, allows_no_answer),
            cells,
            scorer,
            keep=keep,
            depends_on={
                **identity_of(identity["reader"], files, sample=sample, beside=beside, only=only),
                **identity,
            },
            crew=crew,
        )
        if not crew.is_elsewhere:
            tell_of_translations(spec.load())
    finally:
        spec.unload()
    line = signature_of(
        matrix,
        files,
        scorer,
        sample=sample,
        reader=shortened(identity["reader"]),
        allows_no_answer=allows_no_answer,
        beside=[*identity_of_files(beside), *filter(None, [identity.get("beside")])],
        only=only,
    )
    return Evaluation(
        reader=name,
        scorer=scorer.NAME,
        signature=line,
        cells=cells,
        predictions=predictions,
        matrix=matrix,
        probabilities=probabilities,
    )


def identity_of(
    reader: str,
    files: Sequence[DataFile],
    *,
    sample: int | None = None,
    beside: Sequence[DataFile] = (),
    only: str | None = None,
) -> dict[str, Any]:
    """Return everything that saved predictions depend on: the reader's identity, the data."""
    return {
        "reader": reader,
        "data": sorted(f"{f.path.name}:{checksum(f.path)}" for f in files),
        "sample": sample,
        **({"beside_files": identity_of_files(beside)} if beside else {}),
        **({"only": only} if only is not None else {}),
    }


def identity_of_files(files: Sequence[DataFile]) -> list[str]:
    """Return language and content hash of further files, sorted."""
    return sorted(f"{f.context_language}:{checksum(f.path)}" for f in files)


def signature_of(
    matrix: Matrix,
    files: Sequence[DataFile],
    scorer: Scorer,
    *,
    sample: int | None = None,
    reader: str | None = None,
    allows_no_answer: bool = False,
    beside: Sequence[str] = (),
    only: str | None = None,
) -> str:
    """Return the signature of a matrix measured on files.

    Args:
        matrix: the figures.
        files: the files of the questions.
        scorer: a module of `babelspan.scoring.scorers`.
        sample: as in `load_cells`.
        reader: short form, as from `readers.shortened`; None for figures of several.
        allows_no_answer: whether the reader may answer that there is no answer.
        beside: what was read in addition to the texts.
        only: digest of the ids that were asked; None for all.
    """
    line = signature(
        scorer,
        questions=sum(f.questions for f in matrix.cells.values()),
        data=[f"{f.question_language}-{f.context_language}:{checksum(f.path)}" for f in files],
        version=VERSION,
    )
    if sample is not None:
        line += f"|sample:{sample}"
    if only is not None:
        line += f"|only:sha256:{only[:12]}"
    if allows_no_answer:
        line += "|may-say-no-answer:yes"
    if beside:
        digest = sha256("\n".join(beside).encode()).hexdigest()
        line += f"|beside:sha256:{digest[:12]}"
    return line if reader is None else f"{line}|reader:{reader}"


def _refuse_one_sided(scorer: Scorer, answering: Answering) -> None:
    if getattr(scorer, "HAS_UNANSWERABLE", False) and not answering.allows_no_answer:
        raise ConfigError(
            f"the scorer {scorer.NAME!r} expects readers that may give no answer; add --no-answer, "
            "or choose another scorer"
        )


class _Shard(NamedTuple):
    """Some questions of a language pair; shards are numbered over all pairs."""

    number: int
    pair: Pair
    examples: list[Example]


def _answers(
    answering: Answering,
    cells: Mapping[Pair, Sequence[Example]],
    keep: Path | None,
    crew: Crew,
) -> dict[Pair, Given]:
    """Return the answers of each pair, in the order of its examples; reuse what is saved."""
    found = {} if keep is None else _kept(keep, cells)
    shards = [shard for shard in _shards(cells) if shard.pair not in found]
    made = {} if keep is None else _kept_shards(keep, cells, shards)
    missing = [shard for shard in shards if shard.number not in made]
    done = carry_out(
        AnswerWork(answering, keep and keep.absolute()),
        ((shard.number, shard.examples) for shard in missing),
        count=len(missing),
        crew=crew,
    )

    def answered() -> Iterator[str]:
        """Yield the id of each question as it is answered; save a pair when it is complete."""
        for pair in cells:
            finish(pair)
        for number, given in done:
            made[number] = given
            finish(next(shard.pair for shard in missing if shard.number == number))
            yield from given.texts

    def finish(pair: Pair) -> None:
        of_pair = [shard.number for shard in shards if shard.pair == pair]
        if of_pair and all(number in made for number in of_pair):
            found[pair] = Given(
                {i: text for n in of_pair for i, text in made[n].texts.items()},
                {i: said for n in of_pair for i, said in made[n].probabilities.items()},
            )
            if keep is not None:
                save(_file(keep, pair), found[pair])

    for _ in crew.watch(answered(), "questions", sum(len(s.examples) for s in missing)):
        pass
    if keep is not None:
        shutil.rmtree(keep / SHARDS, ignore_errors=True)
    return {pair: found[pair] for pair in cells}


def _shards(cells: Mapping[Pair, Sequence[Example]]) -> list[_Shard]:
    of_all = ((pair, some) for pair, examples in cells.items() for some in in_shards(examples))
    return [_Shard(number, pair, some) for number, (pair, some) in enumerate(of_all)]


def _file(keep: Path, pair: Pair) -> Path:
    return keep / f"{pair[0]}-{pair[1]}.json"


def _kept(keep: Path, cells: Mapping[Pair, Sequence[Example]]) -> dict[Pair, Given]:
    """Return the answers of completed pairs."""
    files = {pair: _file(keep, pair) for pair in cells}
    return {pair: _complete(path, cells[pair]) for pair, path in files.items() if path.exists()}


def _kept_shards(
    keep: Path, cells: Mapping[Pair, Sequence[Example]], shards: Sequence[_Shard]
) -> dict[int, Given]:
    """Return the answers of finished shards; none if they were numbered over other pairs."""
    numbered = keep / SHARDS / "pairs.json"
    pairs = [[*pair, len(examples)] for pair, examples in cells.items()]
    if not numbered.exists() or read_json(numbered) != pairs:
        shutil.rmtree(numbered.parent, ignore_errors=True)
        write_json(numbered, pairs)
    return {
        shard.number: _complete(record_of(keep, shard.number), shard.examples)
        for shard in shards
        if is_finished(keep, shard.number)
    }


def _complete(path: Path, examples: Sequence[Example]) -> Given:
    """Load the saved answers of a file and check that there is one for each question."""
    remedy = "remove the file and rerun the same command to make it again"
    said = probabilities_of(path)
    try:
        found = load_predictions(path)
        probabilities = load_null_odds(said) if said.exists() else {}
    except DataError as error:
        raise DataError(f"{error}; {remedy}") from None
    missing = next((e.id for e in examples if e.id not in found), None)
    if missing is not None:
        raise DataError(
            f"{path}: expected an answer to each of {len(examples)} questions, found none for "
            f"{missing!r}; {remedy}"
        )
    return Given(found, probabilities)
