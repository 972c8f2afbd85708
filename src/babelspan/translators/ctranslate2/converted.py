"""Translation models in CTranslate2 format: reading their folders, and converting checkpoints.

Besides the files of CTranslate2 (`model.bin`, `config.json`, a vocabulary), a folder contains the
tokenizer and the model card of the checkpoint. The family of a model is recognised by the language
tokens in its vocabulary, so folders converted by others work too. Nothing here runs a model.
"""

import importlib.util
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

from babelspan.data.files import read_json, read_text
from babelspan.text.iso639 import among
from babelspan.translators.ctranslate2.hub import local_copy
from babelspan.types import ConfigError, DataError
from babelspan.version import how_to_install

MODEL = "model.bin"
DOCUMENTS = ("README.md", "LICENSE*", "LICENCE*")
TOKENIZERS = ("*.spm", "*.model", "tokenizer.json", "tokenizer_config.json")
WEIGHTS = (MODEL, "config.json", "*vocabulary.*")
NOT_STATED = "not stated"
CONFIG = "config.json"
_KINDS = ("marian", "m2m_100", "t5")
"""The model types, in `config.json`, that can be converted."""

_CONTROL = ("<unk>", "<s>", "</s>", "<pad>", "<mask>")
_MARIAN_PIECES = ("source.spm", "target.spm")
_SHARED_PIECES = ("sentencepiece.bpe.model", "spiece.model", "sentencepiece.model")


@dataclass(frozen=True, slots=True)
class Family:
    """How the models of a family are told the source and target languages.

    Attributes:
        name: name of the family.
        code: pattern of its language tokens; the group is the code.
        place: position of language tokens: the target's as a word in the text; the target's as the
            first source token; or the source's there, and the target's as the first target token.
        positions: maximum number of tokens that it reads or writes; None for no limit.
    """

    name: str
    code: re.Pattern[str]
    place: Literal["in the text", "before the source", "before both"]
    positions: int | None


MARIAN = Family("Marian", re.compile(r">>(.+)<<"), "before the source", 512)
FAMILIES = (
    Family("M2M-100", re.compile(r"__([a-z]+)__"), "before both", 1024),
    Family("NLLB", re.compile(r"([a-z]{3}_[A-Z][a-z]{3})"), "before both", 1024),
    Family("MADLAD-400", re.compile(r"<2([a-z][\w-]*)>"), "in the text", None),
)


class Pair(NamedTuple):
    """The tokens for a source and a target language; "" if the model needs none."""

    source: str
    target: str


class Pieces(NamedTuple):
    """A subword tokenizer: text to pieces, and back."""

    encode: Callable[[str], list[str]]
    decode: Callable[[list[str]], str]


class ConvertedModel:
    """A converted model: languages, tokens, licence.

    Args:
        folder: folder of the model.
        sources: codes of its source languages, joined by `+`, if its files do not name them; for
            Marian models only.
        targets: codes of its target languages, likewise.

    Raises:
        DataError: if the folder contains no such model or is broken.
        ConfigError: if `sources` or `targets` are given for a model that names its languages.
    """

    def __init__(self, folder: Path, *, sources: str = "", targets: str = "") -> None:
        if not (folder / MODEL).is_file():
            raise DataError(
                f"{folder}: expected a translation model with {MODEL}, found none; "
                "make one with `babelspan convert`"
            )
        self.folder = folder
        vocabulary = _vocabulary(folder)
        self.family = _family(folder, vocabulary)
        self._languages = _languages(self.family, vocabulary)
        self._pieces = _pieces(folder)
        config = _object(folder / "config.json")
        self._end = [] if config.get("add_source_eos") else [str(config.get("eos_token", "</s>"))]
        self._unspoken = {*self._languages.values(), *_CONTROL}
        if (targets and self._languages) or (sources and self.family is not MARIAN):
            raise ConfigError(
                f"{folder}: the vocabulary of the {self.family.name} model names its languages; "
                f"leave out {'target' if targets else 'source'}="
            )
        self._sources, self._targets = _marian_codes(folder, sources, targets)

    def pair(self, source: str, target: str) -> Pair:
        """The tokens for two languages, given as ISO 639-1 codes or in the model's notation.

        Raises:
            ConfigError: if the model does not translate between them.
        """
        if self.family is not MARIAN:
            return Pair(self._token(source, "from"), self._token(target, "to"))
        self._check(source, self._sources, "from")
        if self._languages:
            return Pair("", self._token(target, "to"))
        self._check(target, self._targets, "to")
        return Pair("", "")

    def encode(self, text: str, pair: Pair) -> list[str]:
        """The source tokens of a text; a lone surrogate is read as `?`."""
        text = text.encode(errors="replace").decode()
        if self.family.place == "in the text":
            return [*self._pieces.encode(f"{pair.target} {text}"), *self._end]
        first = pair.source if self.family.place == "before both" else pair.target
        return [*filter(None, [first]), *self._pieces.encode(text), *self._end]

    def prefix(self, pair: Pair) -> list[str]:
        """The target tokens that a translation must start with."""
        return [pair.target] if self.family.place == "before both" else []

    def decode(self, tokens: Sequence[str]) -> str:
        """Decode the tokens of a translation to text."""
        return self._pieces.decode([t for t in tokens if t not in self._unspoken])

    def _token(self, language: str, direction: str) -> str:
        code = self._check(language, sorted(self._languages), direction)
        return self._languages[code]

    def _check(self, language: str, codes: Sequence[str], direction: str) -> str:
        code = among(language, codes)
        if code is None:
            known = self.family is not MARIAN or (direction == "to" and self._languages)
            hint = "" if known else f"; if it does, say so: {_OPTION[direction]}={language}"
            raise ConfigError(
                f"{self.folder}: the model translates {direction} {_listed(codes)}, "
                f"not {direction} {language!r}{hint}"
            )
        return code


