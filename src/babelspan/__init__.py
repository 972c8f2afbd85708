"""Babelspan: question answering across languages.

>>> import babelspan
>>> answerer = babelspan.load_answerer()
>>> answerer(question="Where is the lake?", context="The lake lies in Siberia.")["answer"]
'Siberia'
"""

from babelspan.version import VERSION

TYPE_CHECKING = False  # `typing` would take a while of its own
if TYPE_CHECKING:
    from babelspan.readers import load_answerer
    from babelspan.types import Answer, ConfigError, DataError, Example, Prediction, Span

__version__ = VERSION
__all__ = [
    "Answer",
    "ConfigError",
    "DataError",
    "Example",
    "Prediction",
    "Span",
    "__version__",
    "load_answerer",
]


def __dir__() -> list[str]:
    """The public names; they are imported on use, so that `import babelspan` is fast."""
    return sorted(__all__)


def __getattr__(name: str) -> object:
    """A public name, imported on use."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "babelspan.readers" if name == "load_answerer" else "babelspan.types"
    return getattr(import_module(module), name)
