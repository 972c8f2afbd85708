"""Multilingual attention: the baseline inside it, its losses, weights of sets, and its monitor."""

import json
from dataclasses import replace

import pytest
import torch

from babelspan import readers
from babelspan.data.squad import save_squad
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.losses.similarity import span_likeness
from babelspan.losses.span import span_loss
from babelspan.methods import fine_tune, multilingual_attention
from babelspan.methods.multilingual_attention import Config
from babelspan.networks.parallel_texts import ParallelReader
from babelspan.training.members import joined
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import ConfigError, DataError
from miniature import miniature_reader
from world import World

WORLD = World(0)
OWN = WORLD.examples(12)
TRIPLES = [*OWN, *WORLD.translations(12, "L1", "L1"), *WORLD.translations(8, "L2", "L2")]
FAST = Optim(lr=5e-3)


def trained(method, config, *, labelled=OWN, folder=None, reader=None, **corpora):
    settings = RunConfig(seed=1, updates=6, batch_size=4, threads=1, log_every=1)
    run = Run(config=settings, folder=folder)
    reader = reader or miniature_reader(WORLD.vocabulary(), dropout=0.1)
    return method.train(reader, Corpora(labelled=labelled, **corpora), config, run)


def weights(reader):
    return torch.cat([p.detach().flatten() for p in reader.parameters()])


def test_without_translations_and_with_the_plain_head_it_is_fine_tuning_bit_for_bit():
    plain = trained(fine_tune, fine_tune.Config(reader=FAST))
    found = trained(multilingual_attention, Config(reader=FAST, attention="none", languages=()))
    assert type(found) is type(plain)
    assert torch.equal(weights(found), weights(plain))
    attending = trained(multilingual_attention, Config(reader=FAST, languages=()))
    assert not torch.equal(weights(attending.inner.encoder), weights(plain.encoder))


def test_equal_weights_of_sets_change_no_bit():
    config = Config(reader=FAST, heads=2)
    sets = [("a", 12), ("b", 12), ("c", 8)]
    alike = trained(multilingual_attention, config, labelled=TRIPLES, sets=sets, target=OWN[:3])
    plain = trained(multilingual_attention, config, labelled=TRIPLES)
    assert torch.equal(weights(alike), weights(plain))


def test_weights_of_sets_are_reported_and_translations_are_no_sets(capsys, tmp_path):
    config = Config(reader=FAST, own="L0")
    elsewhere = [replace(e, id=f"x{e.id}") for e in WORLD.examples(6, seed=7)]
    trained(
        multilingual_attention,
        config,
        labelled=[*TRIPLES, *elsewhere],
        sets=[("a", 12), ("b", 12), ("c", 8), ("d", 6)],
        target=OWN[:3],
        folder=tmp_path,
    )
    kept = json.loads((tmp_path / "task_weights.json").read_text())
    assert list(kept) == ["a", "d"]
    assert kept["a"]["weight"] > 1 > kept["d"]["weight"]
    said = capsys.readouterr().err
    assert f"a: likeness {kept['a']['likeness']:.3f}, share {kept['a']['share']:.3f}" in said
    assert "L2: 8 of 18 texts have their translation" in said


@pytest.mark.parametrize("settings", [{}, {"likeness": "one"}, {"attention": "none"}])
def test_the_first_loss_is_that_of_the_equations(settings, tmp_path):
    """L_S + sum of lambda_R L_R, each by itself from one text, averaged by hand (Eq. 22 to 25)."""
    reader = miniature_reader(WORLD.vocabulary())
    found = joined(TRIPLES)
    config = RunConfig(seed=1, updates=1, batch_size=12, threads=1, log_every=1)
    run = Run(config=config, folder=tmp_path)
    spans, others = [], []
    with torch.no_grad():
        for example in found.examples:
            one = reader.collate(list(reader.windows([example])))
            own = reader(one)
            spans.append(span_loss(own.start_logits, own.last_logits, one.answers).item())
            for other in example.others:
                beside = reader.collate(list(reader.windows([other])))
                read = reader(beside)
                alike = span_likeness((own.hidden, one.answers), (read.hidden, beside.answers))
                loss = span_loss(read.start_logits, read.last_logits, beside.answers)
                others.append((1.0 if settings.get("likeness") else alike.item()) * loss.item())
    multilingual_attention.train(
        reader, Corpora(labelled=TRIPLES), Config(reader=FAST, **settings), run
    )
    first = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert first["span"] == pytest.approx(sum(spans) / 12, rel=1e-4)  # a new head is the plain one
    assert first["translated"] == pytest.approx(sum(others) / 12, rel=1e-4)


def test_a_loss_on_translations_needs_the_answer_in_both_windows():
    lost = [replace(e, answers=()) if e.strategy else e for e in TRIPLES]
    one = trained(multilingual_attention, Config(reader=FAST), labelled=lost)
    none = trained(multilingual_attention, Config(reader=FAST, auxiliary=0.0), labelled=lost)
    assert torch.equal(weights(one), weights(none))


def test_hidden_translations_teach_otherwise():
    one, other = (
        trained(multilingual_attention, Config(reader=FAST, hidden=h), labelled=TRIPLES)
        for h in (0.0, 0.5)
    )
    assert not torch.equal(weights(one), weights(other))


