"""`babelspan export`: a reader that runs without PyTorch."""

from pathlib import Path
from typing import Annotated

import typer

from babelspan.cli.shown import one_line

Reader = Annotated[str, typer.Argument(help="A checkpoint: a folder or a hub name.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the exported reader.")]
Int8 = Annotated[
    bool,
    typer.Option(
        "--int8", help="Store weights in 8 bits: a quarter of the size, about twice the speed."
    ),
]
Int4Vectors = Annotated[
    bool,
    typer.Option("--int4-vectors", help="Store word vectors in 4 bits, half the space of --int8."),
]
WholeWords = Annotated[
    bool,
    typer.Option(
        "--whole-words", help="Widen answers that start or end inside a word to the whole word."
    ),
]
Dictionaries = Annotated[
    str | None,
    typer.Option(
        "--dictionaries",
        metavar="READER",
        help="Copy the dictionaries of another reader, such as default, which translate the words "
        "of questions in other languages than the text's.",
    ),
]


def command(
    reader: Reader,
    folder: Folder,
    *,
    int8: Int8 = False,
    int4_vectors: Int4Vectors = False,
    whole_words: WholeWords = False,
    dictionaries: Dictionaries = None,
) -> None:
    """Export a reader to ONNX, to use it as --reader DIR without PyTorch."""
    from babelspan.readers import dictionaries_of, load_checkpoint

    copied = None if dictionaries is None else dictionaries_of(dictionaries)
    checkpoint = load_checkpoint(reader)
    from babelspan.export.onnx import export

    export(
        checkpoint,
        folder,
        int8=int8,
        int4_vectors=int4_vectors,
        whole_words=whole_words,
        dictionaries=copied,
    )
    print(one_line(f"exported {reader} to {folder}"))
