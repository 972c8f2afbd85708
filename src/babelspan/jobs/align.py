"""A job that links the words of a bitext, in shards; few shards are in memory at a time.

Until the result is complete, its shards are in `<result>.unfinished`.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from babelspan.aligners import Options, load_aligner
from babelspan.alignment.counted import LinkCounts
from babelspan.data.bitext import named, numbered_bitext
from babelspan.data.files import checksum, read_json, write_json, writing
from babelspan.data.gold_links import GoldPair, load_gold
from babelspan.data.lexicon import languages_of
from babelspan.data.pharaoh import links_line, numbered_pairs, read_links
from babelspan.data.places import refuse_overwriting, refuse_unwritable
from babelspan.jobs.shards import Crew, Watch, claimed, cut, fill, record_of
from babelspan.scoring.alignment import LinkFigures, link_figures
from babelspan.seams import Aligner
from babelspan.text.segmented import by_spaces, segmented
from babelspan.types import (
    UNDETERMINED,
    Alignment,
    ConfigError,
    DataError,
    SegmentedPair,
    SentencePair,
)
from babelspan.version import VERSION

MOST_WORDS = 500
"""Maximum number of words on a side; a longer pair gets no links, and is counted."""
LINES_IN_A_SHARD = 1_000

_NONE = Alignment(frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to align, and how.

    Attributes:
        files: bitext of one pair of languages: `<source>.<a>-<b>.tsv[.gz]`, whose words are those
            of `text.words`, or `.txt` with ` ||| ` between the sides and spaces between the words.
        out: the file to write: bitext with a third column if its name ends in `.tsv[.gz]`, else
            links in the Pharaoh format, line for line.
        aligner: name of an aligner; see `aligners`.
        threshold: minimum confidence of a link; None for the aligner's default.
        layer: layer of the encoder; None for the aligner's default.
        dictionary: file for word translations with probabilities; None for none.
        gold: file of gold links to evaluate on; None for none. The aligner sees its sentences
            in addition to the bitext, but not its links.
    """

    files: tuple[Path, ...]
    out: Path
    aligner: str
    threshold: float | None = None
    layer: int | None = None
    dictionary: Path | None = None
    gold: Path | None = None

    @property
    def languages(self) -> tuple[str, str] | None:
        """Source and target language; None for .txt files, whose names do not state them."""
        return _languages_of(self.files[0])


@dataclass(slots=True)
class Outcome:
    """The counts and figures of a job.

    Attributes:
        pairs: number of sentence pairs.
        links: number of links between their words.
        empty: number of empty lines.
        long: number of pairs with more than `MOST_WORDS` words on a side, which have no links.
        first_long: file and line of the first such pair.
        entries: number of entries of the dictionary; None if none was requested.
        gold: figures on gold links; None if there were none.
    """

    pairs: int = 0
    links: int = 0
    empty: int = 0
    long: int = 0
    first_long: str = ""
    entries: int | None = None
    gold: LinkFigures | None = None


class Line(NamedTuple):
    """A line of the bitext; `pair` is None for an empty one."""

    pair: SegmentedPair | None
    where: str

    @property
    def is_long(self) -> bool:
        """Whether a side has too many words."""
        sides = (self.pair.source_words, self.pair.target_words) if self.pair else ()
        return max(map(len, sides), default=0) > MOST_WORDS


def align(job: Job, *, watch: Watch = lambda items, _, __: items) -> Outcome:
    """Link the words of a bitext and write them; the same call resumes.

    Raises:
        ConfigError: if a file cannot be written or is an input, names state other languages than
            they should, or `<out>.unfinished` belongs to another job or is in use.
        DataError: if bitext or gold links cannot be read.
    """
    _check(job)
    outcome = _surveyed(job)
    gold = list(_gold(job))

    def shown() -> Iterator[SegmentedPair]:
        """What an aligner may see: gold sentences without their links, and the bitext."""
        fitting = (line.pair for line in _lines(job) if line.pair and not line.is_long)
        return chain((g.pair for g in gold), fitting)

    options = Options(bitext=shown, threshold=job.threshold, layer=job.layer)
    aligner = load_aligner(job.aligner, options)
    folder = job.out.absolute().with_name(f"{job.out.name}.unfinished")
    with claimed(folder / "job.json", _depends_on(job, aligner)):
        fill(
            _Work(aligner, folder),
            folder,
            _lines(job),
            total=outcome.pairs + outcome.empty,
            size=LINES_IN_A_SHARD,
            label="sentence pairs",
            crew=Crew(watch=watch),
        )
        _join(job, folder, outcome)
        if gold:
            found = aligner.align([g.pair for g in gold])
            outcome.gold = link_figures(
                (a, g.sure, g.possible) for a, g in zip(found, gold, strict=True)
            )
        shutil.rmtree(folder)
    return outcome


