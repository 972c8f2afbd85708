"""Recipes: strict keys and types, settings of the command line, and what is written back."""

import json
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import babelspan
from babelspan.config import (
    _refuse_huge,
    _value,
    build,
    difference,
    load_tables,
    nearest,
    override,
    to_toml,
)
from babelspan.types import ConfigError

RECIPES = sorted((Path(babelspan.__file__).parent / "recipes").rglob("*.toml"))


@dataclass(frozen=True, kw_only=True)
class Player:
    """An inner table."""

    lr: float = 1e-3
    schedule: Literal["linear", "constant"] = "linear"
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A table with an inner one, whose defaults are not those of its class."""

    reader: Player = Player(lr=0.5, schedule="constant")
    confusion_weight: float = 0.1
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A flat table."""

    seed: int = 1
    updates: int | None = None
    keeps_case: bool = False
    name: str = "run"


KINDS = {"method": Method, "run": Clock}


def test_an_empty_table_gives_the_defaults():
    assert build(Method, {}, "x.toml: [method]") == Method()


def test_one_inner_key_leaves_the_other_defaults_of_the_field():
    method = build(Method, {"reader": {"lr": 0.25}}, "x.toml: [method]")

    assert method == Method(reader=Player(lr=0.25, schedule="constant", betas=(0.9, 0.999)))


def test_values_take_the_type_of_their_field():
    method = build(
        Method,
        {"reader": {"betas": [0, 0.5], "lr": 1}, "languages": ["de", "ko"]},
        "x.toml: [method]",
    )

    assert method.reader.betas == (0.0, 0.5)
    assert method.languages == ("de", "ko")
    assert isinstance(method.reader.lr, float)
    assert hash(method)  # nothing in it can change


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"confusion_wieght": 1.0}, r": unknown key 'confusion_wieght'; did you mean 'confusion_w"),
        ({"reader": {"shedule": "linear"}}, r"\.reader: unknown key 'shedule'; did you .*'schedu"),
        ({"zzz": 1}, r": unknown key 'zzz'; expected one of confusion_weight, languages, reader$"),
    ],
)
def test_an_unknown_key_names_the_nearest(table, message):
    with pytest.raises(ConfigError, match=rf"^x\.toml: \[method\]{message}"):
        build(Method, table, "x.toml: [method]")


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (Clock, {"seed": "2"}, r"'seed': input should be a valid integer, found '2'"),
        (Clock, {"seed": True}, r"'seed': input should be a valid integer, found True"),
        (Clock, {"seed": 2.0}, r"'seed': input should be a valid integer, found 2\.0"),
        (Clock, {"seed": 2.5}, r"'seed': input should be a valid integer, found 2\.5"),
        (Clock, {"updates": "all"}, r"'updates': input should be a valid integer, found 'all'"),
        (Clock, {"keeps_case": 1}, r"'keeps_case': input should be a valid boolean, found 1"),
        (Clock, {"keeps_case": "yes"}, r"'keeps_case': input should be a valid boolean, found 'y"),
        (Clock, {"name": 5}, r"'name': input should be a valid string, found 5"),
        (Method, {"confusion_weight": "0.1"}, r"'confusion_weight': .* number, found '0\.1'"),
        (Method, {"reader": {"lr": [1]}}, r"'reader\.lr': .* number, found \[1\]"),
        (Method, {"reader": {"schedule": "cos"}}, r"'reader\.schedule': .*'constant', found 'cos'"),
        (Method, {"reader": {"betas": [0.9]}}, r"'reader\.betas\.1': .* found \[0\.9\]"),
        (Method, {"reader": 5}, r"'reader': .*, found 5"),
        (Method, {"languages": "en"}, r"'languages': .*, found 'en'"),
        (Method, {"languages": ["en", 3]}, r"'languages\.1': .* string, found 3"),
    ],
)
def test_a_wrong_type_is_refused_with_key_and_value(kind, table, message):
    with pytest.raises(ConfigError, match=rf"^x\.toml: \[t\]: {message}"):
        build(kind, table, "x.toml: [t]")


def test_a_date_is_no_number():
    table = tomllib.loads("seed = 2024-05-01")
    with pytest.raises(ConfigError, match=r"'seed': .* integer, found '2024-05-01'$"):
        build(Clock, table, "x")


@pytest.mark.parametrize("table", [5, "fast", [{"seed": 1}]])
def test_a_value_in_the_place_of_a_table_is_refused(table):
    message = rf"^x\.toml: \[run\]: expected a table, found {re.escape(repr(table))}$"
    with pytest.raises(ConfigError, match=message):
        build(Clock, table, "x.toml: [run]")


