"""What a paper's table consists of, and at which scales it is made again.

`<paper>.toml`, beside this file, has the rows with the published figures, and scales; a scale of
one's own is a file with the keys of `Scale`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, NonNegativeInt, PositiveInt

from babelspan.config import build, load_tables, nearest
from babelspan.types import ConfigError

_FOLDER = Path(__file__).parent

START = "start"
"""Where the first stage stands among the rows."""

Letters = Literal["q", "c", "qc"]
"""T(Q), T(C), T(Q+C), as `babelspan translate --strategy` has them."""

Settings = tuple[str, ...]
"""`key=value` for [method] and [run], as `babelspan train --set` takes them; later ones win."""


class _Strict:
    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Row(_Strict):
    """A line of the table: a method and the data it learns from, beside the source examples."""

    name: str
    """For people; {source} and {one} become languages."""
    method: str = "fine_tune"
    strategies: tuple[Letters, ...] = ()
    """None for the source examples alone."""
    languages: Literal["one", "all"] = "all"
    """Of the translations: all those of the scale, or its `one`."""
    settings: Settings = ()
    published: dict[str, dict[str, float]] = field(default_factory=dict)
    """By test and by context language or mean (G-XLT, XLT): F1 of the paper, percent."""


@dataclass(frozen=True, kw_only=True)
class Translation(_Strict):
    """Jobs of `babelspan translate` over the source examples, one for each strategy."""

    to: tuple[str, ...]
    translator: str = ""
    """With {data} for the folder of the data; empty for the one that the user names."""
    answers: tuple[Literal["marks", "match"], ...] = ("marks", "match")


@dataclass(frozen=True, kw_only=True)
class Test(_Strict):
    """Questions that every row is measured on."""

    __test__ = False  # no class of tests for pytest

    name: str
    beside: str = ""
    """The test of the paper, as in `Row.published`, whose figures stand beside; empty for none."""
    data: tuple[str, ...]
    split: str | None = None
    crossed: bool = False
    scorer: str = "squad"
    no_answer: bool = False
    """Whether readers may say that there is no answer."""
    sample: PositiveInt | None = None


@dataclass(frozen=True, kw_only=True)
class Scale(_Strict):
    """Readers, data and budget of a table. Paths are relative to the folder of the data."""

    about: str
    """What the table has to say of itself."""
    reader: str
    train: str
    source: str
    """Language of `train`."""
    languages: tuple[str, ...]
    """Of the translations."""
    one: str
    """The language of the rows with one other language."""
    tests: tuple[Test, ...]
    rows: tuple[str, ...]
    """Keys of the rows, in order, if none are chosen."""
    against: tuple[str, ...] = ("zs", "tq")
    """Keys of the rows that the others are tested against."""
    seeds: PositiveInt = 1
    translated: str = ""
    """Folder of translations that are there already; else `translations` makes them."""
    translations: tuple[Translation, ...] = ()
    start: Settings | None = None
    """A first stage on the source examples that all rows go on from; None for no such stage."""
    settings: Settings = ()
    """Of all rows."""
    settings_of_method: dict[str, Settings] = field(default_factory=dict)
    settings_of_row: dict[str, Settings] = field(default_factory=dict)
    equal: Literal["updates", "exposure"] = "updates"
    """What `updates` counts: the updates of a row, or those that show it as many windows of source
    examples as a row without translations sees in so many; of translations it sees what is beside
    them, in language arbitration one for each."""
    int8: bool = False
    """Whether rows are measured as exported to int8 (on the CPU), or as they are."""
    probe: NonNegativeInt = 0
    """On how many questions of the first test, which has to be crossed, vectors are probed."""
    row: dict[str, Row] = field(default_factory=dict)
    """More rows than those of the paper."""


@dataclass(frozen=True, kw_only=True)
class Paper(_Strict):
    """A file of this folder."""

    title: str
    one: str
    """The language of its rows with one other language."""
    rows: dict[str, Row]
    scales: dict[str, Scale]


def papers() -> list[str]:
    """The papers there are."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_paper(name: str) -> Paper:
    """The paper of that name.

    Raises:
        ConfigError: if there is none.
    """
    if name not in papers():
        raise ConfigError(f"unknown paper {name!r}{nearest(name, papers())}")
    paper = build(Paper, load_tables(_FOLDER / f"{name}.toml"), name)
    for key, scale in paper.scales.items():
        _refuse_wrong_keys(paper, scale, f"{name}: {key}")
    return paper


