"""Making a folder with an untrained reader that starts from words and vectors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from babelspan.data.files import filling
from babelspan.data.locks import is_free, locked, sweep
from babelspan.types import ConfigError
from babelspan.vocabulary.own_vectors import train_vectors

if TYPE_CHECKING:
    from babelspan.networks.qanet_new import Start

KINDS = ("qanet",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The result, for display.

    Attributes:
        weights: number of trainable weights.
        rows: number of rows of the word table.
        width: size of the word vectors.
        are_fixed: whether the vectors are fixed rather than learnt.
        known: language -> number of words of the texts that are in the table.
        words: language -> number of words of the texts.
    """

    weights: int
    rows: int
    width: int
    are_fixed: bool
    known: dict[str, int]
    words: dict[str, int]


def make(kind: str, start: "Start", out: Path, *, own_vectors: Sequence[str] = ()) -> Made:
    """Make an untrained reader.

    Args:
        kind: kind of network.
        start: its words, vectors, sides and sizes.
        out: a new or an empty folder.
        own_vectors: languages whose vectors are first trained on the texts; saved in `out`.

    Raises:
        ConfigError: if the kind or a setting is unknown, or the folder is not empty or in use.
        DataError: if a file is missing or broken.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of reader {kind!r}; expected {', '.join(KINDS)}")
    if not is_free(out):
        raise ConfigError(f"{out}: expected a new or an empty folder, found one in use")
    from babelspan.networks import qanet_new, store

    with locked(out):
        sweep(out)
        with filling(out) as beside:
            vectors = _own_vectors(start, beside, own_vectors)
            reader, found = qanet_new.make(replace(start, vectors=(*start.vectors, *vectors)))
            store.save(reader, beside)
    return Made(
        weights=sum(p.numel() for p in reader.parameters()),
        rows=found.table.rows,
        width=reader.word_width,
        are_fixed=reader.is_fixed,
        known=found.known,
        words=found.words,
    )


def _own_vectors(start: "Start", folder: Path, languages: Sequence[str]) -> list[str]:
    """Train vectors of languages on the texts; return `<language>=<file>` of each."""
    from babelspan.networks import qanet_new

    trained = []
    for language in languages:
        path = folder / f"own.{language}.vec"
        train_vectors(
            start.texts,
            language,
            path,
            unspaced=qanet_new.words_of(start).unspaced,
            seed=1 if start.seed is None else start.seed,
        )
        trained.append(f"{language}={path}")
    return trained
