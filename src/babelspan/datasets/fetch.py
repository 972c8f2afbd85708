"""Fetching a data set of the catalogue into the toolkit's folder layout.

The result is `<out>/<name>/<split>.<language>.json.gz`, or
`<split>.<question>-<context>.json.gz`, in the SQuAD layout, with a record of its origin. Existing
files are not fetched again.
"""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from babelspan.data.files import checksum, digest, read_json, replacing, write_json
from babelspan.data.locks import locked
from babelspan.data.squad import save_squad
from babelspan.datasets.archives import unpack
from babelspan.datasets.catalogue import DataSet, Source
from babelspan.datasets.download import Patience, download
from babelspan.datasets.layouts import read
from babelspan.types import ConfigError, DataError

RECORD = "fetched.json"
"""The file next to the data that records its origin."""

Watch = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes received, and the total if known."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of the data set.

    Attributes:
        path: path of the file.
        questions: number of questions; None if it was kept unchanged.
        changes: kind of change to the published content -> number of changes.
        was_there: whether an earlier call wrote it.
    """

    path: Path
    questions: int | None
    changes: dict[str, int]
    was_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to fetch.

    Attributes:
        taken_from: folder with the published files, fetched by hand; None to download them.
        accepts_changed: whether to accept files whose length or checksum differs.
        keeps: whether to keep the published files, in `<out>/.downloads/<name>`.
        patience: when to give up.
    """

    taken_from: Path | None = None
    accepts_changed: bool = False
    keeps: bool = False
    patience: Patience = field(default_factory=Patience)


def select(
    data_set: DataSet, splits: Collection[str] = (), languages: Collection[str] = ()
) -> list[Source]:
    """Return the catalogue's sources for some splits and languages; for all if none are named.

    Args:
        data_set: the entry.
        splits: names of splits.
        languages: language codes; those of question and context must both be among them.

    Raises:
        ConfigError: if there is no such source; the message lists what exists.
    """
    for asked, known, what in (
        (splits, data_set.splits, "split"),
        (languages, data_set.languages, "language"),
    ):
        for name in asked:
            if name not in known:
                raise ConfigError(
                    f"{data_set.name} has no {what} {name!r}; it has {', '.join(known)}"
                )
    chosen = [
        s
        for s in data_set.sources
        if (not splits or s.split in splits)
        and (not languages or {s.question_language, s.context_language} <= set(languages))
    ]
    if not chosen:
        pairs = dict.fromkeys(p for f in data_set.files for p in f.languages)
        raise ConfigError(
            f"{data_set.name} has nothing in {', '.join(languages)} alone; its pairs of question "
            f"and context are {', '.join(pairs)}"
        )
    return chosen


def fetch(
    data_set: DataSet,
    sources: Sequence[Source],
    out: Path,
    *,
    way: Way | None = None,
    watch: Watch | None = None,
) -> list[Fetched]:
    """Download, verify and convert a data set; each file is written completely or not at all.

    Args:
        data_set: the entry of the catalogue.
        sources: what to fetch (from `select`).
        out: folder in which to create the data set's folder.
        way: how to fetch.
        watch: called as bytes arrive.

    Returns:
        The files, in the order of the catalogue.

    Raises:
        ConfigError: if it can only be fetched by hand and `way.taken_from` is None, or another
            process is fetching it to the same place.
        DataError: if a file cannot be fetched, or differs from the catalogue.
    """
    way = way or Way()
    if data_set.by_hand and way.taken_from is None:
        names = ", ".join(dict.fromkeys(s.name for s in sources))
        raise ConfigError(
            f"{data_set.title} cannot be fetched: {data_set.by_hand}; then rerun with --from "
            f"FOLDER, the folder that holds {names}"
        )
    downloads = out / ".downloads" / data_set.name
    work = _Work(data_set, sources, out / data_set.name, downloads, way, watch)
    by_output: dict[str, list[Source]] = {}
    for source in sources:
        by_output.setdefault(source.output, []).append(source)
    with locked(downloads):
        shutil.rmtree(work.unpacked, ignore_errors=True)
        done = [_fetch_one(work, output, of_it) for output, of_it in by_output.items()]
        given = way.taken_from and way.taken_from.resolve()
        by_hand = given is not None and given.is_relative_to(downloads.resolve())
        shutil.rmtree(work.unpacked if way.keeps or by_hand else downloads, ignore_errors=True)
    if downloads.parent.is_dir() and not any(downloads.parent.iterdir()):
        downloads.parent.rmdir()
    return done


@dataclass(slots=True)
class _Work:
    """Where a data set is written, and what has been fetched so far."""

    data_set: DataSet
    sources: Sequence[Source]
    folder: Path
    downloads: Path
    way: Way
    watch: Watch | None
    digests: dict[Path, str] = field(default_factory=dict)

    @property
    def unpacked(self) -> Path:
        """Folder for files extracted from archives while they are read."""
        return self.downloads / "unpacked"


def _fetch_one(work: _Work, output: str, sources: Sequence[Source]) -> Fetched:
    target = work.folder / output
    recorded = _recorded(work).get(output)
    if recorded is not None and _is_there(work, target, recorded, sources):
        return Fetched(target, recorded["questions"], recorded["changes"], was_there=True)
    files = {s.name: _published(work, s) for s in sources}
    if work.data_set.layout == "as-is":
        (file,) = files.values()
        origins = _origins(work, sources, files)
        entry: dict[str, Any] = {"questions": None, "changes": {}, "from": origins}
        _keep(work, file, target)
        content = origins[0]["sha256"]
    else:
        entry = _convert(work, sources, files, target)
        content = checksum(target)
    _write_record(work, output, {"sha256": content, **entry})
    return Fetched(target, entry["questions"], entry["changes"], was_there=False)


