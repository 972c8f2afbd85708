"""What question vectors tell: against a second computation, on readers that tell all or nothing."""

import hashlib
import math
import random
from dataclasses import asdict, replace

import pytest
import torch

from babelspan.networks.probe import probe
from babelspan.types import DataError
from miniature import miniature_reader
from worded_readers import miniature_qanet
from world import World

WORLD = World(0)
COUNT = 120


def parallel(*languages, count=COUNT):
    """Questions of each language over contexts of the same."""
    return {language: WORLD.examples(count, language, language) for language in languages}


def new_reader(**settings):
    return miniature_reader(WORLD.vocabulary(), **settings)


def higher_hashes(ids):
    """The half with the higher hashes."""
    by_hash = sorted(ids, key=lambda one: hashlib.sha256(one.encode()).hexdigest())
    return [one for one in ids if one in by_hash[len(ids) // 2 :]]


def probed(reader, sets, updates=4, **settings):
    return probe(reader, sets, updates=updates, **settings)


def last_norm(reader):
    return reader.model.bert.encoder.layer[-1].output.LayerNorm


def alone(reader, example):
    """Both vectors of a question, read without company."""
    window = next(iter(reader.windows([example])))
    with torch.no_grad():
        hidden = reader(reader.collate([window])).hidden[0]
    return hidden[0], hidden[1 : 1 + len(window.question_ids)].mean(dim=0)


def cosine(one, other):
    one, other = one.tolist(), other.tolist()
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))


def test_similarities_by_a_second_computation():
    reader, sets = new_reader(), parallel("L0", "L1", "L3", count=9)
    found = probed(reader, sets)
    ids = higher_hashes([e.id for e in sets["L0"]])
    assert (found.languages, found.questions, found.chance) == (("L0", "L1", "L3"), 5, 1 / 3)
    read = {
        (language, e.id): alone(reader, replace(e, context=own.context))
        for language, examples in sets.items()
        for own, e in zip(sets["L0"], examples, strict=True)
    }
    for number, told in enumerate((found.first, found.mean)):
        related, unrelated, hits = [], [], []
        for other in ("L1", "L3"):
            table = {
                (i, j): cosine(read["L0", i][number], read[other, j][number])
                for i in ids
                for j in ids
            }
            related += [table[i, i] for i in ids]
            unrelated += [table[i, j] for i in ids for j in ids if i != j]
            hits += [all(table[i, i] >= table[i, j] for j in ids) for i in ids]
            hits += [all(table[i, i] >= table[j, i] for j in ids) for i in ids]
        assert told.cosine == pytest.approx(sum(related) / len(related), abs=1e-5)
        assert told.unrelated == pytest.approx(sum(unrelated) / len(unrelated), abs=1e-5)
        assert told.retrieval == pytest.approx(sum(hits) / len(hits))
        assert told.cosine > told.unrelated


def test_words_of_different_languages_give_the_language_away():
    found = probe(new_reader(), parallel("L0", "L1", "L2", "L3"))
    assert found.chance == 0.25
    assert found.mean.accuracy > 0.9
    assert found.first.accuracy > 0.35


def test_one_language_under_two_names_cannot_be_told_apart():
    questions = WORLD.examples(COUNT)
    found = probe(new_reader(), {"one": questions, "other": questions})
    for told in (found.first, found.mean):
        assert told.accuracy == pytest.approx(0.5, abs=0.02)
        assert told.cosine == pytest.approx(1, abs=1e-5)
        assert told.retrieval == 1
        assert told.unrelated < 0.99


def test_the_layers_of_a_side_tell_the_side_of_a_question():
    """A QANet reads the same words through the layers of two sides."""
    sides = ("L0", "L3")
    reader = miniature_qanet(WORLD.vocabulary(), sides=sides, dependent="encoder")
    questions = WORLD.examples(COUNT)
    sets = {side: [replace(e, question_language=side) for e in questions] for side in sides}
    assert probe(reader, sets).mean.accuracy > 0.95
    for stage in (reader.inputs, reader.encoders):
        stage[1].load_state_dict(stage[0].state_dict())
    assert probe(reader, sets).mean.accuracy == 0.5


