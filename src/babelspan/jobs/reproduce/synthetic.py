"""Rows with synthetic questions: train a generator, generate, train a reader on the questions.

All results stay in the folder of the reproduction: `generators/<kind>/seed-<n>`,
`questions/<kind>/seed-<n>` from `babelspan generate`, and `first/<kind>/seed-<n>`, the reader that
rows of this kind start from.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from babelspan.data.texts import find_texts
from babelspan.jobs import generate
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.jobs.reproduce.papers import Row, Settings
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.shards import Crew, Watch

KEY = "questions."
"""Prefix of a generator's kind in the key of the unit that makes its questions."""


def kinds_of(job: Reproduction) -> list[str]:
    """Return the kinds of generators that the rows need, without repeats."""
    return list(
        dict.fromkeys(row.generator for row in job.rows.values() if row.generator != "none")
    )


def first_folder(job: Reproduction, kind: str, seed: int) -> Path:
    """Return the folder of the reader trained on the questions of a generator."""
    return job.out / "first" / kind / f"seed-{seed}"


def make(job: Reproduction, kind: str, seed: int, watch: Watch) -> None:
    """Train a generator, generate questions, and train a reader on them; reuse existing results.

    Raises:
        ConfigError: if a folder has results from other settings or data.
        DataError: if texts or translations are missing.
    """
    synthesis = job.scale.synthesis
    assert synthesis is not None  # checked before the work starts
    generator = job.out / "generators" / kind / f"seed-{seed}"
    learnt = Row(name=kind, strategies=("qc",) if kind == "translated" else ())
    _train(
        "question_generation",
        job.reader,
        job.learns_from(learnt),
        (*synthesis.generator, f"run.seed={seed}"),
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
        questions=languages if kind == "translated" else (job.scale.source,),
        per_paragraph=synthesis.per_paragraph,
        out=(job.out / "questions" / kind / f"seed-{seed}").resolve(),
        seed=seed,
    )
    count, _ = generate.count_texts(questions.files)
    generate.carry_out(replace(questions, texts=count), crew=Crew(watch=watch))
    _train(
        "fine_tune",
        job.reader,
        (questions.out,),
        (*synthesis.first, f"run.seed={seed}"),
        first_folder(job, kind, seed),
    )


def _train(method: str, reader: str, files: Sequence[Path], settings: Settings, out: Path) -> None:
    plan = train_job.plan(
        method=method,
        reader=reader,
        data=Paths(labelled=tuple(map(str, files))),
        settings=settings,
    )
    train_job.carry_out(plan, out)
