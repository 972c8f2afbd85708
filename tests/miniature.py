"""Miniature readers: real transformers checkpoints, random weights, words as tokens."""

from collections.abc import Iterable

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Punctuation, Sequence, WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoConfig,
    AutoModelForQuestionAnswering,
    BertConfig,
    BertForQuestionAnswering,
    PreTrainedTokenizerFast,
)

from babelspan.networks.pretrained import PretrainedReader
from babelspan.types import Limits

POSITIONS = 128
SPECIAL = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}


def miniature_reader(
    words: Iterable[str],
    *,
    seed: int = 0,
    dropout: float = 0.0,
    width: int = 32,
    layers: int = 2,
    max_length: int = 64,
    overlap: int = 16,
    positions: int = POSITIONS,
) -> PretrainedReader:
    """A reader with random weights that knows `words`; it can be saved, and loaded again.

    Args:
        words: its vocabulary, words and marks; any other word is read as [UNK].
        seed: of the weights; the random state of PyTorch is left as it was.
        dropout: everywhere in the network.
        width: of the vectors; one attention head for every 8.
        layers: of the encoder.
        max_length: tokens of a window, at most.
        overlap: context tokens that neighbouring windows share.
        positions: tokens that it can take at all.
    """
    tokenizer = word_tokenizer(words, positions=positions)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 8),
        intermediate_size=2 * width,
        initializer_range=width
        ** -0.5,  # BERT's 0.02 suits wide vectors; so narrow ones learn faster
        max_position_embeddings=positions,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertForQuestionAnswering(config)
    limits = Limits(max_length=max_length, overlap=overlap)
    return PretrainedReader(model, tokenizer, limits=limits).eval()


def miniature_of(model_type: str, words: Iterable[str], **settings: object) -> PretrainedReader:
    """A reader of any family that transformers knows, with random weights and `settings`."""
    tokenizer = word_tokenizer(words)
    config = AutoConfig.for_model(
        model_type,
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,
        **{"max_position_embeddings": POSITIONS} | settings,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForQuestionAnswering.from_config(config)
    return PretrainedReader(model, tokenizer, limits=Limits(max_length=64, overlap=16)).eval()


def word_tokenizer(words: Iterable[str], *, positions: int = POSITIONS) -> PreTrainedTokenizerFast:
    """A tokenizer with one token for each word and mark, [CLS] A [SEP] B [SEP] round a pair."""
    known = list(dict.fromkeys([*SPECIAL.values(), *words]))
    ids = {word: index for index, word in enumerate(known)}
    tokenizer = Tokenizer(WordLevel(ids, unk_token=SPECIAL["unk"]))
    tokenizer.pre_tokenizer = Sequence([WhitespaceSplit(), Punctuation()])
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(SPECIAL[name], ids[SPECIAL[name]]) for name in ("cls", "sep")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=positions,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": token for name, token in SPECIAL.items()},
    )
