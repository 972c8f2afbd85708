"""Values of records in JSON, with their types checked."""

from collections.abc import Mapping
from typing import Any

from babelspan.types import DataError

_SHOWN = 8
"""Maximum number of keys in an error message."""


def checked_field(
    record: Any, key: str, kind: type | tuple[type, ...], where: str, *, layout: str
) -> Any:
    """Return the value of a key of a record after checking its type.

    Args:
        record: the record, as parsed from JSON.
        key: the key.
        kind: the type, or types, of the value; True and False are not numbers here.
        where: the place of the record, for errors.
        layout: what the file is expected to be, for errors.

    Raises:
        DataError: if the key is missing or the value has another type.
    """
    if not isinstance(record, dict) or key not in record:
        found = _keys(record) if isinstance(record, dict) else type(record).__name__
        raise DataError(f"{where}: expected a key {key!r} of {layout}, found {found}")
    value = record[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        expected = " or ".join(k.__name__ for k in kinds)
        raise DataError(f"{where}: expected {key!r} to be {expected}, found {value!r:.60}")
    return value


def _keys(record: Mapping[str, Any]) -> str:
    """The keys of a record; only some of them if there are many."""
    keys = sorted(record)
    if len(keys) <= _SHOWN:
        return f"the keys {keys!s:.200}" if keys else "no keys"
    return f"{len(keys):,} other keys, such as {keys[0]!r:.60}"
