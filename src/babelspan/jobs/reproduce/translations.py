"""The translations that the rows of a reproduction are trained on."""

from collections.abc import Iterable
from typing import Any

from babelspan.augment.strategies import STRATEGIES
from babelspan.data.folder import describe
from babelspan.jobs import translate as translate_job
from babelspan.jobs.reproduce.papers import Letters, Translation, languages_of
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.shards import Crew, Watch
from babelspan.translators import load_translator
from babelspan.types import ConfigError


def translate(reproduction: Reproduction, *, workers: int, watch: Watch) -> None:
    """Make the translations that the rows need, unless a folder of translations was given.

    Raises:
        ConfigError: if a translation has no translator.
        DataError, TranslationError: as `babelspan translate` does.
    """
    if reproduction.translated is not None:
        return
    for translation in reproduction.scale.translations:
        for strategy in _needed(reproduction, translation):
            _translate(reproduction, translation, strategy, workers, watch)


def _needed(reproduction: Reproduction, translation: Translation) -> list[Letters]:
    """Return the strategies that some row needs in a language of a translation."""
    needed: list[Letters] = []
    for row in reproduction.rows.values():
        if set(languages_of(row, reproduction.scale)) & set(translation.to):
            needed += [strategy for strategy in row.needs if strategy not in needed]
    return needed


def _translate(
    reproduction: Reproduction,
    translation: Translation,
    strategy: Letters,
    workers: int,
    watch: Watch,
) -> None:
    named = translation.translator.replace("{data}", str(reproduction.data))
    translator = named or reproduction.translator
    if translator is None:
        raise ConfigError(
            f"this scale needs translations into {', '.join(translation.to)} and names no "
            "translator; give one with --translator, or a folder of translations with --translated"
        )
    folder = reproduction.translations.resolve() / "-".join(translation.to)
    shards, paragraphs = translate_job.plan_shards(reproduction.train, None)
    job = translate_job.Job(
        data=reproduction.train.resolve(),
        split=describe(reproduction.train).split,
        source=reproduction.scale.source,
        targets=translation.to,
        strategies=STRATEGIES[strategy],
        carriers=translation.answers,
        translator=translator,
        out=folder / strategy,
        cache=folder / "cache",
        links=None,
        shards=shards,
        paragraphs=paragraphs,
    )
    what = f"{strategy} {', '.join(translation.to)}"

    def shown(shards: Iterable[Any], _: str, count: int) -> Iterable[Any]:
        return watch(shards, what, count)

    identity = load_translator(translator).identity
    translate_job.carry_out(job, identity, crew=Crew(workers=workers, watch=shown))
