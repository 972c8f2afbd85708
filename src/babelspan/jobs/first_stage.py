"""The first stage of a training job: `fine_tune` on other examples, before the method begins.

Both stages are one run: one log, one checkpoint, one folder. What the first stage leaves behind is
the reader; its other networks and its optimiser are gone when the method begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from babelspan.config import build
from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.training.first import First
    from babelspan.training.run import Corpora, Run


def settings(table: Any, method: Any, run: Any, where: str) -> "First":
    """The settings of a first stage.

    Args:
        table: [first] of a recipe; what it lacks is taken from the others. With `epochs` and
            without `updates`, the number of updates is what the epochs give.
        method: the `Config` of a method that trains a reader.
        run: the `RunConfig`.
        where: the recipe, for errors.

    Raises:
        ConfigError: as in `config.build`.
    """
    from babelspan.training.first import First

    given = table if isinstance(table, Mapping) else {}
    build(First, table, f"{where}: [first]")  # a table, and nothing unknown in it
    values = {f.name: getattr(run, f.name) for f in fields(First) if f.name != "reader"}
    if "epochs" in given:
        values["updates"] = None
    reader = {**asdict(method.reader), **given.get("reader", {})}
    return build(First, {**values, **given, "reader": reader}, f"{where}: [first]")


def chosen(built: Mapping[str, Any], examples: Sequence[str], where: str) -> "First | None":
    """The settings of the first stage where there is one, and otherwise None.

    Args:
        built: the tables of the recipe; "first" is None for a method without a first stage.
        examples: files for a first stage.
        where: the recipe, for errors.

    Raises:
        ConfigError: if the recipe has settings of a first stage and there are no examples for it.
    """
    first: First | None = built["first"]
    if examples or first is None:
        return first
    if first != settings({}, built["method"], built["run"], where):
        raise ConfigError(
            f"{where}: expected examples for the first stage set in [first], found none; give "
            "--first, or leave out [first]"
        )
    return None


def learn(network: Any, method: Any, corpora: "Corpora", first: "First", run: "Run") -> None:
    """Take a run through its first stage; nothing is done where its checkpoint is past it.

    Args:
        network: the reader, which learns.
        method: the module `fine_tune`.
        corpora: what it learns from.
        first: the settings.
        run: the run, at its beginning.
    """
    if run.is_past(run.clock.stage):
        run.clock.stage += 1
        return
    with run.stage_of_its_own(first.run_config(run.config)):
        method.train(network, corpora, method.Config(reader=first.reader), run)
