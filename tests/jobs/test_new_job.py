"""`babelspan new`: a reader from texts, vectors and a dictionary, and what is done with it."""

import json
import sys
from dataclasses import replace

import pytest

from babelspan.cli import main
from babelspan.data.squad import save_squad
from babelspan.jobs import new as new_job
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.networks import store
from babelspan.networks.qanet_new import Start
from babelspan.readers import load_answerer
from babelspan.types import ConfigError
from world import World

WORLD = World(0)
SIZES = ("width=8", "blocks=1", "word_width=6", "spelling=0")
RUN = ("updates=2", "batch_size=4", "threads=1", "max_length=64", "overlap=8")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    save_squad(folder / "train.en.json", WORLD.examples(8))
    save_squad(folder / "train.de.json", WORLD.examples(8, "L1", "L1"))
    pairs = WORLD.dictionary("L0", "L1").items()
    (folder / "mine.en-de.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs))
    return folder


def said(monkeypatch, capsys, *arguments):
    """Exit code, output and errors of the command line."""
    monkeypatch.setattr(sys, "argv", ["babelspan", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main.main()
    return left.value.code, *capsys.readouterr()


def test_a_reader_is_made_trained_and_asked(data, tmp_path, monkeypatch, capsys):
    out = tmp_path / "new"
    settings = [option for size in SIZES for option in ("--set", size)]
    texts = ["--texts", data / "train.en.json", "--texts", data / "train.de.json"]
    sides = ["--sides", "en,de", "--set", "dependent=encoder"]
    dictionary = ["--dictionary", data / "mine.en-de.tsv", "--own-vectors", "de"]
    code, printed, _ = said(
        monkeypatch, capsys, "new", "qanet", out, *texts, *dictionary, *sides, *settings
    )
    assert code == 0
    assert "words in the texts have a vector\n" in printed
    assert " fixed vectors of 100 numbers; " in printed
    made = store.load(str(out))
    table = made.featurizer.table
    assert made.sides == ("en", "de")
    word, translation = next(
        (a, b) for a, b in WORLD.dictionary("L0", "L1").items() if b in table.words["de"] and a != b
    )
    assert table.row_of(word, "en") == table.row_of(translation, "de")

    plan = train_job.plan(
        method="fine_tune",
        reader=str(out),
        data=Paths(labelled=(str(data / "train.en.json"),)),
        settings=[*RUN, "method.reader.average=0.9"],
    )
    train_job.carry_out(plan, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "network.json").read_text()) == {"kind": "qanet"}
    asked = WORLD.examples(1)[0]
    answer = load_answerer(tmp_path / "run")(asked.question, asked.context)
    assert asked.context[answer["start"] : answer["end"]] == answer["answer"] != ""


def test_what_failed_or_was_killed_can_be_run_again(data, tmp_path):
    """The first run ends after vectors were trained, the second is killed while they are."""
    out = tmp_path / "new"
    start = Start(
        texts=(data / "train.de.json",), dictionaries=(tmp_path / "mine.en-xx.tsv",), settings=SIZES
    )
    with pytest.raises(ConfigError, match="expected a dictionary between languages of the texts"):
        new_job.make("qanet", start, out, own_vectors=["de"])
    (out / ".saving-abc.part").mkdir()
    (out / ".saving-abc.part" / "own.de.vec").write_text("half")
    new_job.make("qanet", replace(start, dictionaries=()), out, own_vectors=["de"])
    names = {path.name for path in out.iterdir()}
    assert "own.de.vec" in names and not [name for name in names if name.startswith(".")]
    assert store.load(str(out)).featurizer.table.words["de"]


def test_mistakes_are_told(data, tmp_path, monkeypatch, capsys):
    texts = ["--texts", data / "train.en.json"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for kind, out, options, message in [
        ("bert", tmp_path / "a", texts, "unknown kind of reader 'bert'; expected qanet"),
        ("qanet", tmp_path / "full", texts, "expected a new or an empty folder, found one in use"),
        ("qanet", tmp_path / "a", [*texts, "--set", "with=8"], "unknown key 'with'; did you mean"),
        ("qanet", tmp_path / "a", ["--texts", tmp_path / "no.en.txt"], "there is no such file"),
        ("qanet", tmp_path / "a", [*texts, "--vectors", "x"], "expected LANGUAGE=FILE of word"),
        ("qanet", tmp_path / "a", [*texts, "--set", "dependent=encoder"], "give --sides source"),
    ]:
        code, _, errors = said(monkeypatch, capsys, "new", kind, out, *options)
        assert (code, message in errors) == (2, True), errors
        assert "\n" not in errors.strip()
