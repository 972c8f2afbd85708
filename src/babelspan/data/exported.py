"""The layout of an exported reader: a folder with these files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt, TypeAdapter, ValidationError

from babelspan.data.files import read_json
from babelspan.types import DataError

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
SETTINGS = "reader.json"
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""Of the network, each (windows, length)."""
OUTPUTS = ("start_logits", "end_logits")
"""Of the network, each (windows, length)."""
VECTORS = "vectors"
"""One more output of the network of a reader of parallel texts, (windows, length, width)."""
PASSAGES = ("passage_logits", "kind_logits")
"""More outputs of the network of a reader that selects passages: of each token, the first one's for
"no passage", (windows, length); of each kind of answer, (windows, 5)."""
BESIDE = "beside.onnx"
"""The second network of such a reader: vectors of a text and of its translations to `OUTPUTS`."""
BESIDE_INPUTS = ("own", "others", "mask", "rows")
"""Of it: vectors of the text (1, L, width); of K translations, padded (K, M, width), with 1 for
tokens and 0 for padding (K, M); the number of the translation into each language, K for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `reader.json` says.

    Attributes:
        max_positions: the longest window, in tokens.
        pad_id: id of the padding token.
        precision: of the matrices.
        vectors: precision of the word vectors; empty where it was not written down.
        whole_words: whether an answer that starts or ends inside a word is widened to all of it.
        babelspan: version that exported it.
        languages: of the translations that it reads beside a text; None where it reads one text.
        kind: "words" for a reader with a table of words in place of a tokenizer.
    """

    max_positions: PositiveInt
    pad_id: NonNegativeInt
    precision: Literal["fp32", "int8"]
    vectors: Literal["", "fp32", "int8", "int4"] = ""
    whole_words: bool = False
    babelspan: str
    languages: tuple[str, ...] | None = None
    kind: Literal["words"] | None = None


def load_settings(folder: Path) -> Settings:
    """The settings of an exported reader.

    Raises:
        DataError: if they are missing or broken.
    """
    path = folder / SETTINGS
    try:
        return TypeAdapter(Settings).validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{path}: expected the settings of an exported reader, found in {key!r}: "
            f"{first['msg']}; export it again"
        ) from None
