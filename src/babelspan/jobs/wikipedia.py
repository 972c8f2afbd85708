"""A job that extracts texts from a Wikipedia dump: links, ranks, paragraphs, a file of texts.

Riabi et al. (2021), arXiv:2010.12643, Section 3.2: from the 10,000 pages with the highest PageRank,
500 random articles among those with 5 or more paragraphs of 500 to 1,500 characters.

While it runs, `<database>.unfinished` in the folder holds two jobs of shards (`jobs.shards`): the
links of all pages, and the paragraphs of the highest-ranked pages.
"""

import json
import shutil
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from babelspan.data import wikipedia
from babelspan.data.files import digest, read_record, write_json, write_lines
from babelspan.data.folder import chosen
from babelspan.data.pagerank import pagerank
from babelspan.data.wikipedia import Page, Site, site_of
from babelspan.jobs import shards as sharded
from babelspan.jobs.patience import Patient
from babelspan.jobs.shards import ALONE, Crew, lines_of, record_of
from babelspan.machine import cores
from babelspan.text.wikitext import Article, article_of, targets, title_of
from babelspan.types import ConfigError, DataError
from babelspan.version import VERSION

PAGES_IN_A_SHARD = 1000
ARTICLES_IN_A_SHARD = 100
LICENCE = "CC BY-SA 4.0"

_HOPS = 5
"""Maximum number of redirects to follow in a row."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which articles and paragraphs to take.

    Attributes:
        ranked: number of pages with the highest PageRank to choose from.
        articles: number of articles to take of these, by a hash of their titles.
        paragraphs: minimum number of paragraphs of an article.
        shortest: minimum length of a paragraph in characters.
        longest: maximum length of a paragraph in characters.
        seconds: time limit for parsing a page.
    """

    ranked: int = 10_000
    articles: int = 500
    paragraphs: int = 5
    shortest: int = 500
    longest: int = 1500
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.shortest > self.longest:
            raise ConfigError(
                f"expected a range of characters such as 500:1500, got {self.shortest}:"
                f"{self.longest}"
            )


@dataclass(frozen=True)
class _Links:
    """Shards of pages whose links are extracted (see `jobs.shards.Work`)."""

    folder: Path
    namespaces: frozenset[str]

    def start(self) -> Callable[[int, Sequence[Page]], int]:
        """Return a function that writes the links of a shard and returns its number of pages."""

        def make(shard: int, some: Sequence[Page]) -> int:
            lines = (
                {
                    "title": page.title,
                    "redirect": page.redirect,
                    "links": [] if page.redirect else targets(page.text, self.namespaces),
                }
                for page in some
            )
            write_lines(lines_of(self.folder, shard, "links"), lines)
            write_json(record_of(self.folder, shard), {"pages": len(some)})
            return len(some)

        return make


@dataclass(frozen=True)
class _Articles:
    """Shards of pages whose paragraphs are extracted."""

    folder: Path
    namespaces: frozenset[str]
    choice: Choice

    def start(self) -> Callable[[int, Sequence[Page]], int]:
        """Return a function that writes the articles of a shard and returns its number of pages."""

        def make(shard: int, some: Sequence[Page]) -> int:
            kept: list[dict[str, Any]] = []
            dropped: list[dict[str, str]] = []
            with closing(Patient(_parsed, self.choice.seconds)) as parsed:
                for page in some:
                    try:
                        article = parsed((page.text, self.namespaces))
                    except TimeoutError:
                        dropped.append({"title": page.title, "reason": "parsing takes too long"})
                        continue
                    except RuntimeError as error:
                        reason = f"parsing fails: {error}"
                        dropped.append({"title": page.title, "reason": reason})
                        continue
                    paragraphs = self._fitting(article)
                    if len(paragraphs) < self.choice.paragraphs:
                        dropped.append({"title": page.title, "reason": "too few paragraphs"})
                    else:
                        kept.append(_record(page, article, paragraphs))
            write_lines(lines_of(self.folder, shard, "articles"), kept)
            write_lines(lines_of(self.folder, shard, "dropped"), dropped)
            write_json(record_of(self.folder, shard), {"pages": len(some)})
            return len(some)

        return make

    def _fitting(self, article: Article) -> list[dict[str, Any]]:
        choice = self.choice
        return [
            {"context": p.text, "links": [[s.start, s.end] for s in p.links], "qas": []}
            for p in article.paragraphs
            if choice.shortest <= len(p.text) <= choice.longest
        ]


def carry_out(
    dump: Path,
    out: Path,
    *,
    choice: Choice = Choice(),
    language: str | None = None,
    crew: Crew = ALONE,
) -> dict[str, Any]:
    """Write `texts.<language>.json.gz` and `manifest-<language>.json`; return the manifest.

    Args:
        dump: the dump file.
        out: output folder; dumps of several languages may share it.
        choice: what to take.
        language: language of the texts; None for the one named in the dump.
        crew: the workers.

    Raises:
        ConfigError: if the folder holds texts of another dump or choice.
        DataError: if the dump is broken, or has no article that is long enough.
    """
    site = site_of(dump)
    code = language or site.language
    if not code:
        raise DataError(f"{dump}: the dump does not name its language; give it with --language")
    manifest = out / f"manifest-{code}.json"
    made_of = {
        "dump": digest(dump),
        "language": code,
        **asdict(choice),
        "babelspan": VERSION,
    }
    if manifest.exists():
        found = read_record(manifest, ("job",))
        if found["job"] != made_of:
            raise ConfigError(
                f"{out}: holds texts of another dump or choice; choose another folder"
            )
        return found
    beside = out / f"{site.database or code}.unfinished"
    with sharded.claimed(beside / "job.json", made_of):
        totals = _read_links(dump, beside / "links", site, crew)
        ranked = _ranked(beside / "links", totals["shards"], choice.ranked)
        parsed = _read_articles(
            dump, beside / "articles", site, choice=choice, ranked=ranked, crew=crew
        )
        record = _finish(
            out,
            dump,
            site,
            made_of,
            folder=beside / "articles",
            shards=parsed,
            pages=totals["pages"],
        )
    shutil.rmtree(beside)
    return record


