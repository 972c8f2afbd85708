"""Tiny translation checkpoints of four families: real transformers models with random weights.

Their words are made up of syllables. Weights are spread so far that a model says different things
about different texts; it means none of them.
"""

import io
import json
import random
from pathlib import Path
from typing import Any

import torch
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.trainers import BpeTrainer
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    NllbTokenizer,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)

SYLLABLES = ["ka", "lo", "mi", "tu", "re", "sa", "no", "vi", "del", "par", "ñu", "ção", "ж", "語"]
SIZES = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "init_std": 0.5,
    "tie_word_embeddings": False,
}
CARD = "---\nlanguage:\n- en\nlicense: cc-by-4.0\n---\n# A model of nothing\n"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def made_up_lines(count: int, *, seed: int = 0) -> list[str]:
    """Sentences of words of syllables; the words are the same for every seed."""
    maker = random.Random("words")
    words = ["".join(maker.choices(SYLLABLES, k=maker.randint(1, 3))) for _ in range(300)]
    rng = random.Random(seed)
    return [" ".join(rng.choices(words, k=rng.randint(2, 12))) + "." for _ in range(count)]


def pieces_model(size: int = 160, **options: Any) -> bytes:
    """A SentencePiece model of the made-up words."""
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(made_up_lines(2000)),
        model_writer=model,
        vocab_size=size,
        character_coverage=1.0,
        minloglevel=2,
        **options,
    )
    return model.getvalue()


def marian(
    folder: Path,
    *,
    languages: tuple[str, ...] = (),
    source: str | None = "en",
    positions: int = 512,
) -> tuple[PreTrainedModel, Any]:
    """A checkpoint of a Marian model, en-es, or to `languages` by `>>xxx<<`."""
    folder.mkdir()
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces_model())
    tokens = ["</s>", "<unk>", *(f">>{code}<<" for code in languages), *_pieces(folder / name)]
    _write_ids(folder / "vocab.json", [*tokens, "<pad>"])
    tokenizer = MarianTokenizer(
        *(str(folder / n) for n in ("source.spm", "target.spm", "vocab.json")),
        source_lang=source,
        target_lang="es",
    )
    config = MarianConfig(
        vocab_size=len(tokens) + 1,
        pad_token_id=len(tokens),
        decoder_start_token_id=len(tokens),
        eos_token_id=0,
        forced_eos_token_id=None,
        max_position_embeddings=positions,
        scale_embedding=True,
        **SIZES,
    )
    return _saved(folder, MarianMTModel, config, tokenizer)


def m2m100(folder: Path) -> tuple[PreTrainedModel, Any]:
    """A checkpoint of an M2M-100 model with its hundred languages."""
    folder.mkdir()
    (folder / "sentencepiece.bpe.model").write_bytes(pieces_model())
    pieces = _pieces(folder / "sentencepiece.bpe.model")
    _write_ids(folder / "vocab.json", [*SPECIAL, *pieces])
    plain = M2M100Tokenizer(
        vocab_file=str(folder / "vocab.json"), spm_file=str(folder / "sentencepiece.bpe.model")
    )
    tokenizer = M2M100Tokenizer(
        vocab_file=str(folder / "vocab.json"),
        spm_file=str(folder / "sentencepiece.bpe.model"),
        additional_special_tokens=list(plain.lang_token_to_id),
    )
    config = M2M100Config(vocab_size=len(tokenizer) + 8, **SIZES)
    return _saved(folder, M2M100ForConditionalGeneration, config, tokenizer)


def nllb(folder: Path) -> tuple[PreTrainedModel, Any]:
    """A checkpoint of an NLLB model, whose tokenizer is a `tokenizer.json`."""
    folder.mkdir()
    trained = Tokenizer(BPE(unk_token="<unk>"))
    trained.pre_tokenizer = Metaspace()
    trained.train_from_iterator(
        made_up_lines(2000),
        BpeTrainer(vocab_size=160, special_tokens=list(SPECIAL), show_progress=False),
    )
    model = json.loads(trained.to_str())["model"]
    tokenizer = NllbTokenizer(
        vocab=model["vocab"],
        merges=[tuple(m) for m in model["merges"]],
        src_lang="eng_Latn",
        tgt_lang="spa_Latn",
    )
    config = M2M100Config(vocab_size=len(tokenizer), **SIZES)
    return _saved(folder, M2M100ForConditionalGeneration, config, tokenizer)


def madlad(folder: Path) -> tuple[PreTrainedModel, Any]:
    """A checkpoint of a MADLAD-400 model: a T5 whose pieces hold `<2en>`, `<2es>`, `<2zh>`."""
    folder.mkdir()
    (folder / "spiece.model").write_bytes(
        pieces_model(
            user_defined_symbols=["<2en>", "<2es>", "<2zh>"],
            unk_id=0,
            bos_id=1,
            eos_id=2,
            pad_id=-1,
        )
    )
    pieces = SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    tokenizer = T5Tokenizer(
        vocab=[(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(len(pieces))],
        extra_ids=0,
        unk_token="<unk>",
        eos_token="</s>",
        pad_token="<s>",
    )
    config = T5Config(
        vocab_size=len(pieces),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        initializer_factor=3.0,
    )
    return _saved(folder, T5ForConditionalGeneration, config, tokenizer)


def _saved(
    folder: Path, kind: type[PreTrainedModel], config: Any, tokenizer: Any
) -> tuple[PreTrainedModel, Any]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        model = kind(config).eval()
    spoken = {t for t in tokenizer.get_vocab() if t not in SPECIAL and not _is_language(t)}
    ids = tokenizer.get_vocab()
    with torch.no_grad():  # of all tokens only pieces and the end of the text are ever said
        weight = model.get_output_embeddings().weight.clone().flip(1)
        mute = [i for i in range(len(weight)) if i not in {ids[t] for t in spoken | {"</s>"}}]
        weight[mute] = 0
        model.get_output_embeddings().weight = torch.nn.Parameter(weight)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    return model, tokenizer


def _is_language(token: str) -> bool:
    return token.startswith((">>", "__", "<2")) or (len(token) == 8 and token[3] == "_")


def _pieces(path: Path) -> list[str]:
    processor = SentencePieceProcessor(model_file=str(path))
    found = (processor.id_to_piece(i) for i in range(len(processor)))
    return [piece for piece in found if piece not in SPECIAL]


def _write_ids(path: Path, tokens: list[str]) -> None:
    path.write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")
