"""A complete training job: read recipe and data, prepare the run folder, train, save the reader.

Files of the run folder: the reader itself (`config.json`, `model.safetensors`, tokenizer),
`recipe.toml` (resolved), `run.json` (versions, machine, seed, checksums of reader and data, state),
`log.jsonl`, TensorBoard events, and during the run `checkpoint.pt`.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from babelspan import config, methods
from babelspan.augment.negatives import negatives
from babelspan.data.files import read_record, replacing, write_json
from babelspan.data.folder import DataFile
from babelspan.data.locks import is_free, locked, sweep
from babelspan.data.squad import misplaced
from babelspan.jobs import corpora, first_stage
from babelspan.jobs.corpora import Paths
from babelspan.jobs.players import GENERATOR, player_of
from babelspan.readers import UNKNOWN_COMMIT, checksum_of, require
from babelspan.scoring.figures import Scorer, figures
from babelspan.scoring.scorers import load_scorer
from babelspan.types import ConfigError, Example
from babelspan.version import VERSION, how_to_install

RECIPES = Path(__file__).parents[1] / "recipes"
RECIPE = "recipe.toml"
RECORD = "run.json"

_NEEDED = ("torch", "transformers", "accelerate", "safetensors")
_LIBRARIES = (*_NEEDED, "tokenizers", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A checked training job: everything that its result depends on.

    Attributes:
        method: the module of the method.
        method_config: table [method].
        run_config: table [run].
        first: table [first], resolved; None without a first stage.
        reader: the reader to start from.
        keep_misplaced: as in `load_squad`.
        dev: examples to evaluate on during training.
        dev_scorer: scorer of these examples.
        files: files by kind of data, and "dev", in reading order.
    """

    method: ModuleType
    method_config: Any
    run_config: Any
    first: Any
    reader: str
    keep_misplaced: bool
    dev: list[Example]
    dev_scorer: Scorer
    files: dict[str, list[DataFile]]


def plan(
    *,
    method: str,
    reader: str,
    data: Paths,
    dev: Sequence[Path] = (),
    dev_scorer: str = "squad",
    recipe: str | None = None,
    settings: Sequence[str] = (),
    split: str | None = None,
    keep_misplaced: bool = False,
) -> Plan:
    """Read the recipe, find the data and check both, before slow work starts.

    Raises:
        ConfigError: as `resolve`; for an unknown scorer; if data that the method needs is missing,
            or data is given that it does not read.
        DataError: if data cannot be found or evaluated on, or a network that a setting names.
    """
    module, built = resolve(method, recipe=recipe, settings=settings)
    paths = built["data"].joined(data)
    takes = {*getattr(module, "TAKES", ()), *(["first"] if player_of(module).first else [])}
    corpora.check_needs(method, module.NEEDS, paths, takes=takes)
    first = first_stage.chosen(built, paths.first, recipe or "--set")
    files = corpora.find(paths, split=split)
    _refuse_idle(module, built["run"], files)
    if dev:
        files["dev"] = corpora.find(Paths(labelled=tuple(map(str, dev))), split=split)["labelled"]
    evaluated = list(corpora.examples(files.get("dev", ()), keep_misplaced=True))
    scorer = load_scorer(dev_scorer)
    if dev:
        figures(evaluated, dict.fromkeys((e.id for e in evaluated), ""), scorer)  # can be scored
    made = Plan(
        method=module,
        method_config=built["method"],
        run_config=built["run"],
        first=first,
        reader=reader,
        keep_misplaced=keep_misplaced,
        dev=evaluated,
        dev_scorer=scorer,
        files=files,
    )
    for key, name in _named(made).items():
        require(name, f"method.{key}")
    return made


def _refuse_idle(module: ModuleType, run: Any, files: Mapping[str, Any]) -> None:
    """Refuse settings of labelled examples for a method that would not use them."""
    used = {"negatives": {"labelled", "first"}, "sample": {"labelled"}}
    for name, kinds in used.items():
        if getattr(run, name) and not kinds & files.keys():
            option = " (--sample)" if name == "sample" else ""
            raise ConfigError(
                f"run.{name}{option} has no effect without labelled examples; leave it out"
            )
    if player_of(module) is GENERATOR and run.negatives:
        raise ConfigError(
            "run.negatives has no effect: this method does not use questions without an answer; "
            "leave it out"
        )


