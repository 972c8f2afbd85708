"""The contents of a paper's tables, and the scales at which they are reproduced.

`<paper>.toml` in this folder has the rows with the published figures, and the scales; users can
write their own scale as a file with the keys of `Scale`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveInt

from babelspan.config import build, load_tables, nearest
from babelspan.jobs.reproduce.curves import Curve, refuse_wrong_curves
from babelspan.jobs.train import load_method
from babelspan.types import ConfigError

_FOLDER = Path(__file__).parent

S = TypeVar("S")
"""The type of scale of a kind of paper."""

START = "start"
"""Reserved key of the first stage; no row may have it."""

RESERVED = ("questions.", "first.")
"""Beginnings of keys that name other units than rows (`synthetic`)."""

Letters = Literal["q", "c", "qc"]
"""T(Q), T(C), T(Q+C), as in `babelspan translate --strategy`."""

Settings = tuple[str, ...]
"""`key=value` for [method] and [run], as in `babelspan train --set`; later ones win."""


class _Strict:
    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Row(_Strict):
    """A row of the table: a method, and the translations it uses besides the source examples."""

    name: str
    """Display name; {source} and {one} are replaced by languages."""
    method: str = "fine_tune"
    strategies: tuple[Letters, ...] = ()
    """Strategies of its translations; empty to use only the source examples."""
    languages: Literal["one", "all"] | tuple[str, ...] = "all"
    """Languages of its translations: all of the scale, the scale's `one`, or these."""
    in_turn: bool = False
    """Whether it trains on one training set after another, each time from the previous reader."""
    generator: Literal["none", "source", "translated", "words"] = "none"
    """Generator of the synthetic questions that the reader is trained on: trained on the source
    examples alone, it asks in their language; with their T(Q+C), in all languages of the scale.
    With "words" it is told the language in words instead of a token (Appendix A)."""
    one_stage: bool = False
    """Whether the reader learns from synthetic and labelled examples together."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the synthetic questions to use, chosen by a hash of their ids."""
    about: tuple[str, ...] = ()
    """Use only synthetic questions about texts in these languages; empty for all."""
    reader: str = ""
    """Reader to start from instead of the scale's; {data} and the scale's `parts` are
    substituted."""
    train: tuple[str, ...] = ()
    """Training files that replace the source examples, with `parts` substituted; translations are
    added to them."""
    leaves_out: tuple[str, ...] = ()
    """Training sets of the scale to leave out, by the first part of their names."""
    pivot: str = ""
    """Key of a row whose reader answers in the source language, with questions and texts
    translated by the scale's `pivot`; empty to answer directly. Such a row is not trained."""
    settings: Settings = ()
    published: dict[str, dict[str, float]] = field(default_factory=dict)
    """F1 of the paper in percent, by test and by context language or mean (G-XLT, XLT)."""
    published_exact_match: dict[str, dict[str, float]] = field(default_factory=dict)
    """Exact match of the paper, likewise."""
    published_cells: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """F1 of the paper in percent, by test, question language and context language."""

    @property
    def needs(self) -> tuple[Letters, ...]:
        """The translations that the row requires."""
        asks_in_all = self.generator in ("translated", "words")
        of_generator: tuple[Letters, ...] = ("qc",) if asks_in_all else ()
        return tuple(dict.fromkeys((*self.strategies, *of_generator)))


@dataclass(frozen=True, kw_only=True)
class Synthesis(_Strict):
    """How the questions of rows with a generator are made."""

    texts: tuple[str, ...]
    """Files or folders of texts; those in the scale's languages are used."""
    per_paragraph: PositiveInt = 5
    generator: Settings = ()
    """Training settings of the generator, except the seed."""
    first: Settings = ()
    """Training settings of the reader that is trained on the questions, except the seed."""


@dataclass(frozen=True, kw_only=True)
class DataSet(_Strict):
    """Published statistics of a training set: source examples and their translations."""

    pairs: int
    question_words: float
    """Mean number of words per question."""
    answer_words: float
    """Mean number of words per answer."""
    types: dict[str, int]
    """Pairs by question word of the original, classified as in `augment.statistics`."""


@dataclass(frozen=True, kw_only=True)
class Translation(_Strict):
    """Jobs of `babelspan translate` on the source examples, one per strategy."""

    to: tuple[str, ...]
    translator: str = ""
    """{data} is replaced by the data folder; empty to use the user's translator."""
    answers: tuple[Literal["marks", "match"], ...] = ("marks", "match")


@dataclass(frozen=True, kw_only=True)
class Test(_Strict):
    """Questions on which every row is measured."""

    __test__ = False  # not a test class for pytest

    name: str
    beside: str = ""
    """The paper's test, as in `Row.published`, whose figures are also printed; empty for none."""
    data: tuple[str, ...]
    split: str | None = None
    crossed: bool = False
    scorer: str = "squad"
    no_answer: bool = False
    """Whether readers may answer that there is no answer."""
    sample: PositiveInt | None = None
    members: tuple[str, ...] = ()
    """Files of the same questions and texts in other languages, for readers of parallel texts;
    each reader gets those of its languages."""


