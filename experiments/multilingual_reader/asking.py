"""Batches of questions: native, between languages, and code-switched.

Shapes: B windows, L tokens.
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import corpora
from torch import Tensor
from torch.nn import functional as F

from babelspan.augment.code_switch import Dictionary, choices, switched, switched_example
from babelspan.networks.reader import Batch, collate
from babelspan.reading.glosses import Choose, Glosses, Links, inverted, most_likely
from babelspan.reading.tokens import Tokens
from babelspan.reading.windows import Featurizer, Window
from babelspan.types import Example

GROUP = 8
MAX_LENGTHS = (128, 192, 256)
"""Tokens of a window, at most; each group of batches takes one of them."""
MOST_ASKED = 96
"""Tokens of a question with its translation, at most."""
ENGLISH = "en"
LIKELY = 0.7
"""Share of the translations beside a question that have each word's most likely one."""
SEEN = 0.5
"""Share of the translations beside questions that code-switching made, native ones asked elsewhere
included, that prefer words of the text."""
THIRD = 0.6
"""Share of the native questions asked elsewhere that are not asked in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Shares of the kinds of questions; what is left is native.

    Attributes:
        crossed: question and context in two languages, from translations of SQuAD.
        switched: English, with words of the question, the context or both replaced.
        plain: English as it is, beside the native questions in English.
        elsewhere: share of the native questions with their words replaced by those of another
            language, while the context stays.
        glossed: share of the questions in another language than their context's that are followed
            by their word-by-word translation into it.
        power: native languages are drawn by the power of their number of questions.
        tokens: of a batch, about.
        seed: of everything random.
    """

    crossed: float = 0.15
    switched: float = 0.4
    plain: float = 0.0
    elsewhere: float = 0.0
    glossed: float = 0.0
    power: float = 0.5
    tokens: int = 3_000
    seed: int = 1