_OPTION = {"from": "source", "to": "target"}


def convert(model: str, folder: Path, *, int8: bool = False) -> str:
    """Convert a translation checkpoint of transformers to CTranslate2 format, atomically.

    Args:
        model: a folder, or a name on the Hugging Face hub, of a Marian, M2M-100, NLLB or MADLAD-400
            checkpoint. Code that comes with it is never run.
        folder: a new or empty folder.
        int8: whether to write the weights as 8-bit integers: a quarter of the size.

    Returns:
        The licence of the weights, from the model card.

    Raises:
        DataError: if there is no such checkpoint, or it is broken or of another type.
        ConfigError: if `folder` is not empty, or the packages for conversion are not installed.
    """
    missing = [
        n for n in ("ctranslate2", "torch", "transformers") if not importlib.util.find_spec(n)
    ]
    if missing:
        raise ConfigError(
            f"conversion needs {', '.join(missing)}: install PyTorch for your machine, then "
            f"{how_to_install('train', 'translate')}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: expected a new or empty folder, found one in use")
    checkpoint = local_copy(model, (*TOKENIZERS, *DOCUMENTS, CONFIG))
    _refuse_other_kinds(checkpoint / CONFIG)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
        made = Path(beside) / folder.name
        _write_weights(model, made, int8=int8)
        for pattern in (*TOKENIZERS, *DOCUMENTS):
            for file in checkpoint.glob(pattern):
                shutil.copyfile(file, made / file.name)
        _family(made, _vocabulary(made))
        _pieces(made)
        made.replace(folder)
    return licence_of(folder)


def _refuse_other_kinds(path: Path) -> None:
    """Check that a checkpoint has a model type that can be converted, by its `config.json`."""
    if path.exists() and (kind := _object(path).get("model_type")) not in _KINDS:
        raise DataError(
            f"{path}: expected a Marian, M2M-100, NLLB or MADLAD-400 model, found one of kind "
            f"{kind!r}"
        )


def licence_of(folder: Path) -> str:
    """The licence of a model's weights from its card, or the first line of its licence file.

    "not stated" if neither states one.
    """
    card = folder / "README.md"
    head = re.match(r"\ufeff?---\s*\n(.*?)\n---", read_text(card), re.S) if card.is_file() else None
    for key in ("license_name", "license", "licence"):
        found = head and re.search(rf"^{key}:[ \t]*(?:\n[ \t]*- *)?(\S.*)$", head[1], re.M)
        if found:
            return found[1].strip(" \t\r\"'[]")
    for file in sorted(p for pattern in DOCUMENTS[1:] for p in folder.glob(pattern)):
        for line in read_text(file).splitlines():
            if line.strip():
                return line.strip()
    return NOT_STATED


def _write_weights(model: str, folder: Path, *, int8: bool) -> None:
    from ctranslate2.converters import TransformersConverter
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    local = Path(model).expanduser()
    converter = TransformersConverter(str(local) if local.is_dir() else model)
    load = converter.load_model
    converter.load_model = lambda *args, **options: _rescaled(load(*args, **options))
    try:
        with warnings.catch_warnings(action="ignore"):  # advice on packages that are not needed
            converter.convert(str(folder), quantization="int8" if int8 else None)
    except Exception as error:  # transformers and the converter raise many classes
        raise DataError(f"{model}: cannot be converted: {_line(error)}") from error


