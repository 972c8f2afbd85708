"""A table from files to figures, at the paper's own scale with small stand-ins."""

import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean
from types import SimpleNamespace

import pytest
import stand_in

from babelspan.cli import reproduce
from babelspan.data.folder import describe
from babelspan.data.predictions import RECORD
from babelspan.jobs.answer import Answering
from babelspan.jobs.evaluate import measure
from babelspan.jobs.reproduce import units
from babelspan.jobs.reproduce.data_sets import training_sets
from babelspan.jobs.reproduce.markdown import markdown
from babelspan.jobs.reproduce.papers import choose_rows, load_paper
from babelspan.jobs.reproduce.planned import planned
from babelspan.jobs.reproduce.reproduction import Reproduction, check_inputs
from babelspan.jobs.reproduce.table import tables
from babelspan.jobs.reproduce.translations import translate
from babelspan.jobs.reproduce.units import run_units, units_of
from babelspan.readers import checksum_of, load_answerer
from babelspan.scoring.comparison import Settings
from babelspan.scoring.scorers import load_scorer
from babelspan.text.words import words
from babelspan.types import ConfigError, DataError
from command_line import program
from ready import context, started

PAPER = load_paper("bornea2021")
SCALE = PAPER.scales["paper"]
ROWS = ("zs", "tq", "at-one", "psa-qs-all")
FAST = ("method.reader.lr=5e-3", "threads=1")
TESTS = Settings(resamples=200)
OF_ZS = "runs/zs/seed-1"


def plain(items, _, __):
    return items


def job_of(data, out, *rows, **others):
    values = {
        "paper": PAPER,
        "scale": SCALE,
        "rows": choose_rows(PAPER, SCALE, rows),
        "data": data,
        "out": out,
        "reader": str(data / "reader"),
        "seeds": 1,
        "translator": f"lexicon:{data / 'words'}",
        "settings": FAST,
    }
    return Reproduction(**{**values, **others})


def run(job, processes=1):
    translate(job, workers=1, watch=plain)
    run_units(units_of(job), processes=processes, workers=1, watch=plain)
    return job


def files_in(folder):
    """Every file, with when it was written, but for TensorBoard's, which have the time in them."""
    found = (p for p in sorted(folder.rglob("*")) if p.is_file() and "tensorboard" not in p.parts)
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in found}


