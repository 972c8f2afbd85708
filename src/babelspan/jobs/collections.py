"""A collection, in a folder or on a server: its store, and the versions of the rules that made it.

In a folder, `collection.toml` has the rules. It is written before the store, so that a store is
never read with other rules than its own. On a server they are in the index itself.
"""

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babelspan.data.files import write_whole
from babelspan.documents import reading
from babelspan.engines.tantivy import TantivyIndex
from babelspan.retrieval import passages, stored
from babelspan.seams import PassageIndex
from babelspan.text import language_of, sounds, terms
from babelspan.types import ConfigError, DataError

ABOUT = "collection.toml"
STORE = "store"
SERVER = "opensearch:"
"""Prefix of the address of a collection on a server."""
RULES = {
    "store": "2",
    "content": stored.RULES,
    "terms": terms.RULES,
    "sounds": sounds.RULES,
    "passages": passages.RULES,
    "language": language_of.RULES,
    "documents": reading.RULES,
}
"""Versions of everything that the passages of a collection depend on."""


@dataclass(slots=True)
class Checked:
    """The content of a collection.

    Attributes:
        files: number of files with passages.
        passages: number of passages.
        languages: number of passages in each language.
        skipped: reason why a file has none, by name.
        digest: equal for collections with the same content.
        faults: what is wrong with it; empty if nothing.
    """

    files: int = 0
    passages: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    faults: list[str] = field(default_factory=list)


def folder_of(place: Path | str) -> Path | None:
    """Return the folder of a collection; None if it is on a server."""
    return None if str(place).startswith(SERVER) else Path(place)


def open_collection(place: Path | str, *, writes: bool = False) -> PassageIndex:
    """Open the store of a collection.

    Args:
        place: its folder, or `opensearch:` and an address, as in
            `opensearch:https://search.example:9200/papers`.
        writes: whether to change it; it is created if there is none.

    Raises:
        DataError: if it is not a collection, or damaged, or the server cannot be reached.
        ConfigError: if it was made with other rules, or another process is changing it.
    """
    folder = folder_of(place)
    if folder is None:
        return _on_server(str(place), writes=writes)
    about = folder / ABOUT
    if not about.exists():
        if not writes:
            raise DataError(
                f"{folder}: expected a collection, found no {ABOUT}; make one with `babelspan "
                f"index FOLDER --out {folder}`"
            )
        strange = [p for p in folder.iterdir() if p.name != ".lock"] if folder.is_dir() else []
        if strange:
            raise ConfigError(
                f"{folder}: expected a collection or a new folder, found one with "
                f"{strange[0].name} in it; choose another folder"
            )
        lines = (f'{name} = "{version}"\n' for name, version in RULES.items())
        write_whole(about, "".join(["[rules]\n", *lines]))
    try:
        rules = tomllib.loads(about.read_text(encoding="utf-8")).get("rules")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{about}: broken ({error}); make the collection again") from None
    _refuse_other_rules(rules, about, folder)
    return TantivyIndex(folder / STORE, writes=writes)


def _on_server(place: str, *, writes: bool) -> PassageIndex:
    from babelspan.engines.opensearch import OpenSearchIndex

    store = OpenSearchIndex(place.removeprefix(SERVER), rules=RULES, writes=writes)
    rules = store.rules()
    if rules is None:
        raise ConfigError(f"{place}: expected a collection, found another index; use another name")
    _refuse_other_rules(rules, place, "the index")
    return store


def check(place: Path | str) -> Checked:
    """Read a whole collection and verify it.

    Raises:
        DataError: if it is not a collection, or cannot be opened.
        ConfigError: if it was made with other rules.
    """
    index = open_collection(place)
    found = Checked()
    try:
        files = index.files()
        counted: Counter[str] = Counter()
        lines = []
        for hit in index.everything():
            counted[hit.file] += 1
            lines.append(json.dumps([hit.file, hit.content]))
        found.languages = index.languages()
    except DataError as error:
        found.faults.append(str(error))
        return found
    for name, about in files.items():
        if "reason" in about:
            found.skipped[name] = about["reason"]
        if about.get("passages", 0) != counted[name]:
            found.faults.append(
                f"{name}: expected {about.get('passages', 0)} passages, found {counted[name]}"
            )
        lines.append(json.dumps([name, about.get("sha256")]))
    strange = [name for name in counted if name not in files]
    found.faults += [f"{name}: has passages but is not in the file list" for name in strange]
    found.files = len(files) - len(found.skipped)
    found.passages = counted.total()
    found.digest = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
    return found


def _refuse_other_rules(rules: Any, about: object, store: object) -> None:
    if rules != RULES:
        there = rules if isinstance(rules, dict) else {}
        other = [
            f"{name} {there.get(name)} instead of {version}"
            for name, version in RULES.items()
            if there.get(name) != version
        ]
        raise ConfigError(
            f"{about}: this collection was made with other rules than those of this version "
            f"({', '.join(other) or 'more of them'}); remove {store} and make it again with "
            "`babelspan index`"
        )
