"""A service without HTTP: its parts, and the steps of answering a question.

The texts of a question are cut into windows, admitted, read in a turn of the reader's crew, and
turned into an answer. Work that takes longer than waking a thread runs in a thread, not in the
event loop. Texts above `_LARGE` are cut in separate threads, so that they do not delay short
questions.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from babelspan.config import nearest
from babelspan.reading.crew import Crew, Turn
from babelspan.service.admission import Admission
from babelspan.service.bodies import parsed
from babelspan.service.cut import Job, Named, asked, listed, piped, read_in, refuse_unread, texts_in
from babelspan.service.documents import Documents
from babelspan.service.metrics import Metrics
from babelspan.service.problems import Problem, shown
from babelspan.service.readers import Reader, Readers
from babelspan.service.reading import Reading
from babelspan.service.schema import AnswerRequest, PipelineRequest, SearchRequest
from babelspan.service.settings import MIB, Settings
from babelspan.types import ConfigError, DataError

if TYPE_CHECKING:
    from babelspan.service.collections import Collection

T = TypeVar("T")

_LARGE = 50_000
"""A request with more characters than this is large."""
_SHORT = 2_000
"""Up to this many characters, work takes less time than waking a thread."""
_TINY = 16_384
"""Up to this many bytes, parsing JSON takes less time than waking a thread."""
_CHECKED_WITHIN = 1.0
"""Seconds to wait for the checks of collections; some are on servers that may not respond."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a question is; `provisional` returns the answer from the windows read so far."""

    done: int
    of: int
    provisional: Callable[[], Awaitable[Any]]


