"""The matrix as comma-separated values, read back."""

import csv
import io
from dataclasses import replace

from babelspan.reports.rows import COLUMNS, rows
from reported import evaluated, parallel_cells


def half_right(pair, example):
    return example.answers[0].text if example.id == "tabor-1" or pair == ("en", "en") else "x"


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_pair_and_both_means_are_read_back_to_the_last_digit():
    evaluation = evaluated(parallel_cells("en", "ar"), half_right)
    lines = read(rows(evaluation))

    assert [(r["kind"], r["question"], r["context"]) for r in lines] == [
        *(("cell", *pair) for pair in evaluation.matrix.cells),
        ("xlt", "", ""),
        ("g_xlt", "", ""),
    ]
    for line, figures in zip(lines, evaluation.matrix.cells.values(), strict=False):
        assert float(line["f1"]) == figures.f1
        assert float(line["exact_match"]) == figures.exact_match
        assert line["questions"] == "3"
    assert float(lines[-2]["f1"]) == evaluation.matrix.xlt("f1") == 2 / 3
    assert float(lines[-1]["exact_match"]) == evaluation.matrix.g_xlt("exact_match") == 0.5
    assert [line["questions"] for line in lines[-2:]] == ["6", "12"]
    assert {line["signature"] for line in lines} == {evaluation.signature}


def test_lines_end_and_quotes_stand_as_in_rfc_4180():
    evaluation = evaluated(parallel_cells("en"), half_right)
    odd = replace(evaluation, signature='a,"b"\nc')
    text = rows(odd)

    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert text.count('"a,""b""\nc"\r\n') == 3
    assert {line["signature"] for line in read(text)} == {odd.signature}


def test_xlt_is_empty_where_no_pair_is_of_one_language():
    cells = {pair: e for pair, e in parallel_cells("en", "de").items() if pair == ("en", "de")}
    lines = read(rows(evaluated(cells, half_right)))

    assert [line["kind"] for line in lines] == ["cell", "xlt", "g_xlt"]
    assert (lines[1]["f1"], lines[1]["exact_match"], lines[1]["questions"]) == ("", "", "0")
    assert float(lines[2]["f1"]) == 1 / 3
