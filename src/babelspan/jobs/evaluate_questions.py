"""Evaluation of a generator of questions: it asks about people's answers, cell by cell.

Kept questions are written when a pair of languages is whole, so that a job goes on after it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from babelspan.data.files import checksum
from babelspan.data.folder import DataFile
from babelspan.data.predictions import RECORD, load_predictions, save_predictions
from babelspan.generators import QuestionWriter, languages_of, load_generator
from babelspan.jobs.shards import ALONE, Crew, carry_out, claimed, cut
from babelspan.readers import checksum_of, device, load_answerer, shortened
from babelspan.reading.answerer import Answerer
from babelspan.reports.question_evaluation import QuestionEvaluation
from babelspan.scoring.figures import Scorer, figures
from babelspan.scoring.matrix import Grid, Pair
from babelspan.scoring.questions import Measure, QuestionFigures, question_figures
from babelspan.scoring.recognition import Recogniser
from babelspan.types import ConfigError, DataError, Example
from babelspan.version import VERSION

_AT_ONCE = 64
"""Questions that are written together; which ones may move the last bit of a score."""


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How a generator writes questions: work in shards of up to 64 examples of one pair.

    Attributes:
        generator: its folder.
        decode: decoding strategy, as in `Decode.of`.
        no_repeat: as in `Decode`.
        own_pieces: as in `QuestionWriter`.
        seed: of sampling.
        threads: of each worker; 0 for all cores.
    """

    generator: str
    decode: str = "greedy"
    no_repeat: int = 0
    own_pieces: bool = False
    seed: int = 1
    threads: int = 0

    def start(self) -> Callable[[int, Sequence[Example]], dict[str, str]]:
        """Load the generator; return what writes questions by id, "" where it could write none.

        Raises:
            ConfigError: for an unknown decoding strategy.
            DataError: if it is not a generator, or broken.
        """
        import torch

        from babelspan.networks.decoding import Decode

        if self.threads:
            torch.set_num_threads(self.threads)
        decode = Decode.of(self.decode, no_repeat=self.no_repeat, seed=self.seed)
        generator = load_generator(self.generator).to(device())
        writer = QuestionWriter(generator, decode, own_pieces=self.own_pieces)

        def write(_: int, examples: Sequence[Example]) -> dict[str, str]:
            return {
                example.id: "" if isinstance(written, str) else writer.text(written)
                for example, written in zip(examples, writer.write(examples), strict=True)
            }

        return write

    def depends_on(self) -> dict[str, Any]:
        """What the questions depend on, besides the data."""
        return {
            "generator": checksum_of(self.generator),
            "decode": self.decode,
            "no_repeat": self.no_repeat,
            "own_pieces": self.own_pieces,
            "seed": self.seed,
        }


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How a generator is measured.

    Attributes:
        writing: how it writes questions.
        reader: answers the questions; None for no round trip.
        scorer: of its answers.
        measure: how questions are compared.
    """

    writing: Writing
    reader: str | None = None
    scorer: Scorer
    measure: Measure


def evaluate(
    asking: Asking,
    files: Sequence[DataFile],
    cells: Mapping[Pair, Sequence[Example]],
    *,
    sample: int | None = None,
    keep: Path | None = None,
    crew: Crew = ALONE,
) -> QuestionEvaluation:
    """Write a question about the first answer of each example, and compare it with people's.

    Args:
        asking: what is measured, and how.
        files: that the examples are from.
        cells: examples by pair.
        sample: as in `jobs.evaluate.load_cells`.
        keep: folder for the questions, one file for each pair; those that are there are not
            written again. None to keep nothing.
        crew: who writes the questions.

    Raises:
        ConfigError: if `keep` holds something else, the generator does not write in a language, or
            sacrebleu is missing.
        DataError: if examples have no question or no answer in its place, or kept questions are
            broken.
    """
    signature = asking.measure.signature()  # which sees that sacrebleu is there
    _check(asking, cells)
    data = sorted(f"{f.path.name}:{checksum(f.path)}" for f in files)
    depends_on = {
        **asking.writing.depends_on(),
        "data": data,
        "sample": sample,
        "babelspan": VERSION,
    }
    with ExitStack() as held:
        if keep is not None:
            held.enter_context(claimed(keep / RECORD, depends_on))
        questions = _questions(asking, cells, keep, crew)
    found = _figures(asking, cells, questions, crew)
    return QuestionEvaluation(
        generator=asking.writing.generator,
        signature=_signature(asking, signature, depends_on, sum(map(len, cells.values()))),
        cells=cells,
        questions=questions,
        grid=Grid(found),
        recognised=_recognised(cells),
    )


def _check(asking: Asking, cells: Mapping[Pair, Sequence[Example]]) -> None:
    """See that all can be written and compared, before anything slow begins."""
    known = languages_of(asking.writing.generator)
    for (question, context), examples in cells.items():
        if known is not None and question not in known:
            raise ConfigError(
                f"the generator writes no questions in {question!r}, only in {', '.join(known)}"
            )
        if not any(e.answers for e in examples):
            raise DataError(
                f"questions in {question!r} over {context!r}: expected answers to ask about, found "
                "none"
            )


def _questions(
    asking: Asking, cells: Mapping[Pair, Sequence[Example]], keep: Path | None, crew: Crew
) -> dict[Pair, dict[str, str]]:
    """The questions of each pair by id; an empty one where none could be written."""
    found: dict[Pair, dict[str, str]] = {}
    missing = []
    for pair, examples in cells.items():
        path = keep and _file(keep, pair)
        if path and path.exists():
            found[pair] = _kept(path, examples)
        else:
            missing.append(pair)
    made: defaultdict[Pair, dict[str, str]] = defaultdict(dict)
    for pair, identity, question in crew.watch(
        _written(asking.writing, [(pair, cells[pair]) for pair in missing], crew),
        "questions",
        sum(len(cells[pair]) for pair in missing),
    ):
        made[pair][identity] = question
        if len(made[pair]) == len(cells[pair]):
            found[pair] = {e.id: made[pair][e.id] for e in cells[pair]}
            if keep is not None:
                save_predictions(_file(keep, pair), found[pair])
    return {pair: found[pair] for pair in cells}


def _written(
    writing: Writing, cells: Sequence[tuple[Pair, Sequence[Example]]], crew: Crew
) -> Iterator[tuple[Pair, str, str]]:
    """Each pair, id and question, as shards are finished."""
    shards = [(pair, some) for pair, examples in cells for some in cut(examples, _AT_ONCE)]
    work = replace(writing, generator=str(Path(writing.generator).absolute()))
    inputs = enumerate(some for _, some in shards)
    for number, questions in carry_out(work, inputs, count=len(shards), crew=crew):
        for identity, question in questions.items():
            yield shards[number][0], identity, question


def _file(keep: Path, pair: Pair) -> Path:
    return keep / f"{pair[0]}-{pair[1]}.json"


def _kept(path: Path, examples: Sequence[Example]) -> dict[str, str]:
    found = load_predictions(path)
    if missing := [e.id for e in examples if e.id not in found]:
        raise DataError(
            f"{path}: expected a question for each of {len(examples)} answers, found none for "
            f"{missing[0]!r}; remove the file and rerun the same command to make it again"
        )
    return found


def _figures(
    asking: Asking,
    cells: Mapping[Pair, Sequence[Example]],
    questions: Mapping[Pair, Mapping[str, str]],
    crew: Crew,
) -> dict[Pair, QuestionFigures]:
    recogniser = Recogniser(_samples(cells))
    answerer = load_answerer(asking.reader) if asking.reader else None
    of_people: dict[Pair, float] = {}
    found = {}
    for pair, examples in crew.watch(list(cells.items()), "pairs of languages", len(cells)):
        texts = [questions[pair][e.id] for e in examples]
        asked = [replace(e, question=q) for e, q in zip(examples, texts, strict=True)]
        if answerer is not None:
            of_people[pair] = _read(answerer, examples, asking.scorer)
        found[pair] = question_figures(
            examples,
            texts,
            recogniser,
            asking.measure,
            missing=sum(not text for text in texts),
            read_f1=_read(answerer, asked, asking.scorer) if answerer else None,
            gold_read_f1=of_people.get(pair),
        )
    return found


def _read(answerer: Answerer, examples: Sequence[Example], scorer: Scorer) -> float:
    """F1 of a reader's answers to questions; an empty question counts as answered wrongly."""
    asked = [e for e in examples if e.question.strip()]
    answers = {p.id: p.text for p in answerer.predict(asked)}
    return figures(examples, {**dict.fromkeys((e.id for e in examples), ""), **answers}, scorer).f1


