"""The generator: who sees whom, cached steps, the pointer, decoding; against plain versions."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from babelspan.losses.writing import writing_loss
from babelspan.networks import question_generator, store
from babelspan.networks.decoding import Decode, Written, noise, write
from babelspan.networks.question_generator import QuestionGenerator, begin
from babelspan.networks.unilm import FAMILIES, unilm_mask
from babelspan.networks.writing_head import mixed
from babelspan.reading.sources import Form
from babelspan.types import Answer, ConfigError, DataError, Example
from miniature import miniature_reader
from tiny_encoders import tiny_encoder, tiny_generator
from world import World

WORLD = World(0)
EXAMPLES = [*WORLD.examples(5), *WORLD.translations(4, "L1")]
LANGUAGES = ("L0", "L1")


def generator_of(**settings):
    return tiny_generator(WORLD.vocabulary(), LANGUAGES, **settings)


def batch_of(generator, examples=EXAMPLES, *, is_asked=False):
    return generator.collate([generator.sources.of(e, is_asked=is_asked) for e in examples])


def written(generator, examples=EXAMPLES, words="greedy", allowed=None, **settings):
    decode = replace(Decode.of(words), longest=12, **settings)
    return write(generator, batch_of(generator, examples, is_asked=True), decode, allowed=allowed)


def repeats(found, size):
    """How many runs of `size` pieces a question has more than once."""
    runs = [tuple(found.pieces[i : i + size]) for i in range(len(found.pieces) - size + 1)]
    return len(runs) - len(set(runs))


@pytest.mark.parametrize(("lengths", "source", "question"), [([3, 1, 4], 4, 3), ([2], 2, 0)])
def test_the_mask_equals_a_double_loop(lengths, source, question):
    sees = unilm_mask(torch.tensor(lengths), source, question)
    for row, length in enumerate(lengths):
        for one, other in itertools.product(range(source + question), repeat=2):
            expected = other < length if other < source else source <= one and other <= one
            assert sees[row, 0, one, other] == expected


def test_families_are_those_of_the_design():
    assert len(FAMILIES) == 8


@pytest.mark.parametrize("family", FAMILIES)
def test_cached_steps_equal_the_whole_forward(family):
    generator = generator_of(family=family)
    batch = batch_of(generator)
    with torch.no_grad():
        whole = generator(batch).log_probs
    state = generator.start(batch)
    for step in range(batch.questions.shape[1]):
        now = generator.next_pieces(state)
        gold = now.gather(1, batch.questions[:, step : step + 1])[:, 0]
        real = batch.real[:, step]
        assert torch.allclose(gold[real], whole[real, step], atol=1e-5)
        state = generator.step(state, batch.questions[:, step])
    assert batch.real.sum() > 40


@pytest.mark.parametrize("family", ["distilbert", "albert", "xlm"])
def test_other_families_are_refused_by_name(family):
    names = {"distilbert": {"dim": 32}, "albert": {}, "xlm": {"emb_dim": 32, "n_heads": 4}}
    with pytest.raises(ConfigError, match=f"found '{family}', which cannot write questions"):
        question_generator.begun(tiny_encoder(family, ["a"], **names[family]))


def test_nothing_of_the_future_leaks():
    """A later piece changes nothing before it, and the source never changes with the question."""
    generator = generator_of()
    batch = batch_of(generator)
    at = 4
    changed = replace(batch, questions=batch.questions.clone())
    changed.questions[:, at] = torch.where(batch.questions[:, at] == 7, 8, 7)
    one, other = generator(batch).log_probs, generator(changed).log_probs
    assert torch.equal(one[:, :at], other[:, :at])
    assert not torch.allclose(one[:, at + 1 :], other[:, at + 1 :])
    seen = []
    generator.encoder.register_forward_hook(lambda _, __, hidden: seen.append(hidden))
    columns = batch.source_ids.shape[1]
    generator(batch), generator(changed), generator.start(batch)
    assert torch.equal(seen[0][:, :columns], seen[1][:, :columns])
    assert torch.allclose(seen[0][:, :columns], seen[2], atol=1e-6)


def test_the_encoder_reads_as_the_reader_does():
    """With everything visible the states are those of the encoder it began from, bit for bit."""
    encoder = tiny_encoder("bert", WORLD.vocabulary()).eval()
    generator = question_generator.begun(encoder).eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    places, types = torch.arange(4)[None], torch.zeros(1, 4, dtype=torch.long)
    sees = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    found = generator.encoder(generator.encoder.pieces(ids), types, places, sees)
    expected = encoder.model(input_ids=ids, attention_mask=torch.ones_like(ids))[0]
    assert torch.equal(found, expected)


@pytest.mark.parametrize("pointer", [True, False])
def test_log_probabilities_sum_to_one(pointer):
    generator = generator_of(form=Form(pointer=pointer))
    generator.forbidden = []
    now = generator.next_pieces(generator.start(batch_of(generator)))
    assert torch.allclose(now.exp().sum(dim=1), torch.ones(len(EXAMPLES)), atol=1e-5)


@torch.inference_mode()
def test_the_pointer_equals_a_loop():
    generator = generator_of()
    batch = batch_of(generator, EXAMPLES[:2])
    state = generator.start(batch)
    now = generator.next_pieces(state).exp()
    head, hidden = generator.head, state.hidden
    pieces = generator.encoder.pieces.weight
    vocabulary = head.logits(hidden, pieces, head.bias).softmax(dim=-1)
    for row, ids in enumerate(batch.source_ids.tolist()):
        length, width = int(batch.source_lengths[row]), generator.encoder.width
        query = head.pointer(hidden[row])[:width]
        places = [s for s in range(length) if ids[s] < len(generator.tokenizer)]
        scores = [math.exp(float(query @ state.keys[row, s]) / math.sqrt(width)) for s in places]
        gate = float(head.gate(hidden[row]).sigmoid())
        for piece in {*ids[:length], 7, 8} - {*generator.forbidden}:
            if piece < len(generator.tokenizer):
                part = sum(x for s, x in zip(places, scores, strict=True) if ids[s] == piece)
                expected = (1 - gate) * float(vocabulary[row, piece]) + gate * part / sum(scores)
                assert float(now[row, piece]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_equals_naive_cross_entropy(smoothing):
    generator = generator_of(form=Form(pointer=False))
    batch = batch_of(generator)
    reading = generator(batch)
    loss = writing_loss(reading.log_probs, reading.uniform, batch.real, smoothing=smoothing)
    hidden = []
    generator.encoder.register_forward_hook(lambda _, __, states: hidden.append(states))
    generator(batch)
    columns, of_questions = batch.source_ids.shape[1], []
    for row, source in enumerate(batch.sources):
        at = [len(source.ids) - 1, *(columns + t for t in range(len(source.question) - 1))]
        head, pieces = generator.head, generator.encoder.pieces.weight
        logits = head.logits(hidden[0][row, at], pieces, head.bias)
        gold = torch.tensor(source.question).long()
        of_questions.append(
            torch.nn.functional.cross_entropy(logits, gold, label_smoothing=smoothing)
        )
    assert loss.item() == pytest.approx(torch.stack(of_questions).mean().item(), abs=1e-5)


def test_padding_and_company_do_not_change_a_question():
    generator = generator_of()
    together = written(generator)
    alone = [written(generator, [example])[0] for example in EXAMPLES]
    backwards = written(generator, EXAMPLES[::-1])[::-1]
    assert [w.pieces for w in together] == [w.pieces for w in alone]
    assert [w.pieces for w in together] == [w.pieces for w in backwards]
    assert len({tuple(w.pieces) for w in together}) > 1


def test_greedy_from_the_cache_equals_whole_passes():
    generator = generator_of()
    example, found = EXAMPLES[0], next(iter(written(generator)))
    source = generator.sources.of(example, is_asked=True)
    pieces, total = [], 0.0
    for _ in range(12):
        shown = torch.tensor([*pieces, 5])[None]
        batch = replace(
            generator.collate([source]), questions=shown, real=torch.ones_like(shown).bool()
        )
        scores = []
        for piece in range(len(generator.tokenizer)):
            batch.questions[0, -1] = piece
            scores.append(generator(batch).log_probs[0, -1].item())
        best = max(set(range(len(scores))) - {*generator.forbidden}, key=scores.__getitem__)
        total += scores[best]
        if best == generator.end:
            break
        pieces.append(best)
    assert pieces == found.pieces
    assert found.log_prob == pytest.approx(total, abs=1e-3)


def test_one_beam_is_greedy():
    generator = generator_of()
    greedy = written(generator)
    assert [w.pieces for w in written(generator, words="beam:1")] == [w.pieces for w in greedy]


def tiny_vocabulary():
    """A generator of five pieces, the end among them, and a text of them."""
    generator = tiny_generator(["a", "b", "c", "d"], ["en"], seed=3)
    text = "a b c d a"
    asked = [
        Example(
            id=str(at),
            question="",
            context=text,
            answers=(Answer(text[at], at),),
            question_language="en",
            context_language="en",
        )
        for at in (0, 4)
    ]
    return generator, asked


def test_of_equally_likely_pieces_beams_take_the_first_as_greedy_does():
    generator = generator_of(form=Form(pointer=False))
    with torch.no_grad():
        generator.head.transform.weight.zero_()
        for likely in (0.0, -10.0):
            generator.head.bias[generator.end] = likely
            one, many = (
                write(generator, batch_of(generator, EXAMPLES[:2], is_asked=True), decode)
                for decode in (Decode(longest=4), Decode(beams=5, longest=4))
            )
            assert [w.pieces for w in many] == [w.pieces for w in one]
            assert not likely or len(one[0].pieces) == 4


def test_wide_beams_equal_brute_force():
    generator, asked = tiny_vocabulary()
    letters = [i for i in range(len(generator.tokenizer)) if i not in generator.forbidden]
    assert len(letters) == 5
    sentences = [
        [*body, generator.end]
        for size in range(3)
        for body in itertools.product([i for i in letters if i != generator.end], repeat=size)
    ]
    beams = write(generator, batch_of(generator, asked, is_asked=True), Decode(beams=80, longest=3))
    for example, found in zip(asked, beams, strict=True):
        source = generator.sources.of(example, is_asked=True)
        scored = []
        for pieces in sentences:
            shown = torch.tensor([pieces])
            batch = replace(
                generator.collate([source]), questions=shown, real=torch.ones_like(shown).bool()
            )
            with torch.no_grad():
                scored.append((float(generator(batch).log_probs.mean()), pieces[:-1]))
        best, pieces = max(scored)
        assert found.pieces == pieces
        assert found.per_piece == pytest.approx(best, abs=1e-5)


def test_what_is_drawn_is_a_function_of_seed_and_id():
    generator = generator_of()
    together = written(generator, words="sample:0.9")
    alone = [written(generator, [example], "sample:0.9")[0] for example in EXAMPLES]
    assert [w.pieces for w in together] == [w.pieces for w in alone]
    assert [w.pieces for w in together] != [
        w.pieces for w in written(generator, words="sample:0.9", seed=2)
    ]
    tiny = written(generator, words="sample:0.000001")
    assert [w.pieces for w in tiny] == [w.pieces for w in written(generator)]


def test_what_is_drawn_has_the_probabilities_of_the_pieces():
    generator, asked = tiny_vocabulary()
    many = [replace(asked[0], id=f"draw {number}") for number in range(3000)]
    found = write(generator, batch_of(generator, many, is_asked=True), Decode(mass=1.0, longest=1))
    first = [w.pieces[0] if w.pieces else generator.end for w in found]
    state = generator.start(batch_of(generator, asked[:1], is_asked=True))
    expected = generator.next_pieces(state).softmax(dim=-1)[0]
    for piece in set(first):
        assert first.count(piece) / 3000 == pytest.approx(float(expected[piece]), abs=0.04)
    assert len(set(first)) >= 3


def test_noise_is_even():
    drawn = [noise(1, f"id{n}", step) for n in range(500) for step in range(2)]
    assert len(set(drawn)) == 1000
    assert 0.45 < sum(drawn) / 1000 < 0.55
    assert noise(1, "id1", 1) != noise(1, "id1", 2)


@torch.inference_mode()
def test_allowed_pieces_are_mixed_with_those_of_the_source():
    generator = generator_of()
    batch, allowed = batch_of(generator), torch.tensor([6, 7, generator.end]).unique()
    state = generator.start(batch, allowed)
    now = generator.next_pieces(state)
    head, pieces = generator.head, generator.encoder.pieces
    vocabulary = torch.full((len(now), pieces.num_embeddings), -torch.inf)
    logits = head.logits(state.hidden, pieces.weight[allowed], head.bias[allowed])
    vocabulary[:, allowed] = logits.log_softmax(dim=-1)
    copied = batch.source_ids < pieces.num_embeddings
    copied &= torch.arange(copied.shape[1]) < batch.source_lengths[:, None]
    weights, gate = head.copying(state.hidden[:, None], state.keys, copied)
    places = torch.zeros_like(vocabulary)
    places.scatter_add_(1, batch.source_ids.masked_fill(~copied, 0), weights[:, 0])
    expected = mixed(vocabulary, places, gate)
    expected[(places == 0) & vocabulary.isinf()] = -torch.inf
    expected[:, generator.forbidden] = -torch.inf
    assert expected.isfinite().any(dim=1).all()
    ids = state.candidates.ids
    assert ids.tolist() == sorted({*allowed.tolist(), *batch.source_ids[copied].tolist()})
    assert torch.equal(now, expected[:, ids])
    others = torch.ones(pieces.num_embeddings, dtype=torch.bool).index_fill(0, ids, False)
    assert expected[:, others].isinf().all()


def test_all_pieces_allowed_changes_nothing():
    generator = generator_of()
    everything = torch.arange(len(generator.tokenizer))
    assert written(generator, allowed=everything) == written(generator)


@pytest.mark.parametrize("words", ["greedy", "beam:3", "sample:0.9"])
@pytest.mark.parametrize("no_repeat", [0, 2])
def test_candidates_give_the_questions_of_the_whole_vocabulary(monkeypatch, words, no_repeat):
    """The same as scoring all pieces, with minus infinity for those that are not candidates."""
    generator = generator_of()
    generator.head.bias.data[generator.end] = -5.0  # so that no question ends at once
    allowed = torch.arange(5, len(generator.tokenizer), 3)
    allowed = torch.cat([allowed, torch.tensor([generator.end])]).unique()
    found = written(generator, words=words, no_repeat=no_repeat, allowed=allowed)
    assert len({piece for one in found for piece in one.pieces}) > 2
    assert not (no_repeat and any(repeats(one, 2) for one in found))

    def over_all(self, state):
        few = chosen(self, state._replace(candidates=self.candidates(state.asked, allowed)))
        ids = self.candidates(state.asked, allowed).ids
        whole = few.new_full((len(few), self.encoder.pieces.num_embeddings), -torch.inf)
        return whole.index_copy_(1, ids, few)

    chosen = QuestionGenerator.next_pieces
    monkeypatch.setattr(QuestionGenerator, "next_pieces", over_all)
    whole = written(generator, words=words, no_repeat=no_repeat)
    assert [one.pieces for one in found] == [one.pieces for one in whole]
    for one, other in zip(found, whole, strict=True):
        assert one.log_prob == pytest.approx(other.log_prob, abs=1e-5)


def test_questions_consist_of_allowed_pieces_and_those_of_the_source():
    generator = generator_of()
    words = [*WORLD.words("L1")][:20]
    generator.pieces_of["L1"] = [generator.tokenizer.convert_tokens_to_ids(w) for w in words]
    allowed = generator.allowed("L1")
    usable = [
        {*allowed.tolist(), *generator.sources.of(example, is_asked=True).ids.tolist()}
        for example in EXAMPLES
    ]
    other = max({*range(len(generator.tokenizer))}.difference(*usable, generator.forbidden))
    generator.head.bias.data[other] = 10.0  # so that free questions have a piece of no source
    assert any(other in found.pieces for found in written(generator))
    for found, pieces in zip(written(generator, allowed=allowed), usable, strict=True):
        assert {*found.pieces} <= pieces
    assert generator.allowed("L0") is None


def test_no_run_of_pieces_is_repeated_where_that_is_refused():
    generator = generator_of()
    assert any(repeats(found, 2) for found in written(generator))
    assert not any(repeats(found, 2) for found in written(generator, no_repeat=2))


def test_a_question_that_does_not_end_says_so():
    generator = generator_of()
    generator.head.bias.data[generator.end] = -1e4
    generator.head.gate.bias.data[:] = -1e4
    for words in ("greedy", "beam:3"):
        assert {(len(w.pieces), w.has_ended) for w in written(generator, words=words)} == {
            (12, False)
        }


@pytest.mark.parametrize("form", [Form(), Form(answer="prefix", pointer=False, language="words")])
def test_saved_and_loaded_writes_the_same(tmp_path, form):
    generator = generator_of(form=form)
    generator.pieces_of["L1"] = [5, 6, 7]
    store.save(generator, tmp_path)
    loaded = store.load(str(tmp_path)).eval()
    assert loaded.kind == "question_generator"
    assert (loaded.form, loaded.languages, loaded.pieces_of) == (
        form,
        {"L0": 0, "L1": 1},
        {"L1": [5, 6, 7]},
    )
    assert written(loaded) == written(generator)


def test_an_interrupted_save_leaves_what_was_there(tmp_path, monkeypatch):
    generator = generator_of()
    store.save(generator, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def half(folder):
        (Path(folder) / "tokenizer.json").write_text("{")
        raise KeyboardInterrupt

    generator.encoder.model.config.hidden_dropout_prob = 0.5
    monkeypatch.setattr(generator.tokenizer, "save_pretrained", half)
    with pytest.raises(KeyboardInterrupt):
        store.save(generator, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_new_language_leaves_the_others_as_they_are():
    generator = generator_of()
    before = written(generator, EXAMPLES[:2])
    generator.shape(Form(), ["L1", "L2"], seed=5)
    assert generator.languages == {"L0": 0, "L1": 1, "L2": 2}
    assert written(generator, EXAMPLES[:2]) == before
    with pytest.raises(ConfigError, match=r"was trained with Form.*expected Form"):
        generator.shape(Form(answer="prefix"), ["L0"], seed=0)


def test_a_reader_is_where_a_generator_begins(tmp_path):
    reader = miniature_reader(WORLD.vocabulary())
    reader.save(tmp_path)
    generator = begin(str(tmp_path))
    weights = generator.encoder.model.state_dict()
    of_reader = reader.encoder.model.state_dict()
    assert all(torch.equal(weights[name], of_reader[name]) for name in weights)
    with pytest.raises(DataError, match="found one that has not been trained"):
        _ = generator.sources


def test_unknown_languages_and_odd_decodings_are_told():
    generator = generator_of()
    with pytest.raises(ConfigError, match="writes no questions in 'L9'; expected one of L0, L1"):
        generator.sources.of(replace(EXAMPLES[0], question_language="L9"))
    for words in ("beam:0", "sample:1.5", "sample:0", "best"):
        with pytest.raises(ConfigError, match=r"expected greedy, beam:K .* got"):
            Decode.of(words)
    assert Decode.of("beam:4").beams == 4
    assert Written([], -1.0, True).per_piece == -1.0
