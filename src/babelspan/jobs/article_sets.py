"""Sets of articles for cross-lingual questions, after Faisal and Anastasopoulos (2021).

arXiv:2109.12028, Section 2: some languages of the TyDi QA primary tasks, a development set split
off the training set, and questions translated while the articles stay as they are (`mono`, `+aug`).
Files are named like parallel sets: `train.ar.jsonl.gz`, and `train.en-ar.jsonl.gz` with English
questions. A file appears only when it is complete.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from babelspan.augment.cache import Cached
from babelspan.data.files import lines, writing
from babelspan.data.folder import describe
from babelspan.data.places import refuse_overwriting
from babelspan.data.tydiqa import field_of, primary_records
from babelspan.scoring.scorers.tydiqa import LANGUAGES
from babelspan.seams import Translator
from babelspan.types import UNDETERMINED, ConfigError, DataError

DEV = "dev"
_ID = re.compile(r"-?[0-9]{1,19}")
_AT_ONCE = 64
"""Number of questions translated in one call."""


def cut_sets(
    files: Sequence[Path],
    out: Path,
    *,
    split: str,
    languages: Sequence[str],
    dev: float = 0.0,
    seed: int = 0,
) -> Counter[Path]:
    """Write the articles of each language to `OUT/<split>.<language>.jsonl.gz`.

    With `dev`, some articles go to `OUT/dev.<language>.jsonl.gz` instead, chosen by a hash of the
    seed and the article; all questions on an article go to the same file.

    Args:
        files: articles in the official format.
        out: folder for the sets.
        split: name of the split, for the file names.
        languages: codes, such as "ar".
        dev: share of the articles to hold back, in [0, 1).
        seed: seed of the choice.

    Returns:
        Number of questions in each file that was written.

    Raises:
        ConfigError: if an input file would be overwritten, or a name cannot be part of a file name.
        DataError: if a file is broken, or a set would be empty.
    """
    for name in (split, *languages):
        _refuse_no_name(name)
    if dev and split == DEV:
        raise ConfigError(f"expected a split other than {DEV!r}, which --dev makes; choose another")
    splits = [split, DEV] if dev else [split]
    paths = {(s, code): out / f"{s}.{code}.jsonl.gz" for s in splits for code in languages}
    counts: Counter[Path] = Counter(dict.fromkeys(paths.values(), 0))
    seen: set[str] = set()
    for made in paths.values():
        refuse_overwriting(made, files, option="--out")
    with ExitStack() as open_files:
        written = {made: open_files.enter_context(writing(made)) for made in paths.values()}
        for record, where in _records(files):
            name = field_of(record, "language", str, where)
            code = LANGUAGES.get(name, name)
            seen.add(code)
            text = field_of(record, "document_plaintext", str, where)
            path = paths.get((DEV if dev and _share(seed, text) < dev else split, code))
            if path is not None:
                _write(written[path], record)
                counts[path] += 1
        for (_, code), made in paths.items():
            if not counts[made]:
                raise _nothing_in(made, code, files, seen)
    return counts


def _nothing_in(made: Path, code: str, files: Sequence[Path], seen: Iterable[str]) -> DataError:
    where = ", ".join(map(str, files))
    if code in seen:
        return DataError(
            f"{where}: expected articles in {code!r} for {made.name}, found too few: all are in "
            "the other set; choose another --dev or --seed"
        )
    found = ", ".join(sorted(seen)) or "none at all"
    return DataError(f"{where}: expected articles in {code!r}, found articles in {found}")


def _refuse_no_name(name: str) -> None:
    """Raise ConfigError if a name cannot be part of a file name."""
    if not name or name.startswith(".") or any(sign in name for sign in "/\\"):
        raise ConfigError(
            f"expected a name without slashes that does not start with a dot, found {name!r}"
        )


def translate_questions(
    path: Path, target: str, out: Path, *, translator: Translator, source: str | None = None
) -> tuple[Path, int]:
    """Write the articles of a file with translated questions; return the file and their number.

    Args:
        path: `<split>.<language>.jsonl[.gz]`.
        target: the language to translate to.
        out: folder for `<split>.<target>-<language>.jsonl.gz`. Translations are cached in `cache`
            there, so an interrupted job resumes.
        translator: a translation system.
        source: language of the questions; None for the one in the file name.

    Raises:
        ConfigError: if the name has no language, or two different ones.
        DataError: if a file is broken.
        TranslationError: if the translator fails.
    """
    file = describe(path)
    source = source or file.question_language
    if source == UNDETERMINED or file.question_language != file.context_language:
        raise ConfigError(
            f"{path}: expected one language in the file name, as in train.en.jsonl.gz; cut the "
            "articles by language with `babelspan data articles`, or give --from"
        )
    made = out / f"{file.split}.{target}-{source}.jsonl.gz"
    refuse_overwriting(made, [path], option="--out")
    cached, count, records = Cached(translator, out / "cache"), 0, _records([path])
    with writing(made) as written:
        while some := list(islice(records, _AT_ONCE)):
            asked = [field_of(record, "question_text", str, where) for record, where in some]
            for (record, _), question in zip(
                some, cached.translate(asked, source=source, target=target), strict=True
            ):
                _write(written, {**record, "question_text": question})
                count += 1
    cached.close()
    return made, count


def versions_of(path: Path, questions: Path, out: Path) -> Counter[Path]:
    """Write the articles of a file once per version of their questions.

    Args:
        path: articles.
        questions: tab-separated table: a header with `id` and the names of the versions, such as
            typed, transcribed and translated, then one line per question. A question without
            a version is left out of that version's file.
        out: folder for `<version>/<name of the file>`.

    Returns:
        Number of questions in each file that was written.

    Raises:
        ConfigError: if an input file would be overwritten, or a version name cannot be a folder
            name.
        DataError: if the table is broken, or has no question of the file.
    """
    versions = _versions(questions)
    counts: Counter[Path] = Counter({out / name / path.name: 0 for name in versions})
    with ExitStack() as open_files:
        written = {}
        for made in counts:
            refuse_overwriting(made, [path, questions], option="--out")
            written[made] = open_files.enter_context(writing(made))
        for record, where in _records([path]):
            for name, of_version in versions.items():
                question = of_version.get(field_of(record, "example_id", int, where))
                if question:
                    made = out / name / path.name
                    _write(written[made], {**record, "question_text": question})
                    counts[made] += 1
        for made, count in counts.items():
            if not count:
                raise DataError(
                    f"{questions}: expected questions in the column {made.parent.name!r} with ids "
                    f"of {path}, found none"
                )
    return counts


def _versions(path: Path) -> Mapping[str, Mapping[int, str]]:
    """Return the questions by version, then by id."""
    rows = (line.split("\t") for line in lines(path) if line.strip())
    names = [name.strip() for name in next(rows, [])]
    if len(names) < 2 or names[0] != "id" or len({*names}) < len(names):
        raise DataError(
            f"{path}: expected a tab-separated header with id and names of versions, found {names}"
        )
    for name in names[1:]:
        _refuse_no_name(name)
    found: dict[str, dict[int, str]] = {name: {} for name in names[1:]}
    for number, row in enumerate(rows, start=2):
        cells = [cell.strip() for cell in row]
        if len(cells) != len(names) or not _ID.fullmatch(cells[0]):
            raise DataError(
                f"{path}: row {number}: expected an id and {len(names) - 1} questions, found "
                f"{cells}"
            )
        if int(cells[0]) in found[names[1]]:
            raise DataError(f"{path}: row {number}: the id {cells[0]} comes twice")
        for name, cell in zip(names[1:], cells[1:], strict=True):
            found[name][int(cells[0])] = cell
    return found


def _records(files: Iterable[Path]) -> Iterator[tuple[Any, str]]:
    for path in files:
        yield from primary_records(path)


def _share(seed: int, text: str) -> float:
    """Return a number from 0 to 1 for an article, the same for all questions on it."""
    digest = sha256(f"{seed}\n".encode() + text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _write(file: BinaryIO, record: Mapping[str, Any]) -> None:
    file.write((json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))
