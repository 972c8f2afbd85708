"""Search for the passages of a collection that may answer a question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from babelspan.retrieval.coverage import coverages
from babelspan.retrieval.fusion import OWN_SHARE, coverage_weight, rank_weight, with_share
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.question import own_groups
from babelspan.retrieval.stored import passage_of, sounds_of, start_of, terms_of
from babelspan.seams import Alternatives, Group, Hit, PassageIndex
from babelspan.text.language_of import language_of
from babelspan.types import UNDETERMINED

_SPARE = 20
"""Extra passages to find, because some are repeated or have changed."""


class Key(NamedTuple):
    """The key of a passage: its file and its start in the file's text."""

    file: str
    start: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage and its file.

    Attributes:
        file: name of the file.
        passage: the passage.
        weight: how likely it is to contain the answer, relative to others: by its rank and by how
            much of the question it contains (`retrieval.coverage`).
    """

    file: str
    passage: Passage
    weight: float = 1.0


class Search:
    """A search over one index.

    Args:
        index: the passages.
        alternatives: for questions in another language; None to search only for their own words.

    Attributes:
        changed: files whose passages were found but have changed or are gone.
    """

    def __init__(self, index: PassageIndex, alternatives: Alternatives | None = None) -> None:
        self._index = index
        self._alternatives = alternatives
        self._languages = index.languages()
        self.changed: set[str] = set()

    def passages(
        self, question: str, count: int, *, language: str = UNDETERMINED
    ) -> list[Retrieved]:
        """Return the best passages for a question, best first.

        Args:
            question: a question in any language.
            count: maximum number of passages.
            language: language of the question; "und" to detect it.
        """
        if language == UNDETERMINED:
            known = {*self._languages} - {UNDETERMINED}
            language = language_of(question, known if len(known) > 1 else ())
        hits: dict[Key, Hit] = {}
        wanted = count + _SPARE
        own = self._list(hits, own_groups(question), None, wanted)
        others = []
        for target in sorted({*self._languages} - {language, UNDETERMINED}):
            if self._alternatives is None:
                break
            groups = self._alternatives.groups(question, source=language, target=target)
            others.append(self._list(hits, groups, target, 2 * wanted))
        share = OWN_SHARE if language in self._languages else 0.0
        keys = [other.keys for other in others if other.keys]
        best, spare = (with_share(own.keys, keys, n, share=share) for n in (count, wanted))
        read = self._read(hits, dict.fromkeys([*best, *spare]), count)
        return _weighted(read, own, others)

    def _list(
        self, hits: dict[Key, Hit], groups: Sequence[Group], language: str | None, count: int
    ) -> "_List":
        """Search for groups, and store each hit under its key."""
        found = self._index.search(groups, language=language, count=count)
        keys = [Key(hit.file, start_of(hit)) for hit in found]
        hits.update(zip(keys, found, strict=True))
        return _List(groups, keys)

    def _read(self, hits: Mapping[Key, Hit], keys: Iterable[Key], count: int) -> dict[Key, Passage]:
        """Return the first passages that have not changed since they were indexed."""
        found: dict[Key, Passage] = {}
        for key in keys:
            if len(found) == count:
                break
            passage = passage_of(hits[key])
            if passage is None:
                self.changed.add(key.file)
            else:
                found[key] = passage
        return found


class _List(NamedTuple):
    """What a search was for, and the keys of what it found, best first."""

    groups: Sequence[Group]
    keys: Sequence[Key]


def _weighted(read: Mapping[Key, Passage], own: _List, others: Iterable[_List]) -> list[Retrieved]:
    """Return passages with weights; one in several lists has the highest of its coverages.

    Args:
        read: the passages, best first.
        own: what was found with the untranslated question, which has no sound keys.
        others: what was found with its alternatives.
    """
    terms = {key: frozenset(terms_of(passage)) for key, passage in read.items()}
    covered = dict.fromkeys(read, 0.0)
    for one in (own, *others):
        kept = [key for key in one.keys if key in read]
        if one is not own:
            terms |= {key: terms[key].union(sounds_of(read[key])) for key in kept}
        found = coverages(one.groups, [terms[key] for key in kept])
        for key, coverage in zip(kept, found, strict=True):
            covered[key] = max(covered[key], coverage)
    best = max(covered.values(), default=0.0)
    return [
        Retrieved(key.file, passage, rank_weight(rank) * coverage_weight(covered[key], best))
        for rank, (key, passage) in enumerate(read.items(), 1)
    ]
