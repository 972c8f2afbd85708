"""The form of an exported reader: a folder with these files."""

from dataclasses import dataclass

from pydantic import NonNegativeInt, PositiveInt

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
SETTINGS = "reader.json"
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""Of the network, each (windows, length)."""
OUTPUTS = ("start_logits", "end_logits")
"""Of the network, each (windows, length)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `reader.json` says.

    Attributes:
        max_positions: the longest window, in tokens.
        pad_id: id of the padding token.
        precision: "fp32" or "int8".
        babelspan: version that exported it.
    """

    max_positions: PositiveInt
    pad_id: NonNegativeInt
    precision: str
    babelspan: str
