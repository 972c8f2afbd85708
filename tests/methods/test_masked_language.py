"""Masked-language learning: what is hidden, the loss by a version with loops, what is learnt."""

import math

import numpy as np
import pytest
import torch

from babelspan.methods import masked_language
from babelspan.methods.masked_language import Config
from babelspan.networks.texts import encoder_of
from babelspan.networks.word_head import WordHead
from babelspan.training.fit import evaluating
from babelspan.training.passages import Masking, passages
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.stream import Order
from babelspan.training.update import Optim
from babelspan.types import ConfigError, DataError, Passage
from miniature import miniature_reader
from world import World

WORLD = World(0)
TEXTS = [Passage(WORLD.tell(f, "L1"), "L1") for i in range(40) for f in WORLD.story(f"{i}").facts]
SMALL = {"batch_size": 16, "threads": 1, "log_every": 1}


def reader_of(**settings):
    return miniature_reader(WORLD.vocabulary(), **settings)


def run_of(folder=None, **settings):
    return Run(config=RunConfig(**SMALL, **settings), folder=folder)


def test_shares_of_what_is_hidden():
    encoder = encoder_of(reader_of())
    torch.manual_seed(0)
    mask = Masking(encoder, 0.15)
    texts = encoder.texts([" ".join(WORLD.vocabulary()[:50])] * 400)
    masked = mask(texts)
    tokens = texts.text_mask.sum().item()
    count = len(masked.hidden)
    assert count / tokens == pytest.approx(0.15, abs=0.01)
    assert texts.text_mask.flatten()[masked.places].all()
    shown = masked.texts.input_ids.flatten()[masked.places]
    is_mask = shown == encoder.featurizer.tokenizer.token_to_id("[MASK]")
    assert is_mask.float().mean() == pytest.approx(0.8, abs=0.03)
    assert (shown == masked.hidden).float().mean() == pytest.approx(0.1, abs=0.02)
    assert (shown[~is_mask] >= 5).all()  # no special token is put anywhere
    untouched = torch.ones(texts.input_ids.numel(), dtype=torch.bool)
    untouched[masked.places] = False
    before, after = texts.input_ids.flatten(), masked.texts.input_ids.flatten()
    assert torch.equal(before[untouched], after[untouched])
    assert torch.equal(before[masked.places], masked.hidden)


def test_a_long_text_is_learnt_from_to_its_end(tmp_path):
    encoder = encoder_of(reader_of(max_length=12))
    words = WORLD.words("L1")[:25]
    stream = passages(encoder, [Passage(" ".join(words), "L1"), Passage(" ", "L1")], run_of())
    assert [p.text.split() for p in stream.items] == [words[:10], words[10:20], words[20:]]
    assert stream.lengths.tolist() == [12, 12, 7]  # with the two special tokens
    with pytest.raises(DataError, match="expected texts to learn from, found none with tokens"):
        passages(encoder, [Passage(" ")], run_of())
    tiny = encoder_of(reader_of(max_length=2, overlap=0))
    with pytest.raises(ConfigError, match="for single texts, got 2"):
        passages(tiny, [Passage(words[0])], run_of())


def test_the_loss_by_a_version_with_loops():
    """The first update's loss, recomputed for each hidden token from the weights of the start."""
    seen = {}

    class Noted(WordHead):
        def forward(self, hidden, word_vectors):
            logits = super().forward(hidden, word_vectors)
            seen.setdefault("logits", logits.detach())
            seen.setdefault("by_hand", self.by_hand(hidden.detach(), word_vectors.detach()))
            return logits

        def by_hand(self, hidden, vectors):
            linear, _, norm = self.layer
            rows = []
            for h in hidden.double().numpy():
                x = linear.weight.detach().double().numpy() @ h
                x = x + linear.bias.detach().double().numpy()
                x = np.array([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])
                x = (x - x.mean()) / math.sqrt(x.var() + norm.eps)
                rows.append([float(x @ v) for v in vectors.double().numpy()])
            return np.array(rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masked_language, "WordHead", Noted)
        logged = []
        run = run_of(updates=1)
        patch.setattr(run.journal, "record", lambda line, **_: logged.append(line))
        reader = reader_of()
        mask = Masking(encoder_of(reader), 0.15)
        state = torch.get_rng_state()
        masked_language.train(reader, Corpora(passages=TEXTS), Config(), run)
    torch.set_rng_state(state)
    stream = passages(encoder_of(reader), TEXTS, run)
    ((share,),) = stream.in_order(Order.of(run)).starting_at(0)
    hidden = mask(share.batch).hidden.tolist()
    logits = seen["by_hand"]
    assert np.allclose(seen["logits"], logits, atol=1e-4)
    losses = [
        math.log(sum(math.exp(x) for x in row)) - row[token]
        for row, token in zip(logits, hidden, strict=True)
    ]
    assert logged[0]["guessing"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    right = sum(int(row.argmax()) == token for row, token in zip(logits, hidden, strict=True))
    assert logged[0]["accuracy"] == pytest.approx(right / len(hidden))


def test_hidden_words_are_guessed_better_after_training():
    """In 150 updates on sentences of a toy language; the untrained head guesses by chance."""
    logged = []
    run = run_of(updates=150)
    run.journal.record = lambda line, **_: logged.append(line)
    config = Config(reader=Optim(lr=5e-3))
    masked_language.train(reader_of(), Corpora(passages=TEXTS), config, run)
    first, last = (
        np.mean([line["guessing"] for line in part]) for part in (logged[:5], logged[-15:])
    )
    assert first == pytest.approx(math.log(len(WORLD.vocabulary())), abs=3)
    assert last < 0.6 * first
    assert np.mean([line["accuracy"] for line in logged[-15:]]) > 0.25


def test_the_span_head_stays_and_the_encoder_learns():
    reader, start = reader_of(), reader_of()
    masked_language.train(reader, Corpora(passages=TEXTS), Config(), run_of(updates=3))
    before, after = start.state_dict(), reader.state_dict()
    assert before.keys() == after.keys()
    stays = {n for n in before if torch.equal(before[n], after[n])}
    assert {n for n in stays if "qa_outputs" in n} == {n for n in before if "qa_outputs" in n}
    assert "model.bert.embeddings.word_embeddings.weight" not in stays


def test_a_tokenizer_without_a_mask_is_refused():
    reader = reader_of()
    encoder = encoder_of(reader)
    encoder.featurizer.tokenizer = unmasked(encoder.featurizer.tokenizer)
    with evaluating(reader), pytest.raises(DataError, match="has one mask token, found 0"):
        Masking(encoder, 0.15)


def unmasked(tokenizer):
    from tokenizers import Tokenizer

    return Tokenizer.from_str(tokenizer.to_str().replace("[MASK]", "[VEIL]"))