def contents(folder, inside=""):
    return {n: b for n, (_, b) in files_in(folder).items() if n.startswith(inside)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stand-in")
    stand_in.write(folder)
    return folder


@pytest.fixture(scope="module")
def job(data, tmp_path_factory):
    return run(job_of(data, tmp_path_factory.mktemp("job"), *ROWS))


@pytest.fixture(scope="module")
def found(job):
    return tables(job, TESTS)


def test_every_row_is_measured_on_every_test(job, found):
    assert [table.test.name for table in found] == ["MLQA", "TyDiQA"]
    assert [[line.key for line in table.lines] for table in found] == [list(ROWS)] * 2
    assert {k for line in found[0].lines for k in line.f1} == {*stand_in.MLQA, "G-XLT", "XLT"}
    assert len({line.f1["G-XLT"].mean for line in found[0].lines}) > 1


@pytest.mark.parametrize("key", ROWS)
def test_figures_are_those_of_the_trained_reader(job, found, key):
    for table in found:
        load = partial(load_answerer, str(job.out / "runs" / key / "seed-1"), step=128)
        cells = job.cells_of(table.test)
        matrix = measure(Answering(load), cells, load_scorer(table.test.scorer)).matrix
        (line,) = (line for line in table.lines if line.key == key)
        if table.test.name == "MLQA":
            assert line.f1["G-XLT"].mean == pytest.approx(matrix.g_xlt("f1"))
        else:
            assert "G-XLT" not in line.f1  # one language a pair
        assert line.f1["XLT"].mean == pytest.approx(matrix.xlt("f1"))
        of_arabic = [matrix.value((q, "ar"), "f1") for q in matrix.question_languages]
        of_arabic = [value for value in of_arabic if value is not None]
        assert line.f1["ar"].mean == pytest.approx(sum(of_arabic) / len(of_arabic))


def test_rows_learn_from_their_translations(job):
    languages = {
        unit.key: [(f.question_language, f.context_language) for f in map(describe, unit.train)]
        for unit in units_of(job)[-1]
    }
    others = [(language, "en") for language in ("de", "es", "ar", "hi", "zh")]
    assert languages == {
        "zs": [("en", "en")],
        "tq": [("en", "en"), *others],
        "at-one": [("en", "en"), ("zh", "en")],
        "psa-qs-all": [("en", "en"), *others],
    }


def test_only_what_rows_need_is_translated(job):
    assert {p.name for p in (job.out / "translated").glob("*/*")} == {"cache", "q"}


def test_the_table_has_the_papers_figures_beside(job, found):
    text = markdown(job, found, training_sets(job))
    of_mlqa, of_tydiqa = (li for li in text.splitlines() if li.startswith("| AT (en-zh)"))
    assert of_mlqa.endswith("| 56.5 ± 0.1 | 62.8 ± 0.1 |")
    assert of_tydiqa.split("|")[-2].strip() == ""  # the paper has no such figure
    assert "| LAF PSA+QS (en-all) | 5 × 32, 3 steps |" in text
    assert "| paper, MLQA: G-XLT | paper, MLQA: XLT |" in text
    assert "n:147" in text
    zero_shot = found[0].lines[0]
    assert set(zero_shot.against) == {"tq"}
    difference = found[0].lines[1].against["zs"]["G-XLT"]
    assert difference.difference == pytest.approx(
        found[0].lines[1].f1["G-XLT"].mean - zero_shot.f1["G-XLT"].mean
    )


def test_every_cell_of_table_3_stands_with_the_papers(job, found):
    of_mlqa, of_tydiqa = found
    line = of_mlqa.lines[ROWS.index("psa-qs-all")]
    assert {(q, c) for q, cells in line.cells.items() for c in cells} == {
        (q, c) for q in stand_in.MLQA for c in stand_in.MLQA
    }
    means = [f1.mean for cells in line.cells.values() for f1 in cells.values()]
    assert mean(means) == pytest.approx(line.f1["G-XLT"].mean)
    text = markdown(job, found, [])
    block = text.partition("F1 of LAF PSA+QS (en-all) by language of question and context")[2]
    head, _, arabic, *_, last = block.partition("\n\n")[2].partition("\n\n")[0].splitlines()
    assert head == "| question \\ context | ar | de | en | es | hi | vi | zh | mean |"
    assert [cell.partition(" (")[2] for cell in arabic.split(" | ")[1:]] == [
        "58.0)", "59.7)", "70.3)", "62.7)", "51.1)", "61.6)", "54.0)", "59.6) |",
    ]  # fmt: skip
    assert arabic.split(" | ")[1].startswith(f"{100 * line.cells['ar']['ar'].mean:.1f} (")
    assert last.split(" | ")[-1] == f"{100 * line.f1['G-XLT'].mean:.1f} (61.9) |"
    assert text.count("by language of question and context") == 1
    assert of_tydiqa.lines[ROWS.index("psa-qs-all")].published_cells == {}


def test_table_1_sums_over_all_languages_with_the_originals(job):
    sets = {found.name: found for found in training_sets(job)}
    assert list(sets) == ["original", "T(Q)", "T(Q) (en-zh)"]
    pairs = {name: found.figures.pairs for name, found in sets.items()}
    assert pairs == {"original": 16, "T(Q)": 96, "T(Q) (en-zh)": 32}
    own, asked = sets["original"].figures, sets["T(Q)"].figures
    assert asked.types == {name: 6 * count for name, count in own.types.items()}
    assert sum(own.types.values()) == 16
    assert asked.answer_words == pytest.approx(own.answer_words)  # contexts are the same

    questions = [
        (e.question, e.question_language)
        for path in job.learns_from(PAPER.rows["tq"])
        for e in describe(path).load()
    ]
    counts = [len(words(text, language)) for text, language in questions]
    assert asked.question_words == pytest.approx(mean(counts))
    assert sets["T(Q) (en-zh)"].published is None

    lines = markdown(job, [], list(sets.values())).splitlines()
    assert "| paper: T(Q) | 11.9 | 3.2 | 225,036 | 48,492 | 50,196 |" in "\n".join(lines)
    assert [li.split(" | ")[0] for li in lines if " | " in li][-5:] == [
        "| original", "| paper: original", "| T(Q)", "| paper: T(Q)", "| T(Q) (en-zh)",
    ]  # fmt: skip


def test_what_is_there_is_not_made_again(job):
    before = files_in(job.out)
    run(job)
    after = files_in(job.out)
    changed = {n for n in after if after[n] != before.get(n)}
    # the summary of a translation and a run's own recipe are written again, the same
    assert {n for n in changed if after[n][1] != before[n][1]} == set()
    assert not any(n.endswith((".safetensors", "log.jsonl")) or "answers" in n for n in changed)


def test_rows_may_be_added_and_trained_in_parallel(data, job, tmp_path, monkeypatch):
    monkeypatch.setattr(units, "multiprocessing", SimpleNamespace(get_context=context))
    alone = run(job_of(data, tmp_path, "zs"))
    both = run(replace(alone, rows=choose_rows(PAPER, SCALE, ["zs", "tq"])), 2)
    for key in ("zs", "tq"):
        name = f"runs/{key}/seed-1/model.safetensors"
        assert (both.out / name).read_bytes() == (job.out / name).read_bytes()
        assert contents(both.out, "answers/mlqa/" + key) == contents(job.out, "answers/mlqa/" + key)
    assert "tokens_per_second" in (both.out / "logs" / "tq.seed-1.txt").read_text()


def test_other_settings_are_refused_in_the_same_folder(job):
    with pytest.raises(ConfigError, match="holds a run with another recipe"):
        run(replace(job, settings=("method.reader.lr=1e-3", "threads=1")))


def test_a_first_stage_is_trained_once_and_all_rows_start_from_it(data, tmp_path):
    scale = replace(SCALE, start=("method.reader.lr=5e-3", "updates=2"), tests=SCALE.tests[1:])
    job = job_of(data, tmp_path, "zs", "tq", scale=scale, settings=(*FAST, "updates=1"), seeds=2)
    before = planned(job)
    keys = [("start", 1), ("start", 2), ("zs", 1), ("tq", 1), ("zs", 2), ("tq", 2)]
    assert [(*unit[:2], unit.is_done) for unit in before] == [(*key, False) for key in keys]
    assert before[0].does == "fine_tune, method.reader.lr=5e-3, updates=2"
    run(job)
    assert all(unit.is_done for unit in planned(job))
    firsts, _, rows = units_of(job)
    assert [unit.run for unit in firsts] == [tmp_path / "runs/start" / f"seed-{n}" for n in (1, 2)]
    assert {(unit.reader, unit.settings, unit.train) for unit in firsts} == {
        (str(data / "reader"), scale.start, (data / "squad" / "train.en.json.gz",))
    }
    assert [(unit.key, unit.seed, unit.reader) for unit in rows] == [
        (key, n, str(tmp_path / "runs" / "start" / f"seed-{n}"))
        for n in (1, 2)
        for key in ("zs", "tq")
    ]
    (table,) = tables(job, TESTS)
    assert all(line.f1["XLT"].sd is not None for line in table.lines)
    text = markdown(job, [table], [])
    assert "| ZS | 1 × 32 |" in text
    assert "± " in next(line for line in text.splitlines() if line.startswith("| T(Q)"))
    first = "a first stage for each seed (method.reader.lr=5e-3, updates=2)"
    assert f"2 seeds; from reader with {first};" in text

    given = replace(job, start="mine", out=tmp_path / "given", rows={"zs": PAPER.rows["zs"]})
    none, _, rows = units_of(given)
    assert none == []
    assert {unit.reader for unit in rows} == {"mine"}
    with pytest.raises(DataError, match="expected translations with questions in 'de'"):
        units_of(replace(job, out=tmp_path / "given"))


def test_int8_and_probes(data, tmp_path):
    test = replace(SCALE.tests[0], data=("parallel",), split=None, crossed=True)
    for language in ("en", "de"):
        file = tmp_path / "parallel" / f"test.{language}.json"
        stand_in.save_squad(file, stand_in.asked(language, language, 8))
    for name in ("squad", "words", "reader"):
        (tmp_path / name).symlink_to(data / name)
    scale = replace(SCALE, tests=(test,), int8=True, probe=6)
    job = run(job_of(tmp_path, tmp_path / "out", "zs", scale=scale))
    folder = job.out / "exported" / "zs" / "seed-1"
    record = json.loads((job.answers_folder(test, "zs") / "seed-1" / RECORD).read_text())
    assert record["reader"] == checksum_of(str(folder))
    (table,) = tables(job, TESTS)
    (probe,) = table.lines[0].probes
    assert probe["languages"] == ["en", "de"]  # the source first, though de is before it
    assert probe["chance"] == 0.5
    assert probe["questions"] == 3  # half of them
    assert "| ZS | " in markdown(job, [table], []).rpartition("What question vectors reveal")[2]

    made = [folder / "model.onnx", job.out / "probes" / "zs" / "seed-1.json"]
    before = [path.stat().st_mtime_ns for path in made]
    run(job)
    assert [path.stat().st_mtime_ns for path in made] == before
    for record in (folder / "from.json", made[1]):  # as if they were of another reader
        record.write_text(record.read_text().replace(checksum_of(str(job.out / OF_ZS)), "another"))
    run(job)
    assert all(path.stat().st_mtime_ns > b for path, b in zip(made, before, strict=True))


def test_all_strategies_in_all_languages(data, tmp_path):
    job = job_of(data, tmp_path, "tall")
    translate(job, workers=1, watch=plain)
    ((unit,), others) = (units_of(job)[-1], ("de", "es", "ar", "hi", "zh"))
    pairs = [(f.question_language, f.context_language) for f in map(describe, unit.train)]
    assert pairs == [
        ("en", "en"),
        *((other, "en") for other in others),
        *(("en", other) for other in others),
        *((other, other) for other in others),
    ]
    strategies = {e.strategy for e in describe(unit.train[-1]).load()}
    assert strategies == {"T(Q+C)"}

    (tmp_path / "translated" / "old").mkdir()
    (tmp_path / "translated" / "old" / "dev.de-en.json.gz").write_bytes(unit.train[1].read_bytes())
    assert units_of(replace(job))[-1][0].train == unit.train  # another split
    (tmp_path / "translated" / "old" / "train.de-en.json.gz").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"expected one set .*'de' and contexts in 'en', found .*old"
    ):
        units_of(replace(job))


