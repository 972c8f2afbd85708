"""Fertility of a tokenizer: tokens per word and per character."""

from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Fertility:
    """Counts for texts in one language.

    Attributes:
        characters: number of code points without white space.
        words: number of words, separated by white space.
        tokens: number of tokens.
        unknown: number of tokens for unknown characters.
    """

    characters: int
    words: int
    tokens: int
    unknown: int

    @property
    def per_character(self) -> float:
        """Tokens per character."""
        return self.tokens / max(self.characters, 1)

    @property
    def per_word(self) -> float:
        """Tokens per word; not meaningful in scripts without spaces."""
        return self.tokens / max(self.words, 1)


def fertility(tokenizer: Tokenizer, texts: Iterable[str], *, unknown: str) -> Fertility:
    """Count the tokens of texts.

    Args:
        tokenizer: any tokenizer.
        texts: texts in one language.
        unknown: the token for unknown characters.

    Raises:
        ValueError: if the tokenizer has no such token.
    """
    characters = words = tokens = unknowns = 0
    unknown_id = tokenizer.token_to_id(unknown)
    if unknown_id is None:
        raise ValueError(f"expected a tokenizer with the token {unknown!r}, found none")
    for text in texts:
        chunks = text.split()
        words += len(chunks)
        characters += sum(map(len, chunks))
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        tokens += len(ids)
        unknowns += ids.count(unknown_id)
    return Fertility(characters, words, tokens, unknowns)
