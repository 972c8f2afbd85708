"""The files of an exported reader, which is a folder."""

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
"""Inputs of the network, each (windows, length)."""
OUTPUTS = ("start_logits", "end_logits")
"""Outputs of the network, each (windows, length)."""
VECTORS = "vectors"
"""Further output of a network for parallel texts, (windows, length, width)."""
PASSAGES = ("passage_logits", "kind_logits")
"""Further outputs of a network that selects passages: a logit per token, the first token's for
"no passage", (windows, length); a logit per kind of answer, (windows, 5)."""
BESIDE = "beside.onnx"
"""Second network of a reader of parallel texts: from vectors of its texts to `OUTPUTS`."""
BESIDE_INPUTS = ("own", "others", "mask", "rows")
"""Its inputs: vectors of the text (1, L, width); vectors of K translations, padded (K, M, width),
with 1 for tokens and 0 for padding (K, M); index of the translation into each language, or K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The content of `reader.json`.

    Attributes:
        max_positions: maximum length of a window in tokens.
        pad_id: id of the padding token.
        precision: precision of the matrices.
        vectors: precision of the word vectors; empty if it was not recorded.
        whole_words: whether an answer that starts or ends inside a word is widened to the word.
        babelspan: version that exported it.
        languages: languages of the translations that it reads; None for a reader of one text.
        kind: "words" for a reader with a word table instead of a tokenizer.
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
    """Load the settings of an exported reader.

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