@pytest.mark.parametrize(
    ("setting", "tables"),
    [
        ("seed=7", {"run": {"seed": 7}}),
        ("run.seed=7", {"run": {"seed": 7}}),
        ("seed = 7 ", {"run": {"seed": 7}}),
        ("seed=-7", {"run": {"seed": -7}}),
        ("seed=1_000", {"run": {"seed": 1000}}),
        ("reader.lr=3e-5", {"method": {"reader": {"lr": 3e-5}}}),
        ("method.reader.lr=0.5", {"method": {"reader": {"lr": 0.5}}}),
        ("confusion_weight=inf", {"method": {"confusion_weight": float("inf")}}),
        ("keeps_case=true", {"run": {"keeps_case": True}}),
        ("keeps_case=false", {"run": {"keeps_case": False}}),
        ("keeps_case=True", {"run": {"keeps_case": "True"}}),  # not TOML, so a string
        ("name=first run", {"run": {"name": "first run"}}),
        ('name="7"', {"run": {"name": "7"}}),
        ("name=a=b", {"run": {"name": "a=b"}}),
        ("name=東京", {"run": {"name": "東京"}}),
        ("name=", {"run": {"name": ""}}),
        ('languages=["de", "ko"]', {"method": {"languages": ["de", "ko"]}}),
        ("reader.betas=[0.9, 0.98]", {"method": {"reader": {"betas": [0.9, 0.98]}}}),
    ],
)
def test_a_setting_is_parsed_as_toml_or_taken_as_a_string(setting, tables):
    found = {}
    override(found, [setting], KINDS)

    assert found == tables
    (value,) = found.values()
    assert repr(value) == repr(next(iter(tables.values())))  # True is not 1, nor 7 7.0


def test_settings_change_their_key_alone_and_the_last_one_wins():
    tables = {"method": {"reader": {"lr": 1.0, "schedule": "linear"}}, "run": {"seed": 3}}
    override(tables, ["reader.lr=2.0", "run.name=x", "method.reader.lr=4.0"], KINDS)

    assert tables == {
        "method": {"reader": {"lr": 4.0, "schedule": "linear"}},
        "run": {"seed": 3, "name": "x"},
    }


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("seed", r"--set 'seed': expected key=value"),
        ("", r"--set '': expected key=value"),
        ("sed=1", r"--set 'sed=1': unknown key 'sed'; did you mean 'seed'\?"),
        ("raeder.lr=1", r"--set 'raeder\.lr=1': unknown key 'raeder'; did you mean 'reader'\?"),
        (
            "q=1",
            r"--set 'q=1': unknown key 'q'; expected one of confusion_weight, keeps_case, lang",
        ),
        ("=1", r"--set '=1': unknown key ''; expected one of "),
        ("lr=1", r"--set 'lr=1': unknown key 'lr'; did you mean 'method\.reader\.lr'\?$"),
        ("seed.x=1", r"--set 'seed\.x=1': 'seed' is a value, not a table"),
    ],
)
def test_a_setting_that_fits_no_table_is_refused(setting, message):
    with pytest.raises(ConfigError, match=rf"^{message}"):
        override({"run": {"seed": 1}}, [setting], KINDS)


def test_an_unknown_inner_key_of_a_setting_is_refused_when_the_table_is_built():
    tables = {}
    override(tables, ["reader.lrr=1"], KINDS)
    with pytest.raises(ConfigError, match=r"^--set: \[method\]\.reader: .*'lrr'.*'lr'\?$"):
        build(Method, tables["method"], "--set: [method]")


@pytest.mark.parametrize(
    ("there", "here", "said"),
    [
        ("[run]\nseed = 1\nname = 'a'", "[run]\nseed = 2\nname = 'a'", "run.seed: 1 there, 2 now"),
        ("[a.b]\nlr = 1.0", "[a.b]\nlr = 0.5", "a.b.lr: 1.0 there, 0.5 now"),
        ("[run]\nname = 'a'", "[run]", "run.name: 'a' there, not set now"),
        ("# method: a\n", "# method: b\n", "in its comments"),
    ],
)
def test_the_difference_of_two_recipes_is_named(there, here, said):
    assert difference(there, here) == said


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[run]\nseed = \n", r"expected TOML, found something else: .*line 2, column 8"),
        (
            b"[run]\nseed = 1\nseed = 2",
            r"expected TOML, found something else: Cannot overwrite a value",
        ),
        (b"name = '\xfc'", r"expected TOML, found something else: .*0xfc"),
    ],
)
def test_a_recipe_that_is_not_toml_is_refused(tmp_path, raw, message):
    path = tmp_path / "x.toml"
    path.write_bytes(raw)

    with pytest.raises(ConfigError, match=rf"^{re.escape(str(path))}: {message}"):
        load_tables(path)


def test_a_recipe_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: there is no such recipe$"):
        load_tables(tmp_path / "none.toml")
    with pytest.raises(
        ConfigError, match=rf"^{re.escape(str(tmp_path))}: cannot be read: Is a dir"
    ):
        load_tables(tmp_path)


