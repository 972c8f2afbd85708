"""The work behind the tables: sets of questions, aligned encoders, readers, answers.

All results stay in the folder of the reproduction, and existing ones are not made again: `sets`,
`versions`, `linked` (bitext with word links), `aligned/<row>/seed-<n>`, `runs/<row>/seed-<n>`, and
`answers/<row>/seed-<n>/<set>.jsonl`. Versions, links and answers are made again if what they were
made from has changed.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from babelspan.aligners import Options, load_aligner
from babelspan.data import bitext
from babelspan.data.files import checksum, read_json, write_json
from babelspan.jobs import align as align_job
from babelspan.jobs import train as train_job
from babelspan.jobs.article_sets import DEV, cut_sets, translate_questions, versions_of
from babelspan.jobs.corpora import Paths
from babelspan.jobs.predict_articles import PassageReaderSpec, predict_articles
from babelspan.jobs.reproduce.papers import Settings
from babelspan.jobs.reproduce.primary.papers import Paper, Row, Scale, Version
from babelspan.jobs.shards import ALONE, Crew, claimed
from babelspan.readers import checksum_of, load_checkpoint
from babelspan.translators import load_translator
from babelspan.types import ConfigError, DataError

TRAIN, TEST = "train", "test"


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
        translator: translator for questions if the scale names none.
        settings: settings of all readers; they override those of the scale.
    """

    paper: Paper
    scale: Scale
    rows: dict[str, Row]
    data: Path
    out: Path
    reader: str
    seeds: int
    translator: str | None = None
    settings: Settings = ()

    @property
    def sets(self) -> Path:
        """The folder of the sets."""
        return self.data / self.scale.sets if self.scale.sets else self.out / "sets"

    def set_of(self, split: str, pair: str) -> Path:
        """Return the file of questions of a pair such as `en-ar`, or of one language."""
        return self.sets / f"{split}.{pair}.jsonl.gz"

    def version_of(self, version: Version) -> Path:
        """Return the file of a version of the test's questions."""
        return self.out / "versions" / version.name / f"{TEST}.{version.context}.jsonl.gz"

    @property
    def versions(self) -> list[Version]:
        """The versions of the questions whose tables exist."""
        return [v for v in self.scale.versions if (self.data / v.questions).is_file()]

    def learns_from(self, row: Row) -> list[Path]:
        """Return the sets that a row is trained on."""
        pairs = [*self.scale.all_languages, *(self.scale.crossed if row.augmented else ())]
        return [self.set_of(TRAIN, pair) for pair in pairs]

    def measured(self) -> Iterator[tuple[str, Path]]:
        """Yield what each row answers: name of the answers, file of the questions."""
        for split in (TEST, DEV):
            for pair in self.scale.crossed:
                yield f"{split}.{pair}", self.set_of(split, pair)
        for code in self.scale.languages:
            yield f"{TEST}.{code}", self.set_of(TEST, code)
        for version in self.versions:
            pair = f"{version.question}-{version.context}"
            yield f"{version.name}.{pair}", self.version_of(version)

    def run_folder(self, key: str, seed: int) -> Path:
        """Return the folder of a row's reader."""
        return self.out / "runs" / key / f"seed-{seed}"

    def answers(self, key: str, seed: int, name: str) -> Path:
        """Return the file of a row's answers."""
        return self.out / "answers" / key / f"seed-{seed}" / f"{name}.jsonl"

    @cached_property
    def bitext(self) -> dict[str, list[Path]]:
        """Files of sentence pairs, by the language other than the source."""
        found: dict[str, list[Path]] = {}
        for path in sorted((self.data / self.scale.bitext).glob("*.tsv*")):
            if (named := bitext.named(path)) and named[1] == self.scale.source:
                found.setdefault(named[2], []).append(path)
        return found

    @property
    def aligner(self) -> str:
        """The name of the aligner; empty if the bitext has links."""
        return self.scale.aligner.replace("{data}", str(self.data))

    @cached_property
    def aligner_identity(self) -> str:
        """The identity of the aligner, whatever the bitext."""
        return load_aligner(self.aligner, Options(bitext=lambda: ())).identity

    def bitext_of(self, row: Row) -> list[Path]:
        """Return the files that a row is aligned on.

        Raises:
            DataError: if a language has none.
        """
        if row.aligned == "no":
            return []
        many = self.scale.many or tuple(self.bitext)
        languages = self.scale.languages if row.aligned == "own" else many
        missing = [code for code in languages if code not in self.bitext]
        if missing or not languages:
            raise DataError(
                f"{self.data / self.scale.bitext}: expected bitext of {self.scale.source!r} with "
                f"each of {len(languages)} languages, found none with {', '.join(missing) or 'any'}"
            )
        return [path for code in languages for path in self.bitext[code]]


def check_inputs(job: Reproduction) -> None:
    """Check settings, data and readers before slow work starts.

    Raises:
        ConfigError: if a setting is unknown, or a translator is needed and not given.
        DataError: if data or a reader is missing.
    """
    scale = job.scale
    for method, settings in (
        ("word_alignment", scale.align),
        ("passage_selection", (*scale.settings, *job.settings)),
    ):
        if any(setting.startswith(("seed=", "run.seed=")) for setting in settings):
            raise ConfigError("expected no setting of the seed, found one; use --seeds")
        train_job.resolve(method, settings=settings)
    for path in _needed(job):
        if not path.is_file():
            raise DataError(
                f"{path}: expected a file of the scale, found none; give the folder with --data"
            )
    for version in scale.versions:
        if version not in job.versions:
            print(
                f"{job.data / version.questions}: there is no such table; the questions "
                f"{version.name!r} on {version.context!r} are left out",
                file=sys.stderr,
            )
    for row in job.rows.values():
        job.bitext_of(row)
    for reader in {_start_of(job, row) for row in job.rows.values()}:
        load_checkpoint(reader, gives_new_head=True)