def choose_scale(paper: Paper, name: str) -> Scale:
    """A scale of the paper by its name, or of a file.

    Raises:
        ConfigError: if there is none of that name, or the file is not right.
    """
    if name in paper.scales:
        return paper.scales[name]
    if not name.endswith(".toml"):
        known = nearest(name, list(paper.scales))
        raise ConfigError(f"unknown scale {name!r}{known}; or name a file that ends in .toml")
    scale = build(Scale, load_tables(Path(name)), name)
    _refuse_wrong_keys(paper, scale, name)
    return scale


def _refuse_wrong_keys(paper: Paper, scale: Scale, where: str) -> None:
    """See that keys can be names of folders, and that every row and method named is one."""
    for key in scale.row:
        if key == START or not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", key):
            raise ConfigError(
                f"{where}: expected the key of a row in small letters, digits, dots and hyphens, "
                f"and not {START!r}, found {key!r}"
            )
    rows = {**paper.rows, **scale.row}
    _refuse_unknown(where, "row", (*scale.against, *scale.settings_of_row), list(rows))
    methods = sorted({row.method for row in rows.values()})
    _refuse_unknown(where, "method", scale.settings_of_method, methods)


def _refuse_unknown(where: str, what: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"{where}: unknown {what} {name!r}{nearest(name, known)}")


def choose_rows(paper: Paper, scale: Scale, chosen: Sequence[str]) -> dict[str, Row]:
    """Rows by key, in order: those chosen, or those of the scale.

    Raises:
        ConfigError: if one is unknown.
    """
    known = {**paper.rows, **scale.row}
    wanted = chosen or scale.rows
    _refuse_unknown("--rows" if chosen else "rows", "row", wanted, list(known))
    return {key: known[key] for key in wanted}


def languages_of(row: Row, scale: Scale) -> tuple[str, ...]:
    """The languages that the source examples are translated to for a row."""
    if not row.strategies:
        return ()
    return (scale.one,) if row.languages == "one" else scale.languages


def settings_of(key: str, row: Row, scale: Scale, over: Settings = ()) -> Settings:
    """All settings of a row but its seed, with `updates` for the exposure that is wanted.

    Args:
        key: of the row.
        row: the row.
        scale: the scale.
        over: goes before all others.

    Raises:
        ConfigError: if equal exposure is wanted and there is no number of updates.
    """
    settings = (*scale.settings, *own_settings(key, row, scale), *over)
    if scale.equal == "updates":
        return settings
    updates = [s.partition("=")[2] for s in settings if s.startswith(("updates=", "run.updates="))]
    if not updates or not updates[-1].isdecimal():
        raise ConfigError(
            f"row {key!r}: equal exposure needs a setting updates=…, a number, found "
            f"{updates[-1] if updates else 'none'}"
        )
    return (*settings, f"updates={int(updates[-1]) * _windows_for_one(row, scale)}")


def own_settings(key: str, row: Row, scale: Scale) -> Settings:
    """The settings that not all rows have."""
    return (
        *scale.settings_of_method.get(row.method, ()),
        *row.settings,
        *scale.settings_of_row.get(key, ()),
    )


def _windows_for_one(row: Row, scale: Scale) -> int:
    """How many windows a row takes for each that is of a source example."""
    if row.method == "language_arbitration":  # in pairs, half of them over translated contexts
        return 4 if {"c", "qc"} <= set(row.strategies) else 2
    return 1 + len(row.strategies) * len(languages_of(row, scale))


def title_of(row: Row, scale: Scale) -> str:
    """The row's name with the scale's languages."""
    return row.name.replace("{source}", scale.source).replace("{one}", scale.one)
