"""Learning curves as a scale declares them: rows, and where they stand on the x axis.

    [[curve]]
    name = "Figure 1"
    x = "share of the questions"

    [curve.lines."all languages at once"]
    zs = 0
    third = 0.333
    synth-trans = 1

Lines may share rows. Rows of a line with the same x are one point, such as several orders of the
same languages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, FiniteFloat

from babelspan.config import nearest
from babelspan.types import ConfigError


@dataclass(frozen=True, kw_only=True)
class Curve:
    """F1 of rows over a quantity in which they differ."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    x: str
    """Label of the x axis."""
    lines: Annotated[dict[str, dict[str, FiniteFloat]], Field(min_length=1)]
    """Name of a line -> key of a row -> x."""

    @property
    def rows(self) -> tuple[str, ...]:
        """The keys of all rows, without repeats."""
        return tuple(dict.fromkeys(key for line in self.lines.values() for key in line))


def refuse_wrong_curves(curves: Sequence[Curve], rows: Sequence[str], where: str) -> None:
    """Check that the rows of curves exist, and that their files have different names.

    Args:
        curves: the curves of a scale.
        rows: keys of the rows of the paper and the scale.
        where: the scale, for error messages.

    Raises:
        ConfigError: if not.
    """
    names: set[str] = set()
    for curve in curves:
        for key in curve.rows:
            if key not in rows:
                raise ConfigError(
                    f"{where}: curve {curve.name!r}: unknown row {key!r}{nearest(key, rows)}"
                )
        if slug(curve.name) in names:
            raise ConfigError(
                f"{where}: curve {curve.name!r}: its files would have the names of another "
                "curve's; choose another name"
            )
        names.add(slug(curve.name))


def slug(name: str) -> str:
    """Return a display name as part of a file name: letters, digits, underscores and hyphens."""
    return re.sub(r"\W+", "-", name.lower()).strip("-")