def test_a_reader_of_parallel_texts_learns_on():
    first = trained(multilingual_attention, Config(reader=FAST), labelled=TRIPLES)
    before = weights(first).clone()
    again = trained(multilingual_attention, Config(reader=FAST), labelled=TRIPLES, reader=first)
    assert again is first
    assert not torch.equal(weights(again), before)
    for settings, message in (
        ({"languages": ("L2",)}, "expected a reader of translations into L2, got one of"),
        ({"heads": 1}, "the reader has [24] heads, got heads = 1; leave it out"),
        ({"attention": "printed"}, "the reader's attention is 'heads', got 'printed'; leave"),
    ):
        config = Config(reader=FAST, **settings)
        with pytest.raises(ConfigError, match=message):
            trained(multilingual_attention, config, labelled=TRIPLES, reader=first)


def in_twos(language, count=4):
    """Each context with two questions: that of its first story, and that of its second."""
    made = []
    for one, other in zip(
        WORLD.examples(count, language, language),
        WORLD.examples(count, language, language, seed=5),
        strict=True,
    ):
        context = f"{one.context} {other.context}"
        (answer,) = other.answers
        moved = replace(answer, start=answer.start + len(one.context) + 1)
        made += [
            replace(one, id=f"{one.id}-1", context=context),
            replace(other, id=f"{one.id}-2", context=context, answers=(moved,)),
        ]
    return made


def test_what_only_the_translation_tells_is_learnt_from_it():
    """The own question is the same for both answers; with the wrong translation all are wrong."""
    own, beside = [replace(e, question="?") for e in in_twos("L0")], in_twos("L1")
    run = Run(config=RunConfig(seed=1, updates=120, batch_size=8, threads=1))
    reader = multilingual_attention.train(
        miniature_reader(WORLD.vocabulary()),
        Corpora(labelled=[*own, *beside]),
        Config(reader=FAST, own="L0"),
        run,
    )
    answerer = readers.answerer_of(reader.eval())
    gold = [e.answers[0].text for e in own]

    def answers(others):
        asked = [replace(e, others=(o,)) for e, o in zip(own, others, strict=True)]
        return [p.text for p in answerer.predict(asked)]

    assert answers(beside) == gold
    swapped = answers([beside[i ^ 1] for i in range(len(beside))])
    assert swapped == [gold[i ^ 1] for i in range(len(gold))]


def test_heads_and_negatives_that_make_no_sense_are_told():
    with pytest.raises(ConfigError, match="expected heads that divide the reader's width 32, got"):
        trained(multilingual_attention, Config(heads=5), labelled=TRIPLES)
    told = r"expected translations of the texts to learn from, found none for 12 texts: .* = \[\]"
    with pytest.raises(DataError, match=told):
        trained(multilingual_attention, Config())
    strangers = [replace(e, id=f"other {e.id}", origin=None) for e in TRIPLES[12:]]
    with pytest.raises(DataError, match="expected translations of the texts to learn from, found"):
        trained(multilingual_attention, Config(own="L0"), labelled=[*OWN, *strangers])
    config = Config(attention="none", new_rate=40.0)
    with pytest.raises(ConfigError, match=r"expected new_rate = 1, got 40.0: nothing is new"):
        trained(multilingual_attention, config, labelled=TRIPLES)
    run = Run(config=RunConfig(updates=1, negatives=0.5, threads=1))
    with pytest.raises(ConfigError, match=r"expected negatives = 0, got 0.5"):
        multilingual_attention.train(
            miniature_reader(WORLD.vocabulary()), Corpora(labelled=TRIPLES), Config(), run
        )


def test_by_the_job_with_a_target_and_a_monitor_that_sees_the_attention(tmp_path, capsys):
    """Development figures are those of the reader that comes out."""
    miniature_reader(WORLD.vocabulary()).save(tmp_path / "reader")
    save_squad(tmp_path / "train.en.json", OWN)
    save_squad(tmp_path / "train.de.json", WORLD.translations(12, "L1", "L1"))
    save_squad(tmp_path / "dev.en.json", OWN[:6])
    plan = train_job.plan(
        method="multilingual_attention",
        reader=str(tmp_path / "reader"),
        data=Paths(
            labelled=tuple(str(tmp_path / f"train.{c}.json") for c in ("en", "de")),
            target=(str(tmp_path / "dev.en.json"),),
        ),
        dev=[tmp_path / "dev.en.json"],
        settings=["method.reader.lr=5e-3", "updates=40", "batch_size=12", "threads=1"],
    )
    train_job.carry_out(plan, tmp_path / "out")
    reader = readers.load_checkpoint(str(tmp_path / "out"))
    assert isinstance(reader, ParallelReader)
    assert reader.languages == ("de",)
    answers = {p.id: p.text for p in readers.answerer_of(reader.eval()).predict(OWN[:6])}
    right = sum(answers[e.id] == e.answers[0].text for e in OWN[:6])
    lines = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    logged = next(line["dev_exact_match"] for line in lines[::-1] if "dev_exact_match" in line)
    assert logged == pytest.approx(right / 6)
    assert "train.en: likeness" in capsys.readouterr().err.replace(str(tmp_path), "")


def test_a_target_is_for_methods_that_take_one(tmp_path):
    save_squad(tmp_path / "train.en.json", OWN)
    file = str(tmp_path / "train.en.json")
    with pytest.raises(
        ConfigError, match=r"'fine_tune' does not use --target \(target in a recipe\), found .+; l"
    ):
        train_job.plan(method="fine_tune", reader="x", data=Paths(labelled=(file,), target=(file,)))
