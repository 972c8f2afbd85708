"""Tiny encoders of three families: BERT, RoBERTa and XLM-R, with tokenizers of their kinds."""

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaForQuestionAnswering,
)

WORDS = ["the", "old", "bridge", "over", "river", "was", "built", "by", "anna", "in", "and"]
WORDS += ["stands", "it", "who", "when", "where", "did"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,?[]"
BERT = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
ROBERTA = {
    "bos": "<s>", "eos": "</s>", "unk": "<unk>", "sep": "</s>", "pad": "<pad>", "cls": "<s>",
    "mask": "<mask>",
}  # fmt: skip
ORDER = ["<s>", "<pad>", "</s>", "<unk>"]
POSITIONS = 64
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.3,
}


def wordpiece():
    """Small letters, `[CLS] A [SEP] B [SEP]` with two types; special tokens behind a gap."""
    pieces = ["[PAD]", *(f"[unused{i}]" for i in range(5)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += [*LETTERS, *(f"##{c}" for c in LETTERS), *WORDS, "##ing", "##ed"]
    ids = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def byte_level():
    """Capitals and small letters apart, `<s> A </s> </s> B </s>`, blanks part of the tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=ORDER,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(["", *WORDS])] * 9, trainer)
    tokenizer.add_special_tokens(["<mask>"])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def sentencepiece():
    """Unigram over Metaspace, `<s> A </s> </s> B </s>`."""
    pieces = [(name, 0.0) for name in ORDER]
    pieces += [("▁", -4.0), *((c, -6.0) for c in LETTERS), *((f"▁{w}", -3.0) for w in WORDS)]
    pieces += [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


_ROBERTA = {
    "type_vocab_size": 1,
    "max_position_embeddings": POSITIONS + 2,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
FAMILIES = {
    "bert": (wordpiece, BERT, BertModel, BertConfig, {"max_position_embeddings": POSITIONS}),
    "bert_reader": (
        wordpiece, BERT, BertForQuestionAnswering, BertConfig,
        {"max_position_embeddings": POSITIONS},
    ),
    "roberta": (byte_level, ROBERTA, RobertaModel, RobertaConfig, _ROBERTA),
    "xlm_r_reader": (
        sentencepiece, ROBERTA, XLMRobertaForQuestionAnswering, XLMRobertaConfig, _ROBERTA,
    ),
}  # fmt: skip


def save_tiny(family, folder):
    """Write a tiny checkpoint of a family to a folder."""
    make, roles, kind, config, more = FAMILIES[family]
    types = [] if roles is ROBERTA else ["token_type_ids"]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=make(),
        model_max_length=POSITIONS,
        model_input_names=["input_ids", *types, "attention_mask"],
        **{f"{role}_token": token for role, token in roles.items()},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = kind(config(vocab_size=len(tokenizer), **SIZES, **more))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
