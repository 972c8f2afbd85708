"""Encoders of every family that can write, with random weights and words as tokens."""

import torch
from transformers import CONFIG_MAPPING, AutoModel

from babelspan.networks.pretrained import Encoder
from babelspan.networks.question_generator import begun
from babelspan.reading.sources import Form
from babelspan.types import Limits
from miniature import POSITIONS, word_tokenizer

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "initializer_range": 0.2,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
OF_FAMILY = {
    "electra": {"embedding_size": 16},
    "rembert": {"input_embedding_size": 16, "output_embedding_size": 24},
    "xmod": {"languages": ["en_XX", "de_DE"], "default_language": "en_XX"},
}


def tiny_encoder(family, words, *, seed=0, positions=POSITIONS, **settings):
    """An encoder of a family that knows `words`."""
    tokenizer = word_tokenizer(words, positions=positions)
    fields = {**SMALL, **OF_FAMILY.get(family, {}), **settings}
    config = CONFIG_MAPPING[family](
        vocab_size=len(tokenizer),
        max_position_embeddings=positions + 1,
        pad_token_id=tokenizer.pad_token_id,
        **fields,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(config)
    return Encoder(model, tokenizer, limits=Limits(max_length=64, overlap=16))


def tiny_generator(words, languages, *, family="bert", form=None, seed=0, **settings):
    """A generator with random weights."""
    generator = begun(tiny_encoder(family, words, seed=seed, **settings))
    generator.shape(form or Form(), languages, seed=seed)
    return generator.eval()