FLOATS = st.floats(allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    reader=st.builds(Player, lr=FLOATS, betas=st.tuples(FLOATS, FLOATS)),
    languages=st.lists(st.text(st.characters(codec="utf-8"))).map(tuple),
    clock=st.builds(Clock, seed=st.integers(-(2**63), 2**63 - 1), keeps_case=st.booleans()),
    name=st.text(),
)
def test_what_is_written_is_read_again(reader, languages, clock, name):
    method = Method(reader=reader, languages=languages)
    clock = build(Clock, {**asdict(clock), "name": name}, "x")
    tables = tomllib.loads(to_toml({"method": method, "run": clock}))

    assert set(tables) == {"method", "run"}
    assert build(Method, tables["method"], "x") == method
    assert build(Clock, tables["run"], "x") == clock


def test_the_toml_of_tables_by_hand():
    text = to_toml({"version": "0.1", "method": Method(), "run": Clock(seed=3)})

    assert text == (
        'version = "0.1"\n\n[method]\nconfusion_weight = 0.1\nlanguages = ["en"]\n\n'
        '[method.reader]\nlr = 0.5\nschedule = "constant"\nbetas = [0.9, 0.999]\n\n'
        '[run]\nseed = 3\nkeeps_case = false\nname = "run"\n'
    )


def test_infinity_and_the_character_del_are_written_as_toml_has_them():
    method = Method(confusion_weight=float("-inf"), reader=Player(betas=(float("inf"), 0.5)))
    tables = tomllib.loads(to_toml({"method": method, "run": Clock(name='\x7f"\n\\')}))

    assert build(Method, tables["method"], "x") == method
    assert tables["run"]["name"] == '\x7f"\n\\'


def test_there_are_shipped_recipes():
    assert len(RECIPES) >= 2


def laid_over(defaults, table):
    """`defaults` with the values of `table`, in inner tables too."""
    merged = {}
    for key, value in defaults.items():
        own = table.get(key, value)
        merged[key] = laid_over(value, own) if isinstance(value, dict) else own
    return merged


def as_written(settings):
    """Settings as a file has them: tuples are lists there."""
    return json.loads(json.dumps(settings))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_shipped_recipe_is_built_and_written_back(path):
    pytest.importorskip("torch")
    from babelspan.jobs.train import load_method
    from babelspan.training.first import First
    from babelspan.training.run import RunConfig

    command = re.search(r"babelspan train (\S+) --recipe (\S+)", path.read_text(encoding="utf-8"))
    assert command[2] == f"{path.parent.name}/{path.stem}"
    kinds = {"method": load_method(command[1]).Config, "run": RunConfig}
    tables = load_tables(path)
    if "first" in tables:
        kinds["first"] = First
    assert set(tables) <= set(kinds)

    built = {name: build(kind, tables.get(name, {}), f"{path}") for name, kind in kinds.items()}
    for name, kind in kinds.items():
        expected = laid_over(asdict(kind()), tables.get(name, {}))
        assert as_written(asdict(built[name])) == as_written(expected)
    again = tomllib.loads(to_toml(built))
    assert {name: build(kind, again[name], "again") for name, kind in kinds.items()} == built


def test_a_recipe_for_fine_tuning_says_what_its_file_says():
    pytest.importorskip("torch")
    from babelspan.methods.fine_tune import Config
    from babelspan.training.run import RunConfig

    (path,) = (p for p in RECIPES if p.match("bornea2021/zero_shot.toml"))
    tables = load_tables(path)
    method, run = build(Config, tables["method"], "x"), build(RunConfig, tables["run"], "x")

    assert (method.reader.lr, method.reader.schedule) == (3e-5, "linear")
    assert (run.epochs, run.batch_size, run.max_length, run.step) == (2, 32, 384, 128)
    assert (run.seed, run.precision, run.updates) == (1, "fp32", None)


@pytest.mark.parametrize(
    ("unknown", "message"),
    [("squat", "; did you mean 'squad'?"), ("x", "; expected one of mlqa, squad")],
)
def test_the_nearest_name_or_all_of_them(unknown, message):
    assert nearest(unknown, ["squad", "mlqa"]) == message


def test_toml_that_is_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(ConfigError, match=r"deep\.toml: the TOML is nested too deeply"):
        load_tables(path)
    assert isinstance(_value("[" * 5000), str)


@pytest.mark.parametrize("table", [{"seed": 10**23}, {"inner": {"seed": -(10**23)}}])
def test_an_integer_of_more_than_64_bits_is_refused(table):
    with pytest.raises(
        ConfigError, match=r"'seed': expected an integer below 2\*\*63, found -?10{23}$"
    ):
        _refuse_huge(table, "r.toml [run]")
