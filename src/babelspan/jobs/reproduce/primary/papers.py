"""What tables over whole articles consist of, and the scales at which they are reproduced.

`<paper>.toml` in this folder has the rows with the published figures, and the scales; a user's own
scale is a file with the keys of `Scale`.
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
    """A reader: what its encoder is aligned on, and the questions that it learns from."""

    name: str
    augmented: bool = True
    """Whether it learns from translated questions, too (+aug), or not (mono)."""
    aligned: Literal["no", "own", "many"] = "no"
    """On bitext of which languages: none, those of the questions, or those of `many`."""
    size: str = ""
    """Of the bitext of a language, a key of the scale's `sizes`; empty for all of it."""
    exponent: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Inverse temperature of the balance between languages of bitext."""
    reader: str = ""
    """A key of the scale's `readers`, where it starts in place of the scale's reader."""
    published: dict[str, Published] = field(default_factory=dict)
    """By the encoder of the paper."""
    published_right: dict[str, dict[str, tuple[int, int, int, int]]] = field(default_factory=dict)
    """By encoder and pair: questions right in both languages, in that of the article alone, in the
    other alone, in neither."""


@dataclass(frozen=True, kw_only=True)
class Version(_Strict):
    """Other words for the questions of a test, such as what a recogniser of speech heard."""

    name: str
    context: str
    """Language of the articles."""
    question: str
    """Language of the questions."""
    questions: str
    """A table as `babelspan data articles --questions` takes it; `name` is its column."""


@dataclass(frozen=True, kw_only=True)
class Scale(_Strict):
    """Readers, data and budget. Paths are relative to the folder of the data."""

    about: str
    """Printed above the tables."""
    reader: str
    beside: str
    """The encoder of the paper whose figures stand beside ours."""
    source: str
    """The language that is on one side of every pair."""
    languages: tuple[str, ...]
    """The others."""
    train: tuple[str, ...] = ()
    """Articles in the official form; the development set is cut from them."""
    test: tuple[str, ...] = ()
    dev: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Share of the articles that is held back."""
    sets: str = ""
    """Folder of sets that are there, in place of `train`, `test` and translations."""
    translator: str = ""
    """With {data} for the folder of the data; empty for the one that the user names."""
    bitext: str
    """Folder of files `<name>.<source>-<language>.tsv[.gz]`."""
    aligner: str = ""
    """What links its words; empty if the files have links."""
    many: tuple[str, ...] = ()
    """Languages of the rows with many; empty for all that have bitext."""
    sizes: dict[str, PositiveInt] = field(default_factory=dict)
    """Sentence pairs of a language, at most."""
    readers: dict[str, str] = field(default_factory=dict)
    """Where rows with a reader of their own start."""
    rows: tuple[str, ...]
    """Keys of the rows, in order, unless others are chosen."""
    against: str = "aug"
    """Key of the row that the others are tested against."""
    seeds: PositiveInt = 1
    align: Settings = ()
    """Of the alignment, but for languages and sizes."""
    settings: Settings = ()
    """Of the reader."""
    versions: tuple[Version, ...] = ()
    """Of the questions of the test."""

    @property
    def all_languages(self) -> tuple[str, ...]:
        """The source and the others."""
        return (self.source, *self.languages)

    @property
    def crossed(self) -> tuple[str, ...]:
        """Pairs of the tables: questions of the source, then articles of the source."""
        asked = (f"{self.source}-{code}" for code in self.languages)
        return (*asked, *(f"{code}-{self.source}" for code in self.languages))


@dataclass(frozen=True, kw_only=True)
class Paper(_Strict):
    """A TOML file of this folder."""

    title: str
    rows: dict[str, Row]
    scales: dict[str, Scale]


def papers() -> list[str]:
    """Names of the papers over whole articles that can be reproduced."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_paper(name: str) -> Paper:
    """The paper of that name, which is one of `papers`."""
    return build(Paper, load_tables(_FOLDER / f"{name}.toml"), name)


def choose_scale(paper: Paper, name: str) -> Scale:
    """A scale of the paper by its name, or of a file.

    Raises:
        ConfigError: if there is none of that name, or the file is not right.
    """
    return named_scale(Scale, paper.scales, name)


def choose_rows(paper: Paper, scale: Scale, chosen: Sequence[str]) -> dict[str, Row]:
    """Rows by key, in order: those chosen, or those of the scale.

    Raises:
        ConfigError: if one is unknown, or the scale lacks its size or its reader.
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