def resolve(
    method: str, *, recipe: str | None = None, settings: Sequence[str] = ()
) -> tuple[ModuleType, dict[str, Any]]:
    """Return the method's module, and the tables of a recipe with the settings applied.

    The tables are [method], [run], [data], and [first] if the method may have a first stage.

    Raises:
        ConfigError: if the method, recipe or a setting is unknown, or a library is missing.
    """
    for name in _NEEDED:
        if not importlib.util.find_spec(name):
            raise ConfigError(f"training needs {name}: {how_to_install('train')}")
    module = load_method(method)
    from babelspan.training.first import First
    from babelspan.training.run import RunConfig

    kinds = {"method": module.Config, "run": RunConfig, "data": Paths}
    has_first = player_of(module).first is not None
    known = {**kinds, "first": First} if has_first else kinds
    where = recipe or "--set"
    tables = config.load_tables(recipe_path(recipe)) if recipe else {}
    if not has_first and ("first" in tables or any(s.startswith("first.") for s in settings)):
        raise ConfigError(f"{where}: {method!r} has no first stage; leave out [first]")
    config.override(tables, settings, known)
    for name in tables:
        if name not in known:
            *others, last = (f"[{name}]" for name in known)
            there = f"{', '.join(others)} and {last}"
            raise ConfigError(f"{where}: unknown table [{name}]; a recipe has {there}")
    built = {
        name: config.build(kind, tables.get(name, {}), f"{where}: [{name}]")
        for name, kind in kinds.items()
    }
    _ = built["run"].limits  # raises if both overlap and step are set
    table = tables.get("first", {})
    built["first"] = (
        first_stage.settings(table, built["method"], built["run"], where) if has_first else None
    )
    return module, built


def carry_out(plan: Plan, out: Path) -> None:
    """Train in the folder `out`, or resume there; does nothing if the run is finished.

    Raises:
        ConfigError: if `out` holds another run or other files, or a process cannot see it.
        DataError: if the data cannot be used for training.
    """
    import torch

    from babelspan.networks import store
    from babelspan.training.place import ALL_CORES
    from babelspan.training.run import CHECKPOINT, Run

    record = _record(plan)
    if _state_of(out, record) == "finished":
        (out / CHECKPOINT).unlink(missing_ok=True)
        print(f"{out}: this run is already finished", file=sys.stderr)
        return
    learnt_first = _learnt_first(plan)
    learnt_from = _corpora(plan)
    with ExitStack() as stack:
        stack.callback(torch.set_num_threads, ALL_CORES)
        run = Run(config=plan.run_config, folder=out)
        stack.callback(run.place.accelerator.end_training)
        stack.callback(run.journal.close)
        if run.place.leads:
            stack.enter_context(locked(out))
        state = run.place.gathered(_state_of(out, record))[0]  # again: another run may have ended
        if state == "finished":
            return
        player = player_of(plan.method)
        network = player.load(plan.reader, plan.run_config.limits)
        record |= _known_once_loaded(plan, record)
        _begin(out, record, run, is_new=state == "new")
        if plan.dev:
            run.monitor = player.monitor(network, plan.dev, plan.dev_scorer, run)
        if plan.first:
            before = load_method(str(player.first))
            first_stage.learn(network, before, learnt_first, plan.first, run)
        trained = plan.method.train(network, learnt_from, plan.method_config, run)
        run.place.accelerator.wait_for_everyone()
        if run.place.leads:
            store.save(trained, out)
            write_json(out / RECORD, {**read_record(out / RECORD), "state": "finished"})
            (out / CHECKPOINT).unlink(missing_ok=True)


def _begin(out: Path, record: Mapping[str, Any], run: Any, *, is_new: bool) -> None:
    """Claim the folder for a run, and check that all processes see it."""
    import torch

    if run.place.leads:
        sweep(out)
        if is_new:
            on = {"processes": run.place.processes, "threads": torch.get_num_threads()}
            write_json(out / RECORD, {**record, **on, "state": "running"})
        with replacing(out / RECIPE) as beside:
            beside.write_text(record["recipe"], encoding="utf-8")
    run.place.accelerator.wait_for_everyone()
    seen = run.place.gathered((out / RECORD).is_file())
    if not all(seen):
        raise ConfigError(
            f"{out}: expected a folder that all {len(seen)} processes can see, process "
            f"{seen.index(False)} cannot; choose a folder on a disk that all machines share"
        )


def _corpora(plan: Plan) -> Any:
    """Return the training data of the method; it is kept on disk, so its size does not matter."""
    from babelspan.training.run import Corpora
    from babelspan.training.spool import Spool

    labelled, sets = _labelled(plan, "labelled", plan.run_config.negatives)
    if unplaced := misplaced(plan.dev):
        print(
            f"{unplaced} development answers are not at the stated offset; they are scored by text "
            "only",
            file=sys.stderr,
        )
    return Corpora(
        labelled=labelled,
        sets=tuple(sets.items()),
        target=list(corpora.examples(plan.files.get("target", ()), keep_misplaced=True)),
        bitext=Spool(corpora.sentence_pairs(plan.files.get("bitext", ()))),
        passages=Spool(corpora.passages(plan.files.get("passages", ()))),
        articles=Spool(corpora.articles(plan.files.get("articles", ()))),
    )


def _learnt_first(plan: Plan) -> Any:
    """Return the training data of the first stage; empty if there is none."""
    from babelspan.training.run import Corpora

    if not plan.first:
        return Corpora()
    labelled, sets = _labelled(plan, "first", plan.first.negatives)
    return Corpora(labelled=labelled, sets=tuple(sets.items()))


