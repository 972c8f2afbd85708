"""Languages of questions: weights that make them count the same, numbers of those in a batch."""

import math
from dataclasses import replace

import pytest
import torch

from babelspan.losses.adversarial import naming_loss
from babelspan.training.languages import language_indices, language_weights
from miniature import miniature_reader
from world import World

WORLD = World(0)
READER = miniature_reader(WORLD.vocabulary())


def windows_of(counts):
    """Windows with so many questions in each language; the codes are not in their order."""
    return [
        window
        for language, count in counts.items()
        for window in READER.windows(
            [replace(e, question_language=language) for e in WORLD.examples(count)]
        )
    ]


def test_languages_of_equal_number_weigh_one_exactly():
    assert language_weights(windows_of({"zh": 3, "en": 3, "de": 3})) == {"de": 1, "en": 1, "zh": 1}


def test_weights_with_pencil():
    """8 windows of 3 languages, 4, 3 and 1 of them: 8 / (3 n)."""
    weights = language_weights(windows_of({"zh": 3, "ar": 1, "en": 4}))
    assert list(weights) == ["ar", "en", "zh"]
    assert list(weights.values()) == pytest.approx([8 / 3, 8 / 12, 8 / 9])


def test_indices_and_weights_of_a_batch():
    windows = windows_of({"zh": 3, "ar": 1, "en": 4})
    weights = language_weights(windows)
    indices, weight = language_indices(READER.collate(windows), weights)
    assert indices.tolist() == [2, 2, 2, 0, 1, 1, 1, 1]
    assert weight.tolist() == pytest.approx([8 / 9] * 3 + [8 / 3] + [8 / 12] * 4)
    assert weight.mean().item() == pytest.approx(1)


def test_who_cannot_tell_loses_log_c_and_is_right_once_in_c():
    windows = windows_of({"zh": 3, "ar": 1, "en": 4})
    indices, weight = language_indices(READER.collate(windows), language_weights(windows))
    loss = naming_loss(torch.zeros(8, 3), indices, weight)
    assert loss.item() == pytest.approx(math.log(3), rel=1e-6)
    for guess in range(3):
        assert (weight * (indices == guess)).mean().item() == pytest.approx(1 / 3)
