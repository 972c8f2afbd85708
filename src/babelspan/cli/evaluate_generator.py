"""`babelspan evaluate GENERATOR`: the q/c matrices of a question generator."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.data.folder import DataFile
    from babelspan.jobs.answer import ReaderSpec
    from babelspan.jobs.evaluate_questions import Asking
    from babelspan.jobs.shards import Crew
    from babelspan.reports.question_evaluation import QuestionEvaluation
    from babelspan.scoring.figures import Scorer
    from babelspan.scoring.matrix import Pair
    from babelspan.types import Example


class Kept(NamedTuple):
    """Sample size and outputs; see `cli.evaluate`."""

    sample: int | None
    out: Path | None
    reports: Sequence[Path]
    as_json: bool


class Asked(NamedTuple):
    """The options that apply to generators only; see `cli.evaluate`."""

    round_trip: str | None
    decode: str
    no_repeat: int
    tokenize: str
    lowercase: bool

    def is_of(self, spec: "ReaderSpec", others: Mapping[str, object]) -> bool:
        """Return whether the thing to measure is a generator.

        Args:
            spec: the reader or generator.
            others: further options that apply to readers only.

        Raises:
            ConfigError: if an option for readers is given with a generator, or the reverse.
        """
        from babelspan.generators import is_generator

        if not is_generator(spec.reader):
            options = ("--round-trip", "--decode", "--no-repeat", "--tokenize", "--lowercase")
            given = zip(options, self, _DEFAULTS, strict=True)
            if option := next((o for o, value, default in given if value != default), None):
                raise ConfigError(
                    f"{option} is for question generators, but {spec.reader} is a reader"
                )
            return False
        of_readers = {
            "--pivot": spec.pivot,
            "--also": spec.also,
            "--translator": spec.translator,
            "--cache": spec.cache,
            **others,
        }
        if option := next((o for o, value in of_readers.items() if value), None):
            raise ConfigError(f"{option} is for readers, but {spec.reader} is a question generator")
        return True

    def asking(self, spec: "ReaderSpec", scorer: "Scorer") -> "Asking":
        """Return what to measure and how.

        Args:
            spec: names the generator and the threads of each worker.
            scorer: of answers to its questions.

        Raises:
            ConfigError: if the tokenizer or the decoding method is unknown.
        """
        from babelspan.config import nearest
        from babelspan.jobs.evaluate_questions import Asking, Writing
        from babelspan.networks.decoding import Decode
        from babelspan.scoring.questions import TOKENIZERS, Measure

        if self.tokenize not in TOKENIZERS:
            known = nearest(self.tokenize, TOKENIZERS)
            raise ConfigError(f"--tokenize: unknown {self.tokenize!r}{known}")
        Decode.of(self.decode)
        return Asking(
            writing=Writing(
                generator=spec.reader,
                decode=self.decode,
                no_repeat=self.no_repeat,
                threads=spec.threads,
            ),
            reader=self.round_trip,
            scorer=scorer,
            measure=Measure(tokenize=self.tokenize, lowercase=self.lowercase),
        )


_DEFAULTS = Asked(None, "greedy", 0, "words", False)


def carry_out(
    asking: "Asking",
    files: "Sequence[DataFile]",
    cells: "Mapping[Pair, Sequence[Example]]",
    kept: Kept,
    crew: "Crew",
) -> None:
    """Measure a generator, print its figures and write its reports."""
    from babelspan.data.files import write_json
    from babelspan.jobs.evaluate_questions import evaluate
    from babelspan.reports.kinds import write_report

    evaluation = evaluate(asking, files, cells, sample=kept.sample, keep=kept.out, crew=crew)
    _show(evaluation, kept.as_json)
    if kept.out is not None:
        write_json(kept.out / "questions.json", evaluation.to_json())
    for path in kept.reports:
        write_report(path, evaluation)


def _show(evaluation: "QuestionEvaluation", as_json: bool) -> None:
    from rich.console import Console

    from babelspan.reports.terminal import show
    from babelspan.reports.wording import percent, title_of

    if as_json:
        print(json.dumps(evaluation.to_json(), indent=1))
        return
    console = Console(highlight=False)
    matrices = [m for m in evaluation.metrics if m in ("bleu", "chrf", "right_language", "read_f1")]
    for metric in matrices:
        show(evaluation.grid, metric, console)
    for metric in evaluation.metrics:
        if metric not in matrices:
            print(
                f"{title_of(metric)}, mean over all pairs: {percent(evaluation.grid.g_xlt(metric))}"
            )
    found = evaluation.grid.cells.values()
    words = sum(f.question_words for f in found) / len(found)
    people = sum(f.gold_words for f in found) / len(found)
    print(f"Words per question: {words:.1f}; human questions: {people:.1f}")
    if missing := sum(f.missing for f in found):
        print(f"Questions that could not be generated: {missing}")
    if evaluation.recognised is not None:
        print(f"Human questions whose language was recognised: {percent(evaluation.recognised)}")
    print(evaluation.signature)
