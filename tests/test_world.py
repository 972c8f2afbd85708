"""The toy world is parallel, its answers are not to be guessed, and a miniature learns from it."""

import itertools
import math
from dataclasses import replace
from statistics import mean

import pytest
import torch

from babelspan.engines.torch import TorchEngine
from babelspan.losses.span import span_loss
from babelspan.methods import fine_tune
from babelspan.networks.pretrained import load
from babelspan.reading.answerer import Answerer
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import Limits
from miniature import miniature_reader
from world import LANGUAGES, MARKS, NUMERALS, RELATIONS, World

PAIRS = list(itertools.product(LANGUAGES, LANGUAGES))


@pytest.fixture(scope="module")
def world():
    return World(0)


@pytest.fixture(scope="module")
def stories(world):
    return [world.story(e.id) for e in world.examples(1000)]


def entities(world):
    return [*world.people, *itertools.chain(*world.objects.values())]


def told(world, example):
    """The facts of a context, each with its sentence."""
    facts = world.story(example.id).facts
    sentences = [f"{sentence}." for sentence in example.context.rstrip(".").split(". ")]
    return list(zip(facts, sentences, strict=True))


def words_of(text):
    """The words and marks of a text, as the texts of the world are written."""
    for mark in MARKS:
        text = text.replace(mark, f" {mark} ")
    return text.split()


@pytest.mark.parametrize(("question", "context"), PAIRS)
def test_answers_are_in_place_once(world, question, context):
    for example in world.examples(100, question, context):
        (answer,) = example.answers
        assert answer.is_in(example.context)
        assert f" {example.context}".count(f" {answer.text}") == 1
        assert answer.text == world.say(world.story(example.id).asked.object, context)


@pytest.mark.parametrize(("question", "context"), PAIRS)
def test_every_language_pair_has_the_texts_of_its_two_languages(world, question, context):
    both = world.examples(20, question, context)
    questions = world.examples(20, question, question)
    contexts = world.examples(20, context, context)

    assert [e.id for e in both] == [f"0-{number}" for number in range(20)]
    assert [e.question for e in both] == [e.question for e in questions]
    assert [(e.context, e.answers) for e in both] == [(e.context, e.answers) for e in contexts]
    assert {(e.question_language, e.context_language) for e in both} == {(question, context)}


@pytest.mark.parametrize(
    ("question", "context", "strategy"),
    [("L1", "L0", "T(Q)"), ("L0", "L2", "T(C)"), ("L3", "L3", "T(Q+C)")],
)
def test_translations_name_their_origin(world, question, context, strategy):
    made = world.translations(3, question, context, seed=7)
    assert [e.origin for e in made] == ["7-0", "7-1", "7-2"]
    assert [e.id for e in made] == [f"7-{n}-{question}-{context}" for n in range(3)]
    assert {e.strategy for e in made} == {strategy}
    plain = world.examples(3, question, context, seed=7)
    assert [replace(e, id=e.origin, origin=None, strategy="") for e in made] == plain


@pytest.mark.parametrize("language", LANGUAGES)
def test_contexts_tell_their_story_in_order(world, language):
    for example in world.examples(50, language, language):
        for fact, sentence in told(world, example):
            assert world.say(fact.subject, language) in sentence
            assert world.say(fact.object, language) in sentence
        asked = world.story(example.id).asked
        assert world.say(asked.subject, language) in example.question


@pytest.mark.parametrize(
    ("language", "template"),
    [
        ("L0", "S V O."),
        ("L1", "S V O."),
        ("L2", "S O-case V."),
        ("L3", "V S O."),
    ],
)
def test_word_order(world, language, template):
    fact, sentence = next(
        (fact, sentence)
        for example in world.examples(200, language, language)
        for fact, sentence in told(world, example)
        if fact.relation.name == "founded" and fact.paraphrase == 0
    )
    sentence = sentence.replace(world.say(fact.subject, language), "S")
    sentence = sentence.replace(world.say(fact.object, language), "O")
    case = sentence.partition("-")[2].partition(" ")[0]
    sentence = sentence.replace(case, "case") if case else sentence
    (verb,) = set(words_of(sentence)) - {"S", "O", "case", *MARKS}
    assert sentence.replace(verb, "V") == template


