"""Word aligners by name: `ibm1`, `awesome:READER`.

The folder is the registry: each module here has a function `aligner(argument, options)`, which is
called with the part after the colon.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from babelspan.config import nearest
from babelspan.seams import Aligner
from babelspan.types import ConfigError, SegmentedPair


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of an aligner.

    Attributes:
        bitext: returns the bitext to align; it may be called several times, because a statistical
            aligner reads all of it first.
        threshold: minimum confidence of a link, in the aligner's own measure; None for its default.
        layer: layer of the encoder, for an aligner that has one; None for its default.
    """

    bitext: Callable[[], Iterable[SegmentedPair]]
    threshold: float | None = None
    layer: int | None = None


def names() -> list[str]:
    """The names of all aligners."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def load_aligner(spec: str, options: Options) -> Aligner:
    """Load the aligner `<name>[:<argument>]`.

    Raises:
        ConfigError: if there is no aligner of that name, or it does not take the argument or an
            option.
        DataError: if its files are missing or broken.
    """
    name, _, argument = spec.partition(":")
    if name not in names():
        raise ConfigError(f"unknown aligner {name!r}{nearest(name, names())}")
    if options.threshold is not None and not 0 <= options.threshold < 1:
        raise ConfigError(f"threshold must be in [0, 1), got {options.threshold}")
    module = importlib.import_module(f"{__name__}.{name}")
    aligner: Aligner = module.aligner(argument, options)
    return aligner