def _needed(job: Reproduction) -> list[Path]:
    """Return the files of articles.

    Raises:
        ConfigError: if questions have to be translated, and no translator is given.
    """
    scale = job.scale
    if scale.sets:
        crossed = [job.set_of(s, p) for s in (TRAIN, DEV, TEST) for p in scale.crossed]
        own = [job.set_of(s, c) for s in (TRAIN, TEST) for c in scale.all_languages]
        return [*crossed, *own]
    if not (scale.train and scale.test and (scale.translator or job.translator)):
        raise ConfigError(
            "questions have to be translated, but the scale has no articles or no translator: "
            "give a translator with --translator"
        )
    return [job.data / path for path in (*scale.train, *scale.test)]


def carry_out(job: Reproduction, *, crew: Crew = ALONE) -> None:
    """Make everything that is missing; the same call resumes. Raises what each job raises."""
    if not job.scale.sets:
        _make_sets(job)
    for version in job.versions:
        _write_version(job, version)
    for seed in range(1, job.seeds + 1):
        for key, row in job.rows.items():
            print(f"{key}, seed {seed}", file=sys.stderr)
            reader = str(_train(job, key, row, seed))
            trained = checksum_of(reader)
            for name, questions in job.measured():
                _answer(reader, trained, questions, job.answers(key, seed, name), crew)


def _make_sets(job: Reproduction) -> None:
    """Split the official files by language and translate their questions."""
    scale = job.scale
    named = scale.translator.replace("{data}", str(job.data)) or job.translator
    assert named is not None
    translator = load_translator(named)
    files = [job.data / path for path in (*scale.train, *scale.test)]
    depends_on = {
        "files": [checksum(path) for path in files],
        "languages": list(scale.all_languages),
        "dev": scale.dev,
        "translator": translator.identity,
    }
    with claimed(job.sets / "job.json", depends_on):
        for split, paths, dev in ((TRAIN, scale.train, scale.dev), (TEST, scale.test, 0.0)):
            if not all(job.set_of(split, code).exists() for code in scale.all_languages):
                inputs = [job.data / path for path in paths]
                cut_sets(inputs, job.sets, split=split, languages=scale.all_languages, dev=dev)
        for split in (TRAIN, DEV, TEST):
            for pair in scale.crossed:
                question, _, context = pair.partition("-")
                if not job.set_of(split, pair).exists():
                    own = job.set_of(split, context)
                    translate_questions(own, question, job.sets, translator=translator)


def _start_of(job: Reproduction, row: Row) -> str:
    if not row.reader:
        return job.reader
    named = job.scale.readers[row.reader]
    return str(job.data / named) if (job.data / named).is_dir() else named


def _train(job: Reproduction, key: str, row: Row, seed: int) -> Path:
    """Train a row's reader, aligned first if the row says so; return its folder."""
    reader = _start_of(job, row)
    if files := job.bitext_of(row):
        balance = [f"method.balance.exponent={row.exponent}"]
        if row.size:
            balance.append(f"method.balance.most={job.scale.sizes[row.size]}")
        plan = train_job.plan(
            method="word_alignment",
            reader=reader,
            data=Paths(bitext=tuple(str(_linked(job, path)) for path in files)),
            settings=[*job.scale.align, *balance, f"run.seed={seed}"],
        )
        aligned = job.out / "aligned" / key / f"seed-{seed}"
        train_job.carry_out(plan, aligned)
        reader = str(aligned)
    plan = train_job.plan(
        method="passage_selection",
        reader=reader,
        data=Paths(articles=tuple(map(str, job.learns_from(row)))),
        settings=[*job.scale.settings, *job.settings, f"run.seed={seed}"],
    )
    folder = job.run_folder(key, seed)
    train_job.carry_out(plan, folder)
    return folder


def _answer(reader: str, trained: str, questions: Path, out: Path, crew: Crew) -> None:
    """Answer questions with a reader, unless current answers exist."""
    made_from = {"reader": trained, "questions": checksum(questions)}
    spec = PassageReaderSpec(reader=reader)
    _make(out, made_from, lambda: predict_articles(spec, questions, out, crew=crew))


def _write_version(job: Reproduction, version: Version) -> None:
    """Write the test's articles with a version of their questions, unless current ones exist."""
    articles, table = job.set_of(TEST, version.context), job.data / version.questions
    made_from = {"articles": checksum(articles), "questions": checksum(table)}
    out = job.out / "versions"
    _make(job.version_of(version), made_from, lambda: versions_of(articles, table, out))


def _linked(job: Reproduction, path: Path) -> Path:
    """Return a bitext file with word links, made if needed."""
    if not job.aligner:
        return path
    out = job.out / "linked" / path.name
    made_from = {"aligner": job.aligner_identity, "bitext": checksum(path)}
    work = align_job.Job(files=(path,), out=out, aligner=job.aligner)
    _make(out, made_from, lambda: align_job.align(work))
    return out


def _make(out: Path, made_from: dict[str, str], make: Callable[[], object]) -> None:
    """Make a file, unless its record, `<name>.from.json`, says that it was made from the same."""
    record = out.with_suffix(".from.json")
    if out.exists() and record.exists() and read_json(record) == made_from:
        return
    record.unlink(missing_ok=True)  # or it would be wrong if the work is interrupted
    make()
    write_json(record, made_from)
