"""`babelspan samples`: the sample set of the package, to look at and to try things on."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it.")]


def command(folder: Folder) -> None:
    """Write the sample set: 24 texts in 8 languages (DIR/texts) with questions (DIR/qa)."""
    from babelspan.data.files import replacing
    from babelspan.jobs.samples import SAMPLES, sample_texts

    texts = sample_texts()
    for name, text in texts.items():
        with replacing(folder / "texts" / name) as beside:
            beside.write_bytes(text.encode("utf-8"))
    files = sorted(SAMPLES.glob("*.json"))
    for file in files:
        with replacing(folder / "qa" / file.name) as beside:
            beside.write_bytes(file.read_bytes())
    print(
        f"wrote {len(texts)} texts to {folder / 'texts'} and {len(files)} files to {folder / 'qa'}"
    )
