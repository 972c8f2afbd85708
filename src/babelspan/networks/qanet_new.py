"""Create an untrained QANet from texts, word vector files and dictionaries."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import NonNegativeInt, PositiveInt

from babelspan.config import build, override
from babelspan.networks.qanet import Architecture, QANet
from babelspan.text.word_tokens import Unspaced
from babelspan.types import ConfigError, Limits
from babelspan.vocabulary.word_sources import Found, Sources, table_of
from babelspan.vocabulary.word_table import SidesBy


@dataclass(frozen=True, kw_only=True)
class Words:
    """Settings of the word table."""

    spelling: NonNegativeInt = 16
    """Number of letters read of each word; 0 for none."""
    unspaced: Unspaced = "words"
    """Segmentation of text without spaces: into words by ICU, or into characters."""
    sides_by: SidesBy = "language"
    """What determines a text's side; "chance" is a control."""
    most_words: PositiveInt = 50_000
    """Number of words to read from the start of each vector file, in the texts or not."""
    least: PositiveInt = 1
    """Minimum frequency in the texts of a word with a trained vector."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Inputs and settings for a new QANet.

    Attributes:
        texts: files of labelled examples or plain texts.
        vectors: `<language>=<file>` of word vectors.
        dictionaries: files of word translations.
        sides: languages with separate layers, the source first, the target last.
        settings: `key=value` of `Architecture` and `Words`.
        seed: seed of the weights; None to draw them from PyTorch's random state.
    """

    texts: tuple[Path, ...]
    vectors: tuple[str, ...] = ()
    dictionaries: tuple[Path, ...] = ()
    sides: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seed: int | None = None


def make(start: Start, *, limits: Limits = Limits()) -> tuple[QANet, Found]:
    """Create the reader; also returns statistics of its words.

    Raises:
        ConfigError: if settings are unknown or do not fit together.
        DataError: if files are missing or broken.
    """
    architecture, words = _settings(start)
    sources = Sources(
        texts=start.texts,
        vectors=dict(map(_of_language, start.vectors)),
        dictionaries=start.dictionaries,
        most_words=words.most_words,
        least=words.least,
    )
    found = table_of(
        sources,
        unspaced=words.unspaced,
        spelling=words.spelling,
        sides=start.sides,
        sides_by=words.sides_by,
    )
    seeded = nullcontext() if start.seed is None else torch.random.fork_rng(devices=[])
    with seeded:
        if start.seed is not None:
            torch.default_generator.manual_seed(start.seed)
        return QANet(architecture, found.table, found.vectors, limits=limits), found


def words_of(start: Start) -> Words:
    """The settings of the word table; errors are those of `make`."""
    return _settings(start)[1]


def _settings(start: Start) -> tuple[Architecture, Words]:
    kinds = {"architecture": Architecture, "words": Words}
    tables: dict[str, dict[str, object]] = {}
    override(tables, start.settings, kinds)
    return (
        build(Architecture, tables.get("architecture", {}), "--set"),
        build(Words, tables.get("words", {}), "--set"),
    )


def parsed(settings: str) -> Start:
    """Parse `new:qanet,key=value,…`; `texts`, `vectors` and `dictionary` may be repeated.

    Raises:
        ConfigError: if a part has no `=`.
    """
    said: dict[str, list[str]] = {"texts": [], "vectors": [], "dictionary": [], "sides": []}
    others: list[str] = []
    seed = None
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"new:qanet: expected key=value, found {setting!r}")
        if key in said:
            said[key].append(value)
        elif key == "seed" and value.isdecimal():
            seed = int(value)
        else:
            others.append(setting)
    return Start(
        texts=tuple(map(Path, said["texts"])),
        vectors=tuple(said["vectors"]),
        dictionaries=tuple(map(Path, said["dictionary"])),
        sides=tuple(side for sides in said["sides"] for side in sides.split("+")),
        settings=tuple(others),
        seed=seed,
    )


def _of_language(said: str) -> tuple[str, Path]:
    language, equals, path = said.partition("=")
    if not equals or not language or not path:
        raise ConfigError(
            f"expected LANGUAGE=FILE of word vectors, such as zh=cc.zh.300.vec.gz, found {said!r}"
        )
    return language, Path(path)
