"""A training job from start to end: recipe and data resolved, run folder, method, trained reader.

Files of the run folder: the reader itself (`config.json`, `model.safetensors`, tokenizer),
`recipe.toml` (resolved), `run.json` (versions, machine, seed, checksums of reader and data, state),
`log.jsonl`, TensorBoard's events, and while it runs `checkpoint.pt`.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from babelspan import config, methods
from babelspan.augment.negatives import negatives
from babelspan.data import folder as data_folder
from babelspan.data.files import checksum, read_json, replacing, write_json
from babelspan.data.squad import misplaced
from babelspan.readers import answerer_of, checksum_of, load_checkpoint
from babelspan.scoring.figures import figures
from babelspan.scoring.scorers import squad
from babelspan.types import ConfigError, Example
from babelspan.version import VERSION

RECIPES = Path(__file__).parents[1] / "recipes"
RECIPE = "recipe.toml"
RECORD = "run.json"

_NEEDED = ("torch", "transformers", "accelerate", "safetensors")
_LIBRARIES = (*_NEEDED, "tokenizers", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A training job, checked: everything that its result depends on."""

    method: ModuleType
    method_config: Any
    run_config: Any
    reader: str
    train: list[Example]
    dev: list[Example]
    files: dict[str, list[data_folder.DataFile]]
    """By use, "train" and "dev", in the order in which they are read."""


def plan(
    *,
    method: str,
    reader: str,
    train: Sequence[Path],
    dev: Sequence[Path] = (),
    recipe: str | None = None,
    settings: Sequence[str] = (),
    split: str | None = None,
    keep_misplaced: bool = False,
) -> Plan:
    """Read recipe and data and check them, before anything slow begins.

    Raises:
        ConfigError: for an unknown method, recipe or setting, or a library that is missing.
        DataError: for data that cannot be learnt from or evaluated on.
    """
    for name in _NEEDED:
        if not importlib.util.find_spec(name):
            raise ConfigError(f'training takes {name}: pip install "babelspan[train]"')
    module = load_method(method)
    from babelspan.training.run import RunConfig

    kinds = {"method": module.Config, "run": RunConfig}
    where = recipe or "--set"
    tables = config.load_tables(recipe_path(recipe)) if recipe else {}
    config.override(tables, settings, kinds)
    for name in tables:
        if name not in kinds:
            raise ConfigError(f"{where}: unknown table [{name}]; a recipe has [method] and [run]")
    files = {
        "train": data_folder.find(train, split=split),
        "dev": data_folder.find(dev, split=split),
    }
    evaluated = _load(files["dev"], True)
    if dev:
        figures(evaluated, {}, squad)  # tells of a question without a gold answer
    run_config = config.build(RunConfig, tables.get("run", {}), f"{where}: [run]")
    _ = run_config.limits  # overlap and step exclude each other
    return Plan(
        method=module,
        method_config=config.build(module.Config, tables.get("method", {}), f"{where}: [method]"),
        run_config=run_config,
        reader=reader,
        train=_load(files["train"], keep_misplaced),
        dev=evaluated,
        files=files,
    )


def carry_out(plan: Plan, out: Path) -> None:
    """Train, or go on training, in the folder `out`; nothing is left to do when it has finished.

    Raises:
        ConfigError: if `out` holds another run or other files.
    """
    import torch

    from babelspan.training.run import CHECKPOINT, Corpora, Run

    record = _record(plan)
    state = _state_of(out, record)
    if state == "finished":
        (out / CHECKPOINT).unlink(missing_ok=True)
        print(f"{out}: this run has finished already", file=sys.stderr)
        return
    run = Run(config=plan.run_config, folder=out)
    reader = load_checkpoint(plan.reader, limits=plan.run_config.limits, gives_new_head=True)
    if run.leads:
        _clear_unfinished(out)
        if state == "new":
            on = {"processes": run.processes, "threads": torch.get_num_threads()}
            write_json(out / RECORD, {**record, **on, "state": "running"})
        with replacing(out / RECIPE) as beside:
            beside.write_text(record["recipe"], encoding="utf-8")
        _tell_of_misplaced(plan)
    if plan.dev:
        run.monitor = _monitor(reader, plan.dev)
    elsewhere = negatives(plan.train, plan.run_config.negatives, seed=plan.run_config.seed)
    corpora = Corpora(labelled=[*plan.train, *elsewhere])
    reader = plan.method.train(reader, corpora, plan.method_config, run)
    run.accelerator.wait_for_everyone()
    if run.leads:
        reader.save(out)
        write_json(out / RECORD, {**read_json(out / RECORD), "state": "finished"})
        (out / CHECKPOINT).unlink(missing_ok=True)
    run.accelerator.end_training()


