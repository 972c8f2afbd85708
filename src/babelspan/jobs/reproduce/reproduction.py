"""A reproduction: which rows of a paper's table to make, from which data, in which folder.

All results stay in that folder, and existing ones are not made again:
`translated/<languages>/<strategy>` from `babelspan translate`, `runs/<row>/seed-<n>` from
`babelspan train`, `stages/<row>/<set>/seed-<n>` with the earlier stages of a row that trains on
sets in turn, `exported/<row>/seed-<n>`, `answers/<test>/<row>/seed-<n>` from
`babelspan evaluate --out`, `probes/<row>/seed-<n>.json`. For synthetic questions see `synthetic`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

from babelspan.data.folder import DataFile, describe, find, inside
from babelspan.data.texts import find_texts
from babelspan.jobs import evaluate as evaluate_job
from babelspan.jobs import train as train_job
from babelspan.jobs.reproduce.curves import slug
from babelspan.jobs.reproduce.papers import (
    START,
    Paper,
    Row,
    Scale,
    Settings,
    Test,
    filled,
    languages_of,
    settings_of,
)
from babelspan.readers import load_checkpoint
from babelspan.scoring.matrix import Pair
from babelspan.scoring.scorers import load_scorer
from babelspan.seams import Translator
from babelspan.translators import load_translator
from babelspan.types import ConfigError, DataError, Example


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Which rows of which paper to make, and from what.

    Attributes:
        paper: the paper.
        scale: the scale.
        rows: rows by key.
        data: the folder that the scale's paths are relative to.
        out: the folder of the reproduction.
        reader: the reader to start from.
        seeds: number of seeds, from 1.
        start: a reader that replaces the scale's first stage; None to train that stage.
        translator: translator for translations and pivots if the scale names none.
        translated: folder of existing translations; None to make them.
        settings: settings of all rows; they override those of the scale.
    """

    paper: Paper
    scale: Scale
    rows: dict[str, Row]
    data: Path
    out: Path
    reader: str
    seeds: int
    start: str | None = None
    translator: str | None = None
    translated: Path | None = None
    settings: Settings = ()

    @property
    def train(self) -> Path:
        """The file of the source examples."""
        return self.data / self.scale.train

    def sources_of(self, row: Row) -> list[Path]:
        """Return the files of source examples that a row is trained on."""
        files = [self.train, *(self.data / path for path in self.scale.more)]
        return [file for file in files if describe(file).split not in row.leaves_out]

    def own_files_of(self, row: Row) -> list[Path]:
        """Return the files that a row names itself, and those in folders that it names.

        Raises:
            DataError: if a folder holds no data files, or several splits.
        """
        named = [self.data / filled(path, self.scale, self.data) for path in row.train]
        return [file.path for file in find(named)]

    @property
    def translations(self) -> Path:
        """The folder with the translations."""
        return self.translated or self.out / "translated"

    @property
    def has_first_stage(self) -> bool:
        """Whether to train a first stage for each seed."""
        return self.scale.start is not None and self.start is None

    def starts_from(self, seed: int, row: Row) -> str:
        """Return the reader that a row starts from with a seed."""
        if row.reader:
            return filled(row.reader, self.scale, self.data)
        if self.has_first_stage:
            return str(self.run_folder(START, seed))
        return self.start or self.reader

    def trained_as(self, key: str) -> str:
        """Return the key of the row whose reader a row is measured with: its pivot's or its own."""
        return (self.rows[key].pivot if key in self.rows else "") or key

    @property
    def pivot_name(self) -> str | None:
        """Name of the translator of rows with a pivot; None without such rows, or without one."""
        if not any(row.pivot for row in self.rows.values()):
            return None
        return self.scale.pivot.replace("{data}", str(self.data)) or self.translator

    def pivot(self) -> Translator:
        """Return the translator of rows with a pivot.

        Raises:
            ConfigError: if there is none; also raises as `load_translator`.
        """
        named = self.pivot_name
        if named is None:
            raise ConfigError(
                "a row with a pivot needs a translator and the scale names none; give one with "
                "--translator, or choose other --rows"
            )
        return load_translator(named)

    def run_folder(self, key: str, seed: int) -> Path:
        """Return the folder of a row's run and of its trained reader."""
        return self.out / "runs" / key / f"seed-{seed}"

    def exported_folder(self, key: str, seed: int) -> Path:
        """Return the folder of a row's int8 reader."""
        return self.out / "exported" / key / f"seed-{seed}"

    def answers_folder(self, test: Test, key: str) -> Path:
        """Return the folder of a row's answers to a test; it has a folder for each seed."""
        return self.out / "answers" / slug(test.name) / key

    def asked_folder(self, test: Test, kind: str) -> Path:
        """Return the folder of a generator's questions about a test; one folder for each seed."""
        return self.out / "asked" / slug(test.name) / kind

    def probe_file(self, key: str, seed: int) -> Path:
        """Return the file with the probe of a row's vectors."""
        return self.out / "probes" / key / f"seed-{seed}.json"

    def files_of(self, test: Test) -> list[DataFile]:
        """Return the files of a test; raises as `data.folder.find`."""
        return find([self.data / path for path in test.data], split=test.split)

    def cells_of(self, test: Test) -> dict[Pair, list[Example]]:
        """Return the questions of a test by language pair; raises as `evaluate_job.load_cells`."""
        return evaluate_job.load_cells(
            self.files_of(test), crossed=test.crossed, sample=test.sample, keep_misplaced=True
        )

    def learns_from(self, row: Row) -> tuple[Path, ...]:
        """Return the training files of a row: source examples, then each strategy in each language.

        Raises:
            DataError: if a translation is missing.
        """
        return self._with_translations(row, self.own_files_of(row) or self.sources_of(row))

    def stages_of(self, row: Row, key: str, seed: int) -> list[tuple[tuple[Path, ...], Path]]:
        """Return the files and folder of each training stage of a row; the last is the run's.

        Raises as `learns_from`.
        """
        sources = self.sources_of(row)
        together = self.own_files_of(row) or sources
        stages = [[source] for source in sources] if row.in_turn else [together]
        folders = [
            self.out / "stages" / key / describe(source).split / f"seed-{seed}"
            for source, *_ in stages[:-1]
        ]
        return [
            (self._with_translations(row, stage), folder)
            for stage, folder in zip(stages, [*folders, self.run_folder(key, seed)], strict=True)
        ]

    def _with_translations(self, row: Row, sources: Sequence[Path]) -> tuple[Path, ...]:
        """Return source files, followed by their translations per strategy and language."""
        files = [*sources]
        for source in self.sources_of(row) if row.train else sources:
            for strategy, language in product(row.strategies, languages_of(row, self.scale)):
                question = language if "q" in strategy else self.scale.source
                context = language if "c" in strategy else self.scale.source
                files += self._translations_of(describe(source).split, question, context)
        return tuple(files)

    def members_of(self, test: Test, languages: Collection[str]) -> list[DataFile]:
        """Return the translations of a test in some languages; raises as `find`."""
        files = find([self.data / path for path in test.members], split=test.split)
        return [file for file in files if file.context_language in languages]

    @cached_property
    def _translation_files(self) -> list[DataFile]:
        return inside(self.translations)

    def _translations_of(self, split: str, question: str, context: str) -> list[Path]:
        """Return the parts of a set's translation into these question and context languages."""
        files = [
            file
            for file in self._translation_files
            if (file.split, file.question_language, file.context_language)
            == (split, question, context)
        ]
        if len({file.whole for file in files}) > 1:
            raise DataError(
                f"expected one set of translations with questions in {question!r} and contexts "
                f"in {context!r}, found {', '.join(sorted(str(file.whole) for file in files))}; "
                "remove outdated ones"
            )
        if not files:
            raise DataError(
                f"{self.translations}: expected translations with questions in {question!r} and "
                f"contexts in {context!r}, found none; make them with babelspan translate, or "
                "choose other --rows"
            )
        return [file.path for file in files]


