"""QANet as a reader: answers that hang on nothing but question and text, files, sides."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from babelspan.networks import store
from babelspan.networks.qanet_new import Start, make
from babelspan.networks.reader import gold_tokens
from babelspan.readers import answerer_of, checksum_of, load_answerer, load_checkpoint
from babelspan.types import Answer, ConfigError, DataError, Example, Limits
from worded_readers import miniature_qanet
from world import World

WORLD = World(0)
ASKED = [*WORLD.examples(6), *WORLD.translations(6, "L1", "L1")]


@pytest.fixture(scope="module")
def reader():
    return miniature_qanet(WORLD.vocabulary(), sides=("L1", "L0"), dependent="encoder")


def windows(reader, examples):
    return list(reader.windows(examples))


def read(reader, of):
    with torch.no_grad():
        return reader(reader.collate(of))


def test_alone_is_as_padded_beside_others(reader):
    """Also a question of one word, an empty one, and a text of one word."""
    odd = [
        replace(ASKED[0], question="what"),
        replace(ASKED[0], question=""),
        replace(ASKED[0], context="Rome", answers=None),
    ]
    of = windows(reader, [*ASKED, *odd])
    assert len({w.length for w in of}) > 5
    together = read(reader, of)
    for number, window in enumerate(of):
        alone = read(reader, [window])
        for one, other in ((alone[0], together[0]), (alone[1], together[1])):
            torch.testing.assert_close(one[0], other[number, : window.length], atol=2e-5, rtol=1e-5)
            assert torch.isneginf(other[number, window.length :]).all()


def test_the_question_in_the_row_is_the_question_alone(reader):
    """Psi of the question knows nothing of the context, nor of it the context's length."""
    one, other = windows(reader, [ASKED[0], replace(ASKED[0], context=ASKED[3].context)])
    size = len(one.question_ids)
    found = [read(reader, [w]).hidden[0] for w in (one, other)]
    torch.testing.assert_close(found[0][1 : 1 + size], found[1][1 : 1 + size], atol=2e-6, rtol=0)
    assert one.length != other.length


def test_the_context_in_the_row_is_the_context_alone(reader):
    one, other = windows(reader, [ASKED[0], replace(ASKED[0], question="was was was")])
    found = [read(reader, [w]).hidden[0][w.context_at :] for w in (one, other)]
    torch.testing.assert_close(*found, atol=2e-6, rtol=0)
    logits = [read(reader, [w]).start_logits[0][w.context_at :] for w in (one, other)]
    assert (logits[0] - logits[1]).abs().max() > 1e-3


def test_an_answer_is_never_in_the_question(reader):
    (window,) = windows(reader, ASKED[:1])
    start = read(reader, [window]).start_logits[0]
    assert (start[1 : window.context_at] < -1e8).all()
    assert torch.isfinite(start[[0, *range(window.context_at, window.length)]]).all()


def test_a_token_is_read_by_the_layers_of_its_side(reader):
    """The same text from the source's side and from the target's; a translation is the source's."""
    own = ASKED[0]  # L0 is the target here
    translated = replace(own, strategy="T(Q+C)", origin="x")
    mixed = replace(own, question_language="L1")
    ids = [reader.collate(windows(reader, [e])).token_type_ids[0] for e in (own, translated, mixed)]
    assert [sorted(set(i.tolist())) for i in ids] == [[2, 3], [0, 1], [0, 3]]
    found = [read(reader, windows(reader, [e])).hidden[0] for e in (own, translated, mixed)]
    (window,) = windows(reader, [own])
    question, context = slice(1, window.context_at), slice(window.context_at, None)
    assert (found[0] - found[1]).abs().min(dim=0).values.max() > 1e-3
    torch.testing.assert_close(found[2][question], found[1][question], atol=2e-6, rtol=0)
    torch.testing.assert_close(found[2][context], found[0][context], atol=2e-6, rtol=0)


@pytest.mark.parametrize(
    ("dependent", "own"),
    [
        ("none", (1, 1, 1)),
        ("embedding", (2, 1, 1)),
        ("encoder", (2, 2, 1)),
        ("attention", (2,) * 3),
    ],
)
def test_how_far_up_layers_are_of_a_side(dependent, own):
    made = miniature_qanet(["a"], sides=("L1", "L0"), dependent=dependent)
    assert (len(made.inputs), len(made.encoders), len(made.attentions)) == own
    psi = [made.psi(side) for side in (0, 1)] if own[0] > 1 else [[], []]
    assert len(psi[0]) == len(psi[1]) and not {*map(id, psi[0])} & {*map(id, psi[1])}
    with torch.no_grad():
        assert read(made, windows(made, ASKED)).start_logits.shape[0] == len(ASKED)


def test_gradients_of_a_side_reach_its_own_layers_and_the_shared_ones(reader):
    batch = reader.collate(windows(reader, ASKED[:3]))  # all of the target
    reader.zero_grad()
    reader(batch).start_logits[:, 0].sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in reader.psi(0))
    assert any(p.grad.any() for p in reader.psi(1))
    assert all(p.grad is not None for p in reader.model.parameters())
    reader.zero_grad()


