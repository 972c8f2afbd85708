"""Distillation: the losses by a version with loops, links, the teacher, what is learnt."""

from dataclasses import replace

import pytest
import torch

from babelspan.engines.torch import TorchEngine
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.losses.distillation import unexplained
from babelspan.methods import distillation, fine_tune
from babelspan.methods.distillation import Config
from babelspan.networks.texts import encoder_of
from babelspan.reading.answerer import Answerer
from babelspan.text.words import words
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.stream import Order
from babelspan.training.teaching import taught_pairs
from babelspan.training.update import Optim
from babelspan.types import Alignment, ConfigError, DataError, SentencePair
from miniature import miniature_reader
from world import World

WORLD = World(0)
WORDS = [w for w in WORLD.vocabulary() if w != "-"]


def word_by_word(text, language):
    """A text of L0 in the words of another language, in the same order."""
    table = WORLD.dictionary("L0", language)
    return " ".join(table.get(w, w) for w in text.replace(".", " .").replace("?", " ?").split())


def pair_of(text, language="L1"):
    """A pair whose words are linked one by one."""
    spaced = text.replace(".", " .").replace("?", " ?")
    other = word_by_word(text, language)
    count = len(words(spaced, "en"))
    assert count == len(words(other, "en"))
    links = Alignment(frozenset((i, i) for i in range(count)))
    return SentencePair(spaced, other, "en", language, links)


EXAMPLES = WORLD.examples(24)
PAIRS = [pair_of(text) for e in EXAMPLES for text in (e.question, e.context)]
SMALL = {"batch_size": 8, "threads": 1, "log_every": 1}


def reader_of(vocabulary=WORDS, **settings):
    return miniature_reader(vocabulary, **settings)


def run_of(**settings):
    return Run(config=RunConfig(**{**SMALL, **settings}))


def naive(ours, theirs):
    """Squared distances over the teacher's spread, with loops."""
    mean = [sum(t[h] for t in theirs) / len(theirs) for h in range(len(theirs[0]))]
    far = sum(sum((a - b) ** 2 for a, b in zip(t, mean, strict=True)) for t in theirs)
    near = sum(
        sum((a - b) ** 2 for a, b in zip(o, t, strict=True))
        for o, t in zip(ours, theirs, strict=True)
    )
    return near / far


def test_unexplained_by_loops_and_at_its_ends():
    torch.manual_seed(0)
    ours, theirs = torch.randn(7, 3), torch.randn(7, 3) + 5
    assert float(unexplained(ours, theirs)) == pytest.approx(
        naive(ours.tolist(), theirs.tolist()), rel=1e-4
    )
    assert float(unexplained(theirs, theirs)) == 0
    assert float(unexplained(theirs.mean(0).expand(7, 3), theirs)) == pytest.approx(1)
    assert float(unexplained(ours[:0], theirs[:0])) == 0
    assert torch.isfinite(unexplained(ours[:1], theirs[:1]))
    with pytest.raises(ValueError, match=r"\(N, H\), got \(7, 3\) and \(6, 3\)"):
        unexplained(ours, theirs[:6])


def test_losses_by_a_version_with_loops(tmp_path, monkeypatch):
    """Sentences and words of the first batch, read one text at a time; the teacher is another."""
    teacher = reader_of(list(reversed(WORDS)), seed=5)
    teacher.save(tmp_path)
    reader, start = reader_of(), reader_of()
    run = run_of(updates=1)
    logged = []
    monkeypatch.setattr(run.journal, "record", lambda line, **_: logged.append(line))
    pairs = [*PAIRS, replace(PAIRS[0], links=None)]
    config = Config(teacher=str(tmp_path), layers=(1, 2))
    distillation.train(reader, Corpora(bitext=pairs), config, run)

    stream = taught_pairs(start.encoder, teacher.encoder, pairs, run, language="en")
    order = Order.of(run)
    indices = stream.in_order(order)._plan(0)[0]
    chosen = [stream.items[int(i)] for i in indices]
    sentences = {side: ([], []) for side in ("source", "target")}
    of_words = {(side, layer): ([], []) for side in sentences for layer in (1, 2)}
    for pair in chosen:
        taught = vectors(teacher, pair.source)
        for side, text in (("source", pair.source), ("target", pair.target)):
            own = vectors(start, text)
            sentences[side][0].append(mean(own[2]))
            sentences[side][1].append(mean(taught[2]))
            count = len(words(pair.source, "en"))
            links = [(i, i) for i in range(count)] if side == "source" or pair.links else []
            for layer in (1, 2):
                for i, j in links:
                    of_words[side, layer][0].append(word_vector(own[layer], text, i))
                    of_words[side, layer][1].append(word_vector(taught[layer], pair.source, j))
    expected = sum(naive(*of_side) for of_side in sentences.values())
    assert logged[0]["sentences"] == pytest.approx(expected, rel=1e-3)
    expected = sum(naive(*found) for found in of_words.values()) / 2
    assert logged[0]["words"] == pytest.approx(expected, rel=1e-3)


@torch.no_grad()
def vectors(reader, text):
    """Vectors of the text's tokens after each layer, without the frame: rows of lists."""
    tokenized = reader.encoder.texts([text])
    found = reader.encoder.after(tokenized, range(3))
    return [hidden[0, 1:-1].tolist() for hidden in found]


