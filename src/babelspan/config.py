"""Recipes: TOML in, frozen dataclasses out; an unknown key or a wrong type is an error.

A recipe has two tables: [method], the `Config` of a method, and [run].
"""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from babelspan.types import ConfigError

T = TypeVar("T")
Tables = dict[str, Any]


def load_tables(path: Path) -> Tables:
    """The tables of a recipe.

    Raises:
        ConfigError: if it is missing, unreadable or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such recipe") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, found something else: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: the TOML is nested too deeply") from None


def override(tables: Tables, settings: Sequence[str], kinds: Mapping[str, type]) -> None:
    """Override values of tables with `key=value` settings; later settings win.

    Args:
        tables: changed in place.
        settings: the key is a dotted path, with or without the table's name in front; the value is
            TOML, or a string if it is not valid TOML.
        kinds: name of a table -> the dataclass that is built from it.

    Raises:
        ConfigError: if a setting has no `=`, or its key is in no table.
    """
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting!r}: expected key=value")
        keys = path.strip().split(".")
        if keys[0] not in kinds:
            keys = [_table_of(keys[0], kinds, setting), *keys]
        table = tables
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise ConfigError(f"--set {setting!r}: {key!r} is a value, not a table")
        table[keys[-1]] = _value(value.strip())


def build(kind: type[T], table: Any, where: str) -> T:
    """Build the dataclass `kind` from a table.

    Args:
        kind: a dataclass, which may contain dataclasses.
        table: its values by name.
        where: the table's file and name, for error messages.

    Raises:
        ConfigError: if `table` is not a table, a key is unknown (the message suggests the nearest
            known key), or a value has the wrong type: "2", true and 2.0 are not integers.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: expected a table, found {table!r}")
    _refuse_unknown(kind, table, where)
    _refuse_huge(table, where)
    values = json.dumps(_over_defaults(kind, table), default=str)
    try:  # as JSON: only there a strict reading takes a list for a tuple, a table for a dataclass
        return TypeAdapter(kind).validate_json(values, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        expected = first["msg"][0].lower() + first["msg"][1:]
        raise ConfigError(f"{where}: {key!r}: {expected}, found {first['input']!r}") from None


def split_options(kind: type[T], argument: str, where: str) -> tuple[str, T]:
    """Split `<argument>,key=value,key=value` into the argument and a dataclass of the options.

    Args:
        kind: the dataclass; its fields are the keys.
        argument: may contain commas that no `key=` follows; a value is TOML, or a string if it is
            not valid TOML.
        where: what the options belong to, for error messages; errors are those of `build`.
    """
    first, *settings = re.split(r",(?=[a-z_]+=)", argument)
    table = dict(setting.split("=", 1) for setting in settings)
    return first, build(kind, {key: _value(value) for key, value in table.items()}, where)


def difference(there: str, here: str) -> str:
    """The first setting that differs between two recipes, for error messages."""
    old, new = (_flat(tomllib.loads(recipe)) for recipe in (there, here))
    for key in sorted(old.keys() | new.keys()):
        values = [repr(side[key]) if key in side else "not set" for side in (old, new)]
        if values[0] != values[1]:
            return f"{key}: {values[0]} there, {values[1]} now"
    return "in its comments"


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{dotted path: value} of the values in a table and its inner tables."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        path = f"{prefix}{key}"
        found |= _flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found


def to_toml(tables: Mapping[str, Any]) -> str:
    """Write dataclasses and plain values as TOML; None is left out."""
    lines: list[str] = []
    for name, value in tables.items():
        if is_dataclass(value) and not isinstance(value, type):
            lines += _table_lines(name, asdict(value))
        else:
            lines.append(f"{name} = {_toml_value(value)}")
    return "\n".join(lines) + "\n"


def _table_lines(name: str, values: Mapping[str, Any]) -> list[str]:
    own = [
        f"{k} = {_toml_value(v)}"
        for k, v in values.items()
        if v is not None and not isinstance(v, dict)
    ]
    inner = [
        line
        for k, v in values.items()
        if isinstance(v, dict)
        for line in _table_lines(f"{name}.{k}", v)
    ]
    return ["", f"[{name}]", *own, *inner]


def _toml_value(value: Any) -> str:
    """A number, string, boolean or list; JSON is valid TOML, except infinity and DEL."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def _table_of(key: str, kinds: Mapping[str, type], setting: str) -> str:
    for name, kind in kinds.items():
        if key in {f.name for f in fields(kind)}:
            return name
    paths = (path for name, kind in kinds.items() for path in _paths(kind, name))
    if deeper := " or ".join(repr(path) for path in paths if path.endswith(f".{key}")):
        raise ConfigError(f"--set {setting!r}: unknown key {key!r}; did you mean {deeper}?")
    known = sorted({f.name for kind in kinds.values() for f in fields(kind)})
    raise ConfigError(f"--set {setting!r}: unknown key {key!r}{nearest(key, known)}")


def _paths(kind: type, name: str) -> Iterator[str]:
    """The dotted paths of all fields, and of those of dataclasses inside."""
    for key, inner in get_type_hints(kind).items():
        yield f"{name}.{key}"
        if is_dataclass(inner) and isinstance(inner, type):
            yield from _paths(inner, f"{name}.{key}")


def _refuse_unknown(kind: type, table: Mapping[str, Any], where: str) -> None:
    kinds = get_type_hints(kind)
    for key, value in table.items():
        if key not in kinds:
            raise ConfigError(f"{where}: unknown key {key!r}{nearest(key, list(kinds))}")
        if is_dataclass(kinds[key]) and isinstance(value, Mapping):
            _refuse_unknown(kinds[key], value, f"{where}.{key}")


def _refuse_huge(table: Mapping[str, Any], where: str) -> None:
    """Refuse integers of more than 64 bits, which numpy and PyTorch cannot take."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            _refuse_huge(value, f"{where}.{key}")
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ConfigError(f"{where}: {key!r}: expected an integer below 2**63, found {value}")


def _over_defaults(kind: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """`table`, its inner tables completed from the default of their field, not of their class."""
    merged = dict(table)
    for field in fields(kind):
        inner = merged.get(field.name)
        default = field.default
        if is_dataclass(default) and not isinstance(default, type) and isinstance(inner, Mapping):
            merged[field.name] = {**asdict(default), **inner}
    return merged


def nearest(key: str, known: Sequence[str]) -> str:
    """The end of an error message: the known name closest to an unknown one, or all of them."""
    near = difflib.get_close_matches(key, known, n=1)
    return (
        f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(sorted(known))}"
    )
