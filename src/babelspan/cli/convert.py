"""`babelspan convert`: a translation model for the translator `ctranslate2`."""

from pathlib import Path
from typing import Annotated

import typer

from babelspan.cli.shown import one_line

Model = Annotated[str, typer.Argument(help="Checkpoint of a model: a folder or a hub name.")]
Folder = Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the converted model.")]
Int8 = Annotated[
    bool, typer.Option("--int8", help="Store weights in 8 bits: a quarter of the size.")
]


def command(model: Model, folder: Folder, int8: Int8 = False) -> None:
    """Convert a Marian, M2M-100, NLLB or MADLAD-400 model, to use it as ctranslate2:OUT."""
    from babelspan.translators.ctranslate2.converted import convert

    licence = convert(model, folder, int8=int8)
    print(one_line(f"converted {model} to {folder}; licence of the weights: {licence}"))
