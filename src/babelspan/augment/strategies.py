"""Training examples in other languages: T(Q), T(C), T(Q+C) of bornea2021.

Bornea et al. (2021), arXiv:2012.05958, Section 3.1: translate the question, the context, or both.
T(ALL) is the union of the three; train-on-target (Lee and Lee 2019, arXiv:1907.06042, Section 4.1)
is T(Q+C) without the originals. Of several gold answers, the first with a known offset is carried,
which is the one used for training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from babelspan.augment.mark import Carried, Lost
from babelspan.augment.match import find_answer
from babelspan.augment.project import project
from babelspan.augment.translate import Direction, Rendering
from babelspan.seams import Aligner
from babelspan.text.segmented import by_spaces
from babelspan.text.words import words
from babelspan.types import Answer, Example, SentencePair, Span

Strategy = Literal["T(Q)", "T(C)", "T(Q+C)"]
STRATEGIES: dict[str, tuple[Strategy, ...]] = {
    "q": ("T(Q)",),
    "c": ("T(C)",),
    "qc": ("T(Q+C)",),
    "all": ("T(Q)", "T(C)", "T(Q+C)"),
}
"""The strategies of each option of the command line."""

Carrier = Literal["marks", "match", "links"]
CARRIERS: tuple[Carrier, ...] = ("marks", "match", "links")


@dataclass(frozen=True, slots=True)
class Dropped:
    """An example that was lost in a strategy, with the reason."""

    id: str
    strategy: Strategy
    target: str
    reason: str


@dataclass(slots=True)
class Made:
    """The result of translating some examples."""

    examples: dict[Strategy, list[Example]] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    carried: list[tuple[str, tuple[Carrier, ...]]] = field(default_factory=list)
    """For each example whose answer was to be carried: its id, and the carriers that found it."""
    repaired: int = 0
    """Number of answers with repaired tags."""
    odd: list[tuple[str, str]] = field(default_factory=list)
    """Sentences with a suspiciously short or long translation, and their translations."""


def translated(
    examples: Sequence[Example],
    direction: Direction,
    strategies: Sequence[Strategy],
    *,
    carriers: Sequence[Carrier] = ("marks",),
    aligner: Aligner | None = None,
) -> Made:
    """Translate examples by every strategy, in their order.

    Args:
        examples: in the language of `direction.source`; for speed, all examples of a paragraph.
        direction: the translator and its two languages.
        strategies: the strategies to apply.
        carriers: methods of carrying answers; the first that finds the answer is used, and all that
            find it are counted.
        aligner: the aligner for the carrier "links".
    """
    made = Made(examples={s: [] for s in strategies})
    asks = {"T(Q)", "T(Q+C)"} & set(strategies)
    reads = {"T(C)", "T(Q+C)"} & set(strategies)
    questions = direction.render(e.question for e in examples) if asks else {}
    made.odd += _odd(questions)
    contexts = _Contexts(examples, direction, carriers, aligner, made) if reads else None
    for example in examples:
        question = questions.get(example.question)
        context = contexts.of(example) if contexts is not None else None
        for strategy in strategies:
            parts: list[Rendering | Example | Lost] = []
            if strategy != "T(C)" and question is not None:
                parts.append(question if question.is_whole else Lost("question lost"))
            if strategy != "T(Q)" and context is not None:
                parts.append(context)
            _add(made, example, strategy, direction, parts)
    return made


def _add(
    made: Made,
    example: Example,
    strategy: Strategy,
    direction: Direction,
    parts: Sequence[Rendering | Example | Lost],
) -> None:
    """Assemble the parts of an example, or record why it is dropped."""
    new = example
    for part in parts:
        if isinstance(part, Lost):
            made.dropped.append(Dropped(example.id, strategy, direction.target, part.reason))
            return
        if isinstance(part, Rendering):
            new = replace(new, question=part.text, question_language=direction.target)
        else:
            new = replace(
                new,
                context=part.context,
                answers=part.answers,
                context_language=part.context_language,
            )
    made.examples[strategy].append(
        replace(
            new,
            id=f"{example.id}-{new.question_language}-{new.context_language}",
            origin=example.id,
            strategy=strategy,
        )
    )


class _Contexts:
    """The translated contexts of some examples, with their answers."""

    def __init__(
        self,
        examples: Sequence[Example],
        direction: Direction,
        carriers: Sequence[Carrier],
        aligner: Aligner | None,
        made: Made,
    ) -> None:
        self._direction = direction
        self._made = made
        self._carriers = carriers
        wanted = [(e.context, span) for e in examples if (span := answer_span(e)) is not None]
        self._plain = direction.render(e.context for e in examples)
        made.odd += _odd(self._plain)
        self._by: dict[Carrier, dict[tuple[str, Span], Carried | Lost]] = {}
        for carrier in carriers:
            if carrier == "marks":
                self._by[carrier] = direction.render_marked(wanted)
            elif carrier == "match":
                self._by[carrier] = _matched(wanted, self._plain, direction)
            elif aligner is not None:
                self._by[carrier] = _linked(wanted, self._plain, direction, aligner)

    def of(self, example: Example) -> Example | Lost:
        """The example with its translated context."""
        if not example.answers:
            plain = self._plain[example.context]
            if not plain.is_whole:
                return Lost("sentence lost")
            return replace(example, context=plain.text, context_language=self._direction.target)
        span = answer_span(example)
        if span is None:
            return Lost("answer without a place")
        found = [(c, self._by[c][example.context, span]) for c in self._carriers]
        arrived = [(c, f) for c, f in found if isinstance(f, Carried)]
        self._made.carried.append((example.id, tuple(c for c, _ in arrived)))
        if not arrived:
            return next(lost for _, lost in found if isinstance(lost, Lost))
        carried = arrived[0][1]
        self._made.repaired += carried.repaired
        return replace(
            example,
            context=carried.text,
            context_language=self._direction.target,
            answers=(Answer(carried.span.of(carried.text), carried.span.start),),
        )


def _odd(renderings: Mapping[str, Rendering]) -> list[tuple[str, str]]:
    return [
        (here.of(text), there.of(rendering.text))
        for text, rendering in renderings.items()
        for here, there in (rendering.pairs[n] for n in rendering.odd(text))
        if there is not None
    ]


def answer_span(example: Example) -> Span | None:
    """The span of the answer to carry: the first gold answer at its stated offset."""
    return next((a.span for a in example.answers or () if a.is_in(example.context)), None)


def _matched(
    wanted: Sequence[tuple[str, Span]], plain: dict[str, Rendering], direction: Direction
) -> dict[tuple[str, Span], Carried | Lost]:
    said = direction.translate(span.of(text) for text, span in wanted)
    found: dict[tuple[str, Span], Carried | Lost] = {}
    for text, span in wanted:
        rendering = plain[text]
        if not rendering.is_whole:
            found[text, span] = Lost("sentence lost")
            continue
        place = find_answer(
            rendering.text, said[span.of(text)], direction.target, near=rendering.about(span)
        )
        found[text, span] = Lost("no match") if place is None else Carried(rendering.text, place)
    return found


@dataclass(frozen=True, slots=True)
class _Words:
    """The spans of the words of the sentence with an answer, and of its translation."""

    here: list[Span]
    there: list[Span]


def linkable(examples: Sequence[Example], direction: Direction) -> list[SentencePair]:
    """The sentences that contain the answers, with their translations, as space-separated words."""
    wanted = [(e.context, span) for e in examples if (span := answer_span(e)) is not None]
    plain = direction.render(text for text, _ in wanted)
    return [
        _pair(text, plain[text], found)
        for (text, _), found in _words_of(wanted, plain, direction).items()
        if isinstance(found, _Words)
    ]


def _linked(
    wanted: Sequence[tuple[str, Span]],
    plain: dict[str, Rendering],
    direction: Direction,
    aligner: Aligner,
) -> dict[tuple[str, Span], Carried | Lost]:
    found = _words_of(wanted, plain, direction)
    asked = {key: w for key, w in found.items() if isinstance(w, _Words)}
    links = aligner.align(
        [by_spaces(_pair(text, plain[text], w)) for (text, _), w in asked.items()]
    )
    carried = {
        (text, span): project(span, alignment, w.here, plain[text].text, w.there)
        for ((text, span), w), alignment in zip(asked.items(), links, strict=True)
    }
    lost = {key: lost for key, lost in found.items() if isinstance(lost, Lost)}
    return {**carried, **lost}


def _words_of(
    wanted: Sequence[tuple[str, Span]], plain: dict[str, Rendering], direction: Direction
) -> dict[tuple[str, Span], _Words | Lost]:
    found: dict[tuple[str, Span], _Words | Lost] = {}
    for text, span in wanted:
        rendering = plain[text]
        pairs = [(h, t) for h, t in rendering.pairs if t is not None and h.overlaps(span)]
        if not rendering.is_whole:
            found[text, span] = Lost("sentence lost")
        elif len(pairs) != 1:
            found[text, span] = Lost("several sentences")
        else:
            here, there = pairs[0]
            both = _Words(
                _moved(words(here.of(text), direction.source), here.start),
                _moved(words(there.of(rendering.text), direction.target), there.start),
            )
            found[text, span] = both if both.here and both.there else Lost("no words")
    return found


def _pair(text: str, rendering: Rendering, found: _Words) -> SentencePair:
    return SentencePair(
        " ".join(word.of(text) for word in found.here),
        " ".join(word.of(rendering.text) for word in found.there),
    )


def _moved(spans: Sequence[Span], by: int) -> list[Span]:
    return [Span(s.start + by, s.end + by) for s in spans]
