"""The translator `ctranslate2` compared with `generate` of transformers, on the same weights.

A Marian model of the size of OPUS-MT (6 + 6 layers, width 512, 65,001 tokens) with random weights,
created in build/bench on the first run, translates sentences of XQuAD. Such a model never generates
the end, so every translation is as long as the translator's limit allows; transformers gets the
same sentences in the same batches with the same limits. So both generate the same number of tokens.

    python bench/translating.py [--sentences 48] [--rounds 3] [--beams 1 4]
"""

import argparse
import json
import os
import shutil
from collections import defaultdict
from math import ceil
from statistics import median

import torch
from measured import DATA, OUT, ratio, report, rounds
from sentencepiece import SentencePieceTrainer
from transformers import MarianConfig, MarianMTModel, MarianTokenizer
from transformers.utils import logging

from babelspan.data.squad import load_squad
from babelspan.text.sentences import sentences
from babelspan.translators.ctranslate2.converted import convert
from babelspan.translators.ctranslate2.engine import CTranslate2, Options

SEED = 1
TOKENS = 65_001
PIECES = 8_000
MAX_RATIO = 0.5
BATCH_TOKENS = 2048
SHARED = {"device": "cpu", "max_ratio": MAX_RATIO, "batch_tokens": BATCH_TOKENS}
OURS = {"ctranslate2 fp32": "float32", "ctranslate2 int8": "int8"}
THEIRS = "transformers fp32"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    wanted = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    texts = sample(wanted.sentences)
    checkpoint, converted = made()
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    model = MarianMTModel.from_pretrained(checkpoint).eval()
    tokenizer = MarianTokenizer.from_pretrained(checkpoint)
    rows, raw = [], {}
    for beam in wanted.beams:
        results = {}
        contenders = {THEIRS: generating(model, tokenizer, texts, beam, results)}
        for name, compute in OURS.items():
            options = Options(beam=beam, compute=compute, intra=cores, **SHARED)
            contenders[name] = translating(CTranslate2(converted, options), texts, results, name)
        taken = rounds(contenders, wanted.rounds)
        tokens = sum(limit(len(ids)) for ids in tokenizer(texts).input_ids)
        rows += told(beam, taken, results, texts, tokens)
        raw[f"beam {beam}"] = taken
    facts = {"seed": SEED, "rounds": wanted.rounds, "sentences": len(texts), "seconds": raw}
    report(
        "translating",
        rows,
        libraries=["ctranslate2", "transformers", "torch", "sentencepiece"],
        threads=cores,
        **SHARED,
        **facts,
    )


def sample(count):
    """Evenly spaced English sentences of XQuAD."""
    contexts = dict.fromkeys(
        e.context for e in load_squad(DATA / "qa" / "xquad" / "test.en.json.gz")
    )
    found = [span.of(context) for context in contexts for span in sentences(context, "en")]
    return found[:: len(found) // count][:count]


def made():
    """Folders of the checkpoint and of the converted model, created if needed."""
    folder = OUT / "translators"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_checkpoint(folder / "checkpoint")
        convert(str(folder / "checkpoint"), folder / "converted")
        (folder / "complete").touch()
    return folder / "checkpoint", folder / "converted"


def write_checkpoint(folder):
    """A Marian model with random weights that never generates the end."""
    folder.mkdir()
    pieces = [piece for piece in trained(folder) if piece not in ("<s>", "</s>", "<unk>")]
    used = ["</s>", "<unk>", *pieces]
    filled = [*used, *(f"▁unused{i}" for i in range(TOKENS - len(used) - 1)), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(filled)}))
    tokenizer = MarianTokenizer(
        *(str(folder / name) for name in ("source.spm", "target.spm", "vocab.json")),
        source_lang="en",
        target_lang="es",
    )
    pad = TOKENS - 1
    config = MarianConfig(
        vocab_size=TOKENS,
        d_model=512,
        encoder_layers=6,
        decoder_layers=6,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        encoder_ffn_dim=2048,
        decoder_ffn_dim=2048,
        max_position_embeddings=512,
        activation_function="swish",
        scale_embedding=True,
        static_position_embeddings=True,
        pad_token_id=pad,
        decoder_start_token_id=pad,
        eos_token_id=0,
        forced_eos_token_id=None,
        init_std=0.1,
    )
    torch.manual_seed(SEED)
    model = MarianMTModel(config)
    model.final_logits_bias[0, [0, *range(len(used), TOKENS)]] = -1e4
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def trained(folder):
    """Train a SentencePiece model on XQuAD's English and Spanish; returns its pieces."""
    texts = [
        text
        for language in ("en", "es")
        for e in load_squad(DATA / "qa" / "xquad" / f"test.{language}.json.gz")
        for text in (e.context, e.question)
    ]
    SentencePieceTrainer.train(
        sentence_iterator=iter(dict.fromkeys(texts)),
        model_prefix=str(folder / "source"),
        vocab_size=PIECES,
        minloglevel=2,
    )
    (folder / "source.model").rename(folder / "source.spm")
    shutil.copyfile(folder / "source.spm", folder / "target.spm")
    lines = (folder / "source.vocab").read_text("utf-8").splitlines()
    return [line.split("\t")[0] for line in lines]


def translating(engine, texts, results, name):
    """A call that translates with the translator."""

    def call():
        results[name] = engine.translate(texts, source="en", target="es")

    return call


def generating(model, tokenizer, texts, beam, results):
    """A call that translates with `generate`, including tokenization and decoding."""

    def call():
        groups = defaultdict(list)
        ids = tokenizer(texts).input_ids
        for index, tokens in enumerate(ids):
            groups[limit(len(tokens))].append(index)
        found = [""] * len(texts)
        for length, members in groups.items():
            members.sort(key=lambda index: len(ids[index]))
            for indices in batches(members, ids):
                batch = tokenizer([texts[i] for i in indices], padding=True, return_tensors="pt")
                with torch.inference_mode():
                    out = model.generate(
                        **batch,
                        num_beams=beam,
                        do_sample=False,
                        early_stopping=beam > 1,
                        max_length=None,
                        max_new_tokens=length,
                    )
                decoded = tokenizer.batch_decode(out, skip_special_tokens=True)
                for index, text in zip(indices, decoded, strict=True):
                    found[index] = text
        results[THEIRS] = found

    return call


def batches(members, ids):
    """Split members, in order, into batches within the token budget, padding included."""
    batch = []
    for index in members:
        if batch and (len(batch) + 1) * len(ids[index]) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    yield batch


def limit(length):
    """The translator's length limit for a source of `length` tokens."""
    return ceil(ceil(length / 16) * 16 * MAX_RATIO) + 16


def told(beam, taken, results, texts, tokens):
    """A row for each contender."""
    for name, times in taken.items():
        same = sum(a == b for a, b in zip(results[name], results[THEIRS], strict=True))
        yield {
            "beam": beam,
            "what": name,
            "sentences/s": len(texts) / median(times),
            "tokens/s": tokens / median(times),
            "as fast as transformers": "1" if name == THEIRS else ratio(taken[THEIRS], times),
            "same texts": f"{same} of {len(texts)}",
        }


if __name__ == "__main__":
    main()
