"""String scorers, each equal to its official script, by name.

The folder is the registry: each module here has `NAME`, `RULES`, `exact_match` and `f1` and, where
needed, `golds`, `MISSING` and `details` (see `scoring.figures`).
"""

import importlib
import pkgutil

from babelspan.config import nearest
from babelspan.scoring.figures import Scorer
from babelspan.types import ConfigError


def names() -> list[str]:
    """Return the names of the scorers."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def load_scorer(name: str) -> Scorer:
    """Return the string scorer of this name.

    Raises:
        ConfigError: if there is none, or it does not score strings.
    """
    from babelspan.scoring import tydi_primary  # which builds on a scorer of this folder

    if name == tydi_primary.NAME:
        raise ConfigError(
            f"the scorer {name!r} scores places in documents, not answer strings; use it with "
            "`babelspan score`, or choose another scorer"
        )
    if name not in names():
        raise ConfigError(f"unknown scorer {name!r}{nearest(name, [*names(), tydi_primary.NAME])}")
    scorer: Scorer = importlib.import_module(f"{__name__}.{name}")
    return scorer
