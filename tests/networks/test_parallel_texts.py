"""The reader of parallel texts: what stands beside what, absent ones, saving, no languages."""

from dataclasses import replace

import pytest
import torch

from babelspan import readers
from babelspan.engines.torch import TorchEngine
from babelspan.networks import store
from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.networks.reader import gold_tokens
from babelspan.reading.answerer import Answerer
from babelspan.types import Answer, ConfigError, DataError, Limits
from miniature import miniature_reader
from world import World

WORLD = World(0)
LANGUAGES = ("L1", "L2")


def beside(examples, *languages):
    """The examples with their exact translations into some languages."""
    parallel = [WORLD.examples(len(examples), other, other) for other in languages]
    return [replace(e, others=o) for e, *o in zip(examples, *parallel, strict=True)]


EXAMPLES = WORLD.examples(6)
PARALLEL = [replace(e, others=tuple(e.others)) for e in beside(EXAMPLES, *LANGUAGES)]


def reader_of(attention=None, **settings):
    """A miniature reader of parallel texts whose head listens to the attention."""
    inner = miniature_reader(WORLD.vocabulary(), **settings)
    reader = ParallelReader(inner, attention or Attention(languages=LANGUAGES, heads=4), seed=3)
    with torch.no_grad():
        reader.head.weight[:, inner.width :].normal_(generator=torch.Generator().manual_seed(5))
    return reader.eval()


def read(reader, examples):
    with torch.inference_mode():
        return reader(reader.collate(list(reader.windows(examples))))


def test_a_new_head_reads_as_the_plain_one_until_it_has_learnt():
    inner = miniature_reader(WORLD.vocabulary())
    reader = ParallelReader(inner, Attention(languages=LANGUAGES, heads=4)).eval()
    found, plain = read(reader, PARALLEL), read(inner, EXAMPLES)
    length = plain.start_logits.shape[1]
    assert torch.allclose(found.start_logits[:, :length], plain.start_logits, atol=1e-5)


