"""`babelspan new`: an untrained reader from texts, word vectors and dictionaries."""

from pathlib import Path
from typing import Annotated

import typer

Kind = Annotated[str, typer.Argument(metavar="KIND", help="Kind of network: qanet.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the reader.")]
Texts = Annotated[
    list[Path],
    typer.Option("--texts", help="Examples or plain text to take the words from; repeatable."),
]
Vectors = Annotated[
    list[str] | None,
    typer.Option(
        "--vectors",
        metavar="LANGUAGE=FILE",
        help="Word vectors (.vec, .txt, .npz, also gzipped), which are not trained; repeatable.",
    ),
]
Own = Annotated[
    str | None,
    typer.Option(
        "--own-vectors", help="Languages whose vectors are trained on --texts, separated by commas."
    ),
]
Dictionary = Annotated[
    list[Path] | None,
    typer.Option("--dictionary", help="Translations of words, <a>-<b>.tsv[.gz]; repeatable."),
]
Sides = Annotated[
    str | None,
    typer.Option("--sides", help="SOURCE,TARGET: two languages with separate layers."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value that sets a size or a choice; repeatable."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the weights.")]


def command(
    kind: Kind,
    out: Out,
    *,
    texts: Texts,
    vectors: Vectors = None,
    own_vectors: Own = None,
    dictionary: Dictionary = None,
    sides: Sides = None,
    settings: Settings = None,
    seed: Seed = 1,
) -> None:
    """Make an untrained reader from words and vectors; to train it, use --reader OUT.

    Prints the number of known words for each language.
    """
    from babelspan.jobs.new import make
    from babelspan.networks.qanet_new import Start

    start = Start(
        texts=tuple(texts),
        vectors=tuple(vectors or ()),
        dictionaries=tuple(dictionary or ()),
        sides=_split(sides),
        settings=tuple(settings or ()),
        seed=seed,
    )
    made = make(kind, start, out, own_vectors=_split(own_vectors))
    kept = "fixed" if made.are_fixed else "learnt"
    for language, words in sorted(made.words.items()):
        known = made.known[language]
        print(f"{language}: {known:,} of {words:,} words in the texts have a vector")
    print(
        f"{made.rows:,} {kept} vectors of {made.width} numbers; {made.weights:,} trainable weights"
    )
    print(f"wrote {out}")


def _split(said: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (said or "").split(",") if part.strip())