def test_the_command_line_writes_the_table_where_it_is_wanted(job, tmp_path, capsys):
    asked = {
        "data": job.data,
        "out": job.out,
        "reader": job.reader,
        "scale": "paper",
        "rows": " zs, tq",
        "translator": job.translator,
        "settings": list(FAST),
        "seeds": 1,
    }
    reproduce.command("bornea2021", **asked, results=tmp_path / "t.md", as_json=True)
    record = json.loads(capsys.readouterr().out)
    assert [line["key"] for line in record["tables"][0]["lines"]] == ["zs", "tq"]
    assert record["settings"] == list(FAST)
    assert {"zs/seed-1", "tq/seed-1"} <= set(record["runs"])
    assert [t["strategies"] for t in record["translations"]] == [["T(Q)"]]
    assert [s["name"] for s in record["data_sets"]] == ["original", "T(Q)"]
    assert record["data_sets"][1]["figures"]["pairs"] == 96
    assert (tmp_path / "t.md").read_text() == (job.out / "table.md").read_text()

    with pytest.raises(ConfigError, match="row 'zs': equal exposure needs the setting updates=N"):
        reproduce.command("bornea2021", **asked, equal="exposure")
    with pytest.raises(ConfigError, match="seed-1: holds a job that differs in sample"):
        reproduce.command("bornea2021", **asked, sample=2)


