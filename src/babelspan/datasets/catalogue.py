"""The catalogue of public data sets: addresses, contents, terms of use.

The facts are in `catalogue.toml` in this folder; unknown facts are omitted.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from babelspan.config import nearest
from babelspan.types import ConfigError

_FILE = Path(__file__).with_name("catalogue.toml")

TERMS = {
    "non-commercial": "for non-commercial use only",
    "no derivatives": "changed copies, such as these files, may not be passed on",
    "research only": "for research only",
    "not stated": "its terms are not stated; ask its authors before passing it on",
}
"""Terms of use to point out, and what they mean for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file as listed in the catalogue; it may have several languages in it, or in its name."""

    split: str
    languages: tuple[str, ...]
    path: str
    member: str = ""
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The source of the questions of one split and language pair.

    Attributes:
        name: name of the published file.
        url: its address; None if it can only be fetched by hand.
        member: the file inside it if it is an archive; else empty.
        split: train, dev, test or another.
        question_language: ISO 639 code.
        context_language: ISO 639 code.
        bytes: length of the file; None if unknown.
        sha256: checksum of the file in hexadecimal; None if unknown.
        output: name of the file to write.
    """

    name: str
    url: str | None
    member: str
    split: str
    question_language: str
    context_language: str
    bytes: int | None
    sha256: str | None
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """An entry of the catalogue.

    Attributes:
        name: its name here, and the name of its folder.
        title: its usual name.
        homepage: address of a page about it.
        licence: licence as its authors state it.
        citation: authors, year, title, place.
        counts: number of questions, in words.
        files: its files.
        arxiv: arXiv number of its paper; None if there is none.
        base: address before the paths of its files; empty if they are fetched by hand.
        by_hand: how to obtain it if it cannot be fetched; else empty.
        layout: layout of its files, a key of `layouts.LAYOUTS`, or "as-is".
        terms: keys of `TERMS`.
        note: further remarks.
        overlaps: name of another data set -> what both share.
    """

    name: str
    title: str
    homepage: str
    licence: str
    citation: str
    counts: str
    files: tuple[ListedFile, ...]
    arxiv: str | None = None
    base: str = ""
    by_hand: str = ""
    layout: str = "squad"
    terms: tuple[str, ...] = ()
    note: str = ""
    overlaps: dict[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """Identity and terms of use, as plain values."""
        return {
            "name": self.name,
            "title": self.title,
            "homepage": self.homepage,
            "licence": self.licence,
            "terms": list(self.terms),
            "citation": self.citation,
        }

    @property
    def sources(self) -> list[Source]:
        """One source per file, split and language pair, in the order of the catalogue."""
        return [
            _source(self, listed, languages)
            for listed in self.files
            for languages in listed.languages
        ]

    @property
    def splits(self) -> list[str]:
        """The splits, in the order of the catalogue."""
        return list(dict.fromkeys(f.split for f in self.files))

    @property
    def languages(self) -> list[str]:
        """Languages of questions and contexts, by code."""
        codes = {c for f in self.files for pair in f.languages for c in pair.split("-")}
        return sorted(codes)

    @property
    def bytes(self) -> int | None:
        """Length of all files to fetch; None if part of it is unknown."""
        lengths = {f.path: f.bytes for f in self.files}
        known = [n for n in lengths.values() if n is not None]
        return sum(known) if len(known) == len(lengths) else None


@cache
def load_catalogue() -> dict[str, DataSet]:
    """Return every data set by name, in the order of the file."""
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: _data_set(name, table) for name, table in tables.items()}


def data_set(name: str) -> DataSet:
    """Return the data set of this name.

    Raises:
        ConfigError: if there is none; the message suggests the nearest name.
    """
    known = load_catalogue()
    if name not in known:
        raise ConfigError(f"unknown data set {name!r}{nearest(name, list(known))}")
    return known[name]


def overlapping(name: str) -> dict[str, str]:
    """Return {name of another data set: what both share}, listed under either of them."""
    known = load_catalogue()
    others = {other: d.overlaps[name] for other, d in known.items() if name in d.overlaps}
    return {**others, **known[name].overlaps}