def _labelled(
    plan: Plan, kind: str, share_of_negatives: float
) -> tuple[Sequence[Example], dict[str, int]]:
    """Return the examples of a kind of data, kept on disk, and the number from each file."""
    from babelspan.training.spool import Spool

    labelled: Sequence[Example] = (spool := Spool[Example]())
    sets: dict[str, int] = {}
    for file in plan.files.get(kind, ()):
        before = len(spool)
        for example in corpora.examples([file], keep_misplaced=plan.keep_misplaced):
            spool.append(example)
        sets[str(file.whole)] = sets.get(str(file.whole), 0) + len(spool) - before
    if unplaced := misplaced(spool):
        print(f"ignored {unplaced} answers whose text is not at the stated offset", file=sys.stderr)
    if kind == "labelled" and plan.run_config.sample:
        labelled, sets = corpora.sampled(labelled, sets, plan.run_config.sample)
    if share_of_negatives:
        elsewhere = negatives(labelled, share_of_negatives, seed=plan.run_config.seed)
        labelled = Spool(chain(labelled, elsewhere))
    return labelled, sets


def load_method(name: str) -> ModuleType:
    """Return the module of a method.

    Raises:
        ConfigError: if there is no method of this name.
    """
    known = [m.name for m in pkgutil.iter_modules(methods.__path__)]
    if name not in known:
        raise ConfigError(f"unknown method {name!r}{config.nearest(name, known)}")
    return importlib.import_module(f"babelspan.methods.{name}")


def recipe_path(name: str) -> Path:
    """Return the file of a recipe: a path, or the name of a packaged one (`minilm/zero_shot`)."""
    shipped = {
        p.relative_to(RECIPES).with_suffix("").as_posix(): p for p in RECIPES.rglob("*.toml")
    }
    if Path(name).is_file():
        return Path(name)
    if name not in shipped:
        raise ConfigError(f"recipe {name!r}: no such file{config.nearest(name, list(shipped))}")
    return shipped[name]


def _record(plan: Plan) -> dict[str, Any]:
    """Return everything that a run's result depends on, as far as it can be named."""
    method = plan.method.__name__.rpartition(".")[2]
    built = {"method": plan.method_config, "run": plan.run_config}
    tables = config.to_toml({**built, "first": plan.first} if plan.first else built)
    return {
        "method": method,
        "recipe": f"# method: {method}\n{tables}",
        "seed": plan.run_config.seed,
        "reader": plan.reader,
        "reader_sha256": checksum_of(plan.reader),
        **_others(plan),
        "data": {use: [str(f.path) for f in files] for use, files in plan.files.items()},
        "data_sha256": {use: [*map(corpora.identity, files)] for use, files in plan.files.items()},
        "dev_scorer": plan.dev_scorer.NAME if plan.dev else None,
        "babelspan": VERSION,
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def _others(plan: Plan) -> dict[str, str]:
    """Return identities of the networks named by a method's settings (its `READERS`)."""
    return {f"{key}_sha256": checksum_of(name) for key, name in _named(plan).items()}


def _named(plan: Plan) -> dict[str, str]:
    """Return the networks named by a method's settings, by setting."""
    named = {key: getattr(plan.method_config, key) for key in getattr(plan.method, "READERS", ())}
    return {key: name for key, name in named.items() if name}


def _known_once_loaded(plan: Plan, record: Mapping[str, Any]) -> dict[str, str]:
    """Return identities of networks on the hub, whose commits are known once they are loaded."""
    from babelspan.networks.pretrained import load_encoder

    others = _named(plan)
    for key, name in others.items():
        if record[f"{key}_sha256"].endswith(UNKNOWN_COMMIT):
            load_encoder(name)
    named = {f"{key}_sha256": name for key, name in {"reader": plan.reader, **others}.items()}
    return {key: checksum_of(name) for key, name in named.items() if "@" in record[key]}


def _state_of(out: Path, record: Mapping[str, Any]) -> str:
    """Return the state of the run in `out`: "new", "running" or "finished".

    A run is the same if recipe, reader and data are the same (data by content, languages and
    order); paths and libraries may change between two starts.
    """
    from babelspan.training.run import CHECKPOINT

    if not (out / RECORD).exists():
        if not is_free(out):
            raise ConfigError(
                f"{out}: expected an empty or a new folder, found other files; choose another "
                "folder"
            )
        return "new"
    earlier = read_record(out / RECORD, ("state",))
    for key in ("method", "recipe", *(k for k in record if k.endswith("_sha256")), "dev_scorer"):
        if earlier.get(key) == record[key]:
            continue
        if earlier["state"] != "finished" and not (out / CHECKPOINT).exists():
            return "new"  # it has learnt nothing yet, so this run may use its folder
        what = key.removesuffix("_sha256")
        if key == "recipe":
            what += f" ({config.difference(earlier[key], record[key])})"
        raise ConfigError(
            f"{out}: holds a run with another {what}; choose another folder, or remove this one "
            "to start over"
        )
    return str(earlier["state"])