def _samples(
    cells: Mapping[Pair, Sequence[Example]], part: slice = slice(None)
) -> dict[str, list[str]]:
    """People's questions by language, each once."""
    samples: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for (language, _), examples in cells.items():
        samples[language].update(dict.fromkeys(e.question for e in examples))
    return {language: list(of_language)[part] for language, of_language in samples.items()}


def _recognised(cells: Mapping[Pair, Sequence[Example]]) -> float | None:
    """Share of people's questions whose language is told from the other half of them."""
    halves = [_samples(cells, slice(start, None, 2)) for start in (0, 1)]
    right = [
        Recogniser(halves[1 - number]).language_of(question) == language
        for number, half in enumerate(halves)
        for language, questions in half.items()
        for question in questions
    ]
    return sum(right) / len(right) if len(halves[0]) > 1 and all(halves[1].values()) else None


def _signature(asking: Asking, compared: str, depends_on: Mapping[str, Any], questions: int) -> str:
    writing, digest = asking.writing, shortened(str(depends_on["generator"]))
    line = f"{compared}||n:{questions}|decode:{writing.decode}|no-repeat:{writing.no_repeat}"
    if writing.own_pieces:
        line += "|own-pieces:yes"
    if writing.decode.startswith("sample"):
        line += f"|seed:{writing.seed}"
    if depends_on["sample"] is not None:
        line += f"|sample:{depends_on['sample']}"
    if asking.reader:
        read_by = shortened(checksum_of(asking.reader))
        line += f"|read-by:{read_by}|scorer:{asking.scorer.NAME}"
    files = "\n".join(depends_on["data"]).encode()
    line += f"|data:sha256:{sha256(files).hexdigest()[:12]}"
    return f"{line}|generator:{digest}|babelspan:{VERSION}"
