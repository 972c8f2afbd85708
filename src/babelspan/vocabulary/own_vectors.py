"""Train word vectors on given texts, for languages without published vectors.

Skip-gram with negative sampling, by gensim (extra `vectors`): Mikolov et al. (2013). Vectors of
words that are rare in the texts are poor; vectors trained on a large corpus are better if there are
any.
"""

from collections.abc import Sequence
from pathlib import Path

from babelspan.data.word_vectors import write_vectors
from babelspan.text.word_tokens import Unspaced, word_tokens
from babelspan.types import ConfigError, DataError
from babelspan.version import how_to_install
from babelspan.vocabulary.word_sources import texts_of

WIDTH = 100
LEAST = 2
"""Minimum frequency of a word with a vector."""
EPOCHS = 10


def train_vectors(
    texts: Sequence[Path],
    language: str,
    path: Path,
    *,
    unspaced: Unspaced = "words",
    width: int = WIDTH,
    seed: int = 1,
) -> int:
    """Train vectors on the texts in a language and write a `.vec` file; deterministic.

    Args:
        texts: paths as for `texts_of`.
        language: language of the texts to use.
        path: the file to write.
        unspaced: segmentation of text without spaces.
        width: width of the vectors.
        seed: random seed.

    Returns:
        The number of words with a vector.

    Raises:
        ConfigError: if gensim is not installed.
        DataError: if no word occurs twice.
    """
    try:
        from gensim.models import Word2Vec
    except ImportError:
        raise ConfigError(
            f"training vectors on your texts needs gensim: {how_to_install('vectors')}"
        ) from None
    sentences = [
        [place.of(text) for place in word_tokens(text, unspaced)]
        for of_text, text in texts_of(texts)
        if of_text == language
    ]
    try:
        model = Word2Vec(
            sentences,
            vector_size=width,
            min_count=LEAST,
            sg=1,
            epochs=EPOCHS,
            seed=seed,
            workers=1,
            hashfxn=_stable,
        ).wv
    except RuntimeError as error:
        raise DataError(
            f"expected texts in {language!r} with words that occur {LEAST} times or more, found "
            f"none in {len(sentences)} texts ({error}); give more texts"
        ) from None
    pairs = ((word, model[word]) for word in model.index_to_key)
    write_vectors(path, pairs, width, len(model.index_to_key))
    return len(model.index_to_key)


def _stable(word: str) -> int:
    """A hash that is the same in every process."""
    return sum(word.encode("utf-8", "replace"))