Told = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of reading the windows of a job."""

    result: Any
    is_complete: bool
    done: int
    of: int


class Service:
    """Readers, queue, documents and metrics; used from one event loop.

    Args:
        settings: the settings.
        readers: the readers.
        collections: the collections, by name.
    """

    def __init__(
        self,
        settings: Settings,
        readers: Readers,
        collections: "Mapping[str, Collection] | None" = None,
    ) -> None:
        self.settings = settings
        self.readers = readers
        self.collections = collections or {}
        self.token = settings.token()
        self.admission = Admission(settings)
        self.documents = Documents(settings.documents_mib * MIB)
        self.metrics = Metrics()
        self._small = ThreadPoolExecutor(2, thread_name_prefix="small")
        self._large = ThreadPoolExecutor(2, thread_name_prefix="large")
        self._searching = ThreadPoolExecutor(1, thread_name_prefix="searching")
        self._files = ThreadPoolExecutor(1, thread_name_prefix="files")
        self._checking = ThreadPoolExecutor(max(1, len(self.collections)), "checking")
        self._checks: dict[str, asyncio.Future[None]] = {}

    def close(self) -> None:
        """Stop all threads."""
        self.readers.close()
        for threads in (self._small, self._large, self._searching, self._files, self._checking):
            threads.shutdown(cancel_futures=True)

    async def in_thread(self, size: int, call: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a call on `size` characters or bytes, made in a thread."""
        threads = self._small if size <= _LARGE else self._large
        return await asyncio.get_running_loop().run_in_executor(threads, call, *arguments)

    async def soon(self, size: int, call: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a call on `size` characters; only large ones use a thread."""
        if size <= _SHORT:
            return call(*arguments)
        return await self.in_thread(size, call, *arguments)

    async def parsed(self, raw: bytes, where: str = "the body") -> Any:
        """Parse the JSON of a body or of one of its lines; raises as `bodies.parsed`."""
        if len(raw) <= _TINY:
            return parsed(raw, where)
        return await self.in_thread(len(raw), parsed, raw, where)

    async def searched(self, call: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a call that searches a collection; one such call runs at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._searching, call, *arguments)

    async def read_file(self, call: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a call that reads a file; one such call runs at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._files, call, *arguments)

    def collection(self, name: str) -> "Collection":
        """Return a collection by name.

        Raises:
            Problem: 404 if there is no collection of this name.
        """
        if name not in self.collections:
            raise Problem(
                404, f"there is no collection {name!a}{nearest(name, list(self.collections))}"
            )
        return self.collections[name]

    async def about_collections(self) -> list[dict[str, Any]]:
        """Return the entries of all collections, checked now; a slow check is not waited for."""
        loop = asyncio.get_running_loop()
        for name, one in self.collections.items():
            if name not in self._checks or self._checks[name].done():
                self._checks[name] = loop.run_in_executor(self._checking, _check, one)
        if self._checks:
            done, _ = await asyncio.wait(self._checks.values(), timeout=_CHECKED_WITHIN)
            for check in done:
                check.result()  # raises only what is a bug
        return [one.about() for one in self.collections.values()]

    async def passages(self, name: str, request: SearchRequest) -> list[dict[str, Any]]:
        """Return the passages of a collection that may answer a question, best first."""
        _refuse_blank(request.question)
        wanted = request.question, request.passages, request.question_language
        found = await self.searched(self.collection(name).passages, *wanted)
        return [listed(one.file, one.passage) for one in found]

    async def _texts(self, request: AnswerRequest) -> list[Named]:
        """Return the texts of a request; raises as `named_texts`."""
        texts = self.named_texts(request)
        if request.collection is None:
            return texts
        wanted = request.question, request.passages, request.question_language
        found = await self.searched(self.collection(request.collection).texts, *wanted)
        return [read_in(document) for document in found]

    def named_texts(self, request: AnswerRequest) -> list[Named]:
        """Return the texts in a request, or none if a collection is to be searched.

        Raises:
            Problem: 422 unless exactly one of texts, documents and collection is given, or if the
                reader does not read the translations; 404 if one of them is not stored.
        """
        _refuse_blank(request.question)
        _refuse_all_but_one(request)
        if request.collection is not None:
            self.collection(request.collection)
            return []
        if request.documents:
            return [self.documents.get(identity).named for identity in request.documents]
        texts = [
            Named(
                text.name or f"text {number}",
                text.text,
                text.language,
                translations=text.translations,
            )
            for number, text in enumerate(request.texts, start=1)
        ]
        if request.question_translations or any(text.translations for text in texts):
            refuse_unread(
                request, texts, self.readers.named(request.reader).answerer.languages_beside
            )
        return texts

    async def answer(
        self,
        request: AnswerRequest,
        client: str,
        *,
        turns: dict[Crew, Turn] | None = None,
        told: Told | None = None,
    ) -> dict[str, Any]:
        """Return the answer to a request, as a JSON object.

        Args:
            request: the question and what to search.
            client: name of the client, for the rate limit.
            turns: turns of a batch, one per crew, filled here; the call then waits for room. None
                for a single request, which is refused if there is no room.
            told: called with the progress while windows are read.

        Raises:
            Problem: if it cannot be answered.
        """
        began = time.monotonic()
        texts = await self._texts(request)
        reader = self.readers.named(request.reader)
        with reader.in_use():
            outcome = await self._outcome(
                reader,
                asked(reader.answerer, request, texts),
                client,
                within=request.within or self.settings.within,
                partial=request.partial,
                turns=turns,
                told=told,
                began=began,
            )
        kind = "texts" if request.collection is None else "passages"
        return {
            **outcome.result,
            "complete": outcome.is_complete,
            "read": {"windows": outcome.done, "of": outcome.of, kind: len(texts)},
            "reader": {"name": reader.name, "sha256": reader.sha256},
            "signature": reader.signature,
        }

    async def pipeline(self, request: PipelineRequest, client: str) -> Any:
        """Return the answer in the format of the former pipeline; raises as `answer`."""
        if not request.inputs.question.strip():
            raise Problem(422, "a question", found="white space only", where="inputs.question")
        reader = self.readers.named(None)
        with reader.in_use():
            job = piped(reader.answerer, request)
            outcome = await self._outcome(
                reader, job, client, within=self.settings.within, partial=False
            )
        return outcome.result

    async def _outcome(
        self,
        reader: Reader,
        job: Job,
        client: str,
        *,
        within: float,
        partial: bool,
        turns: dict[Crew, Turn] | None = None,
        told: Told | None = None,
        began: float | None = None,
    ) -> Outcome:
        """Cut, admit, read and finish a job within its time limit."""
        began = time.monotonic() if began is None else began
        size = sum(
            len(text.context) for example in job.examples for text in (example, *example.others)
        )
        reading = None
        turn = reader.crew.turn() if turns is None else _turn_of(reader.crew, turns)
        try:
            left = within - (time.monotonic() - began)
            if turns is None:  # refuse a request that has no chance before cutting its texts
                self.admission.admit(1, reader.crew, within=left, partial=partial)
            async with asyncio.timeout(left):
                windows = await self._windows(reader, job, size)
                if turns is None:
                    left = within - (time.monotonic() - began)
                    self.admission.admit(len(windows), reader.crew, within=left, partial=partial)
                else:
                    await self.admission.wait_for_room(len(windows), reader.crew)
                self.admission.charge(client, sum(texts_in(window) for _, window in windows))
                reading = Reading(job, windows, turn)
                async for done in reading.steps():
                    if told is not None:
                        await told(self._progress(job, reading, done, size))
        except TimeoutError:
            if not partial or reading is None or not reading.done:
                raise Problem(
                    504, f"not answered within {within:g} s; raise `within` or set `partial`"
                ) from None
        finally:
            if reading is not None:
                reading.cancel()
                self.metrics.windows.labels(reader.name).inc(reading.done)
        assert reading is not None
        result = await self.soon(size, job.finish, reading.found())
        self.metrics.answer_seconds.observe(time.monotonic() - began)
        return Outcome(result, reading.done == reading.of, reading.done, reading.of)

    async def _windows(self, reader: Reader, job: Job, size: int) -> list[tuple[int, Any]]:
        try:
            return await self.soon(size, job.windows, reader.answerer)
        except (DataError, ConfigError) as error:
            raise Problem(422, str(error)) from None

    def _progress(self, job: Job, reading: Reading, done: int, size: int) -> Progress:
        async def provisional() -> Any:
            return await self.soon(size, job.finish, reading.found())

        return Progress(done, reading.of, provisional)


def _check(collection: "Collection") -> None:
    """Check a collection; if it cannot be opened, its `about` says so."""
    with suppress(Problem):
        collection.check()


def _refuse_blank(question: str) -> None:
    if not question.strip():
        raise Problem(422, "a question", found=shown(question), where="question")


def _refuse_all_but_one(request: AnswerRequest) -> None:
    """Check that exactly one of texts, documents and collection is given."""
    given = [bool(request.texts), bool(request.documents), request.collection is not None]
    if sum(given) != 1:
        found = "none" if not any(given) else "both" if sum(given) == 2 else "all"
        raise Problem(422, "either texts, documents (one or more) or a collection", found=found)
    if request.passages is not None and request.collection is None:
        raise Problem(422, "`passages` takes `collection`; leave it out", where="passages")


def _turn_of(crew: Crew, turns: dict[Crew, Turn]) -> Turn:
    if crew not in turns:
        turns[crew] = crew.turn()
    return turns[crew]


def named_sources(names: Sequence[str], option: str = "--reader") -> dict[str, str]:
    """Parse "NAME=R" or "R" into readers or collections by name; the default name is R's last part.

    Raises:
        ConfigError: if two have the same name.
    """
    found: dict[str, str] = {}
    for given in names:
        name, equals, source = given.partition("=")
        if not equals:
            name, source = given.rstrip("/").rpartition("/")[2], given
        if not name or not source:
            kind = "READER" if option == "--reader" else "INDEX"
            raise ConfigError(f"{option} {given!r}: expected NAME={kind} or {kind}")
        if name in found:
            raise ConfigError(
                f"{option} {given!r}: {name!r} is taken by {found[name]!r}; give it another name: "
                f"{option} OTHER={source}"
            )
        found[name] = source
    return found
