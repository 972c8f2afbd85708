"""`babelspan extend-vocabulary`: give an encoder a vocabulary for more languages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import tracked

if TYPE_CHECKING:
    from babelspan.jobs.extend_vocabulary import Extended

Encoder = Annotated[
    str, typer.Argument(help="Checkpoint of an encoder or a reader: a folder or a hub name.")
]
Texts = Annotated[
    list[Path], typer.Option("--texts", help="File or folder of plain text (.txt); repeatable.")
]
Bitext = Annotated[
    list[Path] | None,
    typer.Option("--bitext", help="File or folder of sentence pairs (.tsv); repeatable."),
]
Lexicon = Annotated[
    list[Path] | None,
    typer.Option("--lexicon", help="Dictionary or folder of dictionaries (.tsv); repeatable."),
]
Size = Annotated[int, typer.Option("--size", min=1, help="Maximum size of the new vocabulary.")]
Known = Annotated[
    list[str],
    typer.Option("--known", help="Language the encoder already knows; repeatable."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder for the extended encoder.")]


def command(
    encoder: Encoder,
    *,
    texts: Texts,
    size: Size,
    out: Out,
    bitext: Bitext = None,
    lexicon: Lexicon = None,
    known: Known = ["en"],  # noqa: B006
) -> None:
    """Give an encoder a vocabulary for more languages; rerun the same command to resume.

    New word vectors start from old ones: those of pieces at the same place in texts of a known
    language, and those of words that bitext and dictionaries link. All other weights are kept.
    Prints tokens per character for each language, before and after.
    """
    from babelspan.jobs.extend_vocabulary import extend
    from babelspan.jobs.known_texts import find

    found = find(texts=texts, bitext=bitext or [], lexicons=lexicon or [], known=known)
    _show(extend(encoder, found, out, size=size, watch=tracked))
    print(f"wrote {out}")


def _show(made: "Extended") -> None:
    print("language   tokens per character   unknown tokens, percent")
    print("             before    after        before    after")
    for language, old in made.before.items():
        new = made.after[language]
        unknown = (100 * f.unknown / max(f.tokens, 1) for f in (old, new))
        print(
            f"{language:<11}{old.per_character:>8.3f} {new.per_character:>8.3f}"
            + "".join(f"{share:>{width}.1f}" for share, width in zip(unknown, (14, 9), strict=True))
        )
    print(
        f"{made.size} pieces: {made.shared} keep their vector, {made.linked} start from linked "
        f"ones, {made.unlinked} near the mean"
    )
