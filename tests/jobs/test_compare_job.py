"""Predictions of two systems from files and folders, and the table that is kept."""

import csv
import json
from pathlib import Path

import pytest

from babelspan.data.files import checksum, write_json
from babelspan.data.folder import find
from babelspan.jobs.compare import load_system, refuse_different_scorers, save_csv
from babelspan.jobs.evaluate import load_cells
from babelspan.scoring.comparison import Settings, compare
from babelspan.scoring.scorers import squad
from babelspan.types import ConfigError, DataError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "parallel"
FILES = find([FIXTURES / "test.en.json", FIXTURES / "test.de.json"])
DATA = {f.path: checksum(f.path) for f in FILES}
CELLS = load_cells(FILES, crossed=True)
ONE_FILE = {FILES[0].path: DATA[FILES[0].path]}
ONE_CELL = load_cells(FILES[:1])


def kept(folder, reader, *, text="Mira", files=FILES, scorers=("squad",)):
    """A folder as `evaluate --out` leaves it."""
    record = {
        "reader": reader,
        "data": sorted(f"{f.path.name}:{checksum(f.path)}" for f in files),
        "sample": None,
        "babelspan": "0.1.0",
    }
    write_json(folder / "evaluation.json", record)
    for (question, context), examples in load_cells(files, crossed=True).items():
        write_json(folder / f"{question}-{context}.json", {e.id: text for e in examples})
    for scorer in scorers:
        write_json(folder / f"matrix.{scorer}.json", {})
    return folder


def test_a_file_is_one_seed_of_one_pair(tmp_path):
    path = tmp_path / "p.json.gz"
    predictions = {e.id: e.answers[0].text for e in ONE_CELL["en", "en"]}
    write_json(path, {**predictions, "of another question": "x"})
    found = load_system(path, ONE_CELL, ONE_FILE)

    assert found.path == path
    assert [list(seed) for seed in found.seeds] == [[("en", "en")]]
    assert predictions.items() <= found.seeds[0]["en", "en"].items()
    assert found.scorers == frozenset()


def test_a_folder_has_all_pairs(tmp_path):
    found = load_system(kept(tmp_path / "a", "r", text="Tabor"), CELLS, DATA)
    assert len(found.seeds) == 1
    assert set(found.seeds[0]) == set(CELLS)
    assert {text for of in found.seeds[0].values() for text in of.values()} == {"Tabor"}
    assert found.scorers == {"squad"}
    fewer = load_system(tmp_path / "a", ONE_CELL, ONE_FILE)
    assert set(fewer.seeds[0]) == {("en", "en")}


def test_a_folder_of_folders_has_seeds_in_the_order_of_their_names(tmp_path):
    for seed in ("s2", "s1", "s3"):
        kept(tmp_path / "a" / seed, f"reader {seed}", text=seed, scorers=(f"of-{seed}",))
    (tmp_path / "a" / "notes.txt").write_text("three seeds", encoding="utf-8")
    found = load_system(tmp_path / "a", CELLS, DATA)

    assert [seed["de", "en"]["tabor-1"] for seed in found.seeds] == ["s1", "s2", "s3"]
    assert found.scorers == {"of-s1", "of-s2", "of-s3"}


def test_missing_questions_and_other_ids(tmp_path):
    path = tmp_path / "p.json"
    write_json(path, {"tabor-1": "Mira", "tabor-3": "nine"})
    message = (
        r"p.json: expected an answer to each of 3 questions, found none for 1 of them, such as "
        r"'tabor-2'; the file has 2 answers with ids such as 'tabor-1'; predict the same "
        r"questions, and write an empty answer where a system has none$"
    )
    with pytest.raises(DataError, match=message):
        load_system(path, ONE_CELL, ONE_FILE)
    write_json(path, {"other-1": "Mira"})
    with pytest.raises(DataError, match=r"none for 3 of them.*with ids such as 'other-1'"):
        load_system(path, ONE_CELL, ONE_FILE)
    write_json(path, {})
    with pytest.raises(DataError, match=r"none for 3 of them.*the file has 0 answers; predict"):
        load_system(path, ONE_CELL, ONE_FILE)


