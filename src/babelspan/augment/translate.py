"""Translate texts sentence by sentence, keeping track of the sentences.

Systems drop and truncate sentences in long input (fairseq #5478, CTranslate2 #918), so each
sentence is translated separately, and the text is reassembled with its original white space.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from babelspan.augment.mark import Carried, Lost, put_marks, read_marks, tag_for
from babelspan.seams import Translator
from babelspan.text.languages import is_spaced
from babelspan.text.sentences import sentences
from babelspan.types import Span

_SHORT = 20
_RATIOS = (0.2, 5.0)
"""Bounds of the length ratio of translation and source; beyond, it looks truncated or made up."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A text in another language.

    Attributes:
        text: the translation.
        pairs: for each sentence, in order, its span in the source and that of its translation; None
            for an empty translation.
    """

    text: str
    pairs: tuple[tuple[Span, Span | None], ...]

    @property
    def is_whole(self) -> bool:
        """Whether no sentence has an empty translation."""
        return all(target is not None for _, target in self.pairs)

    def odd(self, source: str) -> list[int]:
        """Indices of the sentences whose translation is suspiciously short or long.

        Args:
            source: the source text.
        """
        low, high = _RATIOS
        return [
            number
            for number, (here, there) in enumerate(self.pairs)
            if len(here.of(source)) >= _SHORT
            and there is not None
            and not low <= len(there.of(self.text)) / len(here.of(source)) <= high
        ]

    def about(self, span: Span) -> Span:
        """The part of the translation for the sentences that overlap a span of the source.

        The whole translation if these sentences have none.
        """
        places = [there for here, there in self.pairs if there and here.overlaps(span)]
        if not places:
            return Span(0, max(1, len(self.text)))
        return Span(places[0].start, places[-1].end)

    def source_of(self, span: Span, source: str) -> Span:
        """The part of the source for the sentences that overlap a span of the translation."""
        places = [here for here, there in self.pairs if there and there.overlaps(span)]
        if not places:
            return Span(0, max(1, len(source)))
        return Span(places[0].start, places[-1].end)


@dataclass(frozen=True, slots=True)
class Direction:
    """A translator from one language to another."""

    translator: Translator
    source: str
    target: str

    def translate(self, texts: Iterable[str], tags: Sequence[str] = ()) -> dict[str, str]:
        """Translate texts without splitting them; returns text -> translation."""
        once = list(dict.fromkeys(texts))
        found = self.translator.translate(once, source=self.source, target=self.target, tags=tags)
        return dict(zip(once, found, strict=True))

    def render(self, texts: Iterable[str]) -> dict[str, Rendering]:
        """Translate texts sentence by sentence; returns text -> translation."""
        cut = {text: sentences(text, self.source) for text in texts}
        said = self.translate(span.of(text) for text, spans in cut.items() for span in spans)
        return {
            text: self._joined(text, spans, [said[span.of(text)].strip() for span in spans])
            for text, spans in cut.items()
        }

    def render_marked(
        self, wanted: Iterable[tuple[str, Span]]
    ) -> dict[tuple[str, Span], Carried | Lost]:
        """Translate texts and carry a span of each through the translation with tags.

        Only the sentence that contains the span is translated with tags; if the span covers several
        sentences, they are translated as one.
        """
        cuts = [_cut(text, span, self.source) for text, span in dict.fromkeys(wanted)]
        said = self.translate(piece.of(cut.text) for cut in cuts for piece in cut.others)
        tagged: dict[str, str] = {}
        for tag in dict.fromkeys(cut.tag for cut in cuts):
            if tag is not None:
                marked = (cut.marked for cut in cuts if cut.tag == tag)
                tagged |= self.translate(marked, tags=(tag,))
        return {(cut.text, cut.span): self._carried(cut, said, tagged) for cut in cuts}

    def _carried(self, cut: "_Cut", said: dict[str, str], tagged: dict[str, str]) -> Carried | Lost:
        if cut.tag is None:
            return Lost("text full of tags")
        carried = read_marks(tagged[cut.marked].strip(), cut.sentence, cut.inner, cut.tag)
        if isinstance(carried, Lost):
            return carried
        parts = [said.get(piece.of(cut.text), "").strip() for piece in cut.pieces]
        parts[cut.at] = carried.text
        joined = self._joined(cut.text, cut.pieces, parts)
        there = joined.pairs[cut.at][1]
        if there is None or not joined.is_whole:
            return Lost("sentence lost")
        start = there.start + carried.span.start
        end = there.start + carried.span.end
        return Carried(joined.text, Span(start, end), carried.repaired)

    def _joined(self, text: str, spans: Sequence[Span], parts: Sequence[str]) -> Rendering:
        """Join translated sentences with the white space between their sources."""
        built = text[: spans[0].start] if spans else text
        pairs: list[tuple[Span, Span | None]] = []
        for number, (span, part) in enumerate(zip(spans, parts, strict=True)):
            start = len(built)
            built += part
            pairs.append((span, Span(start, len(built)) if part else None))
            end = spans[number + 1].start if number + 1 < len(spans) else len(text)
            gap = text[span.end : end]
            if not gap and number + 1 < len(spans) and part and is_spaced(self.target):
                gap = " "
            built += gap
        return Rendering(built, tuple(pairs))


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text split into sentences; number `at` contains the span and gets tags named `tag`."""

    text: str
    span: Span
    pieces: list[Span]
    at: int
    tag: str | None

    @property
    def others(self) -> list[Span]:
        return self.pieces[: self.at] + self.pieces[self.at + 1 :]

    @property
    def sentence(self) -> str:
        return self.pieces[self.at].of(self.text)

    @property
    def inner(self) -> Span:
        start = self.pieces[self.at].start
        return Span(self.span.start - start, self.span.end - start)

    @property
    def marked(self) -> str:
        assert self.tag is not None
        return put_marks(self.sentence, self.inner, self.tag)


def _cut(text: str, span: Span, language: str) -> _Cut:
    """Split a text into sentences; those that overlap the span are kept as one."""
    spans = sentences(text, language)
    touched = [s for s in spans if s.overlaps(span)]
    held = Span(
        min([span.start, *(s.start for s in touched)]), max([span.end, *(s.end for s in touched)])
    )
    before = [s for s in spans if s.end <= held.start]
    after = [s for s in spans if s.start >= held.end]
    tag = tag_for(held.of(text))
    return _Cut(text, span, [*before, held, *after], len(before), tag)