@dataclass(frozen=True, kw_only=True)
class Scale(_Strict):
    """Readers, data and budget of a table. Paths are relative to the data folder."""

    about: str
    """Printed above the table."""
    reader: str
    train: str
    more: tuple[str, ...] = ()
    """More training sets in the language of `train`."""
    target: str = ""
    """Questions to resemble, for methods that weight training sets by them; empty for none."""
    source: str
    """Language of `train`."""
    languages: tuple[str, ...]
    """Languages of the translations."""
    one: str
    """Language of the rows with one other language."""
    tests: tuple[Test, ...]
    rows: tuple[str, ...]
    """Keys of the rows, in order, unless the user chooses others."""
    against: tuple[str, ...] = ("zs", "tq")
    """Keys of the rows that the others are tested against."""
    parts: dict[str, str] = field(default_factory=dict)
    """Values of {name} in rows that name their reader and their files."""
    seeds: PositiveInt = 1
    translated: str = ""
    """Folder of existing translations; empty to make them as in `translations`."""
    pivot: str = ""
    """Translator of rows with a pivot, with {data} substituted; empty to use the user's."""
    translations: tuple[Translation, ...] = ()
    start: Settings | None = None
    """Settings of a first stage on the source examples before all rows; None for none."""
    settings: Settings = ()
    """Settings of all rows."""
    settings_of_method: dict[str, Settings] = field(default_factory=dict)
    settings_of_row: dict[str, Settings] = field(default_factory=dict)
    equal: Literal["updates", "exposure"] = "updates"
    """What is equal for all rows: the number of updates, or the number of windows of source
    examples read. With "exposure", the setting `updates` is that of a row without translations;
    rows with translations get more updates."""
    int8: bool = False
    """Whether rows are exported to int8 and measured on the CPU, or measured as trained."""
    probe: NonNegativeInt = 0
    """Number of questions of the first test, which must be crossed, for probing vectors."""
    row: dict[str, Row] = field(default_factory=dict)
    """Rows that the paper does not have."""
    synthesis: Synthesis | None = None
    """Settings of rows with a generator."""
    curve: tuple[Curve, ...] = ()
    """Learning curves over rows."""


@dataclass(frozen=True, kw_only=True)
class Paper(_Strict):
    """A paper, from a TOML file of this folder."""

    title: str
    one: str
    """Language of its rows with one other language."""
    rows: dict[str, Row]
    scales: dict[str, Scale]
    shows_exact_match: bool = False
    """Whether its tables have exact match in addition to F1."""
    data_sets: dict[str, DataSet] = field(default_factory=dict)
    """Training sets by name, as in `data_sets`."""


