"""Pair questions and texts of translated examples across languages."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from babelspan.types import Example


def crossed(examples: Iterable[Example], *, seed: int) -> Iterator[Example]:
    """Give each text its question in a random language, drawn from the available translations.

    Examples with the same origin belong together. The language is drawn by a hash of seed, origin
    and context language, so it does not depend on the order of the data. An example without
    translations is not changed.

    Args:
        examples: originals and their T(Q+C); all are held in memory.
        seed: seed of the draw.
    """
    everything = list(examples)
    asked: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for example in everything:
        asked[example.origin or example.id].setdefault(example.question_language, example.question)
    for example in everything:
        origin = example.origin or example.id
        languages = sorted(asked[origin])
        language = languages[
            _drawn(f"{seed}\0{origin}\0{example.context_language}", len(languages))
        ]
        yield replace(example, question=asked[origin][language], question_language=language)


def _drawn(key: str, count: int) -> int:
    """A pseudo-random number below `count`, from a hash."""
    digest = hashlib.sha256(key.encode(errors="replace")).digest()
    return int.from_bytes(digest[:8], "big") % count
