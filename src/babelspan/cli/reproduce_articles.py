"""`babelspan reproduce` for papers on the TyDi QA primary tasks."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.jobs.reproduce.primary.work import Reproduction


def refuse_idle_options(**given: object) -> None:
    """Refuse options that have no effect on papers on whole articles.

    Raises:
        ConfigError: if one of them is set.
    """
    for option, value in given.items():
        if value is not None:
            name = option.replace("_", "-")
            raise ConfigError(f"--{name} has no effect for a paper on whole articles; leave it out")


class Given(NamedTuple):
    """Command-line options that also apply to papers on whole articles."""

    scale: str
    data: Path | None
    out: Path | None
    reader: str | None
    rows: str | None
    seeds: int | None
    translator: str | None
    settings: list[str] | None
    jobs: int
    results: Path | None
    as_json: bool


def reproduce_articles(paper: str, given: Given) -> None:
    """Train the rows, answer the questions and print the tables; raises what each job raises."""
    from babelspan.cli.shown import tracked
    from babelspan.jobs.reproduce.primary.papers import choose_rows, choose_scale, load_paper
    from babelspan.jobs.reproduce.primary.work import Reproduction, carry_out, check_inputs
    from babelspan.jobs.shards import Crew

    of_paper = load_paper(paper)
    scale = choose_scale(of_paper, given.scale)
    home = Path(given.scale).parent if given.scale.endswith(".toml") else Path("data")
    data = given.data or home
    named = data / scale.reader
    wanted = [row.strip() for row in (given.rows or "").split(",") if row.strip()]
    job = Reproduction(
        paper=of_paper,
        scale=scale,
        rows=choose_rows(of_paper, scale, wanted),
        data=data,
        out=given.out or Path("runs") / f"{paper}-{Path(given.scale).stem}",
        reader=given.reader or (str(named) if named.is_dir() else scale.reader),
        seeds=given.seeds or scale.seeds,
        translator=given.translator,
        settings=tuple(given.settings or ()),
    )
    check_inputs(job)
    carry_out(job, crew=Crew(workers=given.jobs, watch=tracked))
    _write(job, given.results, given.as_json)


def _write(job: "Reproduction", results: Path | None, as_json: bool) -> None:
    """Write the tables to the output folder and to `results`, and print them."""
    from babelspan.data.files import write_json, write_whole
    from babelspan.jobs.reproduce.primary.table import markdown, tables, to_json
    from babelspan.scoring.comparison import Settings

    made, asked = tables(job, Settings())
    text, record = markdown(job, made, asked), to_json(job, made, asked)
    write_json(job.out / "table.json", record)
    for path in (job.out / "table.md", *([results] if results else [])):
        write_whole(path, text)
    print(json.dumps(record, indent=1, ensure_ascii=False) if as_json else text, end="")