def mean(rows):
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def word_vector(rows, text, number):
    """In these texts each word, and each mark, is one token."""
    place = words(text, "en")[number]
    return rows[len(text[: place.start].split())]


def test_the_side_of_the_teacher_comes_first(capsys):
    reader = reader_of()
    turned = [
        SentencePair(p.target, p.source, "L1", "en", Alignment(frozenset({(0, 2)})))
        for p in PAIRS[:3]
    ]
    others = [SentencePair(p.source, p.target, "L2", "L3") for p in PAIRS[:2]]
    stream = taught_pairs(
        reader.encoder, reader.encoder, [*turned, *others], run_of(), language="en"
    )
    assert [p.source for p in stream.items] == [p.source for p in PAIRS[:3]]
    assert {p.links for p in stream.items} == {Alignment(frozenset({(2, 0)}))}
    assert "skipped 2 sentence pairs: no side in 'en', or no text" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"with a side in 'en', .* found none among 2"):
        taught_pairs(reader.encoder, reader.encoder, others, run_of(), language="en")


def test_words_that_the_window_cuts_are_left_out():
    short = reader_of(max_length=6)
    whole = reader_of()
    (item,) = taught_pairs(
        short.encoder, whole.encoder, PAIRS[1:2], run_of(batch_size=1), language="en"
    ).items
    stream = taught_pairs(short.encoder, whole.encoder, [item], run_of(batch_size=1), language="en")
    batch = stream.collate([item])
    assert len(batch.linked) == len(batch.target_words.text) == 4
    assert len(batch.same) == 4 < len(batch.taught_words.text)


def exact(reader, examples):
    answered = Answerer(TorchEngine(reader.eval())).predict(examples)
    texts = {p.id: p.text for p in answered}
    return sum(texts[e.id] == e.answers[0].text for e in examples) / len(examples)


def moved(examples):
    """Examples word by word in L1, with answers in their places."""
    found = []
    for e in examples:
        answer, context = (word_by_word(t, "L1") for t in (e.answers[0].text, e.context))
        start = context.index(answer)
        found.append(
            replace(
                e,
                question=word_by_word(e.question, "L1"),
                context=context,
                answers=(replace(e.answers[0], text=answer, start=start),),
            )
        )
    return found


@pytest.mark.slow
def test_a_reader_answers_in_a_language_that_it_had_no_questions_in():
    """English questions first; then sentence pairs alone teach it the words of L1."""
    reader = reader_of()
    config = fine_tune.Config(reader=Optim(lr=5e-3))
    fine_tune.train(reader, Corpora(labelled=EXAMPLES), config, run_of(updates=60, batch_size=12))
    foreign = moved(EXAMPLES)
    english, before = exact(reader, EXAMPLES), exact(reader, foreign)
    assert english > 0.9
    trained = distillation.train(
        reader,
        Corpora(bitext=PAIRS),
        Config(reader=Optim(lr=5e-3), layers=(0, 1, 2)),
        run_of(updates=250, batch_size=12),
    )
    assert exact(trained, foreign) > before + 0.4
    assert exact(trained, EXAMPLES) > english - 0.2


def test_a_teacher_of_another_form_is_refused(tmp_path):
    reader = reader_of()
    for other, layers, message in (
        (reader_of(width=16), (), "expected vectors of width 32 .*, found width 16 and 2 layers"),
        (reader_of(layers=1), (2,), "layers up to 2, found width 32 and 1 layers"),
    ):
        other.save(tmp_path)
        with pytest.raises(ConfigError, match=message):
            config = Config(teacher=str(tmp_path), layers=layers)
            distillation.train(reader, Corpora(bitext=PAIRS), config, run_of())


def test_the_teacher_stays_as_it_was_and_so_does_the_span_head():
    reader, start = reader_of(), reader_of()
    teacher = distillation._teacher(encoder_of(reader), Config(), run_of())
    distillation.train(reader, Corpora(bitext=PAIRS), Config(), run_of(updates=3))
    for name, weight in teacher.state_dict().items():
        assert torch.equal(weight, start.encoder.state_dict()[name])
    assert torch.equal(reader.model.qa_outputs.weight, start.model.qa_outputs.weight)
    assert not torch.equal(reader.encoder.word_vectors, start.encoder.word_vectors)


def test_a_run_with_another_teacher_is_another_run(tmp_path):
    reader_of().save(tmp_path / "reader")
    lines = [f"{pair.source}\t{pair.target}\n" for pair in PAIRS[:16]]
    (tmp_path / "pairs.en-xx.tsv").write_text("".join(lines), "utf-8")

    def carried_out(seed):
        reader_of(seed=seed).save(tmp_path / "teacher")
        plan = train_job.plan(
            method="distillation",
            reader=str(tmp_path / "reader"),
            data=Paths(bitext=(str(tmp_path / "pairs.en-xx.tsv"),)),
            settings=[f"method.teacher={tmp_path / 'teacher'}", "run.updates=2", "run.threads=1"],
        )
        train_job.carry_out(plan, tmp_path / "out")

    carried_out(seed=1)
    carried_out(seed=1)
    with pytest.raises(ConfigError, match="holds a run with another teacher; choose another"):
        carried_out(seed=2)
