"""Generators of questions by name, as `readers` has readers."""

from pathlib import Path
from typing import TYPE_CHECKING

from babelspan.networks.store import NETWORK
from babelspan.types import DataError

if TYPE_CHECKING:
    from babelspan.networks.question_generator import QuestionGenerator


def load_generator(name: str, *, begins: bool = False) -> "QuestionGenerator":
    """A generator of questions.

    Args:
        name: a folder that `babelspan train question_generation` has made.
        begins: whether an encoder or a reader, by folder or hub name, is taken, too: a generator
            that has learnt nothing then begins from it.

    Raises:
        DataError: if it is no generator, or broken.
        ConfigError: if an encoder is of a family that cannot write.
    """
    from babelspan.networks import question_generator, store

    folder = Path(name).expanduser()
    if (folder / NETWORK).is_file():
        network = store.load(str(folder))
        if isinstance(network, question_generator.QuestionGenerator):
            return network
        raise DataError(f"{name}: expected a generator of questions, found {network.kind!r}")
    if begins:
        return question_generator.begin(name)
    raise DataError(
        f"{name}: expected a folder with a generator of questions, found no {NETWORK} in it; make "
        "one with babelspan train question_generation"
    )
