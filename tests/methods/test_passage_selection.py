"""Passage selection: what is learnt from, and what it is the same as."""

import re

import pytest
import torch

from babelspan.methods import fine_tune, passage_selection
from babelspan.networks import store
from babelspan.networks.passage_reader import WEIGHTS, PassageReader
from babelspan.reading.articles import Kind
from babelspan.training.articles import selected
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import Article, ArticleAnswer, ConfigError, DataError, Span
from miniature import miniature_reader
from world import World

WORLD = World(0)
EXAMPLES = WORLD.examples(8)
FAST = Optim(lr=5e-3)


def article(number, *, answers=True, times=1):
    """An example as an article, its context some times over, each one a passage."""
    example = EXAMPLES[number]
    text = "\n".join([example.context] * times)
    size = len(example.context)
    answer = ArticleAnswer(passage=0, span=example.answers[0].span, yes_no=None)
    return Article(
        id=number,
        language="english",
        question=example.question,
        text=text,
        passages=tuple(Span(i * (size + 1), i * (size + 1) + size) for i in range(times)),
        answers=(answer,) if answers else (),
    )


def reader():
    return miniature_reader(WORLD.vocabulary(), dropout=0.1)


def run(folder=None, **settings):
    return Run(config=RunConfig(batch_size=4, threads=1, **settings), folder=folder)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_without_its_losses_it_is_fine_tune_bit_for_bit():
    plain = fine_tune.train(
        reader(), Corpora(labelled=EXAMPLES), fine_tune.Config(reader=FAST), run(updates=5)
    )
    config = passage_selection.Config(reader=FAST, nulls=1, passages=0, kinds=0)
    articles = [article(number) for number in range(8)]
    selecting = passage_selection.train(
        reader(), Corpora(articles=articles), config, run(updates=5)
    )
    assert torch.equal(weights(selecting.inner), weights(plain))
    fresh = PassageReader(reader(), seed=1)
    assert torch.equal(selecting.kind_head.weight, fresh.kind_head.weight)


def test_windows_without_an_answer_are_drawn_by_the_seed():
    articles = [article(number, times=6) for number in range(8)]
    network = PassageReader(reader())

    def drawn(nulls, seed=1):
        stream = selected(network, iter(articles), run(seed=seed), nulls=nulls)
        assert all(item.window.example.context == "" for item in stream.items)
        return [
            (item.window.example.id, item.window.first_token)
            for item in stream.items
            if item.label.kind is Kind.NULL
        ]

    everything, half = drawn(1.0), drawn(0.5)
    assert drawn(0.0) == []
    assert set(half) < set(everything)
    assert 0.3 < len(half) / len(everything) < 0.7
    assert half == drawn(0.5) != drawn(0.5, seed=2)


def test_an_article_whose_answer_no_window_shows_is_skipped_and_counted(capsys):
    long = article(0, times=12)
    across = ArticleAnswer(passage=0, span=Span(0, len(long.text)), yes_no=None)
    split = Article(
        id=9,
        language="english",
        question=long.question,
        text=long.text,
        passages=long.passages,
        answers=(across,),
    )
    network = PassageReader(reader())
    stream = selected(network, [split, article(1)], run(), nulls=1.0)
    assert {item.window.example.id for item in stream.items} == {"1"}
    assert "skipped 1 articles: no window contains their answer" in capsys.readouterr().err
    with pytest.raises(DataError, match="found no window with one"):
        selected(network, [article(2, answers=False)], run(), nulls=1.0)


def test_the_heads_are_saved_and_loaded_and_learnt_on(tmp_path):
    articles = [article(number, times=3) for number in range(4)]
    config = passage_selection.Config(reader=FAST)
    trained = passage_selection.train(reader(), Corpora(articles=articles), config, run(updates=3))
    store.save(trained, tmp_path)
    loaded = store.load(str(tmp_path), limits=trained.limits)
    assert isinstance(loaded, PassageReader)
    windows = list(trained.article_windows(articles[0]))
    trained.eval(), loaded.eval()
    with torch.no_grad():
        one, other = (n.read(n.collate_articles(windows)) for n in (trained, loaded))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    again = passage_selection.train(loaded, Corpora(articles=articles), config, run(updates=1))
    assert again is loaded

    (tmp_path / WEIGHTS).write_bytes(b"broken")
    with pytest.raises(DataError, match="expected the weights that select passages"):
        store.load(str(tmp_path))


def test_the_logit_of_a_passage_is_the_mean_of_its_tokens_whatever_the_padding():
    network = PassageReader(reader()).eval()
    windows = [
        *network.article_windows(article(0)),
        *network.article_windows(article(1, times=3)),
    ]
    with torch.no_grad():
        together = network.read(network.collate_articles(windows))
        for row, window in enumerate(windows):
            batch = network.collate_articles([window])
            tokens = network.passage_head(network(batch.texts).hidden)[0, :, 0]
            at = window.window.context_at
            means = [tokens[0]] + [
                tokens[at + first : at + end].mean() for _, first, end in window.passages.tolist()
            ]
            found = together.passage_logits[row]
            torch.testing.assert_close(found[: len(means)], torch.stack(means))
            assert torch.isinf(found[len(means) :]).all()


def test_what_cannot_be_learnt_is_refused():
    corpora = Corpora(articles=[article(0)])
    config = passage_selection.Config()
    with pytest.raises(ConfigError, match=re.escape("expected negatives = 0, got 0.5")):
        passage_selection.train(reader(), corpora, config, run(negatives=0.5))

    class Other:
        kind = "other"

    with pytest.raises(ConfigError, match="kind 'other' cannot learn to select passages"):
        passage_selection.train(Other(), corpora, config, run())
