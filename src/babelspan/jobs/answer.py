"""Questions answered in shards, for `predict` and `evaluate`.

A shard is a run of questions in order, of a fixed size, so that the windows a reader sees together
depend on the data alone. Its record is {id: text}; if the reader is calibrated, a second file has
the probabilities, {id: number}.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from babelspan.augment.cache import Cached
from babelspan.data.files import write_json
from babelspan.data.predictions import save_predictions
from babelspan.jobs.shards import cut, record_of
from babelspan.readers import DEFAULT, calibration_of, checksum_of, folder_of, load_answerer
from babelspan.reading.answerer import Answerer
from babelspan.reading.beside import Beside
from babelspan.reading.pivot import Pivot
from babelspan.translators import load_translator
from babelspan.types import ConfigError, Example

QUESTIONS_IN_A_SHARD = 256

Answers = Answerer | Pivot | Beside
"""What answers questions: a reader alone, via a pivot language, or with translations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSpec:
    """A reader by name, for processes that load it.

    Attributes:
        reader: as in `babelspan.readers`.
        pivot: translator, to answer via another language; None to answer directly.
        pivot_language: language to answer in.
        also: languages of the translations to read together with a text.
        translator: translator for `also`; None if there are none.
        cache: folder to cache translations in; None for no cache.
        threads: threads per process; 0 for all cores.
    """

    reader: str
    pivot: str | None = None
    pivot_language: str = "en"
    also: tuple[str, ...] = ()
    translator: str | None = None
    cache: Path | None = None
    threads: int = 0

    def __post_init__(self) -> None:
        check_also(self.also, self.translator, self.pivot)

    def absolute(self) -> "ReaderSpec":
        """Return the same reader with absolute paths, for processes with another working folder."""
        spec = replace(self, cache=self.cache and self.cache.absolute())
        folder = folder_of(self.reader)
        if self.reader == DEFAULT or not folder.is_dir():
            return spec
        return replace(spec, reader=str(folder.resolve()))

    def load(self) -> Answers:
        """Return the answerer; the last one is kept until `unload`."""
        return _loaded(self)

    def unload(self) -> None:
        """Release the answerer at the end of a job, or when other processes load their own."""
        _loaded.cache_clear()

    def identity(self) -> dict[str, Any]:
        """Return everything that answers and probabilities depend on; loads the reader."""
        answerer = self.load()
        found: dict[str, Any] = {"reader": checksum_of(self.reader)}
        if isinstance(answerer, Pivot | Beside):
            found["pivot" if isinstance(answerer, Pivot) else "beside"] = answerer.identity
        if curve := calibration_of(self.reader):
            found["calibration"] = [curve.slope, curve.offset]
        return found


@dataclass(frozen=True, slots=True)
class Answering:
    """A reader, and whether it may answer that there is no answer."""

    load: Callable[[], Answers]
    allows_no_answer: bool = False


class Given(NamedTuple):
    """Answers by id, and the probability of each that has one."""

    texts: dict[str, str]
    probabilities: dict[str, float]


def probabilities_of(path: Path) -> Path:
    """Return the file of probabilities that belongs to a file of answers."""
    return path.with_name(f"{path.stem}.probabilities.json")


@dataclass(frozen=True, slots=True)
class AnswerWork:
    """Shards of questions to answer (see `jobs.shards.Work`); folder None keeps no records."""

    answering: Answering
    folder: Path | None

    def start(self) -> Callable[[int, Sequence[Example]], Given]:
        """Load the reader; return a function that answers a shard and saves its record."""
        answerer = self.answering.load()

        def make(shard: int, examples: Sequence[Example]) -> Given:
            given = Given({}, {})
            allows = self.answering.allows_no_answer
            for answer in answerer.predict(examples, allows_no_answer=allows):
                given.texts[answer.id] = answer.text
                if answer.probability is not None:
                    given.probabilities[answer.id] = answer.probability
            if self.folder is not None:
                save(record_of(self.folder, shard), given)
            return given

        return make


def save(path: Path, given: Given) -> None:
    """Write answers to a file; write their probabilities, if any, to a second file first."""
    if given.probabilities:
        write_json(probabilities_of(path), given.probabilities)
    save_predictions(path, given.texts)


def check_also(also: Sequence[str], translator: str | None, pivot: str | None) -> None:
    """Check that --also has a translator and no pivot.

    Raises:
        ConfigError: if not.
    """
    if bool(also) != (translator is not None):
        given, lacking = ("--also", "--translator") if also else ("--translator", "--also")
        raise ConfigError(f"{given} needs {lacking}; give both or neither")
    if also and pivot is not None:
        raise ConfigError("--also and --pivot cannot be used together; choose one")


def tell_of_translations(answerer: Answers) -> None:
    """Print on standard error how much was translated for --also, if anything was."""
    if isinstance(answerer, Beside):
        print(answerer.summary(), file=sys.stderr)


def in_shards(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Yield the questions of each shard, in order."""
    return cut(examples, QUESTIONS_IN_A_SHARD)


def refuse_long_questions(answerer: Answers, examples: Iterable[Example]) -> None:
    """Check that all questions leave room for their contexts, before anything is read.

    Questions that are translated first are not checked.

    Raises:
        DataError: if one does not; the message names the first.
    """
    if isinstance(answerer, Answerer):
        for example in examples:
            bare = replace(example, context="", others=())
            list(answerer.engine.windows([bare], answerer.limits))


@lru_cache(maxsize=1)
def _loaded(spec: ReaderSpec) -> Answers:
    answerer = load_answerer(spec.reader, workers=spec.threads)
    if spec.threads and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(spec.threads)
    if spec.translator is not None:
        translator = Cached(load_translator(spec.translator), spec.cache)
        return Beside(answerer, translator, spec.also)
    if spec.pivot is None:
        return answerer
    return Pivot(
        answerer,
        load_translator(spec.pivot),
        language=spec.pivot_language,
    )
