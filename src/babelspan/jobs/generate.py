"""A job that generates questions about texts; a shard is a run of paragraphs (`jobs.shards`).

Riabi et al. (2021), arXiv:2010.12643, Section 4.2. Every answer to ask about ends as a question,
or as a line of `dropped.jsonl` with the reason.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from babelspan.augment.asked import Tally
from babelspan.augment.candidates import VERSION as CANDIDATES
from babelspan.augment.candidates import found_by_rules
from babelspan.augment.sift import NO_FILTERS, Sift, teller
from babelspan.data.exported import MODEL
from babelspan.data.files import checksum, read_record, write_csv, write_json
from babelspan.data.folder import DataFile, find
from babelspan.data.texts import Text, TextFile, distinct, identity_of
from babelspan.examine.overlap import Reference
from babelspan.generators import QuestionWriter, languages_of, load_generator
from babelspan.jobs import shards as sharded
from babelspan.jobs.question_shards import Effort, Maker, asked
from babelspan.jobs.shards import ALONE, Crew, is_finished, record_of, refuse_changed
from babelspan.networks.store import NETWORK
from babelspan.readers import checksum_of, device, load_answerer
from babelspan.scoring.matrix import Pair
from babelspan.types import ConfigError, DataError, Example, Span
from babelspan.version import VERSION

TEXTS_IN_A_SHARD = 64
"""Fixed, not a setting: it determines which questions are generated in one batch."""
SPLIT = "synth"
RULES = "links"
"""Value of --answers for links, numbers, quoted strings and, if there are no links, names."""

Ask = Literal["uniform", "own", "all"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """Which texts to ask about, and how.

    Attributes:
        generator: folder of the generator.
        files: files of the texts.
        questions: languages to ask in.
        per_paragraph: maximum number of answers per paragraph.
        out: folder for the result.
        answers: "links" to find them by rules, a SQuAD file or folder with answers in the texts,
            or a reader that was trained without questions.
        ask: language of a question: one drawn for each answer, the text's own, or all.
        decode: decoding method, as in `Decode.of`.
        no_repeat: as in `Decode`.
        own_pieces: as in `QuestionWriter`.
        reader: reader that answers each question again; None to keep all.
        least_f1: lowest F1 of that answer, over words, for a question to be kept.
        sift: further filters.
        avoid: data sets whose texts, identical or edited, are skipped.
        seed: seed for drawing languages and pieces.
        texts: number of distinct paragraphs.
    """

    generator: str
    files: tuple[TextFile, ...]
    questions: tuple[str, ...]
    per_paragraph: int
    out: Path
    answers: str = RULES
    ask: Ask = "uniform"
    decode: str = "greedy"
    no_repeat: int = 0
    own_pieces: bool = False
    reader: str | None = None
    least_f1: float = 1.0
    sift: Sift = NO_FILTERS
    avoid: tuple[DataFile, ...] = ()
    seed: int = 1
    texts: int = 0

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of questions and texts."""
        return (*self.questions, *(file.language for file in self.files))

    @property
    def filters(self) -> bool:
        """Whether any filter of questions is on."""
        return self.reader is not None or self.sift != NO_FILTERS

    @property
    def shards(self) -> int:
        """The number of shards."""
        return -(-self.texts // TEXTS_IN_A_SHARD)

    def depends_on(self) -> dict[str, Any]:
        """Return what the result depends on; jobs that differ in it need different folders."""
        return {
            "generator": checksum_of(self.generator),
            "texts": [[checksum(file.path), file.language] for file in self.files],
            "questions": list(self.questions),
            "per_paragraph": self.per_paragraph,
            "answers": self._answers_identity(),
            "ask": self.ask,
            "decode": self.decode,
            "no_repeat": self.no_repeat,
            "own_pieces": self.own_pieces,
            "reader": self.reader and checksum_of(self.reader),
            "least_f1": self.least_f1,
            "seed": self.seed,
            "babelspan": VERSION,
            **({"sift": asdict(self.sift)} if self.sift != NO_FILTERS else {}),
            **({"avoid": [checksum(file.path) for file in self.avoid]} if self.avoid else {}),
        }

    def start(self) -> Callable[[int, Sequence[Text]], Effort]:
        """Load generator and readers; return a function that makes a shard (`jobs.shards.Work`).

        Each worker uses one thread, so that the number of workers does not change the result.
        """
        import torch

        from babelspan.networks.decoding import Decode

        torch.set_num_threads(1)
        decode = Decode.of(self.decode, no_repeat=self.no_repeat, seed=self.seed)
        generator = load_generator(self.generator).to(device())
        maker = Maker(
            job=self,
            writer=QuestionWriter(generator, decode, own_pieces=self.own_pieces),
            answers=self._answers(),
            judge=load_answerer(self.reader, workers=1) if self.reader else None,
            told=teller(self.languages) if self.sift.right_language else None,
            known=Reference(self._avoided()) if self.avoid else None,
        )
        return maker.make

    def file(self, pair: Pair, shard: int) -> Path:
        """Return the file of a shard for questions in one language on texts in another."""
        name = pair[0] if pair[0] == pair[1] else "-".join(pair)
        part = f".{shard:05d}-of-{self.shards:05d}" if self.shards > 1 else ""
        return self.out / f"{SPLIT}.{name}{part}.json.gz"

    def _answers_identity(self) -> Any:
        if self.answers == RULES:
            return f"{RULES} {CANDIDATES}"
        if not _holds_answers(self.answers):
            return checksum_of(self.answers)
        return [[checksum(f.path), f.context_language] for f in find([Path(self.answers)])]

    def _answers(self) -> Callable[[Text], list[Span]]:
        """Return the function that gives the possible answers in a text, best first."""
        if self.answers == RULES:
            return found_by_rules
        if _holds_answers(self.answers):
            known = given_answers(Path(self.answers))
            return lambda text: known.get(identity_of(text.text, ""), [])
        reader = load_answerer(self.answers, workers=1)
        return lambda text: next(reader.spans([asked(text, "")], top_k=self.per_paragraph))

    def _avoided(self) -> Iterator[Example]:
        return (e for file in self.avoid for e in file.examples(keep_misplaced=True))


def check(job: Job) -> None:
    """Check that the generator can write in all requested languages, before slow work starts.

    Raises:
        ConfigError: if it cannot write in one, or languages cannot be detected.
        DataError: if the generator does not exist.
    """
    known = languages_of(job.generator)
    for language in job.questions:
        if known is not None and language not in known:
            raise ConfigError(
                f"--questions: the generator writes no questions in {language!r}, only in "
                f"{', '.join(known)}"
            )
    if job.sift.right_language:
        teller(job.languages)


def count_texts(files: Sequence[TextFile]) -> tuple[int, int]:
    """Return the number of distinct paragraphs, and the number of repeated ones.

    Raises:
        DataError: if a file is broken, or there is no text.
    """
    total = 0

    def counted() -> Iterator[Text]:
        nonlocal total
        for text in _texts(files):
            total += 1
            yield text

    own = sum(1 for _ in distinct(counted()))
    if not own:
        raise DataError(f"{', '.join(str(f.path) for f in files)}: expected texts, found none")
    return own, total - own


def carry_out(job: Job, *, crew: Crew = ALONE) -> tuple[Tally, list[Effort]]:
    """Carry out the missing shards and join all shards.

    Raises:
        ConfigError: if the folder holds another job or other files, or is in use.
        DataError: if texts, the generator or the reader are broken.
    """
    manifest = job.out / "manifest.json"
    with sharded.claimed(manifest, job.depends_on(), under="job"):
        todo = [n for n in range(job.shards) if not is_finished(job.out, n)]
        done = sharded.carry_out(job, _inputs(job, todo), count=len(todo), crew=crew)
        efforts = [effort for _, effort in crew.watch(done, "shards", len(todo))]
        return _finish(job), efforts


def given_answers(path: Path) -> dict[str, list[Span]]:
    """Return the places of the answers in SQuAD files, by a hash of their text."""
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for file in find([path]):
        for example in file.examples(keep_misplaced=True):
            found[identity_of(example.context, "")] += [
                a.span for a in example.answers or () if a.span is not None
            ]
    return dict(found)


def _finish(job: Job) -> Tally:
    """Join the records of all shards: statistics, dropped questions, checksums."""
    tally = Tally()
    files: dict[str, str] = {}
    for shard in range(job.shards):
        record = read_record(record_of(job.out, shard), ("statistics", "files"))
        refuse_changed(job.out, shard, record["files"])
        tally.merge(Tally.from_json(record["statistics"]))
        files |= record["files"]
    sharded.join_lines(job.out, "dropped", shards=job.shards)
    rows = tally.rows()
    write_json(
        job.out / "statistics.json",
        {
            "texts": job.texts,
            "table": rows,
            "dropped": tally.reasons(),
            "first": tally.commonest(),
            **({"filters": tally.together()} if job.filters else {}),
        },
    )
    write_csv(job.out / "statistics.csv", rows)
    manifest = job.out / "manifest.json"
    write_json(manifest, {**read_record(manifest), "files": dict(sorted(files.items()))})
    return tally


def _inputs(job: Job, todo: Sequence[int]) -> Iterator[tuple[int, list[Text]]]:
    """Yield the missing shards with their texts, in one pass over the files."""
    texts = distinct(_texts(job.files))
    at = 0
    for shard in todo:
        list(islice(texts, (shard - at) * TEXTS_IN_A_SHARD))
        yield shard, list(islice(texts, TEXTS_IN_A_SHARD))
        at = shard + 1


def _texts(files: Sequence[TextFile]) -> Iterator[Text]:
    return chain.from_iterable(file.texts() for file in files)


def _holds_answers(name: str) -> bool:
    """Return whether a path is data with answers rather than a reader."""
    path = Path(name)
    of_readers = ("config.json", MODEL, NETWORK)
    return path.is_file() or (path.is_dir() and not any((path / n).is_file() for n in of_readers))
