"""What a paper's tables consist of, and the scales at which they are reproduced.

`<paper>.toml` in this folder has the rows with the published figures, and the scales; a user's own
scale is a file with the keys of `Scale`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ConfigDict, NonNegativeInt, PositiveInt

from babelspan.config import build, load_tables, nearest
from babelspan.jobs.train import load_method
from babelspan.types import ConfigError

_FOLDER = Path(__file__).parent

S = TypeVar("S")
"""The scales of a kind of paper."""

START = "start"
"""The key of the first stage, which no row may have."""

Letters = Literal["q", "c", "qc"]
"""T(Q), T(C), T(Q+C), as `babelspan translate --strategy` has them."""

Settings = tuple[str, ...]
"""`key=value` for [method] and [run], as `babelspan train --set` takes them; later ones win."""


class _Strict:
    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Row(_Strict):
    """A row of the table: a method and the translations it learns from with the source examples."""

    name: str
    """For people; {source} and {one} become languages."""
    method: str = "fine_tune"
    strategies: tuple[Letters, ...] = ()
    """Of the translations; empty for the source examples alone."""
    languages: Literal["one", "all"] | tuple[str, ...] = "all"
    """Of the translations: all those of the scale, its `one`, or these."""
    in_turn: bool = False
    """Whether it learns from one training set after the other, each time from the reader before."""
    generator: Literal["none", "source", "translated"] = "none"
    """Of synthetic questions that the reader learns from first: trained on the source examples
    alone, it asks in their language; with their T(Q+C), in all languages of the scale."""
    reader: str = ""
    """Where it starts in place of the scale's reader; {data} and the scale's `parts` are filled
    in."""
    train: tuple[str, ...] = ()
    """Files that it learns from in place of the source examples, with `parts` filled in;
    translations come on top."""
    leaves_out: tuple[str, ...] = ()
    """Training sets of the scale that it does not learn from, by the first part of their names."""
    settings: Settings = ()
    published: dict[str, dict[str, float]] = field(default_factory=dict)
    """By test and by context language or mean (G-XLT, XLT): F1 of the paper, percent."""
    published_exact_match: dict[str, dict[str, float]] = field(default_factory=dict)
    """Likewise, exact match."""
    published_cells: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """By test, question language and context language: F1 of the paper, percent."""

    @property
    def needs(self) -> tuple[Letters, ...]:
        """The translations that the row cannot be made without."""
        of_generator: tuple[Letters, ...] = ("qc",) if self.generator == "translated" else ()
        return tuple(dict.fromkeys((*self.strategies, *of_generator)))


@dataclass(frozen=True, kw_only=True)
class Synthesis(_Strict):
    """How the questions of rows with a generator are made."""

    texts: tuple[str, ...]
    """Files or folders of texts; those in the languages of the scale are taken."""
    per_paragraph: PositiveInt = 5
    generator: Settings = ()
    """Of the training of a generator, but for the seed."""
    first: Settings = ()
    """Of the reader that learns from the questions, but for the seed."""


@dataclass(frozen=True, kw_only=True)
class DataSet(_Strict):
    """What the paper says of a training set: its source examples and their translations."""

    pairs: int
    question_words: float
    """Of a question, on average."""
    answer_words: float
    """Of an answer, on average."""
    types: dict[str, int]
    """Pairs by question word of the original, as `augment.statistics` tells them apart."""


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
    """The paper's test, as in `Row.published`, whose figures are printed too; empty for none."""
    data: tuple[str, ...]
    split: str | None = None
    crossed: bool = False
    scorer: str = "squad"
    no_answer: bool = False
    """Whether readers may say that there is no answer."""
    sample: PositiveInt | None = None
    members: tuple[str, ...] = ()
    """Files of the same questions and texts in other languages, which readers of parallel texts
    read beside them; each reader those of its languages."""