def _check(job: Job) -> None:
    """Check that all files have the same language pair, and that the results can be written."""
    inputs = [*job.files, *([job.gold] if job.gold else [])]
    for option, path in {"--out": job.out, "--dictionary": job.dictionary}.items():
        if path is not None:
            refuse_overwriting(path, inputs, option=option)
            refuse_unwritable(path)
    if job.dictionary and job.dictionary.resolve() == job.out.resolve():
        raise ConfigError(
            f"--dictionary {job.dictionary}: the links go to this file; choose another name"
        )
    for path in job.files:
        _check_name(path, job)
    if job.gold and not job.languages:
        raise ConfigError(
            "--gold needs bitext whose name states its languages, such as x.en-de.tsv"
        )
    wanted = "-".join(job.languages or ("en", "de"))
    if _is_table(job.out) and (not job.languages or _languages_of(job.out) != job.languages):
        raise ConfigError(
            f"--out {job.out}: expected a name like linked.{wanted}.tsv.gz for bitext with links, "
            "or one that ends in .txt for links only (.txt bitext allows only the latter)"
        )
    if job.dictionary:
        found = languages_of(job.dictionary)
        if found is None or (job.languages and found != job.languages):
            raise ConfigError(
                f"--dictionary {job.dictionary}: expected a name like mine.{wanted}.tsv, with the "
                "languages of its columns"
            )


def _check_name(path: Path, job: Job) -> None:
    found = _languages_of(path)
    if found is None and path.suffix != ".txt":
        raise ConfigError(
            f"{path}: expected a name like news.en-de.tsv.gz, with both languages, or "
            "pairs.de.txt with ' ||| ' between the sides"
        )
    if found != job.languages:
        raise ConfigError(
            f"{path}: expected bitext of the same two languages as {job.files[0].name}; align each "
            "language pair separately"
        )


def _languages_of(path: Path) -> tuple[str, str] | None:
    found = named(path)
    return (found[1], found[2]) if found else None


def _is_table(path: Path) -> bool:
    return ".tsv" in path.suffixes[-2:]


def _depends_on(job: Job, aligner: Aligner) -> dict[str, Any]:
    return {
        "aligner": aligner.identity,
        "bitext": [f"{path.name}:{checksum(path)}" for path in job.files],
        "gold": job.gold and f"{job.gold.name}:{checksum(job.gold)}",
        "babelspan": VERSION,
    }


def _lines(job: Job) -> Iterator[Line]:
    """Yield every line of the bitext with its words; one line is in memory at a time."""
    source, target = job.languages or (UNDETERMINED, UNDETERMINED)
    for path in job.files:
        for number, pair in (numbered_bitext if job.languages else numbered_pairs)(path):
            where = f"{path}, line {number}"
            if pair is None:
                yield Line(None, where)
                continue
            known = SentencePair(pair.source, pair.target, source, target)
            yield Line(segmented(known) if job.languages else by_spaces(known), where)


def _gold(job: Job) -> Iterator[GoldPair]:
    if job.gold and job.languages:
        source, target = job.languages
        yield from load_gold(job.gold, source=source, target=target)


def _surveyed(job: Job) -> Outcome:
    """Read the bitext once and count its pairs.

    Raises:
        DataError: if a line is broken, or there is no sentence pair.
    """
    outcome = Outcome()
    for line in _lines(job):
        if line.pair is None:
            outcome.empty += 1
            continue
        outcome.pairs += 1
        if line.is_long:
            outcome.long += 1
            outcome.first_long = outcome.first_long or line.where
    if not outcome.pairs:
        raise DataError(f"{job.files[0]}: expected sentence pairs to align, found none")
    return outcome


class _Work:
    """Links of a shard; empty lines and long pairs have none."""

    def __init__(self, aligner: Aligner, folder: Path) -> None:
        self._aligner = aligner
        self._folder = folder

    def start(self) -> Callable[[int, Sequence[Line]], None]:
        return self._make

    def _make(self, shard: int, lines: Sequence[Line]) -> None:
        usable = [n for n, line in enumerate(lines) if line.pair and not line.is_long]
        pairs = [line.pair for line in lines if line.pair and not line.is_long]
        found = dict(zip(usable, self._aligner.align(pairs), strict=True))
        texts = [links_line(found.get(n, _NONE)) for n in range(len(lines))]
        write_json(record_of(self._folder, shard), texts)


def _join(job: Job, folder: Path, outcome: Outcome) -> None:
    """Write the links of all shards to one file, and the dictionary made from them."""
    counts = LinkCounts()
    outcome.links = 0
    with _written(job.out) as file:
        for number, shard in enumerate(cut(_lines(job), LINES_IN_A_SHARD)):
            texts = read_json(record_of(folder, number))
            for line, text in zip(shard, texts, strict=True):
                sides = line.pair.words if line.pair else ((), ())
                sizes = len(sides[0]), len(sides[1])
                found = read_links(text, sizes, f"{record_of(folder, number)}: {line.where}").links
                outcome.links += len(found.links)
                if not _is_table(job.out):
                    file.write(f"{text}\n")
                elif line.pair:
                    file.write(f"{line.pair.pair.source}\t{line.pair.pair.target}\t{text}\n")
                if job.dictionary and line.pair:
                    counts.add(line.pair, found)
    if job.dictionary:
        outcome.entries = 0
        with _written(job.dictionary) as file:
            for entry in counts.entries():
                source, target, probability, links = entry
                file.write(f"{source}\t{target}\t{probability:.4f}\t{links}\n")
                outcome.entries += 1


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """Open a text file to write line by line; it appears only when complete, gzipped for `.gz`."""
    with writing(path) as raw, TextIOWrapper(raw, encoding="utf-8", newline="\n") as file:
        yield file