def test_names_that_say_nothing_are_guessed_by_chance():
    """The vectors differ, but who learns them by heart does not know those that are tested."""
    rng = random.Random(0)
    both = zip(WORLD.examples(COUNT), WORLD.examples(COUNT, "L1"), strict=True)
    mixed = [rng.sample(pair, 2) for pair in both]
    one, other = zip(*mixed, strict=True)
    found = probe(new_reader(), {"one": one, "other": other})
    assert found.mean.accuracy == pytest.approx(0.5, abs=0.15)
    assert found.first.accuracy == pytest.approx(0.5, abs=0.15)


def test_collapsed_vectors_tell_nothing_and_are_all_alike():
    reader = new_reader()
    torch.nn.init.zeros_(last_norm(reader).weight)
    torch.nn.init.ones_(last_norm(reader).bias)
    found = probed(reader, parallel("L0", "L1", "L2", count=40))
    for told in (found.first, found.mean):
        assert told.accuracy == pytest.approx(1 / 3)
        assert told.cosine == pytest.approx(1)
        assert told.unrelated == pytest.approx(1)


def test_the_scale_of_vectors_does_not_matter():
    plain, small = new_reader(), new_reader()
    with torch.no_grad():
        last_norm(small).weight.mul_(2**-9)
    sets = parallel("L0", "L1", count=40)
    one, other = probed(small, sets), probed(plain, sets)
    assert asdict(one.first) == pytest.approx(asdict(other.first), rel=1e-5)
    assert asdict(one.mean) == pytest.approx(asdict(other.mean), rel=1e-5)


def test_the_context_is_that_of_the_first_language_whatever_the_others_have():
    reader, sets = new_reader(), parallel("L0", "L1", "L2", count=40)
    elsewhere = {
        language: [replace(e, context="no such text", answers=None) for e in reversed(examples)]
        for language, examples in sets.items()
    }
    assert probed(reader, {**elsewhere, "L0": sets["L0"]}) == probed(reader, sets)


def test_only_the_first_window_counts():
    sets = parallel("L0", "L1", count=20)
    longer = {
        language: [replace(e, context=e.context + " " + e.context * 9) for e in examples]
        for language, examples in sets.items()
    }
    longest = {
        language: [replace(e, context=e.context + " " + e.context * 12) for e in examples]
        for language, examples in sets.items()
    }
    reader = new_reader()
    assert probed(reader, longer) == probed(reader, longest) != probed(reader, sets)


def test_the_same_twice_and_nothing_else_is_touched():
    reader, sets = new_reader(dropout=0.5), parallel("L0", "L1", count=40)
    weights = {name: tensor.clone() for name, tensor in reader.state_dict().items()}
    state = torch.get_rng_state()
    found = probed(reader, sets)
    assert not reader.training
    reader.train()
    assert probed(reader, sets) == found
    assert reader.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weights[name], now) for name, now in reader.state_dict().items())
    assert all(p.grad is None for p in reader.parameters())


def test_the_seed_is_that_of_the_discriminator():
    reader, sets = new_reader(), parallel("L0", "L1", "L2", "L3", count=40)
    one, other = probed(reader, sets, seed=1), probed(reader, sets, seed=2)
    assert one.first.accuracy != other.first.accuracy
    assert one.first.cosine == other.first.cosine


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({}, "two languages or more, found none only"),
        (parallel("L0", count=4), "two languages or more, found L0 only"),
        (
            {**parallel("L0", count=5), **parallel("L1", count=4)},
            "question '0-4' of 'L0' has no counterpart in 'L1'",
        ),
        (
            {**parallel("L0", count=4), **parallel("L1", count=5)},
            "question '0-4' of 'L1' has no counterpart in 'L0'",
        ),
        (parallel("L0", "L1", count=3), "4 questions or more, .* found 3 in 'L0'"),
        (
            {
                language: [replace(e, context=" " * (e.id != "0-2")) for e in examples]
                for language, examples in parallel("L0", "L1", count=4).items()
            },
            "question '0-0': expected a context, found an empty one",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(sets, message):
    with pytest.raises(DataError, match=message):
        probed(new_reader(), sets)
