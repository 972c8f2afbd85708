"""Translations beside the questions of `ask`, `predict` and `evaluate`, from files and made."""

import json
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from babelspan.cli.main import app
from babelspan.data.folder import describe
from babelspan.data.squad import save_squad
from babelspan.jobs.beside import with_files
from babelspan.jobs.evaluate import load_cells
from babelspan.networks import store
from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.types import ConfigError, DataError
from miniature import miniature_reader
from world import World

WORLD = World(0)
CODES = {"L0": "en", "L1": "de", "L2": "fr"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader of parallel texts, test files in three languages, and a dictionary."""
    path = tmp_path_factory.mktemp("beside")
    inner = miniature_reader(WORLD.vocabulary())
    reader = ParallelReader(inner, Attention(languages=("de", "fr"), heads=4), seed=3)
    with torch.no_grad():
        reader.head.weight[:, inner.width :].normal_(generator=torch.Generator().manual_seed(5))
    store.save(reader, path / "reader")
    for language, code in CODES.items():
        examples = WORLD.examples(6, language, language)
        save_squad(path / f"test.{code}.json", examples[: 6 if code != "fr" else 4])
    words = WORLD.dictionary("L0", "L1").items()
    (path / "en-de.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in words if a.isalpha()))
    return path


def run(*arguments):
    found = CliRunner().invoke(app, list(map(str, arguments)))
    return found.exit_code, found.stdout, f"{found.stderr}{found.exception or ''}"


def evaluated(folder, *options):
    code, out, err = run("evaluate", folder / "reader", folder / "test.en.json", "--json", *options)
    assert code == 0, err
    return json.loads(out), err


def test_evaluate_beside_files_counts_what_is_missing_and_says_so_in_the_signature(folder):
    alone, said = evaluated(folder)
    assert "this reader can also read translations into de, fr, but none were given" in said
    options = ["--beside", folder / "test.de.json", "--beside", folder / "test.fr.json"]
    found, said = evaluated(folder, *options, "--out", folder / "kept")
    assert "de: 6 of 6 questions have a translation to read with them" in said
    assert "fr: 4 of 6 questions have a translation to read with them" in said
    assert "beside:sha256:" in found["signature"]
    assert "beside:" not in alone["signature"]
    _, _, err = run(
        "evaluate", folder / "reader", folder / "test.en.json", "--out", folder / "kept"
    )
    assert "beside_files" in err


def test_evaluate_predict_and_ask_with_a_translator(folder, tmp_path):
    by = ["--also", "de", "--translator", f"lexicon:{folder / 'en-de.tsv'}"]
    kept = ["--cache", tmp_path / "cache"]
    found, said = evaluated(folder, *by, *kept)
    assert "beside:sha256:" in found["signature"]
    assert "translated " in said
    assert " 0 sentences" not in said
    assert list((tmp_path / "cache").glob("*.en-de.sqlite"))
    _, said = evaluated(folder, *by, *kept)
    assert "translated 0 sentences" in said
    code, out, err = run(
        "predict", folder / "reader", folder / "test.en.json", "--out", tmp_path / "a.json", *by
    )
    assert code == 0, err
    assert len(json.loads((tmp_path / "a.json").read_text())) == 6
    text = tmp_path / "text.txt"
    example = WORLD.examples(1)[0]
    text.write_text(example.context)
    spoken = ["--question-language", "en", "--context-language", "en"]
    asked = ["ask", example.question, text, "--json", "--reader", folder / "reader", *spoken]
    code, out, err = run(*asked, *by)
    assert code == 0, err
    (answer,) = json.loads(out)
    assert example.context[answer["start"] : answer["end"]] == answer["answer"]
    assert "translated " in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--also", "de"], "--also needs --translator; give both or neither"),
        (["--translator", "copy"], "--translator needs --also"),
        (["--also", "it", "--translator", "copy"], "translations into 'it' beside a text, got one"),
        (
            ["--also", "de", "--translator", "copy", "--pivot", "apertium"],
            "--also and --pivot cannot be used together",
        ),
    ],
)
def test_options_that_make_no_sense_are_told(folder, options, message):
    for verb in (
        ["evaluate", folder / "reader", folder / "test.en.json"],
        ["ask", "?", folder / "test.en.json", "--reader", folder / "reader"],
    ):
        code, _, err = run(*verb, *options)
        assert code
        assert message in err


def test_files_that_cannot_stand_beside_are_told(folder, tmp_path):
    cells = load_cells([describe(folder / "test.en.json")])
    beside = describe(folder / "test.de.json")
    with pytest.raises(ConfigError, match="expected a reader that reads translations into 'de'"):
        with_files(cells, [beside], read=["fr"])
    with pytest.raises(DataError, match="this is a second file in 'de'; give only one"):
        with_files(cells, [beside, replace(beside, path=tmp_path / "b.de.json")], read=["de"])
    crossed = replace(beside, question_language="en")
    with pytest.raises(DataError, match=r"test.de.json: expected questions and contexts in one la"):
        with_files(cells, [crossed], read=["de"])
    found = with_files(cells, [beside], read=["de"]).cells["en", "en"]
    assert all(o.answers is None and o.id == e.id for e in found for o in e.others)
