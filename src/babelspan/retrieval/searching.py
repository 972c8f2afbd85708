"""The passages of a collection that may answer a question."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from babelspan.data.parts import Part
from babelspan.retrieval.fusion import OWN_SHARE, with_share
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.question import own_groups
from babelspan.retrieval.score import scores
from babelspan.seams import Alternatives, Entry, Group, Hit, PassageIndex
from babelspan.text.language_of import language_of
from babelspan.text.sounds import MARK, sounds
from babelspan.text.terms import terms
from babelspan.types import UNDETERMINED

POOL = 200
"""Passages that are scored anew, over the lists of all other languages."""
LEAST_POOL = 40
"""The same of each list, at least."""
OWN_POOL = 100
"""The same of the list of the question as it is, at least."""


class Key(NamedTuple):
    """What tells passages apart: the file and where in its text they start."""

    file: str
    start: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage and the file that it is from."""

    file: str
    passage: Passage


def entry_of(passage: Passage) -> Entry:
    """A passage as an index keeps it."""
    indexed = _indexed(passage)
    content = [passage.start, passage.text, passage.language, passage.heading]
    packed = [part.packed() for part in passage.parts]
    return Entry(
        [*terms(indexed), *sounds(indexed)],
        passage.language,
        json.dumps([*content, packed], ensure_ascii=False, separators=(",", ":")),
    )


def passage_of(content: str) -> Passage:
    """What `entry_of` has kept."""
    start, text, language, heading, packed = json.loads(content)
    return Passage(start, text, language, heading, tuple(map(Part.unpacked, packed)))


class Search:
    """Questions over one index.

    Args:
        index: the passages.
        alternatives: for questions in another language; None to search for their own words only.
    """

    def __init__(self, index: PassageIndex, alternatives: Alternatives | None = None) -> None:
        self._index = index
        self._alternatives = alternatives
        self._languages = index.languages()

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
        hits: dict[Key, Hit] = {}
        own = self._keep(hits, self._rescored(own_groups(question), None, max(OWN_POOL, count)))
        others = []
        targets = sorted({*self._languages} - {language, UNDETERMINED})
        pool = max(LEAST_POOL, POOL // max(1, len(targets)), count if len(targets) == 1 else 0)
        for target in targets:
            if self._alternatives is None:
                break
            groups = self._alternatives.groups(question, source=language, target=target)
            others.append(self._keep(hits, self._rescored(groups, target, pool)))
        share = OWN_SHARE if language in self._languages else 0.0
        best = with_share(own, [o for o in others if o], count, share=share)
        return [Retrieved(key.file, passage_of(hits[key].content)) for key in best]

    def _rescored(self, groups: Sequence[Group], language: str | None, pool: int) -> list[Hit]:
        """The best passages in a language, or in all, by groups as synonyms."""
        hits = self._index.search(groups, language=language, count=pool)
        holding = [self._index.union(group, language=language) for group in groups]
        has_sounds = any(t.startswith(MARK) for g in groups for a in g.alternatives for t in a)
        found = [_counted(hit.content, has_sounds) for hit in hits]
        passages = sum(self._languages.values()) if language is None else self._languages[language]
        given = scores(groups, holding, passages, found)
        ranked = sorted(zip(hits, given, strict=True), key=lambda pair: -pair[1])
        return [hit for hit, _ in ranked]

    @staticmethod
    def _keep(kept: dict[Key, Hit], hits: Iterable[Hit]) -> list[Key]:
        keys = []
        for hit in hits:
            start, _, _ = hit.content[1:].partition(",")
            keys.append(Key(hit.file, int(start)))
            kept.setdefault(keys[-1], hit)
        return keys


@lru_cache(maxsize=4096)
def _counted(content: str, has_sounds: bool) -> Counter[str]:
    """How often each term stands in a passage."""
    indexed = _indexed(passage_of(content))
    return Counter([*terms(indexed), *(sounds(indexed) if has_sounds else ())])


def _indexed(passage: Passage) -> str:
    return f"{passage.heading}\n{passage.text}" if passage.heading else passage.text