def load_method(name: str) -> ModuleType:
    """The module of a method.

    Raises:
        ConfigError: if there is none of that name.
    """
    known = [m.name for m in pkgutil.iter_modules(methods.__path__)]
    if name not in known:
        raise ConfigError(f"unknown method {name!r}{config.nearest(name, known)}")
    return importlib.import_module(f"babelspan.methods.{name}")


def recipe_path(name: str) -> Path:
    """The file of a recipe: a path, or the name of one in the package (`minilm/zero_shot`)."""
    shipped = {
        p.relative_to(RECIPES).with_suffix("").as_posix(): p for p in RECIPES.rglob("*.toml")
    }
    if Path(name).is_file():
        return Path(name)
    if name not in shipped:
        raise ConfigError(f"recipe {name!r}: no such file{config.nearest(name, list(shipped))}")
    return shipped[name]


def _load(files: Sequence[data_folder.DataFile], keep_misplaced: bool) -> list[Example]:
    return [e for file in files for e in file.load(keep_misplaced=keep_misplaced)]


def _record(plan: Plan) -> dict[str, Any]:
    """Everything that a run's result depends on, as far as it can be named."""
    method = plan.method.__name__.rpartition(".")[2]
    tables = config.to_toml({"method": plan.method_config, "run": plan.run_config})
    return {
        "method": method,
        "recipe": f"# method: {method}\n{tables}",
        "seed": plan.run_config.seed,
        "reader": plan.reader,
        "reader_sha256": checksum_of(plan.reader),
        "data": {use: [str(f.path) for f in files] for use, files in plan.files.items()},
        "data_sha256": {use: [*map(_identity, files)] for use, files in plan.files.items()},
        "examples": len(plan.train),
        "babelspan": VERSION,
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def _state_of(out: Path, record: Mapping[str, Any]) -> str:
    """How far the run in `out` has come: "new", "running" or "finished".

    A run is the same when recipe, reader and data are, the data by content, languages and order;
    paths and libraries may change between two starts.
    """
    if not (out / RECORD).exists():
        if out.exists() and not (out.is_dir() and all(map(_is_unfinished, out.iterdir()))):
            raise ConfigError(
                f"{out}: expected an empty or a new folder, found files of something else"
            )
        return "new"
    earlier = read_json(out / RECORD)
    for key in ("method", "recipe", "reader_sha256", "data_sha256"):
        if earlier.get(key) != record[key]:
            raise ConfigError(
                f"{out}: holds a run with another {key.removesuffix('_sha256')}; "
                "choose another folder, or remove this one to start anew"
            )
    return str(earlier["state"])


def _identity(file: data_folder.DataFile) -> list[str]:
    """What a run's result depends on in a file: its content and the languages in its name."""
    return [checksum(file.path), file.question_language, file.context_language]


def _tell_of_misplaced(plan: Plan) -> None:
    if unplaced := misplaced(plan.train):
        print(f"passed over {unplaced} answers that are not in their place", file=sys.stderr)
    if unplaced := misplaced(plan.dev):
        print(
            f"{unplaced} answers of the development data are not in their place; their text counts",
            file=sys.stderr,
        )


def _is_unfinished(path: Path) -> bool:
    """Whether a file or folder was being written when a run was killed."""
    return path.name.startswith(".") and path.name.endswith(".part")


def _clear_unfinished(out: Path) -> None:
    for path in filter(_is_unfinished, out.glob(".*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _monitor(reader: Any, dev: Sequence[Example]) -> Callable[[], Mapping[str, float]]:
    """Exact match and F1 by SQuAD 1.1 on development data, read in windows like any other."""
    answerer = answerer_of(reader)

    def monitor() -> dict[str, float]:
        texts = {p.id: p.text for p in answerer.predict(dev)}
        found = figures(dev, texts, squad)
        return {"dev_exact_match": found.exact_match, "dev_f1": found.f1}

    return monitor
