"""Search for the passages of a collection that may answer a question."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from babelspan.retrieval.fusion import OWN_SHARE, weight_of, with_share
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.question import own_groups
from babelspan.retrieval.stored import passage_of, start_of
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
        weight: how likely it is to contain the answer, relative to others (`fusion.weight_of`).
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
        hits: dict[Key, Hit] = {}  # each score is relative to the best of its list
        wanted = count + _SPARE
        own = self._keep(hits, own_groups(question), None, wanted)
        others = []
        for target in sorted({*self._languages} - {language, UNDETERMINED}):
            if self._alternatives is None:
                break
            groups = self._alternatives.groups(question, source=language, target=target)
            others.append(self._keep(hits, groups, target, 2 * wanted))
        share = OWN_SHARE if language in self._languages else 0.0
        lists = [o for o in others if o]
        best, spare = (with_share(own, lists, n, share=share) for n in (count, wanted))
        return self._read((hits[key] for key in dict.fromkeys([*best, *spare])), count)

    def _keep(
        self, kept: dict[Key, Hit], groups: Sequence[Group], language: str | None, count: int
    ) -> list[Key]:
        """Search, and store each hit under its key."""
        found = self._index.search(groups, language=language, count=count)
        keys = [Key(hit.file, start_of(hit)) for hit in found]
        for key, hit in zip(keys, found, strict=True):
            hit = hit._replace(score=hit.score - found[0].score)
            if key not in kept or kept[key].score < hit.score:
                kept[key] = hit
        return keys

    def _read(self, hits: Iterable[Hit], count: int) -> list[Retrieved]:
        """Return the first passages that have not changed since they were indexed."""
        found: list[Retrieved] = []
        for hit in hits:
            if len(found) == count:
                break
            passage = passage_of(hit)
            if passage is None:
                self.changed.add(hit.file)
            else:
                weight = weight_of(len(found) + 1, hit.score)
                found.append(Retrieved(hit.file, passage, weight))
        return found
