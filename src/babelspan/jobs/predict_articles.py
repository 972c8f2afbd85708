"""A job that answers questions on whole articles, in shards; few articles are in memory at a time.

The result has the official format of the TyDi QA primary tasks. Until it is finished, its shards
are in `<result>.unfinished`.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babelspan.data.files import checksum, read_record, write_json, writing
from babelspan.data.places import refuse_overwriting, refuse_unwritable
from babelspan.data.tydi_articles import ByteOffsets, official, stream_articles
from babelspan.jobs.shards import ALONE, Crew, claimed, fill, record_of
from babelspan.readers import checksum_of, device, folder_of, is_exported, load_checkpoint, parts_of
from babelspan.types import Article, ConfigError, DataError, PrimaryAnswer, PrimaryQuestion
from babelspan.version import VERSION

if TYPE_CHECKING:
    from babelspan.engines.articles import ArticleEngine
    from babelspan.reading.articles import Choice

ARTICLES_IN_A_SHARD = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageReaderSpec:
    """A reader that selects passages, for processes that load it.

    Attributes:
        reader: a folder or a name on the hub.
        threads: threads per process; 0 for all cores.
    """

    reader: str
    threads: int = 0

    def absolute(self) -> "PassageReaderSpec":
        """Return the same reader with an absolute path, for other working folders."""
        folder = folder_of(self.reader)
        return replace(self, reader=str(folder.resolve())) if folder.is_dir() else self

    def load(self) -> "ArticleEngine":
        """Return the engine; the last one is kept until `unload`."""
        return _loaded(self)

    def unload(self) -> None:
        """Release the engine."""
        _loaded.cache_clear()


def predict_articles(
    spec: PassageReaderSpec, articles: Path, out: Path, *, crew: Crew = ALONE
) -> int:
    """Answer every question of a file and write the official format; the same call resumes.

    Args:
        spec: the reader.
        articles: questions with their articles; answers in it are ignored.
        out: output file, gzipped if its name ends in `.gz`.
        crew: the workers.

    Returns:
        The number of questions.

    Raises:
        ConfigError: if the reader does not select passages, `out` cannot be written or is an input
            file, or `<result>.unfinished` belongs to another job or is in use.
        DataError: if articles cannot be read, or a question leaves no room for its article.
    """
    spec = spec.absolute()
    refuse_overwriting(out, [articles, *parts_of(spec.reader)], option="--out")
    refuse_unwritable(out)
    try:
        questions = _survey(spec.load(), articles)
        depends_on = {
            "reader": checksum_of(spec.reader),
            "data": f"{articles.name}:{checksum(articles)}",
            "babelspan": VERSION,
        }
        if crew.is_elsewhere:
            spec.unload()
        folder = out.absolute().with_name(f"{out.name}.unfinished")
        with claimed(folder / "job.json", depends_on):
            shards = fill(
                ArticleWork(spec, folder),
                folder,
                stream_articles(articles),
                total=questions,
                size=ARTICLES_IN_A_SHARD,
                label="articles",
                crew=crew,
            )
            _join(folder, out, shards=shards, questions=questions)
            shutil.rmtree(folder)
    finally:
        spec.unload()
    return questions


@dataclass(frozen=True, slots=True)
class ArticleWork:
    """Shards of articles to answer (see `jobs.shards.Work`); a record has the official lines."""

    spec: PassageReaderSpec
    folder: Path

    def start(self) -> Callable[[int, Sequence[Article]], None]:
        """Load the reader; return a function that answers a shard."""
        engine = self.spec.load()

        def make(shard: int, articles: Sequence[Article]) -> None:
            answers = [official(_answered(a, engine.choose(a))) for a in articles]
            write_json(record_of(self.folder, shard), {"answers": answers})

        return make


def _answered(article: Article, choice: "Choice") -> PrimaryQuestion:
    """Return an answer with its place in bytes."""
    place = None if choice.span is None else ByteOffsets(article.text).place_of(choice.span)
    answer = PrimaryAnswer(
        passage=choice.passage,
        place=place,
        yes_no=choice.yes_no,
        passage_score=choice.passage_score,
        minimal_score=choice.minimal_score,
    )
    return PrimaryQuestion(id=article.id, language=article.language, answers=(answer,))


def _survey(engine: "ArticleEngine", path: Path) -> int:
    """Read all articles once and check that they can be answered; return the number of questions.

    Raises:
        DataError: if an id occurs twice, a question is too long, or the file is broken or empty.
    """
    seen: set[int] = set()
    for article in stream_articles(path):
        if article.id in seen:
            raise DataError(f"{path}: the id {article.id} comes twice; make the ids unique")
        seen.add(article.id)
        engine.refuse_long_question(article)
    if not seen:
        raise DataError(f"{path}: expected questions on articles, found none")
    return len(seen)


def _join(folder: Path, out: Path, *, shards: int, questions: int) -> None:
    """Write the answers of all shards to one file."""
    count = 0
    with writing(out) as file:
        for answer in _kept(folder, shards):
            file.write((json.dumps(answer, ensure_ascii=False) + "\n").encode())
            count += 1
        if count != questions:
            raise DataError(
                f"{folder}: expected answers to {questions} questions, found {count}; remove the "
                "folder and rerun the same command"
            )


def _kept(folder: Path, shards: int) -> Iterator[dict[str, Any]]:
    for shard in range(shards):
        yield from read_record(record_of(folder, shard), ["answers"])["answers"]


@lru_cache(maxsize=1)
def _loaded(spec: PassageReaderSpec) -> "ArticleEngine":
    if is_exported(spec.reader):
        from babelspan.engines.onnx_passages import OnnxPassageEngine

        try:
            return OnnxPassageEngine(folder_of(spec.reader), workers=spec.threads)
        except ConfigError:
            raise _no_passages(spec.reader, "an exported reader") from None
    network = load_checkpoint(spec.reader)
    from babelspan.engines.passages import PassageEngine
    from babelspan.networks.passage_reader import PassageReader

    if not isinstance(network, PassageReader):
        raise _no_passages(spec.reader, f"a reader of the kind {network.kind!r}")
    if spec.threads:
        import torch

        torch.set_num_threads(spec.threads)
    network.to(device()).eval()
    return PassageEngine(network)


def _no_passages(reader: str, found: str) -> ConfigError:
    return ConfigError(
        f"reader {reader!r}: articles with passages need a reader that selects passages, found "
        f"{found}; train one with `babelspan train passage_selection`, and give its folder"
    )
