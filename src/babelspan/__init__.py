"""Babelspan: question answering across languages.

>>> import babelspan
>>> answerer = babelspan.load_answerer()
>>> answerer(question="Where is the lake?", context="The lake lies in Siberia.")["answer"]
'Siberia'
"""

from typing import Any

from babelspan.types import Answer, ConfigError, DataError, Example, Prediction, Span
from babelspan.version import VERSION

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
    """The public names, `load_answerer` among them."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """`load_answerer`, imported on use, so that `import babelspan` stays light."""
    if name == "load_answerer":
        from babelspan.readers import load_answerer

        return load_answerer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
