"""A new tokenizer: normalisation and pre-tokenization around a given list of pieces.

Normalisation is NFKC, with lower-casing unless the encoder is cased. Diacritics are kept, because
they distinguish words in Vietnamese, Hindi, Thai and Arabic. Pre-tokenization is that of BERT
(Devlin et al. 2019, arXiv:1810.04805): at white space and around punctuation. A word of a script
with spaces starts with `BORDER`; a run of a script without spaces does not, so that a piece there
is the same in every position.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import regex
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

BORDER = "▁"
"""Prefix of the first piece of a word."""

CONTINUATION = "##"
"""Prefix of the other pieces of a word in a WordPiece vocabulary."""

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts without spaces, as a character class for the library `tokenizers`."""

_STARTS_UNSPACED = regex.compile(rf"[{UNSPACED}]", regex.VERSION1)
_INVISIBLE = "[\u00ad\u200b-\u200f\u2060\ufeff]"
"""Soft hyphens, joiners and bidirectional controls, which affect layout only."""


def skeleton(
    pieces: Sequence[tuple[str, float]], *, unknown: str, pad: str, lowercase: bool = True
) -> Tokenizer:
    """A Unigram tokenizer (Kudo 2018, arXiv:1804.10959) with given pieces.

    It adds no special tokens; see `framed`.

    Args:
        pieces: all pieces with their log-probabilities; the index is the id.
        unknown: the piece for unknown characters.
        pad: the padding piece.
        lowercase: whether to lower-case text.
    """
    names = [piece for piece, _ in pieces]
    tokenizer = Tokenizer(Unigram(list(pieces), unk_id=names.index(unknown), byte_fallback=False))
    tokenizer.normalizer = _normalizer(lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.BertPreTokenizer(),
            pre_tokenizers.Split(Regex(f"[{UNSPACED}][{UNSPACED}\\p{{M}}]*"), "isolated"),
            pre_tokenizers.Metaspace(replacement=BORDER, prepend_scheme="always", split=False),
            pre_tokenizers.Split(Regex(f"{BORDER}(?=[{UNSPACED}])"), "removed"),
        ]
    )
    assert pad in names
    return tokenizer


def framed(tokenizer: Tokenizer, *, single: str, pair: str) -> Tokenizer:
    """Make a tokenizer put special tokens around its texts; returns the same tokenizer.

    Args:
        tokenizer: a tokenizer with the special tokens among its pieces.
        single: template of a single text, such as `[CLS] $A [SEP]`.
        pair: template of a pair, with type ids, such as `[CLS] $A [SEP] $B:1 [SEP]:1`.
    """
    names = {part.partition(":")[0] for part in (*single.split(), *pair.split())} - {"$A", "$B"}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single,
        pair=pair,
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in sorted(names)],
    )
    return tokenizer


def normal(text: str, *, lowercase: bool = True) -> str:
    """Normalise a text as a skeleton does."""
    return _normalizer(lowercase).normalize_str(text)


def count_words(texts: Iterable[str], *, lowercase: bool = True) -> Counter[str]:
    """Word counts after the pre-tokenization of a `skeleton`, with `BORDER`.

    Each distinct string between white space is pre-tokenized once.
    """
    chunks: Counter[str] = Counter()
    for text in texts:
        chunks.update(text.split())
    cutter = skeleton([("?", 0.0)], unknown="?", pad="?", lowercase=lowercase)
    assert cutter.normalizer is not None and cutter.pre_tokenizer is not None
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        normal = cutter.normalizer.normalize_str(chunk)
        for word, _ in cutter.pre_tokenizer.pre_tokenize_str(normal):
            words[word] += count
    return words


def as_piece(wordpiece: str) -> str:
    """A WordPiece piece in the notation of a `skeleton`.

    >>> as_piece("bridge"), as_piece("##s"), as_piece("中")
    ('▁bridge', 's', '中')
    """
    if wordpiece.startswith(CONTINUATION) and len(wordpiece) > len(CONTINUATION):
        return wordpiece.removeprefix(CONTINUATION)
    return wordpiece if is_unspaced(wordpiece) else BORDER + wordpiece


def is_unspaced(piece: str) -> bool:
    """Whether a piece starts with a letter of a script without spaces."""
    return _STARTS_UNSPACED.match(piece) is not None


@cache
def _normalizer(lowercase: bool) -> normalizers.Normalizer:
    small = [normalizers.Lowercase()] if lowercase else []
    invisible = normalizers.Replace(Regex(_INVISIBLE), "")
    return normalizers.Sequence([normalizers.NFKC(), *small, invisible])
