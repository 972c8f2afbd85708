"""Retrieval of translations by the mean vector of a layer, on held-out sentence pairs.

    python experiments/multilingual_reader/retrieval.py --data DATA --reader FOLDER [--layer 4]

For up to 100 held-out pairs of NTREX and Tatoeba in each language: how often the nearest English
sentence by cosine similarity is the right one, and the reverse.
"""

import argparse
import json
import random
from pathlib import Path

import corpora
import torch
from torch import Tensor
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

MOST = 100


@torch.inference_mode()
def vectors(model: object, tokenizer: object, texts: list[str], layer: int) -> Tensor:
    """Normalised mean vector of each text, (N, H)."""
    found = []
    for first in range(0, len(texts), 20):
        batch = tokenizer(  # type: ignore[operator]
            texts[first : first + 20],
            padding=True,
            truncation=True,
            max_length=128,
            return_tensors="pt",
        )
        hidden = model.bert(  # type: ignore[attr-defined]
            **batch, output_hidden_states=True
        ).hidden_states[layer]
        weight = batch["attention_mask"].unsqueeze(-1)
        found.append((hidden * weight).sum(1) / weight.sum(1))
    return torch.nn.functional.normalize(torch.cat(found), dim=1)


def main(data: Path, reader: str, layer: int) -> None:
    """Print accuracies from and to English, in percent."""
    model = AutoModelForQuestionAnswering.from_pretrained(reader).eval()
    tokenizer = AutoTokenizer.from_pretrained(reader)
    table = {}
    for language in corpora.LANGUAGES:
        pairs = [
            pair
            for source, listed in corpora.held_bitext(data, language)
            if source in {"ntrex", "tatoeba"}
            for pair in listed
        ]
        if len(pairs) < MOST // 2:
            continue
        pairs = random.Random(1).sample(pairs, min(MOST, len(pairs)))
        english, foreign = (
            vectors(model, tokenizer, [getattr(p, side) for p in pairs], layer)
            for side in ("source", "target")
        )
        likeness = foreign @ english.T
        right = torch.arange(len(pairs))
        table[language] = [
            round(100 * (likeness.argmax(dim) == right).float().mean().item(), 1) for dim in (1, 0)
        ]
    means = [round(sum(v[k] for v in table.values()) / len(table), 1) for k in (0, 1)]
    print(json.dumps(table | {"mean": means}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--reader", required=True)
    parser.add_argument("--layer", type=int, default=4)
    given = parser.parse_args()
    main(given.data, given.reader, given.layer)
