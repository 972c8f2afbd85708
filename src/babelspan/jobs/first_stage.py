"""The first stage of a training job: `fine_tune` on other examples, before the method starts.

Both stages are one run: one log, one checkpoint, one folder. Only the reader passes to the second
stage; the other networks and the optimiser of the first stage are discarded.
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
    """Return the settings of a first stage.

    Args:
        table: table [first] of a recipe; missing keys are taken from the other tables. With
            `epochs` and without `updates`, the epochs determine the number of updates.
        method: the `Config` of a method that trains a reader.
        run: the `RunConfig`.
        where: name of the recipe, for error messages.

    Raises:
        ConfigError: as in `config.build`.
    """
    from babelspan.training.first import First

    given = table if isinstance(table, Mapping) else {}
    build(First, table, f"{where}: [first]")  # check that it is a table without unknown keys
    values = {f.name: getattr(run, f.name) for f in fields(First) if f.name != "reader"}
    if "epochs" in given:
        values["updates"] = None
    reader = {**asdict(method.reader), **given.get("reader", {})}
    return build(First, {**values, **given, "reader": reader}, f"{where}: [first]")


def chosen(built: Mapping[str, Any], examples: Sequence[str], where: str) -> "First | None":
    """Return the settings of the first stage, or None if there is none.

    Args:
        built: the tables of the recipe; "first" is None for a method without a first stage.
        examples: files for the first stage.
        where: name of the recipe, for error messages.

    Raises:
        ConfigError: if the recipe sets up a first stage and there are no examples for it.
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
    """Carry out the first stage of a run; does nothing if the checkpoint is past it.

    Args:
        network: the reader to train.
        method: the module `fine_tune`.
        corpora: the training data.
        first: the settings.
        run: the run, at its start.
    """
    if run.is_past(run.clock.stage):
        run.clock.stage += 1
        return
    with run.stage_of_its_own(first.run_config(run.config)):
        method.train(network, corpora, method.Config(reader=first.reader), run)
