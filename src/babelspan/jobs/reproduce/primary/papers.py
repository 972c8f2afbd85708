"""The contents of tables on whole articles, and the scales at which they are reproduced.

`<paper>.toml` in this folder has the rows with the published figures, and the scales; users can
write their own scale as a file with the keys of `Scale`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, PositiveInt

from babelspan.config import build, load_tables, nearest
from babelspan.jobs.reproduce.papers import Settings, named_scale
from babelspan.types import ConfigError

_FOLDER = Path(__file__).parent

Task = Literal["passage", "minimal"]
Published = dict[str, dict[Task, dict[str, float]]]
"""F1 in percent by split or version, task, and pair (`en-ar`) or mean (`en-xx`, `xx-en`)."""


class _Strict:
    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Row(_Strict):
    """A reader: the bitext its encoder is aligned on, and the questions it is trained on."""

    name: str
    augmented: bool = True
    """Whether it is also trained on translated questions (+aug), or not (mono)."""
    aligned: Literal["no", "own", "many"] = "no"
    """Languages of the bitext to align on: none, those of the questions, or those of `many`."""
    size: str = ""
    """Amount of bitext per language, a key of the scale's `sizes`; empty for all of it."""
    exponent: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Exponent that balances the languages of the bitext (an inverse temperature)."""
    reader: str = ""
    """Reader to start from instead of the scale's; a key of the scale's `readers`."""
    published: dict[str, Published] = field(default_factory=dict)
    """Figures by the paper's encoder."""
    published_right: dict[str, dict[str, tuple[int, int, int, int]]] = field(default_factory=dict)
    """By encoder and pair: number of questions right in both languages, only in the article's
    language, only in the other, in neither."""


@dataclass(frozen=True, kw_only=True)
class Version(_Strict):
    """Another version of a test's questions, such as the output of a speech recogniser."""

    name: str
    context: str
    """Language of the articles."""
    question: str
    """Language of the questions."""
    questions: str
    """A table, as in `babelspan data articles --questions`; `name` is its column."""


@dataclass(frozen=True, kw_only=True)
class Scale(_Strict):
    """Readers, data and budget. Paths are relative to the data folder."""

    about: str
    """Printed above the tables."""
    reader: str
    beside: str
    """The paper's encoder whose figures are shown in brackets."""
    source: str
    """The language on one side of every pair."""
    languages: tuple[str, ...]
    """The other languages."""
    train: tuple[str, ...] = ()
    """Articles in the official format; the development set is split off them."""
    test: tuple[str, ...] = ()
    dev: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Share of the articles to hold back."""
    sets: str = ""
    """Folder of existing sets, instead of `train`, `test` and translations."""
    translator: str = ""
    """{data} is replaced by the data folder; empty to use the user's translator."""
    bitext: str
    """Folder of files `<name>.<source>-<language>.tsv[.gz]`."""
    aligner: str = ""
    """Aligner that links its words; empty if the files have links."""
    many: tuple[str, ...] = ()
    """Languages of the rows with many; empty for all that have bitext."""
    sizes: dict[str, PositiveInt] = field(default_factory=dict)
    """Maximum number of sentence pairs per language."""
    readers: dict[str, str] = field(default_factory=dict)
    """Readers for rows that do not start from the scale's."""
    rows: tuple[str, ...]
    """Keys of the rows, in order, unless the user chooses others."""
    against: str = "aug"
    """Key of the row that the others are tested against."""
    seeds: PositiveInt = 1
    align: Settings = ()
    """Settings of the alignment, except languages and sizes."""
    settings: Settings = ()
    """Settings of the reader."""
    versions: tuple[Version, ...] = ()
    """Versions of the test's questions."""

    @property
    def all_languages(self) -> tuple[str, ...]:
        """The source and the other languages."""
        return (self.source, *self.languages)

    @property
    def crossed(self) -> tuple[str, ...]:
        """Pairs of the tables: questions in the source language, then articles in it."""
        asked = (f"{self.source}-{code}" for code in self.languages)
        return (*asked, *(f"{code}-{self.source}" for code in self.languages))


@dataclass(frozen=True, kw_only=True)
class Paper(_Strict):
    """A paper, from a TOML file of this folder."""

    title: str
    rows: dict[str, Row]
    scales: dict[str, Scale]


def papers() -> list[str]:
    """Return the names of the papers on whole articles that can be reproduced."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_paper(name: str) -> Paper:
    """Return the paper of this name, which must be one of `papers`."""
    return build(Paper, load_tables(_FOLDER / f"{name}.toml"), name)


def choose_scale(paper: Paper, name: str) -> Scale:
    """Return a scale by its name in the paper, or from a file.

    Raises:
        ConfigError: if there is no such scale, or the file is not valid.
    """
    return named_scale(Scale, paper.scales, name)


def choose_rows(paper: Paper, scale: Scale, chosen: Sequence[str]) -> dict[str, Row]:
    """Return rows by key, in order: the chosen ones, or those of the scale.

    Raises:
        ConfigError: if a row is unknown, or the scale lacks its size or its reader.
    """
    wanted = chosen or scale.rows
    rows = {}
    for key in wanted:
        if key not in paper.rows:
            raise ConfigError(f"unknown row {key!r}{nearest(key, list(paper.rows))}")
        row = rows[key] = paper.rows[key]
        for what, name, known in (
            ("size", row.size, scale.sizes),
            ("reader", row.reader, scale.readers),
        ):
            if name and name not in known:
                raise ConfigError(
                    f"row {key!r} needs the {what} {name!r}, which the scale does not have; choose "
                    "other --rows"
                )
    return rows