def _data_set(name: str, table: dict[str, Any]) -> DataSet:
    listed = tuple(
        ListedFile(**{**entry, "languages": tuple(entry["languages"])}) for entry in table["files"]
    )
    terms = tuple(table.get("terms", ()))
    return DataSet(**{**table, "name": name, "files": listed, "terms": terms})


def _source(data_set: DataSet, listed: ListedFile, languages: str) -> Source:
    question, _, context = languages.partition("-")
    context = context or question
    names = {"language": question, "question": question, "context": context}
    path = listed.path.format(**names)
    return Source(
        name=unquote(PurePosixPath(path).name),
        url=None if data_set.by_hand else data_set.base + path,
        member=listed.member.format(**names),
        split=listed.split,
        question_language=question,
        context_language=context,
        bytes=listed.bytes,
        sha256=listed.sha256,
        output=_output(data_set, listed, languages),
    )


def _output(data_set: DataSet, listed: ListedFile, languages: str) -> str:
    if data_set.layout == "as-is":
        return listed.split + "".join(PurePosixPath(listed.path).suffixes[-2:])
    return f"{listed.split}.{languages}.json.gz"


def megabytes(length: int | None) -> str:
    """Format a length for display."""
    return "not known" if length is None else f"{length / 1e6:,.1f} MB"


def described(data_set: DataSet) -> str:
    """Describe a data set in lines of text."""
    facts = [
        ("homepage", data_set.homepage),
        ("licence", data_set.licence),
        ("terms", "; ".join(TERMS[t] for t in data_set.terms)),
        ("languages", " ".join(data_set.languages)),
        ("questions", data_set.counts),
        ("cite", data_set.citation + (f", arXiv:{data_set.arxiv}" if data_set.arxiv else "")),
        ("note", data_set.note),
        ("by hand", data_set.by_hand),
        *(("overlaps", f"{other}: {how}") for other, how in overlapping(data_set.name).items()),
    ]
    published = {s.name: s for s in data_set.sources}.values()
    lines = [f"{data_set.name}: {data_set.title}"]
    lines += [f"  {name:10} {value}" for name, value in facts if value]
    lines.append(f"published ({megabytes(data_set.bytes)}):")
    for source in published:
        length = "not known" if source.bytes is None else f"{source.bytes:,} bytes"
        lines.append(f"  {source.url or source.name}")
        lines.append(f"    length {length}, SHA-256 {source.sha256 or 'not known'}")
    return "\n".join([*lines, "written:", *(f"  {line}" for line in _written(data_set))])


def _written(data_set: DataSet) -> list[str]:
    """Return the files to write; those of a split are in one line."""
    lines = []
    for split in data_set.splits:
        outputs = dict.fromkeys(s.output for s in data_set.sources if s.split == split)
        if len(outputs) == 1:
            lines += [f"{data_set.name}/{output}" for output in outputs]
        else:
            names = (o.removeprefix(f"{split}.").removesuffix(".json.gz") for o in outputs)
            lines.append(f"{data_set.name}/{split}.*.json.gz, * being {' '.join(names)}")
    return lines


def reference_page() -> str:
    """Return the catalogue page, `docs/reference/catalogue.md`, in Markdown."""
    known = load_catalogue().values()
    rows = [
        f"| [{d.name}](#{d.name}) | {d.title} | {' '.join(d.languages)} | {d.counts} "
        f"| {', '.join([d.licence, *d.terms])} "
        f"| {'by hand' if d.by_hand else megabytes(d.bytes)} |"
        for d in known
    ]
    sections = [f"## {d.name}\n\n```text\n{described(d)}\n```" for d in known]
    return (
        "# The catalogue\n\nThe data sets that `babelspan data` knows, from "
        "`src/babelspan/datasets/catalogue.toml`. A length or\nchecksum that is not known was "
        "not published. The page is written by `catalogue.reference_page`.\n\n"
        "| name | title | languages | questions | licence | to fetch |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n" + "\n\n".join(sections) + "\n"
    )