def test_predictions_over_other_data(tmp_path):
    other = tmp_path / "test.en.json"
    text = FILES[0].path.read_text("utf-8").replace("Mira", "Sara")
    other.write_text(text, encoding="utf-8")
    folder = kept(tmp_path / "a", "r", files=[*find([other]), FILES[1]])
    message = r"a: expected predictions for .*parallel/test.en.json, found those for other data"
    with pytest.raises(DataError, match=message):
        load_system(folder, CELLS, DATA)
    assert load_system(folder, CELLS, {other: checksum(other)}).seeds


def test_folders_that_are_not_whole(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: there is no such file"):
        load_system(tmp_path / "nowhere", ONE_CELL, ONE_FILE)
    with pytest.raises(DataError, match=r"nowhere: expected a folder.*found nothing$"):
        load_system(tmp_path / "nowhere", CELLS, DATA)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: expected evaluation.json.*found none"):
        load_system(tmp_path / "empty", CELLS, DATA)
    kept(tmp_path / "seeds" / "s1", "r1")
    (tmp_path / "seeds" / "s2").mkdir()
    with pytest.raises(DataError, match=r"s2: expected evaluation.json.*found none"):
        load_system(tmp_path / "seeds", CELLS, DATA)
    kept(tmp_path / "seeds" / "s2", "r1")
    with pytest.raises(DataError, match=r"s2: expected a reader trained with another seed than s1"):
        load_system(tmp_path / "seeds", CELLS, DATA)
    (tmp_path / "seeds" / "s1" / "de-en.json").unlink()
    with pytest.raises(DataError, match=r"s1/de-en.json: there is no such file"):
        load_system(tmp_path / "seeds" / "s1", CELLS, DATA)
    write_json(tmp_path / "seeds" / "s1" / "evaluation.json", ["r1"])
    with pytest.raises(DataError, match=r"evaluation.json: expected the record of evaluate --out"):
        load_system(tmp_path / "seeds" / "s1", CELLS, DATA)


def test_a_file_cannot_hold_a_matrix(tmp_path):
    write_json(tmp_path / "p.json", {"tabor-1": "Mira"})
    with pytest.raises(DataError, match=r"expected a folder.*for 4 pairs of languages.*a file"):
        load_system(tmp_path / "p.json", CELLS, DATA)


def test_different_scorers_are_refused_where_both_say_theirs(tmp_path):
    a = load_system(kept(tmp_path / "a", "r1", scorers=("squad", "mlqa")), CELLS, DATA)
    b = load_system(kept(tmp_path / "b", "r2", scorers=("squad2",)), CELLS, DATA)
    silent = load_system(kept(tmp_path / "c", "r3", scorers=()), CELLS, DATA)
    message = r"a was evaluated with the scorer mlqa, squad and .*b with squad2; evaluate both"
    with pytest.raises(ConfigError, match=message):
        refuse_different_scorers(a, b)
    refuse_different_scorers(a, a)
    refuse_different_scorers(a, silent)


def test_the_table_has_every_figure_of_the_comparison(tmp_path):
    a = load_system(kept(tmp_path / "a", "r1", text="Mira"), CELLS, DATA)
    b = load_system(kept(tmp_path / "b", "r2", text="1932"), CELLS, DATA)
    found = compare(CELLS, a.seeds, b.seeds, squad, Settings("question", resamples=50))
    save_csv(tmp_path / "t" / "table.csv", found)
    with (tmp_path / "t" / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 2 * (4 + 2)
    record = json.loads(json.dumps(found.to_json()))
    by_name = {(c["question"], c["context"]): c for c in record["cells"]}
    by_name |= {("XLT", "XLT"): record["xlt"], ("G-XLT", "G-XLT"): record["g_xlt"]}
    for row in rows:
        expected = by_name[row["question"], row["context"]]
        for key, value in expected[row["metric"]].items():
            assert row[key] == ("" if value is None else str(value))
        for key in ("questions", "clusters", "only_a", "only_b", "mcnemar_p_value"):
            assert row[key] == str(expected.get(key, ""))