def test_translations_without_a_translator_are_an_error(data, tmp_path):
    job = job_of(data, tmp_path, "tq", translator=None)
    with pytest.raises(ConfigError, match="names no translator; give one with --translator"):
        translate(job, workers=1, watch=plain)
    translate(replace(job, rows={}), workers=1, watch=plain)  # nothing needs any
    translate(replace(job, translated=data), workers=1, watch=plain)


def command(data, out):
    words = ["reproduce", "bornea2021", "--scale", "paper", "--data", str(data), "--out", str(out)]
    words += ["--reader", str(data / "reader"), "--translator", f"lexicon:{data / 'words'}"]
    words += ["--seeds", "1", "--rows", "zs,tq", "--set", FAST[0], "--set", FAST[1]]
    return words


def test_killed_it_resumes_to_the_same_bits(data, job, tmp_path):
    out = tmp_path / "out"
    waits_for = [out / "runs" / "zs" / "seed-1" / "run.json", answers(out, "tq")]
    for path in waits_for:
        running = started(*command(data, out))
        while not path.exists() and running.poll() is None:
            time.sleep(0.02)
        running.kill()
        running.wait()
        assert path.exists()
        assert not (out / "table.md").exists()
    done = program(*command(data, out))
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == (out / "table.md").read_text()
    assert "| T(Q) | 3 × 32 |" in done.stdout.decode()
    for key in ("zs", "tq"):
        name = f"runs/{key}/seed-1/model.safetensors"
        assert (out / name).read_bytes() == (job.out / name).read_bytes()
        assert contents(out, f"answers/mlqa/{key}") == contents(job.out, f"answers/mlqa/{key}")
    assert json.loads((out / "table.json").read_text())["runs"]["tq/seed-1"]["state"] == "finished"


