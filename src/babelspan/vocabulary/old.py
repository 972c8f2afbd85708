"""The existing vocabulary of an encoder, with pieces in the notation of `skeleton`.

Families: WordPiece (BERT), byte-level BPE (RoBERTa), SentencePiece (XLM-R), and whole words.
"""

import json
import re
import string
import unicodedata
from collections.abc import Collection
from typing import Literal

from tokenizers import Tokenizer

from babelspan.vocabulary.skeleton import BORDER, CONTINUATION, is_unspaced

Family = Literal["wordpiece", "bytes", "sentencepiece", "words"]

_UNUSED = re.compile(r"\[unused\d+\]|<0x[0-9A-F]{2}>")
"""Unused entries of a vocabulary, and byte tokens of a SentencePiece vocabulary."""


def written(tokenizer: Tokenizer, special: Collection[str]) -> dict[str, int]:
    """The old id of each piece, by its name in a `skeleton`, in the order of the ids.

    A skeleton puts `BORDER` before every word and every punctuation mark, but not in scripts
    without spaces. Pieces that it cannot have are left out: parts of characters, and marks joined
    to other characters. If two pieces have the same name, the one that the old tokenizer uses more
    is taken: a mark usually follows a word directly, except in WordPiece, which separates them.

    Args:
        tokenizer: the tokenizer of the encoder.
        special: its special tokens.
    """
    family = family_of(tokenizer)
    vocabulary = tokenizer.get_vocab()
    found: dict[str, int] = {}
    second: dict[str, int] = {}
    for piece in sorted(vocabulary, key=lambda p: vocabulary[p]):
        if piece in special or _UNUSED.fullmatch(piece):
            continue
        starts, text = _spelt(piece, family)
        is_free = text is not None and (is_unspaced(text) or is_mark(text))
        if name := _name(text, starts):
            is_usual = not is_free or starts == (family in ("wordpiece", "words"))
            (found if is_usual else second).setdefault(name, vocabulary[piece])
    return found | {name: i for name, i in second.items() if name not in found}


def family_of(tokenizer: Tokenizer) -> Family:
    """The family of a tokenizer."""
    described = json.loads(tokenizer.to_str())
    parts = json.dumps([described[key] for key in ("pre_tokenizer", "decoder", "normalizer")])
    if '"ByteLevel"' in parts:
        return "bytes"
    if '"Metaspace"' in parts or described["model"]["type"] == "Unigram":
        return "sentencepiece"
    return "wordpiece" if described["model"]["type"] == "WordPiece" else "words"


def is_mark(text: str) -> bool:
    """Whether a text is a single punctuation mark, or an ASCII symbol treated as one."""
    return len(text) == 1 and (text in string.punctuation or unicodedata.category(text)[0] == "P")


def _name(text: str | None, starts: bool) -> str | None:
    """The name of a piece in a skeleton; None if a skeleton cannot have it."""
    if text is None or any(c.isspace() for c in text):
        return None
    if len(text) > 1 and any(map(is_mark, text)):
        return None
    if is_mark(text) or (starts and not is_unspaced(text)):
        return BORDER + text
    return text or None


def _spelt(piece: str, family: Family) -> tuple[bool, str | None]:
    """Whether a piece starts a word, and its text; None for a part of a character."""
    if family == "wordpiece":
        is_later = piece.startswith(CONTINUATION) and len(piece) > len(CONTINUATION)
        return not is_later, piece.removeprefix(CONTINUATION) if is_later else piece
    if family == "words":
        return True, piece
    if family == "bytes":
        try:
            piece = bytes(_BYTES[c] for c in piece).decode("utf-8").replace(" ", BORDER, 1)
        except (KeyError, UnicodeDecodeError):
            return False, None
    return piece.startswith(BORDER), piece.removeprefix(BORDER)


def _bytes() -> dict[str, int]:
    """The byte of each character of a byte-level vocabulary; printable bytes map to themselves."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in own]
    return {chr(b): b for b in own} | {chr(256 + i): b for i, b in enumerate(others)}


_BYTES = _bytes()