@dataclass(frozen=True, kw_only=True)
class Scale(_Strict):
    """Readers, data and budget of a table. Paths are relative to the folder of the data."""

    about: str
    """Printed above the table."""
    reader: str
    train: str
    more: tuple[str, ...] = ()
    """More training sets in the language of `train`."""
    target: str = ""
    """Questions to be like, for methods that weigh training sets by them; empty for none."""
    source: str
    """Language of `train`."""
    languages: tuple[str, ...]
    """Of the translations."""
    one: str
    """The language of the rows with one other language."""
    tests: tuple[Test, ...]
    rows: tuple[str, ...]
    """Keys of the rows, in order, unless others are chosen."""
    against: tuple[str, ...] = ("zs", "tq")
    """Keys of the rows that the others are tested against."""
    parts: dict[str, str] = field(default_factory=dict)
    """What stands for {name} in rows that name their reader and their files."""
    seeds: PositiveInt = 1
    translated: str = ""
    """Folder of existing translations; empty to make them as `translations` says."""
    translations: tuple[Translation, ...] = ()
    start: Settings | None = None
    """Of a first stage on the source examples, from which all rows start; None for no stage."""
    settings: Settings = ()
    """Of all rows."""
    settings_of_method: dict[str, Settings] = field(default_factory=dict)
    settings_of_row: dict[str, Settings] = field(default_factory=dict)
    equal: Literal["updates", "exposure"] = "updates"
    """What all rows have in common: the number of updates, or the number of windows of source
    examples that they read. With "exposure" the setting `updates` is that of a row without
    translations, and other rows get more updates; translations come on top."""
    int8: bool = False
    """Whether rows are exported to int8 and measured on the CPU, or measured as trained."""
    probe: NonNegativeInt = 0
    """Number of questions of the first test, which must be crossed, for the probes of vectors."""
    row: dict[str, Row] = field(default_factory=dict)
    """Rows that the paper does not have."""
    synthesis: Synthesis | None = None
    """Of rows with a generator."""


@dataclass(frozen=True, kw_only=True)
class Paper(_Strict):
    """A TOML file of this folder."""

    title: str
    one: str
    """The language of its rows with one other language."""
    rows: dict[str, Row]
    scales: dict[str, Scale]
    shows_exact_match: bool = False
    """Whether its tables have exact match beside F1."""
    data_sets: dict[str, DataSet] = field(default_factory=dict)
    """By name, as `data_set_of` gives it."""


def papers() -> list[str]:
    """Names of the papers that can be reproduced."""
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
    scale = named_scale(Scale, paper.scales, name)
    if name not in paper.scales:
        _refuse_wrong_keys(paper, scale, name)
    return scale


def named_scale(kind: type[S], scales: Mapping[str, S], name: str) -> S:
    """A scale by its name, or of a file; errors as in `choose_scale`."""
    if name in scales:
        return scales[name]
    if not name.endswith(".toml"):
        known = nearest(name, list(scales))
        raise ConfigError(f"unknown scale {name!r}{known}; or name a file that ends in .toml")
    return build(kind, load_tables(Path(name)), name)


def _refuse_wrong_keys(paper: Paper, scale: Scale, where: str) -> None:
    """Refuse keys that cannot name folders, and rows and methods that do not exist."""
    for key in scale.row:
        if key == START or not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", key):
            raise ConfigError(
                f"{where}: expected the key of a row in lower-case letters, digits, dots and "
                f"hyphens, and not {START!r}, found {key!r}"
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
    named = {"one": (scale.one,), "all": scale.languages}
    return named[row.languages] if isinstance(row.languages, str) else row.languages


def settings_of(key: str, row: Row, scale: Scale, over: Settings = ()) -> Settings:
    """All settings of a row but its seed, with as many `updates` as equal exposure takes.

    Args:
        key: of the row.
        row: the row.
        scale: the scale.
        over: the user's; they win over all others.

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
    """The settings in which a row differs from others."""
    return (
        *scale.settings_of_method.get(row.method, ()),
        *row.settings,
        *scale.settings_of_row.get(key, ()),
    )


def _windows_for_one(row: Row, scale: Scale) -> int:
    """How many windows a row reads for each window of a source example."""
    if getattr(load_method(row.method), "READS_IN_PAIRS", False):
        over_translated_contexts = {"c", "qc"} <= set(row.strategies)  # half of the pairs
        return 4 if over_translated_contexts else 2
    return 1 + len(row.strategies) * len(languages_of(row, scale))


def filled(template: str, scale: Scale, data: Path) -> str:
    """A reader or a file of a row, with the scale's parts and the folder of the data.

    Raises:
        ConfigError: if the scale has no part of a name.
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
    """The row's name with the scale's languages."""
    return row.name.replace("{source}", scale.source).replace("{one}", scale.one)
