"""`babelspan samples`: the sample texts and questions that come with the package."""

from pathlib import Path
from typing import Annotated

import typer

from babelspan.cli.shown import one_line

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")]


def command(folder: Folder) -> None:
    """Write the sample set: 24 texts in 8 languages (DIR/texts) with questions (DIR/qa).

    Nothing is written if one of the files exists with other content.
    """
    from babelspan.data.files import replacing
    from babelspan.jobs.samples import SAMPLES, sample_texts
    from babelspan.types import ConfigError

    texts = {f"texts/{name}": text.encode("utf-8") for name, text in sample_texts().items()}
    questions = {f"qa/{file.name}": file.read_bytes() for file in sorted(SAMPLES.glob("*.json"))}
    contents = {folder / name: content for name, content in (texts | questions).items()}
    for path, content in contents.items():
        if path.exists() and not (path.is_file() and path.read_bytes() == content):
            raise ConfigError(
                f"{path}: this file exists and is not part of the sample set; choose another folder"
            )
    for path, content in contents.items():
        with replacing(path) as beside:
            beside.write_bytes(content)
    print(
        one_line(
            f"wrote {len(texts)} texts to {folder / 'texts'} and {len(questions)} files to "
            f"{folder / 'qa'}"
        )
    )
