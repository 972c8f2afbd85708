"""Translators: `apertium`, `copy`, `ctranslate2:FOLDER`, `lexicon:FILE`, `libretranslate:URL`.

The folder is the registry: each module or package here has a function `translator(argument)`, which
is called with the part after the colon.
"""

import importlib
import pkgutil

from babelspan.config import nearest
from babelspan.seams import Translator
from babelspan.types import ConfigError


def names() -> list[str]:
    """The names of all translators."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def load_translator(spec: str) -> Translator:
    """Load the translator `<name>[:<argument>]`.

    Raises:
        ConfigError: if there is no translator of that name, or it is not installed.
    """
    name, _, argument = spec.partition(":")
    if name not in names():
        raise ConfigError(f"unknown translator {name!r}{nearest(name, names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    translator: Translator = module.translator(argument)
    return translator