def check_inputs(reproduction: Reproduction) -> None:
    """Check settings, data, tests and reader before slow work starts.

    Raises:
        DataError: if data or the reader are missing, or cannot be measured on.
        ConfigError: if a setting or scorer is unknown, or probes need a test that is not
            crossed.
    """
    scale = reproduction.scale
    stages = [
        (row.method, settings_of(key, row, scale, reproduction.settings))
        for key, row in reproduction.rows.items()
    ]
    for method, settings in [*stages, ("fine_tune", scale.start or ())]:
        if any(setting.startswith(("seed=", "run.seed=")) for setting in settings):
            raise ConfigError("expected no seed among the settings, found one; use --seeds")
        train_job.resolve(method, settings=settings)
    if scale.probe and not scale.tests[0].crossed:
        raise ConfigError(f"probes need a crossed test, but {scale.tests[0].name!r} is not crossed")
    targets = [reproduction.data / scale.target] if scale.target else []
    own = [file for row in reproduction.rows.values() for file in reproduction.own_files_of(row)]
    for file in (*reproduction.sources_of(Row(name="all")), *targets, *own):
        if not file.is_file():
            raise DataError(
                f"{file}: expected the source examples, found no such file; give the folder with "
                "--data"
            )
    if any(row.generator != "none" for row in reproduction.rows.values()):
        _check_synthesis(reproduction)
    _check_pivots(reproduction)
    for test in scale.tests:
        load_scorer(test.scorer)
        reproduction.cells_of(test)
        for member in find([reproduction.data / path for path in test.members], split=test.split):
            member.load(keep_misplaced=True)
    _check_readers(reproduction)


def _check_readers(reproduction: Reproduction) -> None:
    rows = [row for row in reproduction.rows.values() if not row.pivot]
    readers = {reproduction.starts_from(1, row) for row in rows if row.reader}
    if not all(row.reader for row in rows):
        readers.add(reproduction.start or reproduction.reader)
    for reader in sorted(readers):
        load_checkpoint(reader, gives_new_head=True)


def _check_pivots(reproduction: Reproduction) -> None:
    """Check that rows with a pivot have a reader and a translator; raises as `check_inputs`."""
    pivots = {key: row.pivot for key, row in reproduction.rows.items() if row.pivot}
    for key, trained in pivots.items():
        if trained not in reproduction.rows:
            raise ConfigError(
                f"row {key!r} is measured with the reader of {trained!r}; add that row to --rows"
            )
    if pivots:
        reproduction.pivot()


def _check_synthesis(reproduction: Reproduction) -> None:
    """Check the settings of synthetic questions; raises as `check_inputs`."""
    synthesis = reproduction.scale.synthesis
    if synthesis is None:
        raise ConfigError("rows with synthetic questions need a table [synthesis] in the scale")
    find_texts([reproduction.data / path for path in synthesis.texts])
    for method, settings in (
        ("question_generation", synthesis.generator),
        ("fine_tune", synthesis.first),
    ):
        train_job.resolve(method, settings=settings)
