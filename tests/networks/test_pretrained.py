"""Readers from checkpoints: saved, loaded, read; independent of padding and company; errors."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    BertConfig,
    MPNetConfig,
    PreTrainedTokenizer,
    RobertaConfig,
    XLMRobertaConfig,
)

from babelspan import readers
from babelspan.losses.span import span_loss
from babelspan.networks import pretrained
from babelspan.networks.pretrained import PretrainedReader, featurizer_of
from babelspan.types import ConfigError, DataError, Example, Limits
from miniature import miniature_reader, word_tokenizer
from world import World

WORLD = World(0)
EXAMPLES = WORLD.examples(6) + WORLD.examples(6, "L3", "L2", seed=1)


@pytest.fixture(scope="module")
def reader():
    return miniature_reader(WORLD.vocabulary())


@pytest.fixture(scope="module")
def folder(reader, tmp_path_factory):
    path = tmp_path_factory.mktemp("reader")
    reader.save(path)
    return path


@pytest.fixture(scope="module")
def batch(reader):
    return reader.collate(list(reader.windows(EXAMPLES)))


def read(reader, batch):
    with torch.inference_mode():
        return reader(batch)


def test_the_folder_loads_in_transformers_with_the_same_logits(reader, folder, batch):
    model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ours = read(reader, batch)
    for row, window in enumerate(batch.windows):
        encoded = tokenizer(window.example.question, window.example.context, return_tensors="pt")
        assert encoded["input_ids"][0].tolist() == window.ids().tolist()
        assert encoded["token_type_ids"][0].tolist() == window.types().tolist()
        with torch.inference_mode():
            theirs = model(**encoded)
        for found, expected in (
            (ours.start_logits, theirs.start_logits),
            (ours.last_logits, theirs.end_logits),
        ):
            torch.testing.assert_close(found[row, : window.length], expected[0], rtol=0, atol=1e-6)


def test_the_folder_loads_here_with_the_same_bits(reader, folder, batch):
    loaded = pretrained.load(str(folder), limits=Limits(max_length=64, overlap=16)).eval()
    for found, expected in zip(read(loaded, batch), read(reader, batch), strict=True):
        assert torch.equal(found, expected)
    assert loaded.featurizer.limits == Limits(max_length=64, overlap=16)
    assert loaded.featurizer.max_positions == reader.featurizer.max_positions == 128


def test_weights_are_safetensors_and_nothing_else_is_left(reader, folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    saved = load_file(folder / "model.safetensors")
    assert saved.keys() == reader.model.state_dict().keys()
    for name, tensor in reader.model.state_dict().items():
        assert torch.equal(saved[name], tensor)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.iterdir())


def test_saving_over_a_reader_replaces_it(reader, tmp_path, batch):
    other = miniature_reader(WORLD.vocabulary(), seed=1)
    other.save(tmp_path)
    reader.save(tmp_path)
    loaded = pretrained.load(str(tmp_path)).eval()
    assert torch.equal(read(loaded, batch).start_logits, read(reader, batch).start_logits)


def test_a_new_span_head_comes_from_the_random_state(reader, tmp_path):
    reader.model.bert.save_pretrained(tmp_path)
    reader.tokenizer.save_pretrained(tmp_path)
    heads = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        model = pretrained.load(str(tmp_path), gives_new_head=True).model
        heads.append(model.qa_outputs.weight)
        assert torch.equal(
            model.bert.embeddings.word_embeddings.weight,
            reader.model.bert.embeddings.word_embeddings.weight,
        )
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_a_reader_without_a_head_does_not_answer(reader, tmp_path):
    """Transformers would draw a head at random, and the answers would be noise."""
    reader.model.bert.save_pretrained(tmp_path)
    reader.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(DataError, match=rf"reader '{tmp_path}': .* an encoder without a span head"):
        readers.load_answerer(str(tmp_path))


def test_an_encoder_that_lacks_weights_is_refused(folder, tmp_path):
    path = broken(folder, tmp_path, "notes.txt", b"")
    tensors = load_file(folder / "model.safetensors")
    kept = {name: t for name, t in tensors.items() if ".layer.1.output." not in name}
    assert len(tensors) - len(kept) == 4
    save_file(kept, tmp_path / "model.safetensors", {"format": "pt"})
    said = r"4 tensors are missing, 'bert\.encoder\.layer\.1\.output\.LayerNorm\.bias' among"
    for gives_new_head in (False, True):
        with pytest.raises(DataError, match=said):
            pretrained.load(path, gives_new_head=gives_new_head)


def test_shapes_and_summary(reader, batch):
    reading = read(reader, batch)
    windows, length = batch.input_ids.shape
    assert reading.start_logits.shape == reading.last_logits.shape == (windows, length)
    assert reading.hidden.shape == (windows, length, reader.width) == (12, length, 32)
    assert torch.equal(reading.summary, reading.hidden[:, 0])


def test_padding_has_the_logit_minus_infinity(reader, batch):
    reading = read(reader, batch)
    padding = batch.attention_mask == 0
    assert padding.any()
    for logits in (reading.start_logits, reading.last_logits):
        assert (logits[padding] == -torch.inf).all()
        assert torch.isfinite(logits[~padding]).all()


def test_reading_does_not_depend_on_padding_order_or_company(reader, batch):
    windows = list(batch.windows)
    assert len({window.length for window in windows}) > 3
    together = read(reader, batch)
    backwards = read(reader, reader.collate(windows[::-1]))
    for row, window in enumerate(windows):
        alone = read(reader, reader.collate([window]))
        for name in ("start_logits", "last_logits"):
            expected = getattr(alone, name)[0]
            for found in (getattr(together, name)[row], getattr(backwards, name)[-1 - row]):
                torch.testing.assert_close(found[: window.length], expected, rtol=0, atol=1e-6)


def test_the_loss_does_not_depend_on_padding_order_or_company(reader, batch):
    def loss(windows):
        of = reader.collate(windows)
        reading = read(reader, of)
        return span_loss(reading.start_logits, reading.last_logits, of.answers).item()

    windows = list(batch.windows)
    alone = [loss([window]) for window in windows]
    mean = sum(alone) / len(alone)
    assert loss(windows) == pytest.approx(mean, abs=1e-6)
    assert loss(windows[::-1]) == pytest.approx(mean, abs=1e-6)
    assert loss(windows[:2]) == pytest.approx(sum(alone[:2]) / 2, abs=1e-6)


def test_every_parameter_gets_a_gradient(batch):
    reader = miniature_reader(WORLD.vocabulary()).train()
    reading = reader(batch)
    span_loss(reading.start_logits, reading.last_logits, batch.answers).backward()
    for name, parameter in reader.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_token_types_reach_the_network(reader, batch):
    """Question and context have types of their own; without them the logits would be others."""
    changed = reader.collate(batch.windows)
    changed.token_type_ids.zero_()
    assert not torch.equal(read(reader, changed).start_logits, read(reader, batch).start_logits)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (BertConfig(max_position_embeddings=512), 512),
        (XLMRobertaConfig(max_position_embeddings=514), 512),
        (RobertaConfig(max_position_embeddings=514), 512),
        (MPNetConfig(max_position_embeddings=514), 512),
        (RobertaConfig(max_position_embeddings=130), 128),
    ],
)
def test_positions_of_an_architecture(config, expected):
    tokenizer = word_tokenizer(["a"])
    tokenizer.model_max_length = 10**30
    assert featurizer_of(config, tokenizer, Limits()).max_positions == expected


def test_the_smaller_of_tokenizer_and_positions_counts():
    tokenizer = word_tokenizer(["a"])
    for limit, expected in ((100, 100), (512, 256)):
        tokenizer.model_max_length = limit
        encoder = featurizer_of(BertConfig(max_position_embeddings=256), tokenizer, Limits())
        assert encoder.max_positions == expected


def test_windows_are_cut_to_what_the_reader_takes():
    assert miniature_reader(["a"], max_length=384).featurizer.limits.max_length == 128
    with pytest.raises(ConfigError, match=r"must have 36 to 128 tokens .*max_length\), got 20"):
        list(miniature_reader(["a"], max_length=20).windows(EXAMPLES[:1]))


def test_the_last_position_can_be_read():
    reader = miniature_reader(["a"], max_length=128)
    example = Example(
        id="x",
        question="a",
        context=" ".join("a" * 300),
        answers=None,
        question_language="en",
        context_language="en",
    )
    windows = list(reader.windows([example]))
    assert windows[0].length == 128
    assert torch.isfinite(read(reader, reader.collate(windows[:1])).start_logits).all()


class SlowTokenizer(PreTrainedTokenizer):
    """Has no Rust side, hence no offsets."""

    @property
    def vocab_size(self):
        return 0

    def get_vocab(self):
        return {}


def test_a_slow_tokenizer_is_refused(reader):
    with pytest.raises(
        DataError,
        match=r"the tokenizer SlowTokenizer gives no offsets; expected one with a tokenizer\.json",
    ):
        PretrainedReader(reader.model, SlowTokenizer())


def broken(folder, tmp_path, name, content):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("model.safetensors", b"", ".+"),
        ("model.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{not json", ".+"),
        ("model.safetensors", None, "model.safetensors"),
        ("config.json", b'{"model_type": "bert", ', "config.json"),
        ("config.json", b'{"model_type": "no such thing"}', "no such thing"),
        ("config.json", b"[1, 2]", ".+"),
        ("tokenizer.json", b'{"version": "1.0", "model":', ".+"),
    ],
)
def test_broken_checkpoints_are_named(folder, tmp_path, name, content, cause):
    path = broken(folder, tmp_path, name, content)
    with pytest.raises(
        DataError, match=rf"^reader '{path}': transformers cannot load it: .*{cause}"
    ):
        pretrained.load(path)


def test_weights_cut_short_are_refused(folder, tmp_path):
    whole = (folder / "model.safetensors").read_bytes()
    path = broken(folder, tmp_path, "model.safetensors", whole[: len(whole) // 2])
    with pytest.raises(DataError, match="transformers cannot load it"):
        pretrained.load(path)


def test_weights_of_other_shapes_than_the_settings_say_are_told(folder, tmp_path):
    settings = json.loads((folder / "config.json").read_text())
    settings["intermediate_size"] += 8
    path = broken(folder, tmp_path, "config.json", json.dumps(settings).encode())
    with pytest.raises(DataError, match=r"weights have other shapes than its config\.json says; f"):
        pretrained.load(path)


def test_pickled_weights_are_not_read(reader, folder, tmp_path):
    path = broken(folder, tmp_path, "model.safetensors", None)
    torch.save(reader.model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(DataError, match="transformers cannot load it"):
        pretrained.load(path)


def test_code_in_a_checkpoint_is_not_run(folder, tmp_path):
    settings = json.loads((folder / "config.json").read_text())
    settings |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}
    path = broken(folder, tmp_path, "config.json", json.dumps(settings).encode())
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: ...\n")
    with pytest.raises(DataError, match="transformers cannot load it"):
        pretrained.load(path)
    assert not (tmp_path / "ran").exists()


def test_missing_folders_are_named(tmp_path):
    for name, found in ((tmp_path / "none", "no folder"), (tmp_path, "neither in it")):
        with pytest.raises(DataError, match=rf"reader '{name}': expected a folder .*found {found}"):
            readers.load_checkpoint(str(name))
