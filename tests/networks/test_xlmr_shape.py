"""A reader of XLM-R's form from training to asking, by the command line.

Its tokenizer cuts like SentencePiece: blanks are part of tokens, which know words of no language.
"""

import json

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.normalizers import NFKC
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import UnigramTrainer
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForQuestionAnswering

from babelspan.data.files import read_json
from babelspan.data.folder import find
from babelspan.jobs.samples import SAMPLES, sample_texts
from babelspan.networks import pretrained
from babelspan.networks.reader import gold_tokens
from babelspan.reading.windows import Featurizer
from babelspan.types import Limits
from command_line import program, run

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
POSITIONS = 514


def sentencepiece_like():
    """A Unigram tokenizer with XLM-R's normaliser, blanks, special tokens and frame."""
    texts = list(sample_texts().values())
    texts += [example.question for file in find([SAMPLES]) for example in file.load()]
    tokenizer = Tokenizer(Unigram())
    tokenizer.normalizer = NFKC()
    tokenizer.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="always")
    trainer = UnigramTrainer(
        vocab_size=4000, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    assert [tokenizer.token_to_id(token) for token in SPECIAL] == [0, 1, 2, 3, 4]
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder with random weights in the form of XLM-R."""
    folder = tmp_path_factory.mktemp("xlmr")
    tokenizer = sentencepiece_like()
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = XLMRobertaForQuestionAnswering(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def babelspan(*arguments, by=run):
    done = by(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_the_frame_and_limits_are_those_of_xlmr(checkpoint):
    reader = pretrained.load(str(checkpoint))
    frame = reader.featurizer.frame
    assert (frame.prefix, frame.middle, frame.suffix) == ([0], [2, 2], [2])
    assert reader.featurizer.max_positions == 512
    assert reader.featurizer.pad_id == 1


def test_the_loaded_tokenizer_is_the_saved_one(checkpoint):
    reader = pretrained.load(str(checkpoint))
    saved = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    plain = Featurizer(saved, max_positions=512, pad_id=1)
    for text in sample_texts().values():
        ours, theirs = reader.featurizer.tokens(text), plain.tokens(text)
        assert ours.ids.tolist() == theirs.ids.tolist()
        assert ours.offsets.tolist() == theirs.offsets.tolist()


def test_answers_of_all_languages_are_found_in_windows(checkpoint):
    """Tokens are wider than characters: they may hold a blank before, or a neighbour's letter."""
    reader = pretrained.load(str(checkpoint), limits=Limits(max_length=160, overlap=64))
    examples = [example for file in find([SAMPLES]) for example in file.load()]
    assert len({example.context_language for example in examples}) == 8
    exact = 0
    for example in examples:
        windows = list(reader.windows([example]))
        places = [(w, place) for w in windows if (place := gold_tokens(w)) is not None]
        assert places, example.id
        for window, (first, last) in places:
            shift = window.context_at
            start, end = window.offsets[first - shift, 0], window.offsets[last - shift, 1]
            shown = example.context[start:end]
            assert example.answers[0].text in shown
            exact += shown.strip() == example.answers[0].text
    assert exact > 0.5 * len(examples)


def test_reading_does_not_depend_on_padding(checkpoint):
    """XLM-R counts positions from the padding id; a batch with padding must not move them."""
    reader = pretrained.load(str(checkpoint)).eval()
    windows = list(reader.windows(find([SAMPLES])[0].load()))
    with torch.inference_mode():
        together = reader(reader.collate(windows)).start_logits
        for row, window in enumerate(windows):
            alone = reader(reader.collate([window])).start_logits[0]
            torch.testing.assert_close(together[row, : window.length], alone, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_from_training_to_asking(checkpoint, tmp_path):
    gold = SAMPLES / "test.en.json"
    trained = tmp_path / "trained"
    babelspan(
        *("train", "fine_tune", "--reader", checkpoint, "--train", SAMPLES, "--out", trained),
        *("--set", "updates=4", "--set", "batch_size=4", "--set", "max_length=200"),
        *("--set", "overlap=64", "--set", "threads=1"),
    )
    assert {p.name for p in trained.iterdir()} >= {"config.json", "model.safetensors", "run.json"}

    predictions = {}
    for name, options, by in (("fp32", [], program), ("int8", ["--int8"], run)):
        babelspan("export", trained, tmp_path / name, *options, by=by)
        babelspan("predict", tmp_path / name, gold, "--out", tmp_path / f"{name}.json")
        predictions[name] = read_json(tmp_path / f"{name}.json")
    babelspan("predict", trained, gold, "--out", tmp_path / "torch.json")
    predictions["torch"] = read_json(tmp_path / "torch.json")

    examples = {example.id: example for example in find([gold])[0].load()}
    for found in predictions.values():
        assert found.keys() == examples.keys()
        assert all(text and text in examples[i].context for i, text in found.items())
    assert predictions["fp32"] == predictions["torch"]
    sizes = {name: (tmp_path / name / "model.onnx").stat().st_size for name in ("fp32", "int8")}
    assert sizes["int8"] < 0.6 * sizes["fp32"]

    texts = {n: t for n, t in sample_texts().items() if n.startswith("amazon-river.")}
    assert len(texts) == 8
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text.encode())
    for reader in ("fp32", "int8"):
        files = [tmp_path / name for name in texts]
        options = ("--json", "--top-k", 20, "--reader", tmp_path / reader)
        answers = json.loads(babelspan("ask", "Who?", *files, *options))
        assert len(answers) == 20
        assert len({answer["file"] for answer in answers}) > 1
        for answer in answers:
            text = texts[answer["file"].rpartition("/")[2]]
            assert answer["answer"] == text[answer["start"] : answer["end"]]
            assert answer["answer"] == answer["answer"].strip() != ""
