"""`babelspan translate` for TyDi QA articles (primary tasks): translates only the questions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from babelspan.cli.shown import one_line
from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.seams import Translator


def refuse_idle_options(strategy: str, given: Mapping[str, object]) -> None:
    """Refuse options that have no effect on articles.

    Raises:
        ConfigError: if contexts should be translated, or another option is set.
    """
    if strategy != "q":
        raise ConfigError(
            f"--strategy {strategy}: only the questions of articles are translated; leave it out"
        )
    for option, value in given.items():
        if value:
            raise ConfigError(f"{option} has no effect on articles; leave it out")


def translate_articles(
    data: Path, targets: Sequence[str], out: Path, system: "Translator", source: str
) -> None:
    """Write the articles once per target language; raises what the job raises."""
    from babelspan.jobs.article_sets import translate_questions

    for target in targets:
        path, count = translate_questions(data, target, out, translator=system, source=source)
        print(one_line(f"wrote {count} questions to {path}"))
