"""Questions as a job: the same bytes whatever the workers and the kills, and all accounted for."""

import hashlib
import json
import random
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import AutoTokenizer
from typer.testing import CliRunner

from babelspan.augment.candidates import chosen, found_by_rules
from babelspan.augment.sift import Sift
from babelspan.cli.main import app
from babelspan.data.files import checksum, write_json
from babelspan.data.folder import find, inside
from babelspan.data.squad import checked, save_squad
from babelspan.data.texts import Text, find_texts, identity_of
from babelspan.generators import QuestionWriter, decoded, load_generator, mended
from babelspan.jobs import generate, shards
from babelspan.jobs.shards import Crew, record_of
from babelspan.methods.question_generation import Config, train
from babelspan.networks import store
from babelspan.networks.decoding import Decode
from babelspan.networks.question_generator import begun
from babelspan.readers import DEFAULT_FOLDER
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import ConfigError, DataError, Span
from command_line import program
from killing import killed
from miniature import miniature_reader, word_tokenizer
from ready import context, started
from world import World

WORLD = World(0)


def texts_of(examples):
    return {
        "data": [
            {"title": e.id, "paragraphs": [{"context": e.context, "qas": []}]} for e in examples
        ]
    }


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A generator that has learnt a little, texts of 3 shards in two languages, their answers."""
    folder = tmp_path_factory.mktemp("inputs")
    examples = [
        *WORLD.examples(12),
        *(replace(e, question_language="L1") for e in WORLD.examples(12, "L1")),
    ]
    examples = [
        replace(e, question_language={"L0": "en", "L1": "es"}[e.question_language])
        for e in examples
    ]
    reader = miniature_reader(WORLD.vocabulary())
    reader.save(folder / "reader")
    run = Run(config=RunConfig(updates=200, batch_size=12, threads=1, log_every=0))
    config = Config(generator=Optim(lr=5e-3))
    generator = train(begun(reader.encoder), Corpora(labelled=examples), config, run)
    store.save(generator, folder / "generator")
    english, spanish = WORLD.examples(100, seed=3), WORLD.examples(50, "L1", "L1", seed=3)
    write_json(folder / "texts.en.json.gz", texts_of(english))
    write_json(folder / "texts.es.json.gz", texts_of(spanish))
    save_squad(folder / "answers" / "answers.en.json", english)
    save_squad(folder / "answers" / "answers.es.json", spanish)
    return folder


@pytest.fixture
def job(inputs, tmp_path):
    def made(name="out", *paths, **fields):
        named = [inputs / "texts.en.json.gz", inputs / "texts.es.json.gz"]
        files = tuple(find_texts(paths or named))
        fields = {"answers": str(inputs / "answers"), **fields}
        new = generate.Job(
            generator=str(inputs / "generator"),
            files=files,
            out=tmp_path / name,
            **{"questions": ("en", "es"), "per_paragraph": 2, **fields},
        )
        return replace(new, texts=generate.count_texts(files)[0])

    return made


def bytes_of(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def questions_of(job):
    return [e for file in inside(job.out) for e in file.load()]


def dropped_by(job):
    return [json.loads(line) for line in (job.out / "dropped.jsonl").open()]


def test_every_answer_ends_as_a_question_or_with_a_reason(job):
    made = job()
    tally, efforts = generate.carry_out(made)
    assert (made.texts, made.shards, len(efforts)) == (150, 3, 3)
    kept, dropped = questions_of(made), dropped_by(made)
    assert len(kept) + len(dropped) == 150 == sum(row["asked"] for row in tally.rows())
    assert len(kept) > 100
    assert {e.strategy for e in kept} == {"generated"}
    assert all(checked(e, made.out) and e.question and e.answers for e in kept)
    assert {identity_of(e.context, e.context_language) == e.origin for e in kept} == {True}
    pairs = {(e.question_language, e.context_language) for e in kept}
    assert pairs == {("en", "en"), ("es", "en"), ("en", "es"), ("es", "es")}
    assert len({e.id for e in kept}) == len(kept)
    assert len({(e.context, e.question.casefold()) for e in kept}) == len(kept)


def test_statistics_and_manifest_say_what_is_there(job):
    made = job()
    generate.carry_out(made)
    statistics = json.loads((made.out / "statistics.json").read_text())
    kept = questions_of(made)
    for row in statistics["table"]:
        own = [
            e
            for e in kept
            if (e.question_language, e.context_language) == (row["question"], row["text"])
        ]
        assert row["kept"] == len(own)
        holds = sum(e.answers[0].text.casefold() in e.question.casefold() for e in own)
        assert row["with_answer"] == pytest.approx(holds / len(own), abs=1e-4)
    first = statistics["first"]["en"]
    assert 3 <= sum(first.values()) <= len(kept)
    manifest = json.loads((made.out / "manifest.json").read_text())
    assert {name: checksum(made.out / name) for name in manifest["files"]} == manifest["files"]
    assert len(manifest["files"]) == len(inside(made.out))
    assert manifest["job"]["decode"] == "greedy"


def test_several_workers_give_the_same_bytes(job):
    """Also of what is drawn; of what is not, see the filters."""
    alone, together = (job(name, decode="sample:0.9") for name in ("alone", "together"))
    generate.carry_out(alone)
    generate.carry_out(together, crew=Crew(workers=2))
    assert bytes_of(alone.out) == bytes_of(together.out)


@pytest.mark.usefixtures("ray_address")
def test_ray_gives_the_same_bytes(job):
    alone, on_ray = job("alone"), job("ray")
    generate.carry_out(alone)
    generate.carry_out(on_ray, crew=Crew(on="ray", workers=2))
    assert bytes_of(alone.out) == bytes_of(on_ray.out)


def test_a_finished_shard_is_not_made_again(job):
    made = job()
    generate.carry_out(made)
    before = bytes_of(made.out)
    record_of(made.out, 1).unlink()
    assert len(generate.carry_out(made)[1]) == 1
    assert bytes_of(made.out) == before
    with pytest.raises(ConfigError, match="holds a job that differs in decode"):
        generate.carry_out(replace(made, decode="beam:2"))


def command_of(inputs, out, *more):
    texts = [str(inputs / f"texts.{language}.json.gz") for language in ("en", "es")]
    generator, answers = str(inputs / "generator"), str(inputs / "answers")
    options = ["--questions", "en,es", "--answers", answers, "--out", str(out), *more]
    return ["generate", generator, *texts, *options]


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_gives_the_same_bytes(inputs, tmp_path):
    whole = tmp_path / "whole"
    started("--version").wait()
    began = time.monotonic()
    assert started(*command_of(inputs, whole)).wait() == 0
    took = time.monotonic() - began
    out = tmp_path / "killed"
    start = partial(started, *command_of(inputs, out))
    killed(start, out, times=2, within=took, rng=random.Random(0))
    done = program(*command_of(inputs, out))
    assert done.returncode == 0, done.stderr
    assert bytes_of(out) == bytes_of(whole)


@pytest.mark.parametrize("ask", ["uniform", "own", "all"])
def test_the_languages_that_are_asked_in(job, ask):
    made = job(ask=ask)
    tally, _ = generate.carry_out(made)
    asked = {(row["question"], row["text"]): row["asked"] for row in tally.rows()}
    if ask == "own":
        assert asked == {("en", "en"): 100, ("es", "es"): 50}
    elif ask == "all":
        assert set(asked.values()) == {100, 50}
        assert sum(asked.values()) == 300
    else:
        assert sum(asked.values()) == 150
        assert 30 <= asked["es", "en"] <= 70


def test_a_text_in_a_language_that_is_not_asked_in_is_told_with_own(job):
    made = job(ask="own", questions=("en",))
    generate.carry_out(made)
    reasons = {line["reason"] for line in dropped_by(made) if line["context_language"] == "es"}
    assert reasons == {"the language is not among --questions"}


def test_texts_that_come_twice_are_asked_about_once(job, inputs, tmp_path):
    copy = tmp_path / "copy.en.json"
    write_json(copy, texts_of(WORLD.examples(10, seed=3)))
    both = job("both", inputs / "texts.en.json.gz", copy)
    assert both.texts == 100
    assert generate.count_texts(both.files) == (100, 10)
    generate.carry_out(both)
    ids = [e.id for e in questions_of(both)]
    assert len(ids) == len(set(ids))


def test_only_what_a_reader_finds_again_is_kept(job, inputs):
    everything, consistent = job("all"), job("kept", reader=str(inputs / "reader"), least_f1=0.5)
    generate.carry_out(everything)
    generate.carry_out(consistent)
    kept = {e.id: e for e in questions_of(consistent)}
    assert 0 < len(kept) < len(questions_of(everything))
    lost = [line for line in dropped_by(consistent) if line["reason"] == "another answer is read"]
    before = {e.id: e for e in questions_of(everything)}
    assert {*kept, *(line["id"] for line in lost)} == {*before}
    assert all(e == before[e.id] for e in kept.values())
    free = job("free", reader=str(inputs / "reader"), least_f1=0.0)
    generate.carry_out(free)
    assert questions_of(free) == questions_of(everything)


@pytest.mark.parametrize("file", ["config.json", "model.onnx", "network.json"])
def test_readers_of_every_kind_are_told_from_data(tmp_path, file, inputs):
    assert generate._holds_answers(str(tmp_path))
    (tmp_path / file).touch()
    assert not generate._holds_answers(str(tmp_path))
    assert not generate._holds_answers("a/name-on-the-hub")
    assert generate._holds_answers(str(inputs / "texts.en.json.gz"))


def test_a_reader_says_what_may_be_asked_for(job, inputs):
    made = job(answers=str(inputs / "reader"), per_paragraph=3)
    tally, _ = generate.carry_out(made)
    assert sum(row["asked"] for row in tally.rows()) > 300
    for example in questions_of(made)[:50]:
        assert example.answers[0].is_in(example.context)


HOSTILE = [
    "",
    "   \n ",
    "7",
    "\u0661\u0662 \u05d0\u05d1 7",
    "e\u0301\u0301 9 \U0001f600 12\u200d 5",
    "\x00 3 \x07",
    "12 " * 20_000,
    "no answers here",
    "1" * 5_000,
    "\ud800 8",
    '"quoted" 4',
]


def test_no_text_stops_the_job(job, tmp_path):
    hostile = tmp_path / "hostile.en.json"
    write_json(
        hostile,
        {"data": [{"title": "\ud800", "paragraphs": [{"context": t, "qas": []} for t in HOSTILE]}]},
    )
    made = job("out", hostile, answers="links", ask="all", per_paragraph=4)
    assert made.texts == len(HOSTILE) - 2
    tally, _ = generate.carry_out(made)
    kept, dropped = questions_of(made), dropped_by(made)
    assert len(kept) + len(dropped) == sum(row["asked"] for row in tally.rows())
    reasons = {line["reason"] for line in dropped}
    assert "no answer in the text" in reasons
    assert all(checked(e, hostile) for e in kept)


def test_answers_by_rules_are_places_no_two_alike():
    said = "In 1998 the Town Council met in Paris, and Paris said "
    said += "\u201cnever again\u201d to 1998 and 12.5 %."
    text = Text(identity_of(said, "en"), "", said, "en")
    spans = chosen(text, found_by_rules(text), 10)
    assert [span.of(said) for span in spans] == [
        "1998",
        "Town Council",
        "Paris",
        "never again",
        "12.5 %",
    ]
    linked = replace(text, links=(Span(3, 7), Span(12, 24)))
    assert [s.of(said) for s in chosen(linked, found_by_rules(linked), 10)] == [
        "1998",
        "Town Council",
        "never again",
        "12.5 %",
    ]
    many = Text("x", "", " ".join(map(str, range(10, 50))), "en")
    few = chosen(many, found_by_rules(many), 4)
    assert [int(s.of(many.text)) // 10 for s in few] == [1, 2, 3, 4]
    assert few == chosen(many, found_by_rules(many)[::-1], 4)


def test_references_in_brackets_are_no_answers():
    text = Text("x", "", "Opened in 1894.[12][3] It has [4 arches] and 2 towers [see 7].", "en")
    spans = chosen(text, found_by_rules(text), 10)
    assert [span.of(text.text) for span in spans] == ["1894", "4", "2", "7"]


def test_plain_texts_are_read_by_paragraphs(tmp_path):
    (tmp_path / "a.de.txt").write_text("Eins.\nzwei\n\n  Drei.\n")
    (tmp_path / "b.txt").write_text("\ufeffone\ntwo\n")
    with pytest.raises(DataError, match=r"b.txt: expected a name that says the language"):
        find_texts([tmp_path])
    files = find_texts([tmp_path], language="en")
    assert [(t.text, t.language) for f in files for t in f.texts()] == [
        ("Eins.\nzwei", "de"),
        ("Drei.", "de"),
        ("one", "en"),
        ("two", "en"),
    ]
    with pytest.raises(DataError, match=r"nothing.txt: there is no such file"):
        find_texts([tmp_path / "nothing.txt"])


@pytest.mark.parametrize("links", [[[0, 99]], [[3]], [["a", "b"]], [[2, 1]], 5])
def test_a_link_that_is_no_place_is_told(tmp_path, links):
    path = tmp_path / "texts.en.json"
    write_json(path, {"data": [{"title": "", "paragraphs": [{"context": "abc", "links": links}]}]})
    (file,) = find_texts([path])
    with pytest.raises(DataError, match=r"paragraph 0: expected .*links.*, found"):
        list(file.texts())


def test_the_writer_writes_one_question(inputs):
    generator = load_generator(str(inputs / "generator"))
    writer = QuestionWriter(generator, Decode())
    (example,) = WORLD.examples(1)
    answer = example.answers[0]
    asked = writer.ask(answer.text, example.context, question_language="en", start=answer.start)
    tokens = generator.tokenizer.tokenize
    assert tokens(asked) == tokens(example.question)
    with pytest.raises(DataError, match="expected words of the text, found 'nowhere'"):
        writer.ask("nowhere", example.context, question_language="en")
    with pytest.raises(ConfigError, match="writes no questions in 'fr'"):
        writer.ask(answer.text, example.context, question_language="fr")


@pytest.mark.parametrize(
    "question",
    [
        "¿dónde está el puente de la estación (1894), y quién lo construyó?",
        "what is the world's best-known bridge?",
        "昂奈克批評了在何時辭職的人的經濟戰略?",
        "متى ولد أبو الطيب المتنبي؟",
    ],
)
def test_questions_of_an_extended_vocabulary_are_decoded(question):
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_FOLDER)
    pieces = tokenizer(question)["input_ids"]
    assert tokenizer.backend_tokenizer.decoder is None
    assert decoded(tokenizer, pieces) == question


def test_questions_of_a_tokenizer_without_decoder_keep_their_spaces():
    tokenizer = word_tokenizer(["wo", "liegt", "kazu", "?"])
    assert tokenizer.backend_tokenizer.decoder is None
    pieces = tokenizer("wo liegt kazu ?", add_special_tokens=False)["input_ids"]
    assert decoded(tokenizer, pieces) == "wo liegt kazu ?"


@pytest.mark.parametrize(
    ("torn", "whole"),
    [
        ("who is carolina ' s coach?", "who is carolina's coach?"),
        ("they ' re right - of - way", "they're right-of-way"),
        ("o\u00f9 est l \u2019 eau?", "o\u00f9 est l\u2019eau?"),
        ("the ' big ' one", "the ' big ' one"),
        ("- what - ?", "- what -?"),
        ("¿ dónde está el puente ( 1894 ) , y quién ?", "¿dónde está el puente (1894), y quién?"),
        ("東 京 は 「 どこ 」 。", "東 京 は「どこ」。"),
        ("what % of people , and 5 % of it ?", "what % of people, and 5% of it?"),
        ("the .net framework « is » it", "the .net framework « is » it"),
    ],
)
def test_words_that_pieces_tear_are_mended(torn, whole):
    assert mended(torn) == whole


def invoke(*words):
    return CliRunner().invoke(app, list(words), catch_exceptions=True)


def test_the_command_prints_counts_and_questions(inputs, tmp_path):
    done = invoke(*command_of(inputs, tmp_path / "out", "--show", "2", "--own-pieces"))
    assert done.exit_code == 0, done.output
    assert "es questions about en texts" in done.output
    assert "150 answers in" in done.output


def test_mistakes_are_told_before_anything_is_made(inputs, tmp_path):
    out = tmp_path / "out"
    for more, said in (
        (["--questions", "en,fr"], "writes no questions in 'fr', only in en, es"),
        (["--decode", "best"], "expected greedy, beam:K"),
        (["--least-f1", "0.5"], "--least-f1 has no effect without --keep-consistent"),
        (["--questions", ","], "--questions: expected languages such as en,es"),
    ):
        done = invoke(*command_of(inputs, out, *more))
        assert isinstance(done.exception, ConfigError)
        assert said in str(done.exception)
    words = command_of(inputs, out)
    words[1] = str(inputs / "reader")
    done = invoke(*map(str, words))
    assert "expected a folder with a generator of questions" in str(done.exception)
    assert not out.exists()


FILTERS = Sift(most_nats=0.3, right_language=True, without_answer=True, no_repeats=2, no_near=0.5)


def test_filters_are_counted_alone_and_together(job, inputs):
    """Every question that was written is either kept or has all its reasons."""
    unfiltered, filtered = job("all"), job("sifted", sift=FILTERS, reader=str(inputs / "reader"))
    generate.check(filtered)
    generate.carry_out(unfiltered)
    generate.carry_out(filtered)
    everything = {e.id: e.question for e in questions_of(unfiltered)}
    kept = {e.id: e.question for e in questions_of(filtered)}
    gone = {line["id"]: line for line in dropped_by(filtered) if line["question"]}
    assert everything.keys() == kept.keys() | gone.keys()
    assert kept.items() <= everything.items()
    table = json.loads((filtered.out / "statistics.json").read_text())["filters"]
    assert table["seen"] == len(everything) == sum(item["count"] for item in table["joint"])
    assert table["kept"] == len(kept)
    for item in table["each"]:
        with_reason = [
            line
            for line in gone.values()
            if item["reason"] in (line["reason"], *line.get("also", ()))
        ]
        assert item["count"] == len(with_reason) > 0
        assert item["alone"] == sum("also" not in line for line in with_reason)
    assert {"the generator finds it unlikely", "another answer is read"} <= {
        item["reason"] for item in table["each"]
    }
    assert any(len(item["reasons"]) > 1 for item in table["joint"])
    assert "filters" not in json.loads((unfiltered.out / "statistics.json").read_text())


@pytest.mark.parametrize("language", ["ru", "ja", "am"])
def test_questions_about_texts_in_any_language_can_be_read_again(job, inputs, tmp_path, language):
    (tmp_path / f"a.{language}.txt").write_text("x 1894 y 1901 z")
    made = job(
        "out", tmp_path / f"a.{language}.txt", answers="links", reader=str(inputs / "reader")
    )
    generate.check(made)
    generate.carry_out(made)
    reasons = {line["reason"] for line in dropped_by(made)}
    assert len(questions_of(made)) + len(dropped_by(made)) == 2
    assert reasons <= {"another answer is read", "question comes twice", "question without end"}


def test_filters_give_the_same_bytes_with_several_workers(job, inputs, monkeypatch):
    monkeypatch.setattr(shards, "multiprocessing", SimpleNamespace(get_context=context))
    one, other = (job(name, sift=FILTERS, reader=str(inputs / "reader")) for name in ("a", "b"))
    generate.carry_out(one)
    generate.carry_out(other, crew=Crew(workers=2))
    assert bytes_of(one.out) == bytes_of(other.out)


def test_another_filter_is_another_job(job):
    generate.carry_out(job())
    with pytest.raises(ConfigError, match="holds a job that differs in sift"):
        generate.carry_out(job(sift=FILTERS))
    with pytest.raises(ConfigError, match="holds a job that differs in avoid"):
        generate.carry_out(job(avoid=tuple(find([Path(job().answers)]))))


def test_texts_of_test_sets_are_not_asked_about(job, inputs, tmp_path):
    """Also not where they are a little edited; nothing is written about them."""
    known, edited = WORLD.examples(100, seed=3)[:2]
    edited = replace(edited, context=edited.context.upper() + " And this.", answers=())
    save_squad(tmp_path / "test.en.json", [known, edited])
    avoiding = job("avoiding", avoid=tuple(find([tmp_path / "test.en.json"])))
    generate.carry_out(avoiding)
    gone = [line for line in dropped_by(avoiding) if "to avoid" in line["reason"]]
    assert {line["origin"] for line in gone} == {
        identity_of(e.context, "en") for e in WORLD.examples(100, seed=3)[:2]
    }
    assert not {e.context for e in questions_of(avoiding)} & {
        e.context for e in WORLD.examples(100, seed=3)[:2]
    }


def test_the_command_takes_and_prints_filters(inputs, tmp_path):
    words = (
        *("generate", inputs / "generator", inputs / "texts.en.json.gz", "--questions", "en,es"),
        *("--out", tmp_path / "out", "--most-nats", "0.3", "--right-language", "--without-answer"),
        *("--no-loops", "2", "--no-near", "0.5", "--avoid", inputs / "answers"),
    )
    done = invoke(*map(str, words))
    assert done.exit_code == 0, done.output
    assert "filters saw 0 questions and kept 0" in done.output  # all texts are to be avoided
    assert "the text is in a data set to avoid" in done.output
    done = invoke(*map(str, words[:6]), str(tmp_path / "more"), "--most-nats", "0.3")
    assert done.exit_code == 0, done.output
    assert re.search(r"the generator finds it unlikely \(\d+ for no other reason\)", done.output)