def answers(out: Path, key):
    """The first answers of a row."""
    return out / "answers" / "mlqa" / key / "seed-1" / "ar-de.json"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": "squad/dev.en.json.gz"}, r"dev\.en\.json\.gz: expected the source examples"),
        ({"tests": (replace(SCALE.tests[0], scorer="mlca"),)}, "unknown scorer 'mlca'; did you"),
        ({"tests": (replace(SCALE.tests[0], data=("mlca",)),)}, "mlca"),
        ({"tests": (replace(SCALE.tests[0], split=None),)}, "holds the splits dev, test; choose"),
        ({"probe": 4}, "probes need a crossed test, but 'MLQA' is not crossed"),
        ({"start": ("epochs=one",)}, "'epochs': .* integer, found 'one'"),
        ({"settings_of_row": {"zs": ("weight=1.0",)}}, "unknown key 'weight'"),
        ({"settings": ("seed=3",)}, "expected no seed among the settings, found one; use --seeds"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_made(data, tmp_path, change, message):
    job = job_of(data, tmp_path, "zs", scale=replace(SCALE, **change))
    with pytest.raises((ConfigError, DataError), match=message):
        check_inputs(job)
    check_inputs(job_of(data, tmp_path, "zs"))
    with pytest.raises(DataError, match=r"reader '\./no': expected a folder"):
        check_inputs(job_of(data, tmp_path, "zs", reader="./no"))
    assert list(tmp_path.iterdir()) == []
