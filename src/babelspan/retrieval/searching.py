"""The passages of a collection that may answer a question."""

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
"""Passages that are found beyond those asked for, because others come twice or have changed."""


class Key(NamedTuple):
    """What tells passages apart: the file and where in its text they start."""

    file: str
    start: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage and the file that it is from.

    Attributes:
        file: its name.
        passage: the passage.
        weight: how likely it is to hold the answer, beside others (`fusion.weight_of`).
    """

    file: str
    passage: Passage
    weight: float = 1.0


class Search:
    """Questions over one index.

    Args:
        index: the passages.
        alternatives: for questions in another language; None to search for their own words only.

    Attributes:
        changed: files with passages that were found and are not there any more.
    """

    def __init__(self, index: PassageIndex, alternatives: Alternatives | None = None) -> None:
        self._index = index
        self._alternatives = alternatives
        self._languages = index.languages()
        self.changed: set[str] = set()

    def passages(
        self, question: str, count: int, *, language: str = UNDETERMINED
    ) -> list[Retrieved]:
        """The best passages for a question, best first.

        Args:
            question: in any language.
            count: how many, at most.
            language: of the question; "und" to find out.
        """
        if language == UNDETERMINED:
            known = {*self._languages} - {UNDETERMINED}
            language = language_of(question, known if len(known) > 1 else ())
        hits: dict[Key, Hit] = {}  # the score of each is how far it is below the best of its list
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
        """Search, and keep what is found under its key."""
        found = self._index.search(groups, language=language, count=count)
        keys = [Key(hit.file, start_of(hit)) for hit in found]
        for key, hit in zip(keys, found, strict=True):
            hit = hit._replace(score=hit.score - found[0].score)
            if key not in kept or kept[key].score < hit.score:
                kept[key] = hit
        return keys

    def _read(self, hits: Iterable[Hit], count: int) -> list[Retrieved]:
        """The first passages that are as they were when they were indexed."""
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