def test_new_weights_leave_the_random_state_alone():
    inner = miniature_reader(WORLD.vocabulary())
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    one, other = (ParallelReader(inner, Attention(languages=LANGUAGES), seed=s) for s in (1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert not torch.equal(one.adaptive.join.weight, other.adaptive.join.weight)


def test_without_attention_it_is_the_inner_reader_bit_for_bit():
    inner = miniature_reader(WORLD.vocabulary())
    found, plain = read(ParallelReader(inner, None), PARALLEL), read(inner, EXAMPLES)
    assert all(torch.equal(a, b) for a, b in zip(found, plain, strict=True))


@pytest.mark.parametrize("missing", [(), ("L1",), ("L2",), LANGUAGES])
def test_texts_read_together_read_as_alone(missing):
    """Padding, company and the translations of others change nothing to rounding."""
    reader = reader_of()
    some = [
        replace(e, others=tuple(o for o in e.others if i or o.context_language not in missing))
        for i, e in enumerate(PARALLEL)
    ]
    together = read(reader, some)
    for row, example in enumerate(some):
        alone = read(reader, [example])
        length = next(reader.windows([example])).length
        for a, b in zip(together[:2], alone[:2], strict=True):
            assert torch.allclose(a[row, :length], b[0, :length], atol=1e-5)
    assert torch.isinf(together.start_logits).any()


@pytest.mark.parametrize("languages", [(), ("L2",), LANGUAGES])
@pytest.mark.parametrize("formula", ["heads", "printed", None])
def test_a_window_alone_is_read_text_by_text_and_equal_texts_once(languages, formula):
    attention = formula and Attention(languages=LANGUAGES, heads=4, formula=formula)
    reader = reader_of(attention) if formula else ParallelReader(reader_of().inner, None).eval()
    asked = beside(WORLD.examples(1), *languages)[0]
    asked = replace(asked, others=tuple(asked.others), context=asked.context + " " + asked.context)
    if len(languages) == 2:  # the text itself in place of a translation
        itself = replace(asked.others[0], question=asked.question, context=asked.context)
        asked = replace(asked, others=(itself, asked.others[1]))
    batch = reader.collate(list(reader.windows([asked])))
    sizes = []
    hook = reader.inner.model.get_input_embeddings().register_forward_hook(
        lambda _, given, __: sizes.append(tuple(given[0].shape))
    )
    with torch.inference_mode():
        apart, together = reader(batch), reader.read(batch).own
    hook.remove()
    read_together = sizes.pop()
    lengths = [window.length for window in batch.texts.windows]
    assert sizes == [(1, length) for length in dict.fromkeys(lengths)]
    assert read_together == (len(lengths), max(lengths))
    for one, other in zip(apart, together, strict=True):
        cut = other[:, : one.shape[1]] if other.ndim > 1 and one.shape != other.shape else other
        assert torch.allclose(one, cut, atol=1e-5)


def test_what_stands_beside_matters_and_its_order_does_not():
    reader = reader_of()
    mine, *_ = PARALLEL
    other = replace(mine, others=PARALLEL[1].others)
    turned = replace(mine, others=mine.others[::-1])
    a, b, c = (read(reader, [e]).start_logits for e in (mine, other, turned))
    assert not torch.allclose(a[0, :10], b[0, :10], atol=1e-3)
    assert torch.equal(a, c)


def test_languages_that_the_reader_does_not_know_are_left_out():
    reader = reader_of(Attention(languages=("L2",), heads=4))
    (window,) = reader.windows([PARALLEL[0]])
    assert [w.example.context_language for w in window.present] == ["L2"]


LONG = [f"w{number}" for number in range(150)]


def long_example(language, words, answer):
    context = " ".join(words)
    start = context.index(answer)
    return replace(
        EXAMPLES[0],
        context=context,
        answers=(Answer(answer, start),),
        question="w1 ?",
        question_language=language,
        context_language=language,
    )


@pytest.fixture(scope="module")
def long_reader():
    inner = miniature_reader([*LONG, "?"], max_length=50, overlap=12)
    return ParallelReader(inner, Attention(languages=("es",), heads=4)).eval()


def test_a_long_text_takes_along_the_same_part_of_a_translation(long_reader):
    """The translation is half as long, and runs the other way."""
    own = long_example("en", LONG, "w100")
    other = long_example("es", LONG[75:][::-1], "w100")
    windows = list(long_reader.windows([replace(own, others=(other,))]))
    assert len(windows) > 3
    parts = [w.others[0].first_token for w in windows]
    assert parts == sorted(parts)
    assert (parts[0], len(set(parts))) == (0, len(list(long_reader.windows([other]))))


def test_in_training_a_window_with_the_answer_takes_along_one_that_holds_it(long_reader):
    own = long_example("en", LONG, "w100")
    other = long_example("es", LONG[75:][::-1], "w149")  # first there, two thirds through here
    rows = list(long_reader.together((replace(own, others=(other,)),)))
    held = [w for (w,) in rows if gold_tokens(w) is not None]
    assert held
    assert all(gold_tokens(w.others[0]) is not None for w in held)
    batch = long_reader.collate([w for (w,) in rows])
    assert batch.both_answered.tolist() == [w in held for (w,) in rows]
    answered = [w for w in long_reader.windows([replace(own, others=(other,))]) if gold_tokens(w)]
    assert any(gold_tokens(w.others[0]) is None for w in answered)


def test_texts_without_tokens_hold_no_answer_and_stand_beside_nothing(long_reader):
    own, other = long_example("en", LONG[:9], "w1"), long_example("es", LONG[:9], "w1")
    assert list(long_reader.windows([replace(own, context="", others=(other,))])) == []
    empty = replace(own, others=(replace(other, context="  ", answers=()),))
    (window,) = long_reader.windows([empty])
    assert window.others == (None,)


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    reader = reader_of()
    store.save(reader, tmp_path)
    again = readers.load_checkpoint(str(tmp_path), limits=reader.limits)
    assert (again.kind, again.attention) == (reader.kind, reader.attention)
    one, other = (list(Answerer(TorchEngine(r.eval())).predict(PARALLEL)) for r in (reader, again))
    assert one == other
    assert all(p.span.of(e.context) == p.text for p, e in zip(one, EXAMPLES, strict=True))
    before = readers.checksum_of(str(tmp_path))
    (tmp_path / "parallel.json").write_text('{"languages": ["L2", "L1"], "heads": 4}')
    assert readers.checksum_of(str(tmp_path)) != before


def test_a_broken_folder_is_told(tmp_path):
    store.save(reader_of(), tmp_path)
    (tmp_path / "parallel.json").write_text('{"languages": ["L1"], "heads": 4}')
    with pytest.raises(DataError, match=r"parallel.safetensors: expected the weights of its atte"):
        store.load(str(tmp_path), limits=Limits())
    (tmp_path / "parallel.json").write_text('{"languages": ["L1"], "head": 4}')
    with pytest.raises(ConfigError, match="unknown key 'head'; did you mean 'heads'"):
        store.load(str(tmp_path), limits=Limits())


def test_hidden_translations_are_drawn_at_random_and_read_as_missing():
    reader = reader_of()
    batch = reader.collate(list(reader.windows(PARALLEL)))
    assert batch.hiding(0) is batch
    torch.manual_seed(0)
    half = batch.hiding(0.5)
    hidden = half.rows == len(batch.owners)
    assert 0 < hidden.sum() < hidden.numel()
    assert torch.equal(half.rows[~hidden], batch.rows[~hidden])
    with torch.no_grad():
        none = reader(batch.hiding(1.0)).start_logits
    alone = read(reader, EXAMPLES).start_logits
    assert torch.allclose(none[:, : alone.shape[1]], alone, atol=1e-5)