def _read_links(dump: Path, folder: Path, site: Site, crew: Crew) -> dict[str, int]:
    """Extract the links of all pages; return the number of pages and of shards."""
    done = folder / "all.json"
    if not done.exists():
        inputs = sharded.missing(folder, sharded.cut(_pages(dump, crew), PAGES_IN_A_SHARD))
        work = _Links(folder, site.namespaces)
        for _ in crew.watch(_made(work, inputs, crew), "parts of the dump", 0):
            pass
        shards = len(list(folder.glob("shards/?????.json")))
        if not shards:
            raise DataError(f"{dump}: expected pages, found none")
        total = sum(read_record(record_of(folder, n))["pages"] for n in range(shards))
        write_json(done, {"pages": total, "shards": shards})
    return dict(read_record(done, ("pages", "shards")))


def _read_articles(
    dump: Path, folder: Path, site: Site, *, choice: Choice, ranked: set[str], crew: Crew
) -> int:
    """Extract the paragraphs of the highest-ranked pages; return the number of shards."""
    wanted = (page for page in _pages(dump, crew) if page.title in ranked and not page.redirect)
    inputs = sharded.missing(folder, sharded.cut(wanted, ARTICLES_IN_A_SHARD))
    count = -(-len(ranked) // ARTICLES_IN_A_SHARD)
    work = _Articles(folder, site.namespaces, choice)
    for _ in crew.watch(_made(work, inputs, crew), "articles", count):
        pass
    return len(list(folder.glob("shards/?????.json")))


def _pages(dump: Path, crew: Crew) -> Iterator[Page]:
    """Read the dump; unpacking takes most of the time, so it is done in threads too."""
    return wikipedia.pages(dump, threads=min(crew.workers, cores()))


def _made(work: Any, inputs: Iterator[Any], crew: Crew) -> Iterator[Any]:
    """Carry out all shards, when their number is not known in advance."""
    return sharded.carry_out(work, inputs, count=max(1, crew.workers), crew=crew)


def _lines(folder: Path, shards: int, name: str) -> Iterator[Any]:
    for shard in range(shards):
        with lines_of(folder, shard, name).open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _ranked(folder: Path, shards: int, count: int) -> set[str]:
    """Return the titles of the articles with the highest PageRank; ties are broken by title."""
    numbers: dict[str, int] = {}
    redirects: dict[str, str] = {}
    for line in _lines(folder, shards, "links"):
        if line["redirect"]:
            redirects[line["title"]] = title_of(line["redirect"])
        else:
            numbers.setdefault(line["title"], len(numbers))
    sources, goals = array("q"), array("q")
    for line in _lines(folder, shards, "links"):
        if not line["redirect"]:
            own = numbers[line["title"]]
            found = {_goal(title, numbers, redirects) for title in line["links"]} - {None, own}
            sources.extend([own] * len(found))
            goals.extend(sorted(n for n in found if n is not None))
    ranks = pagerank(np.asarray(sources), np.asarray(goals), len(numbers))
    titles = sorted(numbers, key=lambda title: (-ranks[numbers[title]], title))
    return set(titles[:count])


def _goal(title: str, numbers: dict[str, int], redirects: dict[str, str]) -> int | None:
    """Return the article that a title leads to, after redirects; None if there is none."""
    for _ in range(_HOPS):
        if title not in redirects:
            break
        title = redirects[title]
    return numbers.get(title)


def _record(page: Page, article: Article, paragraphs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": page.title,
        "page": page.id,
        "revision": page.revision,
        "holes": article.holes,
        "paragraphs": paragraphs,
    }


def _finish(
    out: Path,
    dump: Path,
    site: Site,
    made_of: dict[str, Any],
    *,
    folder: Path,
    shards: int,
    pages: int,
) -> dict[str, Any]:
    """Choose the articles; write them and the manifest with their sources."""
    code = made_of["language"]
    articles = list(_lines(folder, shards, "articles"))
    titles = chosen([article["title"] for article in articles], made_of["articles"])
    taken = [article for article in articles if article["title"] in titles]
    if not taken:
        raise DataError(
            f"{dump}: expected articles with {made_of['paragraphs']} paragraphs of "
            f"{made_of['shortest']} to {made_of['longest']} characters, found none; lower "
            "--paragraphs or widen --characters"
        )
    data = [{"title": a["title"], "paragraphs": a["paragraphs"]} for a in taken]
    write_json(out / f"texts.{code}.json.gz", {"version": "1.1", "data": data})
    reasons: dict[str, int] = {}
    for line in _lines(folder, shards, "dropped"):
        reasons[line["reason"]] = reasons.get(line["reason"], 0) + 1
    record = {
        "job": made_of,
        "dump": dump.name,
        "site": {"name": site.name, "database": site.database, "address": site.address},
        "licence": LICENCE,
        "note": "links made by templates are not counted in the ranks",
        "pages": pages,
        "long_enough": len(articles),
        "dropped": dict(sorted(reasons.items())),
        "paragraphs": sum(len(a["paragraphs"]) for a in taken),
        "lines_with_holes": sum(a["holes"] for a in taken),
        "articles": [{key: a[key] for key in ("title", "page", "revision")} for a in taken],
    }
    write_json(out / f"manifest-{code}.json", record)
    return record


def _parsed(argument: tuple[str, frozenset[str]]) -> Article:
    return article_of(*argument)
