"""Rows with synthetic questions: train a generator, generate, train a reader on the questions.

All results stay in the folder of the reproduction: `generators/<kind>/seed-<n>`,
`questions/<kind>/seed-<n>` from `babelspan generate`, `used/<questions>/seed-<n>` for a row that
uses only some of them, `first/<questions>/seed-<n>`, the reader that such rows start from, and
`asked/<test>/<kind>/seed-<n>`, a generator's questions about a test (`correlation`).
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from babelspan.data.folder import inside
from babelspan.data.squad import save_squad
from babelspan.data.texts import find_texts
from babelspan.jobs import generate
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.jobs.reproduce.papers import RESERVED, Row, Settings, Synthesis
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.shards import Crew, Watch
from babelspan.types import DataError

QUESTIONS, FIRST = RESERVED
"""Prefixes in the keys of the units that make questions, and that train the reader a row starts
from."""


def kinds_of(job: Reproduction) -> list[str]:
    """Return the kinds of generators that the rows need, without repeats."""
    return list(
        dict.fromkeys(row.generator for row in job.rows.values() if row.generator != "none")
    )


def firsts_of(job: Reproduction) -> dict[str, Row]:
    """Return the readers trained on questions that rows start from: name -> one of the rows."""
    return {
        name_of(row): row
        for row in job.rows.values()
        if row.generator != "none" and not row.one_stage
    }


def name_of(row: Row) -> str:
    """Return the name of the questions that a row uses."""
    share = f"share-{row.share!r}" if row.share < 1 else ""
    return "_".join(part for part in (row.generator, share, *row.about) if part)


def generator_folder(job: Reproduction, kind: str, seed: int) -> Path:
    """Return the folder of a generator."""
    return job.out / "generators" / kind / f"seed-{seed}"


def generator_settings(synthesis: Synthesis, kind: str) -> Settings:
    """Return the training settings of a generator, except the seed."""
    in_words = ("form.language=words",) if kind == "words" else ()
    return (*synthesis.generator, *in_words)


def first_folder(job: Reproduction, row: Row, seed: int) -> Path:
    """Return the folder of the reader trained on the questions of a row."""
    return job.out / "first" / name_of(row) / f"seed-{seed}"


def questions_folder(job: Reproduction, row: Row, seed: int) -> Path:
    """Return the folder of the questions that a row uses."""
    is_all = name_of(row) == row.generator
    return job.out / ("questions" if is_all else "used") / name_of(row) / f"seed-{seed}"


def ask(job: Reproduction, kind: str, seed: int, watch: Watch) -> None:
    """Train a generator and generate questions; reuse existing results.

    Raises:
        ConfigError: if a folder has results from other settings or data.
        DataError: if texts or translations are missing.
    """
    synthesis = job.scale.synthesis
    assert synthesis is not None  # checked before the work starts
    generator = generator_folder(job, kind, seed)
    _train(
        "question_generation",
        job.reader,
        job.learns_from(Row(name=kind, strategies=() if kind == "source" else ("qc",))),
        (*generator_settings(synthesis, kind), f"run.seed={seed}"),
        generator,
    )
    languages = (job.scale.source, *job.scale.languages)
    questions = generate.Job(
        generator=str(generator.resolve()),
        files=tuple(
            file
            for file in find_texts([job.data / path for path in synthesis.texts])
            if file.language in languages
        ),
        questions=(job.scale.source,) if kind == "source" else languages,
        per_paragraph=synthesis.per_paragraph,
        out=(job.out / "questions" / kind / f"seed-{seed}").resolve(),
        seed=seed,
    )
    count, _ = generate.count_texts(questions.files)
    generate.carry_out(replace(questions, texts=count), crew=Crew(watch=watch))


def write_chosen(job: Reproduction, row: Row, seed: int) -> Path:
    """Return the folder of the questions that a row uses; write it if they are only some of all.

    An example belongs to a share if the hash of its id does, so larger shares contain smaller ones.

    Raises:
        DataError: if there is no such question.
    """
    everything = job.out / "questions" / row.generator / f"seed-{seed}"
    folder = questions_folder(job, row, seed)
    if folder == everything:
        return folder
    count = 0
    files = inside(everything)
    if folder.exists():  # of questions that may have been made again, in other parts
        for old in {p.name for p in folder.iterdir()} - {file.path.name for file in files}:
            (folder / old).unlink()
    for file in files:
        if not row.about or file.context_language in row.about:
            examples = [e for e in file.load() if _place(e.id) < row.share]
            save_squad(folder / file.path.name, examples)
            count += len(examples)
    if not count:
        raise DataError(
            f"{row.name}: expected synthetic questions to choose from in {everything}, found none; "
            "give more texts, or a larger share"
        )
    return folder


def _place(identity: str) -> float:
    """Return a number from 0 to 1 that depends on an id only."""
    return int.from_bytes(sha256(identity.encode()).digest()[:8]) / 2**64


def train_first(job: Reproduction, name: str, seed: int) -> None:
    """Train a reader on synthetic questions; raises as `write_chosen` and training do."""
    synthesis = job.scale.synthesis
    assert synthesis is not None
    row = firsts_of(job)[name]
    _train(
        "fine_tune",
        job.reader,
        (write_chosen(job, row, seed),),
        (*synthesis.first, f"run.seed={seed}"),
        first_folder(job, row, seed),
    )


def _train(method: str, reader: str, files: Sequence[Path], settings: Settings, out: Path) -> None:
    plan = train_job.plan(
        method=method,
        reader=reader,
        data=Paths(labelled=tuple(map(str, files))),
        settings=settings,
    )
    train_job.carry_out(plan, out)
