"""A toy world of parallel artificial languages, after K et al. (2020), Dufter and Schütze (2020).

Every context has two persons, and three facts of the type that is asked for: the asked relation for
both of them, and the competing relation of that type for one. So a score tells how much a reader
reads (exact match by construction, see `test_world.py`):

    any object of the context                0.20 to 0.25
    the right type                           0.33
    the right type and relation              0.50
    the right type and subject               0.75

The type itself can be told without the question, as the one with three facts.

Languages: L0 SVO; L1 SVO, the verb agrees with its subject; L2 SOV, question words in place, case
suffixes and a postposition; L3 VSO. They share numerals, marks and some names, no other word.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from babelspan.types import Answer, Example

LANGUAGES = ("L0", "L1", "L2", "L3")
MARKS = (".", "?", "-")
NUMERALS = tuple(str(number) for number in range(10, 60))


class Relation(NamedTuple):
    """What is said of a person; `role` is the adposition of its object, or "object" for none."""

    name: str
    type: str
    role: str


RELATIONS = (
    Relation("born", "city", "in"),
    Relation("lives", "city", "in"),
    Relation("works", "company", "for"),
    Relation("founded", "company", "object"),
    Relation("owns", "product", "object"),
    Relation("invented", "product", "object"),
    Relation("age", "number", "object"),
    Relation("prizes", "number", "object"),
)
TYPES = tuple(dict.fromkeys(relation.type for relation in RELATIONS))


@dataclass(frozen=True)
class Grammar:
    """How a language puts words in order: of each paraphrase a verbal and a nominal one.

    Slots: S subject, O object, V verb, N noun of the relation, W question word of the type,
    P adposition or case; anything else is a word of grammar or a mark. "-" joins its neighbours.
    """

    statements: tuple[str, str]
    questions: tuple[str, str]
    agrees: bool = False
    modifier_first: bool = True
    suffixes: tuple[str, ...] = ()


GRAMMARS = {
    "L0": Grammar(("S V P O .", "N of S is O ."), ("W S V P ?", "W is N of S ?")),
    "L1": Grammar(
        ("S V P O .", "O is N of S ."),
        ("W V S P ?", "N of S is W ?"),
        agrees=True,
        modifier_first=False,
    ),
    "L2": Grammar(
        ("S O P V .", "S - of N O is ."),
        ("S W P V ?", "S - of N W is ?"),
        suffixes=("in", "object"),
    ),
    "L3": Grammar(
        ("V S P O .", "is N of S O ."), ("P W V S ?", "is W N of S ?"), modifier_first=False
    ),
}


class Entity(NamedTuple):
    """A person or an object of facts: its words, a modifier before its noun, as L0 has them."""

    type: str
    concepts: tuple[str, ...]
    gender: int = 0


class Fact(NamedTuple):
    """A sentence in no language; `paraphrase` counts from 0."""

    subject: Entity
    relation: Relation
    object: Entity
    paraphrase: int


class Story(NamedTuple):
    """A context in no language, the fact that is asked for, and how it is asked."""

    facts: list[Fact]
    asked: Fact
    paraphrase: int


class World:
    """Persons, objects, and the words for them in four languages.

    Args:
        seed: of everything; two worlds of one seed are the same.
        shared_names: fraction of persons', cities' and companies' names that all languages share.
    """

    def __init__(self, seed: int = 0, *, shared_names: float = 0.3) -> None:
        self.seed = seed
        people = [f"person{i}" for i in range(24)]
        cities = [f"city{i}" for i in range(16)]
        companies = [f"company{i}" for i in range(16)]
        branches = [f"branch{i}" for i in range(4)]
        colours = [f"colour{i}" for i in range(6)]
        things = [f"thing{i}" for i in range(8)]
        self.people = [Entity("person", (p,), gender=i % 2) for i, p in enumerate(people)]
        self.objects = {
            "city": [Entity("city", (c,)) for c in cities],
            "company": [Entity("company", (c, branches[i % 4])) for i, c in enumerate(companies)],
            "product": [Entity("product", (c, t)) for c in colours for t in things],
            "number": [Entity("number", (n,)) for n in NUMERALS],
        }
        rng = random.Random(f"words of world {seed}")
        coined: set[str] = set()
        self._forms: dict[str, dict[str, tuple[str, ...]]] = {
            language: {word: (word,) for word in (*MARKS, *NUMERALS)} for language in LANGUAGES
        }
        for names in (people, cities, companies):
            shared = round(shared_names * len(names))
            for number, name in enumerate(names):
                common = _coin(rng, coined).title()
                for language in LANGUAGES:
                    own = common if number < shared else _coin(rng, coined).title()
                    self._forms[language][name] = (own,)
        verbs = [f"{r.name} verb" for r in RELATIONS]
        nouns = [f"{r.name} noun" for r in RELATIONS]
        grammar = ["in", "for", "of", "is", *(f"which {type_}" for type_ in TYPES)]
        for language in LANGUAGES:
            forms = self._forms[language]
            for concept in (*branches, *colours, *things, *nouns, *grammar):
                forms[concept] = (_coin(rng, coined),)
            for verb in verbs:
                endings = ("sh", "x") if GRAMMARS[language].agrees else ("",)
                stem = _coin(rng, coined)
                forms[verb] = tuple(stem + ending for ending in endings)
            if "object" in GRAMMARS[language].suffixes:
                forms["object"] = (_coin(rng, coined),)

    def examples(
        self,
        count: int,
        question_language: str = "L0",
        context_language: str = "L0",
        *,
        seed: int = 0,
    ) -> list[Example]:
        """Examples by their seed: the same ids and facts whatever the languages, more or fewer."""
        return [
            self._example(f"{seed}-{number}", question_language, context_language)
            for number in range(count)
        ]

    def translations(
        self,
        count: int,
        question_language: str,
        context_language: str = "L0",
        *,
        seed: int = 0,
    ) -> list[Example]:
        """Examples as T(Q), T(C) or T(Q+C) of those in L0, each with the id of its origin."""
        parts = zip("QC", (question_language, context_language), strict=True)
        strategy = f"T({'+'.join(part for part, language in parts if language != 'L0')})"
        return [
            replace(
                example,
                id=f"{example.id}-{question_language}-{context_language}",
                origin=example.id,
                strategy=strategy,
            )
            for example in self.examples(count, question_language, context_language, seed=seed)
        ]

    def story(self, example_id: str) -> Story:
        """What the example of an id tells and asks."""
        rng = random.Random(f"world {self.seed}, example {example_id}")
        asked, *others = _outline(rng, rng.sample(self.people, 2))
        left = {kind: rng.sample(things, 4) for kind, things in self.objects.items()}
        facts = [
            Fact(subject, relation, left[relation.type].pop(), rng.randrange(2))
            for subject, relation in (asked, *others)
        ]
        return Story(rng.sample(facts, len(facts)), facts[0], rng.randrange(2))

    def vocabulary(self) -> list[str]:
        """All words of all languages, numerals and marks, each once."""
        return list(dict.fromkeys(w for language in LANGUAGES for w in self.words(language)))

    def words(self, language: str) -> list[str]:
        """All words of a language, numerals and marks, each once."""
        return [form for forms in self._forms[language].values() for form in forms]

    def dictionary(self, source: str, target: str) -> dict[str, str]:
        """Each word, numeral and mark of one language in the other, but for case marks it lacks."""
        return {
            form: others[min(number, len(others) - 1)]
            for concept, forms in self._forms[source].items()
            if (others := self._forms[target].get(concept))
            for number, form in enumerate(forms)
        }

    def say(self, entity: Entity, language: str) -> str:
        """An entity, as it stands in the texts of a language."""
        return _text(self._entity(entity, language))

    def tell(self, fact: Fact, language: str) -> str:
        """A fact as a sentence of a language, by its paraphrase."""
        return _text(self._words(GRAMMARS[language].statements[fact.paraphrase], fact, language))

    def _example(self, example_id: str, question_language: str, context_language: str) -> Example:
        story = self.story(example_id)
        question = GRAMMARS[question_language].questions[story.paraphrase]
        sentences = []
        for fact in story.facts:
            pattern = GRAMMARS[context_language].statements[fact.paraphrase]
            if fact is story.asked:
                before, _ = pattern.split("O")
                ahead = [*sentences, *self._words(before, fact, context_language)]
                start = len(_text([*ahead, "O"])) - 1
            sentences += self._words(pattern, fact, context_language)
        return Example(
            id=example_id,
            question=_text(self._words(question, story.asked, question_language)),
            context=_text(sentences),
            answers=(Answer(self.say(story.asked.object, context_language), start),),
            question_language=question_language,
            context_language=context_language,
        )

    def _words(self, pattern: str, fact: Fact, language: str) -> Iterator[str]:
        forms, grammar = self._forms[language], GRAMMARS[language]
        relation = fact.relation
        for slot in pattern.split():
            match slot:
                case "S":
                    yield from self._entity(fact.subject, language)
                case "O":
                    yield from self._entity(fact.object, language)
                case "V":
                    verbs = forms[f"{relation.name} verb"]
                    yield verbs[fact.subject.gender % len(verbs)]
                case "N":
                    yield forms[f"{relation.name} noun"][0]
                case "W":
                    yield forms[f"which {relation.type}"][0]
                case "P":
                    if relation.role in grammar.suffixes:
                        yield "-"
                    yield from forms.get(relation.role, ())
                case _:
                    yield forms[slot][0]

    def _entity(self, entity: Entity, language: str) -> list[str]:
        words = [self._forms[language][concept][0] for concept in entity.concepts]
        return words if GRAMMARS[language].modifier_first else words[::-1]


def _outline(rng: random.Random, people: list[Entity]) -> list[tuple[Entity, Relation]]:
    """Who is spoken of and how, the asked one first: three of its type and one or two others."""
    one, other = people
    relation = rng.choice(RELATIONS)
    (rival,) = (r for r in RELATIONS if r.type == relation.type and r != relation)
    told = [(one, relation), (other, relation), (rng.choice(people), rival)]
    rest = [(p, r) for p in people for r in RELATIONS if r.type != relation.type]
    return told + rng.sample(rest, rng.choice((1, 2)))


def _coin(rng: random.Random, coined: set[str]) -> str:
    """A word of two or three syllables that is not among those coined; it is added to them."""
    while True:
        syllables = [rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(3)]
        word = "".join(syllables[: rng.choice((2, 3))])
        if word not in coined:
            coined.add(word)
            return word


def _text(words: list[str] | Iterator[str]) -> str:
    """Words with spaces between them, none before a mark and none behind a hyphen."""
    text = ""
    for word in words:
        joins = not text or word in MARKS or text.endswith("-")
        text += word if joins else f" {word}"
    return text
