"""An untrained QANet from texts, files of word vectors and dictionaries."""

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
    """How texts become words."""

    spelling: NonNegativeInt = 16
    """Letters of a word that are read; 0 for none."""
    unspaced: Unspaced = "words"
    """How text without spaces is cut: into words by ICU, or into characters."""
    sides_by: SidesBy = "language"
    """What a text's side goes by; "chance" is a control."""
    most_words: PositiveInt = 50_000
    """Words that are read from the start of each file of vectors, wanted or not."""
    least: PositiveInt = 1
    """How often a word must come in the texts to have a vector that is learnt."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a QANet is made from.

    Attributes:
        texts: labelled examples and plain texts.
        vectors: `<language>=<file>` of word vectors.
        dictionaries: files of translations.
        sides: languages with layers of their own, the source first, the target last.
        settings: `key=value` of `Architecture` and `Words`.
        seed: of the weights; None to draw them from PyTorch's random state.
    """

    texts: tuple[Path, ...]
    vectors: tuple[str, ...] = ()
    dictionaries: tuple[Path, ...] = ()
    sides: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seed: int | None = None


def make(start: Start, *, limits: Limits = Limits()) -> tuple[QANet, Found]:
    """The reader, and what was found of its words.

    Raises:
        ConfigError: for settings that are unknown or do not fit together.
        DataError: for files that are missing or broken.
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
    """How texts become words; errors as in `make`."""
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
    """What `new:qanet,key=value,…` says; `texts`, `vectors` and `dictionary` may be repeated.

    Raises:
        ConfigError: for something without `=`.
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