def papers() -> list[str]:
    """Return the names of the papers that can be reproduced."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_paper(name: str) -> Paper:
    """Return the paper of this name.

    Raises:
        ConfigError: if there is no such paper.
    """
    if name not in papers():
        raise ConfigError(f"unknown paper {name!r}{nearest(name, papers())}")
    paper = build(Paper, load_tables(_FOLDER / f"{name}.toml"), name)
    for key, scale in paper.scales.items():
        refuse_wrong_keys(paper, scale, f"{name}: {key}")
    return paper


def choose_scale(paper: Paper, name: str) -> Scale:
    """Return a scale by its name in the paper, or from a file.

    Raises:
        ConfigError: if there is no such scale, or the file is not valid.
    """
    scale = named_scale(Scale, paper.scales, name)
    if name not in paper.scales:
        refuse_wrong_keys(paper, scale, name)
    return scale


def named_scale(kind: type[S], scales: Mapping[str, S], name: str) -> S:
    """Return a scale by its name, or from a file; raises as `choose_scale`."""
    if name in scales:
        return scales[name]
    if not name.endswith(".toml"):
        known = nearest(name, list(scales))
        raise ConfigError(f"unknown scale {name!r}{known}; or give a file that ends in .toml")
    return build(kind, load_tables(Path(name)), name)


def refuse_wrong_keys(paper: Paper, scale: Scale, where: str) -> None:
    """Check that keys can name folders, and that rows and methods exist."""
    for key in scale.row:
        is_reserved = key == START or key.startswith(RESERVED)
        if is_reserved or not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", key):
            raise ConfigError(
                f"{where}: expected the key of a row in lower-case letters, digits, dots and "
                f"hyphens, not {START!r} and not beginning with {' or '.join(RESERVED)}, found "
                f"{key!r}"
            )
    rows = {**paper.rows, **scale.row}
    trained = [key for key, row in rows.items() if not row.pivot]
    for key, row in rows.items():
        _refuse_wrong_questions(row, scale, f"{where}: row {key!r}")
        _refuse_wrong_pivot(row, trained, f"{where}: row {key!r}")
    _refuse_unknown(where, "row", (*scale.against, *scale.settings_of_row), list(rows))
    _refuse_unknown(where, "row that is trained", scale.settings_of_row, trained)
    methods = sorted({row.method for row in rows.values()})
    _refuse_unknown(where, "method", scale.settings_of_method, methods)
    refuse_wrong_curves(scale.curve, list(rows), where)


def _refuse_wrong_questions(row: Row, scale: Scale, where: str) -> None:
    """Check what a row says about synthetic questions."""
    if row.generator == "none":
        if row.one_stage or row.share < 1 or row.about:
            raise ConfigError(f"{where}: one_stage, share and about need a generator")
        return
    if row.in_turn or (row.reader and not row.one_stage):
        raise ConfigError(f"{where}: in_turn and reader do not go with a generator")
    _refuse_unknown(where, "language", row.about, [scale.source, *scale.languages])


def _refuse_wrong_pivot(row: Row, trained: Sequence[str], where: str) -> None:
    """Check that a row with a pivot names a trained row, and nothing about training."""
    if not row.pivot:
        return
    _refuse_unknown(where, "row with a reader", [row.pivot], trained)
    of_training = replace(row, pivot="", published={}, published_exact_match={}, published_cells={})
    if of_training != Row(name=row.name):
        raise ConfigError(
            f"{where}: expected only name, pivot and published figures, since a row with a pivot "
            "is not trained"
        )


def _refuse_unknown(where: str, what: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"{where}: unknown {what} {name!r}{nearest(name, known)}")


def choose_rows(paper: Paper, scale: Scale, chosen: Sequence[str]) -> dict[str, Row]:
    """Return rows by key, in order: the chosen ones, or those of the scale.

    Raises:
        ConfigError: if a row is unknown.
    """
    known = {**paper.rows, **scale.row}
    wanted = chosen or scale.rows
    _refuse_unknown("--rows" if chosen else "rows", "row", wanted, list(known))
    return {key: known[key] for key in wanted}


def languages_of(row: Row, scale: Scale) -> tuple[str, ...]:
    """Return the languages into which the source examples are translated for a row."""
    if not row.strategies:
        return ()
    named = {"one": (scale.one,), "all": scale.languages}
    return named[row.languages] if isinstance(row.languages, str) else row.languages


def settings_of(key: str, row: Row, scale: Scale, over: Settings = ()) -> Settings:
    """Return all settings of a row except the seed, with `updates` adjusted for equal exposure.

    Args:
        key: key of the row.
        row: the row.
        scale: the scale.
        over: settings of the user; they override all others.

    Raises:
        ConfigError: if equal exposure is required and the number of updates is not set.
    """
    settings = (*scale.settings, *own_settings(key, row, scale), *over)
    if scale.equal == "updates":
        return settings
    updates = [s.partition("=")[2] for s in settings if s.startswith(("updates=", "run.updates="))]
    if not updates or not updates[-1].isdecimal():
        raise ConfigError(
            f"row {key!r}: equal exposure needs the setting updates=N, found "
            f"{updates[-1] if updates else 'none'}"
        )
    return (*settings, f"updates={int(updates[-1]) * _windows_for_one(row, scale)}")


def own_settings(key: str, row: Row, scale: Scale) -> Settings:
    """Return the settings in which a row differs from others."""
    return (
        *scale.settings_of_method.get(row.method, ()),
        *row.settings,
        *scale.settings_of_row.get(key, ()),
    )


def _windows_for_one(row: Row, scale: Scale) -> int:
    """Return how many windows a row reads for each window of a source example."""
    if getattr(load_method(row.method), "READS_IN_PAIRS", False):
        over_translated_contexts = {"c", "qc"} <= set(row.strategies)  # half of the pairs
        return 4 if over_translated_contexts else 2
    return 1 + len(row.strategies) * len(languages_of(row, scale))


def filled(template: str, scale: Scale, data: Path) -> str:
    """Fill the scale's parts and the data folder into a reader or file name of a row.

    Raises:
        ConfigError: if the scale lacks a part.
    """
    parts = {"data": str(data)}
    try:
        for name, part in scale.parts.items():
            parts[name] = part.format_map({"data": data})
        return template.format_map(parts)
    except (KeyError, ValueError, IndexError) as error:
        raise ConfigError(
            f"a row needs the part {error} of the scale for {template!r}; the scale has "
            f"{', '.join(parts)}"
        ) from None


def title_of(row: Row, scale: Scale) -> str:
    """Return the row's name with the scale's languages."""
    return row.name.replace("{source}", scale.source).replace("{one}", scale.one)