def _rescaled(checkpoint: Any) -> Any:
    """Adapt a loaded checkpoint to CTranslate2's converter (4.8), made for transformers before 5.

    Before version 5, a T5 model that does not scale its logits had `tie_word_embeddings` false; now
    it has `scale_decoder_outputs` false, and `tie_word_embeddings` is always true. Without this,
    the logits of MADLAD-400 would be divided by the square root of its width, which ruins beam
    search.
    """
    config = checkpoint.config
    if hasattr(config, "scale_decoder_outputs"):
        config.tie_word_embeddings = config.scale_decoder_outputs
    return checkpoint


def _family(folder: Path, vocabulary: Sequence[str]) -> Family:
    if all((folder / name).is_file() for name in _MARIAN_PIECES):
        return MARIAN
    known = {family.name: len(_languages(family, vocabulary)) for family in FAMILIES}
    best = max(FAMILIES, key=lambda family: known[family.name])
    if known[best.name] < 2:
        raise DataError(
            f"{folder}: expected a translation model (Marian, "
            f"{', '.join(known)}), found neither {' and '.join(_MARIAN_PIECES)} nor language "
            "tokens in its vocabulary"
        )
    return best


def _languages(family: Family, vocabulary: Sequence[str]) -> dict[str, str]:
    """Language code -> language token."""
    matches = (family.code.fullmatch(token) for token in vocabulary)
    return {match[1]: match[0] for match in matches if match}


def _vocabulary(folder: Path) -> list[str]:
    tokens: list[str] = []
    for kind, suffix in product(("shared", "source", "target"), ("json", "txt")):
        path = folder / f"{kind}_vocabulary.{suffix}"
        if path.is_file():
            found = read_json(path) if suffix == "json" else read_text(path).splitlines()
            if not isinstance(found, list) or not all(isinstance(t, str) for t in found):
                raise DataError(f"{path}: expected a list of tokens; convert the model again")
            tokens += found
    if not tokens:
        raise DataError(f"{folder}: expected a vocabulary, found none; convert the model again")
    return tokens


def _pieces(folder: Path) -> Pieces:
    """The tokenizer, from its SentencePiece model if there is one."""
    if all((folder / name).is_file() for name in _MARIAN_PIECES):
        source, target = (_sentencepiece(folder / name) for name in _MARIAN_PIECES)
        return Pieces(source.encode, target.decode)
    for name in _SHARED_PIECES:
        if (folder / name).is_file():
            return Pieces(*_sentencepiece(folder / name))
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise DataError(
            f"{folder}: expected a tokenizer ({', '.join((*_MARIAN_PIECES, *_SHARED_PIECES))} or "
            f"{path.name}), found none; copy it from the checkpoint"
        )
    return _tokenizer(path)


def _sentencepiece(path: Path) -> Pieces:
    from sentencepiece import SentencePieceProcessor

    try:
        processor = SentencePieceProcessor(model_file=str(path))
    except Exception as error:  # RuntimeError or OSError, depending on the fault
        raise DataError(f"{path}: not a SentencePiece model ({_line(error)})") from None

    def decode(tokens: list[str]) -> str:
        # pieces of the vocabulary that are not in this model keep their "▁"
        return str(processor.decode_pieces(tokens)).replace("▁", " ").strip()

    return Pieces(lambda text: list(processor.encode(text, out_type=str)), decode)


def _tokenizer(path: Path) -> Pieces:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise DataError(f"{path}: not a tokenizer ({_line(error)})") from None
    decoder = tokenizer.decoder
    if decoder is None:
        raise DataError(f"{path}: the tokenizer cannot decode tokens to text")
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True  # `</s>` in a text is plain text
    return Pieces(
        lambda text: list(tokenizer.encode(text, add_special_tokens=False).tokens),
        lambda tokens: str(decoder.decode(tokens)),
    )


def _marian_codes(folder: Path, sources: str, targets: str) -> tuple[list[str], list[str]]:
    """Source and target codes from the options, or else from the tokenizer's settings."""
    path = folder / "tokenizer_config.json"
    settings: Mapping[str, Any] = _object(path) if path.is_file() else {}
    from_, to = sources or settings.get("source_lang"), targets or settings.get("target_lang")
    return str(from_ or "").split("+"), str(to or "").split("+")


def _object(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected an object, found {type(found).__name__}")
    return found


def _listed(codes: Sequence[str]) -> str:
    shown = [code for code in codes if code]
    if not shown:
        return "languages that its files do not name"
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")


def _line(error: Exception) -> str:
    """The message of an error, as one line of limited length."""
    return " ".join(str(error).split())[:300] or type(error).__name__