@pytest.mark.parametrize("are_fixed", [False, True])
def test_saved_and_loaded_it_is_the_same(tmp_path, are_fixed):
    words = WORLD.vocabulary()
    drawn = np.random.default_rng(0).normal(size=(len(words) + 3, 5)).astype(np.float16)
    vectors = drawn.astype(np.float32) if are_fixed else None
    made = miniature_qanet(words, vectors=vectors, dropout=0.1)
    store.save(made, tmp_path)
    names = {p.name for p in tmp_path.iterdir()}
    assert ("words.npy" in names) == are_fixed
    loaded = store.load(str(tmp_path), limits=Limits(max_length=64, overlap=16))
    before, after = (list(answerer_of(r).predict(ASKED)) for r in (made, loaded))
    assert before == after
    assert not any("vectors" in name for name in loaded.state_dict())
    identity = checksum_of(str(tmp_path))
    said = (tmp_path / "words.json").read_text()
    (tmp_path / "words.json").write_text(said.replace('"spelling": 4', '"spelling": 5'))
    assert checksum_of(str(tmp_path)) != identity
    (tmp_path / "words.json").write_text(said)
    assert checksum_of(str(tmp_path)) == identity
    (tmp_path / "qanet.json").write_text('{"width": 20}')
    with pytest.raises(DataError, match=r"qanet.safetensors: expected the weights of a QANet"):
        store.load(str(tmp_path))


def test_fixed_vectors_do_not_learn_and_special_ones_do():
    words = WORLD.vocabulary()
    vectors = np.ones((len(words) + 3, 5), np.float32)
    made = miniature_qanet(words, vectors=vectors)
    made(made.collate(windows(made, ASKED))).start_logits[:, 0].sum().backward()
    assert "learnt.weight" not in dict(made.named_parameters())
    assert made.special.weight.grad[2].any()  # [NONE]
    assert not made.special.weight.grad[0].any()  # padding


def test_offsets_are_exact_in_every_script():
    """A long word, letters outside of the basic plane, text without spaces, marks."""
    context = "𝒳 ist Donaudampfschifffahrtsgesellschaft。台北捷運 in نيويورك 2024!"
    answer = "捷運"
    asked = Example(
        id="1",
        question="𝒳 ?",
        context=context,
        answers=(Answer(answer, context.index(answer)),),
        question_language="de",
        context_language="de",
    )
    made = miniature_qanet(["台北", "捷運", "in"])
    (window,) = windows(made, [asked])
    first, last = gold_tokens(window)
    start = window.offsets[first - window.context_at, 0]
    end = window.offsets[last - window.context_at, 1]
    assert context[start:end] == answer
    assert "".join(context[a:b] for a, b in window.offsets) == context.replace(" ", "")
    batch = made.collate([window])
    assert batch.input_ids.shape == (1, window.length, 5)
    assert batch.input_ids[0, first, 0] == made.featurizer.table.words["en"]["捷運"]


def test_wrong_sizes_are_told():
    with pytest.raises(ConfigError, match="expected a width that is even and a multiple of heads"):
        miniature_qanet(["a"], width=15)
    with pytest.raises(ConfigError, match="take two sides or more, got none; give --sides"):
        miniature_qanet(["a"], dependent="encoder")


def test_a_new_one_by_name(tmp_path):
    (tmp_path / "texts.en.txt").write_text("The cat sat on the mat.\n")
    name = f"new:qanet,texts={tmp_path / 'texts.en.txt'},width=8,blocks=1,word_width=6,seed=3"
    one, other = store.load(name), store.load(name)
    assert one.width == 8
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert set(one.featurizer.table.words["en"]) == {"The", "cat", "sat", "on", "the", "mat", "."}
    for wrong, message in [
        ("widht=8", "unknown key 'widht'; did you mean 'width'"),
        ("width", "expected key=value, found 'width'"),
        ("vectors=zh", "expected LANGUAGE=FILE of word vectors, such as"),
    ]:
        with pytest.raises(ConfigError, match=message):
            store.load(f"new:qanet,texts={tmp_path / 'texts.en.txt'},{wrong}")
    with pytest.raises(DataError, match="expected texts to take words from, found none"):
        make(Start(texts=()))


def test_it_is_exported_and_answers_without_pytorch(tmp_path):
    """Logits at three lengths are compared in the export itself; here, answers to questions."""
    from babelspan.export.onnx import export

    small = miniature_qanet(WORLD.vocabulary(), blocks=1, sides=("L1", "L0"), dependent="encoder")
    export(small, tmp_path)
    assert not (tmp_path / "tokenizer.json").exists()
    exported = load_answerer(tmp_path, max_length=64, overlap=16)
    ours, theirs = answerer_of(small), exported
    for one, other in zip(ours.predict(ASKED), theirs.predict(ASKED), strict=True):
        assert (one.span, one.text) == (other.span, other.text)
        assert one.logit == pytest.approx(other.logit, abs=1e-3)
    with pytest.raises(DataError, match=r"found one with a table of words; use the checkpoint"):
        load_checkpoint(str(tmp_path))
    with pytest.raises(ConfigError, match="'qanet' are exported in fp32 only; leave out --int8"):
        export(small, tmp_path / "int8", int8=True)