class QuestionBatches:
    """Batches by number, a pure function of seed and number.

    Args:
        examples: to learn from.
        featurizer: of the reader.
        dictionaries: for each language the translations of English words with weights.
        mixture: of kinds.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        featurizer: Featurizer,
        dictionaries: dict[str, Links],
        mixture: Mixture,
    ) -> None:
        self.featurizer = featurizer
        self.dictionaries = {language: drawable(w) for language, w in dictionaries.items()}
        self.to_english = {language: drawable(inverted(w)) for language, w in dictionaries.items()}
        self.glosses = Glosses(dictionaries, dictionaries.__getitem__)
        self.mixture = mixture
        self.native: dict[str, list[Example]] = defaultdict(list)
        parallel: dict[str, dict[str, Example]] = defaultdict(dict)
        for example in examples:
            self.native[example.context_language].append(example)
            if example.title in corpora.TRANSLATED or example.title == "squad":
                parallel[example.id][example.context_language] = example
        self.parallel = [by for by in parallel.values() if len(by) > 1]
        self.languages = sorted(self.native)
        self.weights = [len(self.native[g]) ** mixture.power for g in self.languages]
        self.group = lru_cache(maxsize=2)(self._group)

    def __call__(self, number: int) -> Batch:
        """The batch of a number."""
        return self.group(number // GROUP)[number % GROUP]

    def _group(self, number: int) -> list[Batch]:
        rng = random.Random(f"questions-{self.mixture.seed}-{number}")
        windows: list[Window] = []
        size = 0
        longest = rng.choice(MAX_LENGTHS)
        while size < self.mixture.tokens * GROUP:
            window = self._window(self._example(rng), longest, rng)
            if window is not None:
                windows.append(window)
                size += window.length
        windows.sort(key=lambda window: window.length)
        parts: list[list[Window]] = [[] for _ in range(GROUP)]
        seen = 0
        for window in windows:
            seen += window.length
            parts[min(seen * GROUP // size, GROUP - 1)].append(window)
        rng.shuffle(parts)
        return [collate(self.featurizer, part or windows[:1]) for part in parts]

    def _example(self, rng: random.Random) -> Example | None:
        kind = rng.random()
        if kind < self.mixture.crossed:
            return self._glossed(_crossed(rng.choice(self.parallel), rng), rng, seen=1.0)
        if kind < self.mixture.crossed + self.mixture.switched:
            return self._glossed(self._switched(rng.choice(self.native[ENGLISH]), rng), rng)
        kind -= self.mixture.crossed + self.mixture.switched
        if kind < self.mixture.plain:
            return rng.choice(self.native[ENGLISH])
        (language,) = rng.choices(self.languages, self.weights)
        example = rng.choice(self.native[language])
        if rng.random() >= self.mixture.elsewhere:
            return example
        return self._glossed(self._elsewhere(example, rng), rng, likely=0.0)

    def _glossed(
        self,
        example: Example | None,
        rng: random.Random,
        *,
        likely: float = LIKELY,
        seen: float = SEEN,
    ) -> Example | None:
        """Some of the questions in another language than their context's with a translation.

        A native question that had been translated word by word takes `likely=0`: its most likely
        translation would be nearly the question it came from. For the same reason only a share
        `seen` of the translations prefers the words of the context.
        """
        if example is None or rng.random() >= self.mixture.glossed:
            return example
        source, target = example.question_language, example.context_language
        if source == target or not {source, target} <= self.glosses.languages:
            return example
        choose = most_likely if rng.random() < likely else drawing(rng)
        text = example.context if rng.random() < seen else ""
        gloss = self.glosses.gloss(
            example.question, source=source, target=target, text=text, choose=choose
        )
        return replace(example, question=f"{example.question} {gloss}")

    def _elsewhere(self, example: Example, rng: random.Random) -> Example | None:
        """The question in English, or by way of English in a third language; its context as is.

        Without a dictionary of its language the example comes unchanged.
        """
        question, language = example.question, example.question_language
        if language not in {ENGLISH, *self.to_english}:
            return example
        rate = rng.choice((0.9, 1.0))
        if language != ENGLISH:
            question = switched(
                question,
                self.to_english[language],
                language=ENGLISH,
                rate=rate,
                rng=rng,
                source=language,
            ).text
        target = ENGLISH
        if language == ENGLISH or rng.random() < THIRD:
            target = rng.choice(sorted({*self.dictionaries} - {language}))
            question = switched(
                question, self.dictionaries[target], language=target, rate=rate, rng=rng
            ).text
        if not question.strip():
            return None
        return replace(example, question=question, question_language=target)

    def _switched(self, example: Example, rng: random.Random) -> Example | None:
        """A third each: the question, the context, both (half of them in one language)."""
        first, second = rng.choices(sorted(self.dictionaries), k=2)
        if rng.random() < 0.5:
            second = first
        kind = rng.randrange(3)
        rates = [rng.choice((0.5, 0.9, 1.0)) for _ in range(2)]
        return switched_example(
            example,
            question=None if kind == 1 else (self.dictionaries[first], first, rates[0]),
            context=None if kind == 0 else (self.dictionaries[second], second, rates[1]),
            rng=rng,
        )

    def _window(self, example: Example | None, longest: int, rng: random.Random) -> Window | None:
        """A window round the answer, at most `longest` tokens, at a random place."""
        if example is None:
            return None
        question = self.featurizer.tokens(example.question).ids[:MOST_ASKED]
        context = self.featurizer.tokens(example.context)
        room = longest - self.featurizer.frame.size - len(question)
        whole = Window(example, self.featurizer.frame, question, context, 0)
        span = next(a.span for a in example.answers or () if a.span is not None)
        found = whole.tokens_of(span)
        if found is None or not len(question):
            return None
        first, last = (token - whole.context_at for token in found)
        if last - first >= room:
            return None
        begin = (
            rng.randint(max(0, last - room + 1), min(first, max(len(context.ids) - room, 0)))
            if len(context.ids) > room
            else 0
        )
        end = min(begin + room, len(context.ids))
        shown = Tokens(context.ids[begin:end], context.offsets[begin:end])
        placed = tuple(a for a in example.answers or () if a.span == span)
        return Window(
            replace(example, answers=placed), self.featurizer.frame, question, shown, begin
        )


def _crossed(by_language: dict[str, Example], rng: random.Random) -> Example:
    first, second = rng.sample(sorted(by_language), 2)
    question, context = by_language[first], by_language[second]
    return replace(context, question=question.question, question_language=first)


def drawing(rng: random.Random) -> Choose:
    """What draws a translation by its weight."""
    return lambda options: rng.choices(list(options), list(options.values()))[0]


def drawable(weights: Links) -> Dictionary:
    """Translations to draw from."""
    return {word: choices(options) for word, options in weights.items()}


def load_dictionaries(path: Path) -> dict[str, Links]:
    """For each language the translations of English words with weights, as `pack.py` wrote them."""
    found: dict[str, Links] = json.loads(path.read_text(encoding="utf-8"))
    return found


def span_loss(start_logits: Tensor, last_logits: Tensor, answers: Tensor) -> Tensor:
    """Mean cross-entropy of first and last token of the answers, (B, 2), in nats."""
    start = F.cross_entropy(start_logits, answers[:, 0])
    return (start + F.cross_entropy(last_logits, answers[:, 1])) / 2
