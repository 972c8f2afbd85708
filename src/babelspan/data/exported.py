"""The form of an exported reader: a folder with these files."""

from dataclasses import dataclass

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
SETTINGS = "reader.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `reader.json` says.

    Attributes:
        max_positions: the longest window, in tokens.
        pad_id: id of the padding token.
        precision: "fp32" or "int8".
        babelspan: version that exported it.
        languages: of the translations that it reads beside a text; None where it reads one text.
    """

    max_positions: int
    pad_id: int
    precision: str
    babelspan: str
    languages: tuple[str, ...] | None = None
