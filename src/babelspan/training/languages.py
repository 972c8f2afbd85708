"""Question languages as classes, for discriminators."""

from collections import Counter
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from babelspan.losses.adversarial import naming_loss
from babelspan.networks.reader import Batch
from babelspan.reading.windows import Window


def language_weights(windows: Iterable[Window]) -> dict[str, float]:
    """Class weights that balance the question languages, in order of their codes.

    N / (C n) for n of N windows in one of C languages: 1 if all are equally frequent, and 1 on
    average over the windows. With these weights, the best that a discriminator without information
    can do is to guess uniformly: accuracy 1/C and loss log C, whatever the frequencies.
    """
    counts = Counter(window.example.question_language for window in windows)
    total = counts.total()
    return {language: total / (len(counts) * counts[language]) for language in sorted(counts)}


def language_indices(batch: Batch, weights: Mapping[str, float]) -> tuple[Tensor, Tensor]:
    """Index in `weights`, and weight, of each question's language: (B,) and (B,)."""
    index = {language: number for number, language in enumerate(weights)}
    spoken = [example.question_language for example in batch.examples]
    device = batch.input_ids.device
    indices = torch.tensor([index[language] for language in spoken], device=device)
    return indices, torch.tensor([weights[language] for language in spoken], device=device)


def naming(guesses: Tensor, batch: Batch, weights: Mapping[str, float]) -> dict[str, Tensor]:
    """Loss and accuracy of a discriminator of question languages, and chance accuracy.

    Args:
        guesses: logits of the languages in `weights`, (B, C).
        batch: the B windows.
        weights: weights of the languages, from `language_weights`.

    Returns:
        Scalars by their names in the log; "discriminator" is its training loss.
    """
    languages, weight = language_indices(batch, weights)
    return {
        "discriminator": naming_loss(guesses, languages, weight),
        "accuracy": (weight * (guesses.argmax(dim=-1) == languages)).mean(),
        "chance": torch.tensor(1 / len(weights)),
    }