def _convert(
    work: _Work, sources: Sequence[Source], files: Mapping[str, Path], target: Path
) -> dict[str, Any]:
    paths = [_unpacked(work, s, files[s.name]) if s.member else files[s.name] for s in sources]
    try:
        reading = read(paths, sources[0], work.data_set.layout)
    except DataError:
        for source in sources:
            if source.sha256 is None and work.way.taken_from is None:  # nothing verifies it
                files[source.name].unlink(missing_ok=True)
        raise
    save_squad(target, reading.examples)
    return {
        "questions": len(reading.examples),
        "changes": reading.changes,
        "from": _origins(work, sources, files),
    }


def _published(work: _Work, source: Source) -> Path:
    """Return a published file, from the folder of --from or downloaded."""
    length, sha256 = source.bytes, source.sha256
    if work.way.accepts_changed:
        length = sha256 = None
    if work.way.taken_from is None:
        return _downloaded(work, source, length, sha256)
    path = work.way.taken_from / source.name
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; put it into the folder of --from")
    if difference := _difference(path, length, sha256):
        raise DataError(f"{path}: {difference}; fetch it again, or accept it with --accept-changed")
    return path


def _downloaded(work: _Work, source: Source, length: int | None, sha256: str | None) -> Path:
    path = work.downloads / source.name
    if path.exists() and not _difference(path, length, sha256):
        return path
    assert source.url is not None  # else it would come from a folder
    watch = work.watch
    told = None if watch is None else lambda done, total: watch(source.name, done, total)
    try:
        download(
            source.url, path, length=length, sha256=sha256, watch=told, patience=work.way.patience
        )
    except DataError as error:
        raise DataError(
            f"{error}; or fetch {source.name} by hand (see {work.data_set.homepage}), put it into "
            f"{work.downloads}, and rerun with --from {work.downloads}"
        ) from None
    return path


def _difference(path: Path, length: int | None, sha256: str | None) -> str:
    """Describe how a file differs from the catalogue; empty if it does not."""
    if length is not None and path.stat().st_size != length:
        return f"expected {length:,} bytes, found {path.stat().st_size:,}"
    if sha256 is not None and (found := digest(path)) != sha256:
        return f"expected the SHA-256 {sha256}, found {found}"
    return ""


def _unpacked(work: _Work, source: Source, archive: Path) -> Path:
    """Return a file of an archive; the first call extracts all that are needed."""
    path = work.unpacked / PurePosixPath(source.member).name
    if not path.exists():
        members = {s.member for s in work.sources if s.name == source.name}
        unpack(archive, {m: work.unpacked / PurePosixPath(m).name for m in members})
    return path


def _keep(work: _Work, file: Path, target: Path) -> None:
    """Move or copy a file to its place unchanged."""
    if work.way.taken_from is None and not work.way.keeps:
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        return
    with replacing(target) as beside:
        shutil.copyfile(file, beside)


def _origins(
    work: _Work, sources: Sequence[Source], files: Mapping[str, Path]
) -> list[dict[str, Any]]:
    origins = []
    for source in {s.name: s for s in sources}.values():
        path = files[source.name]
        if path not in work.digests:
            work.digests[path] = digest(path)
        origins.append(
            {
                "file": source.name,
                "url": source.url,
                "member": source.member,
                "bytes": path.stat().st_size,
                "sha256": work.digests[path],
            }
        )
    return origins


def _is_there(
    work: _Work, target: Path, recorded: Mapping[str, Any], sources: Sequence[Source]
) -> bool:
    """Return whether a file is from an earlier call, made from what the catalogue names now."""
    if not target.exists():
        return False
    origins = {o["file"]: o["sha256"] for o in recorded["from"]}
    if origins.keys() != {s.name for s in sources}:
        return False
    is_changed = any(s.sha256 not in (None, origins[s.name]) for s in sources)
    if is_changed and not work.way.accepts_changed:
        return False
    as_is = work.data_set.layout == "as-is"
    return bool((digest(target) if as_is else checksum(target)) == recorded["sha256"])


def _recorded(work: _Work) -> dict[str, Any]:
    """Return what earlier calls wrote: name of a file -> its entry."""
    path = work.folder / RECORD
    if not path.exists():
        return {}
    found = read_json(path)
    files = found.get("files") if isinstance(found, dict) else None
    if not isinstance(files, dict) or not all(map(_is_entry, files.values())):
        raise DataError(
            f"{path}: expected the record of an earlier fetch, found something else; delete it and "
            "rerun the same command"
        )
    return files


def _is_entry(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and {"questions", "sha256"} <= value.keys()
        and isinstance(value.get("changes"), dict)
        and isinstance(value.get("from"), list)
        and all(isinstance(o, dict) and {"file", "sha256"} <= o.keys() for o in value["from"])
    )


def _write_record(work: _Work, output: str, entry: Mapping[str, Any]) -> None:
    data_set = work.data_set
    files = {**_recorded(work), output: entry}
    record = {
        **data_set.facts,
        "files": dict(sorted(files.items())),
    }
    write_json(work.folder / RECORD, record)
