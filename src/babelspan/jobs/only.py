"""Selection of questions of a data set by their ids.

Lee and Lee (2019), arXiv:1907.06042, Section 5.8, measure on the examples whose answers survive
translation (DRCD_filter): the ids of what `babelspan translate --strategy qc` keeps.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from babelspan.data.files import lines
from babelspan.data.folder import describe
from babelspan.scoring.matrix import Pair
from babelspan.types import DataError, Example


def ids_of(path: Path) -> frozenset[str]:
    """Read the ids in a file: one per line, or the origins of a data set's examples.

    Raises:
        DataError: if the file is missing or broken, or has no id.
    """
    if ".json" in path.name:
        examples = describe(path).examples(keep_misplaced=True)
        ids = frozenset(example.origin or example.id for example in examples)
    else:
        ids = frozenset(line.strip() for line in lines(path) if line.strip())
    if not ids:
        raise DataError(f"{path}: expected ids of questions, found none")
    return ids


def with_ids(
    cells: Mapping[Pair, Sequence[Example]], ids: frozenset[str]
) -> dict[Pair, list[Example]]:
    """Return the questions with these ids, for each language pair.

    Raises:
        DataError: if a language pair has none of them.
    """
    found = {pair: [e for e in examples if e.id in ids] for pair, examples in cells.items()}
    for (question, context), examples in found.items():
        if not examples:
            raise DataError(
                f"--only: none of the {len(ids)} ids belongs to a question in {question!r} with "
                f"a context in {context!r}; use ids of this data set"
            )
    return found


def digest_of(ids: Iterable[str]) -> str:
    """Return the SHA-256 of ids, regardless of their order."""
    return sha256("\n".join(sorted(ids)).encode(errors="replace")).hexdigest()