def test_verbs_of_l1_agree_with_their_subject(world):
    verbs = set(world.words("L1")) - {
        world.dictionary("L0", "L1").get(w) for w in world.words("L0")
    }
    seen = {0: set(), 1: set()}
    for example in world.examples(200, "L1", "L1"):
        for fact, sentence in told(world, example):
            seen[fact.subject.gender] |= verbs & set(words_of(sentence))
    assert len(seen[1]) == len(RELATIONS)
    assert not seen[0]


def test_languages_share_numerals_marks_and_some_names_only():
    world = World(3, shared_names=0.5)
    names = [world.say(person, "L0") for person in world.people]
    names += [world.say(city, "L0") for city in world.objects["city"]]
    names += [world.say(company, "L0").split()[0] for company in world.objects["company"]]
    for one, other in itertools.combinations(LANGUAGES, 2):
        shared = set(world.words(one)) & set(world.words(other)) - {*NUMERALS, *MARKS}
        assert shared < set(names)
        assert len(shared) == len(names) / 2


def test_no_name_is_shared_where_none_should_be():
    world = World(3, shared_names=0.0)
    for one, other in itertools.combinations(LANGUAGES, 2):
        assert set(world.words(one)) & set(world.words(other)) == {*NUMERALS, *MARKS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_vocabulary_is_what_texts_are_made_of(world, language):
    texts = [t for e in world.examples(1000, language, language) for t in (e.question, e.context)]
    unseen = {"-"} if language != "L2" else set()
    assert {w for text in texts for w in words_of(text)} == set(world.words(language)) - unseen
    vocabulary = world.vocabulary()
    assert set(world.words(language)) < set(vocabulary)
    assert len(vocabulary) == len(set(vocabulary))


def test_dictionaries_translate_entities_and_questions_word_for_word(world):
    for source, target in itertools.permutations(LANGUAGES, 2):
        words = world.dictionary(source, target)
        for entity in entities(world):
            translated = [words[w] for w in words_of(world.say(entity, source))]
            assert sorted(translated) == sorted(words_of(world.say(entity, target)))
        assert set(words.values()) <= set(world.words(target))
    questions = [[e.question for e in world.examples(100, language)] for language in ("L1", "L0")]
    words = world.dictionary("L1", "L0")
    for foreign, question in zip(*questions, strict=True):
        assert sorted(words[w] for w in words_of(foreign)) == sorted(words_of(question))


def test_only_the_case_mark_of_l2_has_no_translation(world):
    missing = {
        source: set(world.words(source)) - set(world.dictionary(source, target))
        for source, target in itertools.permutations(LANGUAGES, 2)
    }
    assert {language: len(words) for language, words in missing.items()} == {
        "L0": 0,
        "L1": 0,
        "L2": 1,
        "L3": 0,
    }


def test_same_seed_same_world_and_another_seed_another_one():
    one, same, other = World(1), World(1), World(2)
    assert one.examples(20, "L2", "L3") == same.examples(20, "L2", "L3")
    assert one.vocabulary() == same.vocabulary()
    assert one.vocabulary() != other.vocabulary()
    assert not {e.context for e in one.examples(20)} & {e.context for e in other.examples(20)}


def test_fewer_examples_are_the_first_of_more_and_another_seed_gives_others(world):
    some = world.examples(50)
    assert world.examples(10) == some[:10]
    others = world.examples(50, seed=1)
    assert not {e.id for e in some} & {e.id for e in others}
    assert not {e.context for e in some} & {e.context for e in others}


def test_guessing_by_type_relation_or_subject_stays_at_chance(stories):
    any_object, by_type, by_relation, by_subject = [], [], [], []
    for story in stories:
        asked = story.asked
        rivals = [f for f in story.facts if f.object.type == asked.object.type]
        any_object.append(1 / len(story.facts))
        by_type.append(1 / len(rivals))
        by_relation.append(1 / sum(f.relation == asked.relation for f in rivals))
        by_subject.append(1 / sum(f.subject == asked.subject for f in rivals))
        assert len({f.object for f in story.facts}) == len(story.facts)
        assert len({(f.subject, f.relation) for f in story.facts}) == len(story.facts)
        assert len({f.subject for f in story.facts}) == 2
    assert 0.2 < mean(any_object) < 0.25
    assert set(by_type) == {1 / 3}
    assert set(by_relation) == {1 / 2}
    assert mean(by_subject) == pytest.approx(0.75, abs=0.03)


def test_place_in_the_context_does_not_tell_the_answer(stories):
    places = [story.facts.index(story.asked) for story in stories]
    assert all(abs(places.count(place) / len(places) - 0.225) < 0.05 for place in range(4))


def fine_tuned(reader, examples, *, updates, batch_size):
    config = RunConfig(updates=updates, batch_size=batch_size, threads=1)
    optim = fine_tune.Config(reader=Optim(lr=3e-3))
    return fine_tune.train(reader, Corpora(labelled=examples), optim, Run(config=config)).eval()


@torch.inference_mode()
def loss_on(reader, examples):
    batch = reader.collate(list(reader.windows(examples)))
    reading = reader(batch)
    return float(span_loss(reading.start_logits, reading.last_logits, batch.answers))


def test_miniature_reader_is_loaded_as_it_was_saved(world, tmp_path):
    reader = miniature_reader(world.vocabulary(), seed=5)
    reader.save(tmp_path)
    loaded = load(str(tmp_path), limits=Limits(max_length=64, overlap=16))
    examples = world.examples(8, "L3", "L2")
    one, other = (r(r.collate(list(r.windows(examples)))) for r in (reader, loaded))
    assert torch.equal(one.start_logits, other.start_logits)
    assert torch.equal(one.last_logits, other.last_logits)


def test_miniature_reader_is_drawn_from_its_seed_alone(world):
    before = torch.get_rng_state()
    one, same, other = (miniature_reader(world.words("L0"), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    examples = world.examples(4)
    assert loss_on(one, examples) == loss_on(same, examples) != loss_on(other, examples)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_and_every_example_fits_a_miniature(world, language):
    reader = miniature_reader(world.vocabulary())
    examples = world.examples(200, language, language)
    windows = list(reader.windows(examples))
    assert len(windows) == len(examples)
    for window in windows:
        assert reader.tokenizer.unk_token_id not in window.ids()
        first, last = reader.collate([window]).answers[0].tolist()
        (answer,) = window.example.answers
        places = window.offsets[first - window.context_at : last + 1 - window.context_at]
        assert (places[0][0], places[-1][1]) == (answer.span.start, answer.span.end)


def test_miniature_reader_learns_examples_by_heart(world):
    examples = world.examples(12)
    reader = miniature_reader(world.words("L0"))
    answerer = Answerer(TorchEngine(reader), limits=Limits(max_length=64))

    def right():
        found = [p.text for p in answerer.predict(examples)]
        return sum(text == e.answers[0].text for text, e in zip(found, examples, strict=True))

    assert right() <= 3
    fine_tuned(reader, examples, updates=100, batch_size=12)
    assert right() == 12


def test_miniature_reader_learns_what_type_of_answer_a_question_asks_for(world):
    reader = miniature_reader(world.words("L0"))
    fresh = world.examples(200, seed=2)
    misled = [replace(e, question=question_of_another_type(world, e, fresh)) for e in fresh]
    any_object = (math.log(4) + math.log(5)) / 2  # the best loss of who knows objects only
    assert loss_on(reader, fresh) > 2 * any_object

    fine_tuned(reader, world.examples(200 * 32, seed=1), updates=200, batch_size=32)

    assert loss_on(reader, fresh) < any_object
    assert loss_on(reader, misled) > any_object + 0.4


def question_of_another_type(world, example, others):
    asked_type = world.story(example.id).asked.relation.type
    return next(e.question for e in others if world.story(e.id).asked.relation.type != asked_type)
