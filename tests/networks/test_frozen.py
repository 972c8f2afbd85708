"""The lower part of an encoder keeps its weights; the rest learns."""

import pytest
import torch

from babelspan.methods import fine_tune
from babelspan.networks.frozen import lower_part
from babelspan.networks.pretrained import PretrainedReader
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import ConfigError
from miniature import miniature_reader
from tiny_encoders_by_family import FAMILIES, save_tiny
from world import World

WORLD = World(0)
EXAMPLES = WORLD.examples(12)


def trained(frozen, updates=2):
    reader = miniature_reader(WORLD.vocabulary(), width=32)
    before = {name: values.clone() for name, values in reader.state_dict().items()}
    run = Run(config=RunConfig(updates=updates, batch_size=4, threads=1))
    config = fine_tune.Config(reader=Optim(lr=1e-2), frozen=frozen)
    fine_tune.train(reader, Corpora(labelled=EXAMPLES), config, run)
    after = reader.state_dict()
    changed = {name for name, values in before.items() if not torch.equal(values, after[name])}
    assert all(p.requires_grad for p in reader.parameters())
    return changed


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_embeddings_and_first_layers_keep_their_weights_and_no_others(layers):
    everything, changed = trained(None), trained(layers)
    assert any("embeddings" in name for name in everything)
    kept = [f".layer.{number}." for number in range(layers)]
    expected = {
        name
        for name in everything
        if "embeddings" not in name and not any(part in name for part in kept)
    }
    assert changed == expected
    assert any(".layer.1." in name for name in changed) == (layers < 2)
    assert any("qa_outputs" in name for name in changed)


@pytest.mark.parametrize("family", sorted(n for n in FAMILIES if "reader" in n))
def test_the_lower_part_of_each_family(family, tmp_path):
    from babelspan.readers import load_checkpoint

    save_tiny(family, tmp_path)
    reader = load_checkpoint(str(tmp_path))
    names = {id(p): name for name, p in reader.named_parameters()}
    found = {names[id(p)] for p in lower_part(reader, 1)}
    encoder = reader.model.base_model_prefix
    expected = {n for n in names.values() if f"{encoder}.embeddings." in n or ".layer.0." in n}
    assert found == expected


def test_more_layers_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"frozen=3: expected at most 2, the layers of this"):
        trained(3)


def test_a_reader_without_a_pretrained_encoder_is_refused():
    with pytest.raises(ConfigError, match=r"frozen=1: expected a reader with a pretrained encoder"):
        lower_part(torch.nn.Linear(2, 2), 1)


def test_layers_that_are_shared_cannot_be_told_apart():
    from transformers import AlbertConfig, AlbertForQuestionAnswering

    from miniature import word_tokenizer

    tokenizer = word_tokenizer(WORLD.vocabulary())
    config = AlbertConfig(
        vocab_size=len(tokenizer), embedding_size=16, hidden_size=32, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=64, max_position_embeddings=128,
    )  # fmt: skip
    reader = PretrainedReader(AlbertForQuestionAnswering(config), tokenizer)
    with pytest.raises(ConfigError, match=r"frozen=1: expected an encoder with separate layers,"):
        lower_part(reader, 1)
