"""The page as it is written: data, tables, policy, escapes, size."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from babelspan.reports.evaluation import Evaluation
from babelspan.reports.page import page
from babelspan.scoring.figures import Figures
from babelspan.scoring.matrix import Matrix
from babelspan.scoring.scorers import squad
from babelspan.types import Answer, DataError, Example
from reported import evaluated, parallel_cells, parsed

LANGUAGES = ("ar", "de", "en", "ko", "zh")
HOSTILE = '</script><img src=x onerror="document.title=1"><!-- <script> &amp; " \' \u2028 \0 \ud800'


def said_by_a(pair, example):
    """Right, wrong, "no answer" and nothing at all."""
    gold = example.answers[0].text
    return {"1": gold, "2": example.context[:9], "3": "" if pair[0] == "en" else None}[
        example.id[-1]
    ]


def said_by_b(pair, example):
    return example.answers[0].text if pair == ("de", "zh") or example.id[-1] == "2" else "x"


def data_of(tree):
    return json.loads(tree.one("script", id="data").text)


def questions_of(data, cell):
    """What the data says of each question of a cell, as plain rows."""
    columns = {
        name: data["columns"][cell[name]] for name in ("ids", "questions", "contexts", "golds")
    }
    answers = zip(*(system["answers"] for system in cell["systems"]), strict=True)
    for i, said in enumerate(answers):
        yield (
            data["ids"][columns["ids"][i]],
            data["questions"][cell["question"]][columns["questions"][i]],
            data["contexts"][cell["context"]][columns["contexts"][i]],
            data["golds"][columns["golds"][i]],
            said,
        )


def test_the_data_in_the_page_is_the_whole_evaluation():
    first = evaluated(parallel_cells(*LANGUAGES), said_by_a)
    second = evaluated(first.cells, said_by_b, reader="mine")
    data = data_of(parsed(page(first, second)))

    assert data["systems"] == ["base", "mine"]
    assert [(c["question"], c["context"]) for c in data["cells"]] == list(first.cells)
    for cell in data["cells"]:
        pair = cell["question"], cell["context"]
        assert list(questions_of(data, cell)) == [
            (
                e.id,
                e.question,
                e.context,
                [[a.text, a.start] for a in e.answers],
                (first.predictions[pair].get(e.id), second.predictions[pair].get(e.id)),
            )
            for e in first.cells[pair]
        ]
        for evaluation, system in zip((first, second), cell["systems"], strict=True):
            figures = evaluation.matrix.cells[pair]
            assert system["f1"] == [round(1000 * f) for f in figures.f1s]
            assert system["exact_match"] == [round(1000 * f) for f in figures.exact_matches]


def test_texts_stand_in_the_page_once_for_each_language():
    text = page(evaluated(parallel_cells(*LANGUAGES), lambda *_: "x"))
    data = data_of(parsed(text))

    assert {language: len(texts) for language, texts in data["contexts"].items()} == dict.fromkeys(
        LANGUAGES, 1
    )
    assert all(text.count(c) == 1 for texts in data["contexts"].values() for c in texts)
    assert all(text.count(q) == 1 for texts in data["questions"].values() for q in texts)
    assert len(data["ids"]) == 3
    assert len(data["cells"]) == 25


def test_the_tables_hold_the_figures_and_lead_to_the_pairs():
    evaluation = evaluated(parallel_cells("ar", "de", "en"), said_by_a)
    tree = parsed(page(evaluation))

    assert [s["id"] for s in tree.all("section", class_="metric")] == ["f1", "exact_match"]
    for metric in ("f1", "exact_match"):
        table = tree.one("section", id=metric).one("table")
        assert [th.text for th in table.all("th", scope="col")] == ["ar", "de", "en"]
        assert [th.text for th in table.all("th", scope="row")] == ["ar", "de", "en"]
        cells = [td for td in table.all("td") if "data-context" in td.attributes]
        assert len(cells) == 9
        for td, (pair, figures) in zip(cells, evaluation.matrix.cells.items(), strict=True):
            value = getattr(figures, metric)
            link = td.one("a")
            assert (link["href"], link.text) == (f"#{'-'.join(pair)}", f"{100 * value:.1f}")
            assert float(td["data-value"]) == pytest.approx(value, abs=1e-6)
            assert (td["data-context"], td["class"]) == (pair[1], f"s{round(10 * value)}")
    means = tree.one("section", id="f1").one("p", class_="means")
    xlt, g_xlt = evaluation.matrix.xlt("f1"), evaluation.matrix.g_xlt("f1")
    assert [b.text for b in means.all("b")] == [f"{100 * xlt:.1f}", f"{100 * g_xlt:.1f}"]
    assert tree.one("footer").one("code").text == evaluation.signature


def test_two_readers_are_shown_by_their_difference():
    cells = parallel_cells("de", "en", "zh")
    first, second = evaluated(cells, said_by_a), evaluated(cells, said_by_b, reader="mine")
    tree = parsed(page(first, second))
    table = tree.one("section", id="exact_match").one("table")

    assert [s.text for s in tree.one("h1").all("span")] == ["A: base", "B: mine"]
    assert table.one("caption").text == "Exact match, percent, A minus B"
    # tabor-1 right for A, tabor-2 for B, tabor-3 for none; but B is all right in de-zh
    shown = {a["href"]: a.text for a in table.all("a")}
    assert shown.pop("#de-zh") == "−66.7"
    assert set(shown.values()) == {"+0.0"}
    shades = {td.one("a")["href"]: td["class"] for td in table.all("td") if list(td.all("a"))}
    assert shades.pop("#de-zh") == "less5"
    assert set(shades.values()) == {"same"}
    means = tree.one("section", id="exact_match").one("p", class_="means").text
    assert means == "XLT +0.0 (A 33.3, B 33.3) G-XLT −7.4 (A 33.3, B 40.7)"


def test_two_evaluations_of_different_questions_are_refused():
    cells = parallel_cells("de", "en")
    first = evaluated(cells, said_by_a)
    fewer = {pair: e for pair, e in cells.items() if pair != ("de", "en")}
    with pytest.raises(DataError, match=r"found 4 pairs and 3, 1 of them in one only$"):
        page(first, evaluated(fewer, said_by_a))
    other = {**cells, ("de", "en"): [replace(e, question="?") for e in cells["de", "en"]]}
    with pytest.raises(
        DataError, match=r"found different ones in de-en; evaluate both readers on the"
    ):
        page(first, evaluated(other, said_by_a))


def test_nothing_is_fetched_and_only_the_two_parts_of_ours_may_run():
    text = page(evaluated(parallel_cells(*LANGUAGES), said_by_a))
    tree = parsed(text)
    policy = tree.one("meta", **{"http-equiv": "Content-Security-Policy"})["content"]
    parts = {
        "style-src": tree.one("style").text,
        "script-src": next(s.text for s in tree.all("script") if "id" not in s.attributes),
    }

    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("default-src") == "'none'"
    for name, content in parts.items():
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(name) == f"'sha256-{digest}'"
    assert rules == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    assert "://" not in text
    assert not re.search(r"@import|url\(|\bsrc\s*=|\bfetch\b|XMLHttpRequest|innerHTML", text)
    links = {e["href"] for e in tree.all() if "href" in e.attributes}
    assert {link for link in links if not link.startswith("#")} == {"data:,"}


def test_what_texts_hold_stays_text():
    cells = parallel_cells("en")
    example = Example(
        id="1" + HOSTILE,
        question="q" + HOSTILE,
        context="c" + HOSTILE,
        answers=(Answer("g" + HOSTILE, None),),
        question_language='x"><b>',
        context_language='y"><b>',
    )
    cells['x"><b>', 'y"><b>'] = [example]
    written = evaluated(cells, lambda *_: "a" + HOSTILE, reader="r" + HOSTILE)
    plain = evaluated(parallel_cells("en", "de"), lambda *_: "a")
    text = page(replace(written, signature=HOSTILE))
    raw = text.encode("utf-8", errors="backslashreplace").decode()
    tree, usual = parsed(raw), parsed(page(plain))

    (*_, said) = questions_of(data_of(tree), data_of(tree)["cells"][-1])
    assert said[:4] == (example.id, example.question, example.context, [["g" + HOSTILE, None]])
    assert said[4] == ("a" + HOSTILE,)
    assert {e.tag for e in tree.all()} == {e.tag for e in usual.all()}
    assert tree.one("h1").text == "Reader: r" + HOSTILE.replace("\ud800", "\\ud800")
    assert [a["href"] for a in tree.one("section", id="f1").all("a")][
        -1
    ] == "#x%22%3E%3Cb%3E-y%22%3E%3Cb%3E"


def test_questions_that_are_not_counted_have_no_figures():
    cells = parallel_cells("en")
    evaluation = evaluated(cells, said_by_a)
    figures = Figures(np.array([1, 0, np.nan]), np.array([1, 0.5, np.nan]), 1)
    text = page(replace(evaluation, matrix=Matrix({("en", "en"): figures})))
    (system,) = data_of(parsed(text))["cells"][0]["systems"]

    assert (system["f1"], system["exact_match"]) == ([1000, 500, None], [1000, 0, None])


def full_size():
    """As many texts as XQuAD in eight languages crossed, of two and three bytes a character."""
    rng = np.random.default_rng(1)
    languages = ("ar", "de", "en", "es", "hi", "ru", "vi", "zh")
    words = ("سلام خير ", "ветер и ", "नमस्ते ", "天地玄黄")

    def text(length, number):
        return f"{number} {words[number % len(words)] * 200}"[:length]

    contexts = {(g, p): text(760, 8 * p + n) for n, g in enumerate(languages) for p in range(240)}
    questions = {(g, i): text(60, 8 * i + n) for n, g in enumerate(languages) for i in range(1190)}
    cells = {
        (q, c): [
            Example(
                id=f"{i:024x}",
                question=questions[q, i],
                context=contexts[c, i % 240],
                answers=(Answer(contexts[c, i % 240][i % 700 :][:20], i % 700),),
                question_language=q,
                context_language=c,
            )
            for i in range(1190)
        ]
        for q in languages
        for c in languages
    }
    figures = Figures(rng.integers(0, 2, 1190).astype(float), rng.random(1190), 0)
    return Evaluation(
        reader="large",
        scorer=squad.NAME,
        signature="none",
        cells=cells,
        predictions={p: {e.id: e.context[:15] for e in es} for p, es in cells.items()},
        matrix=Matrix(dict.fromkeys(cells, figures)),
    )


def test_a_matrix_of_the_size_of_xquad_stays_below_ten_megabytes():
    text = page(full_size())

    assert 5_000_000 < len(text.encode()) < 10_000_000


def contrast(one, other):
    """WCAG 2.2, contrast ratio of two colours like #0b57b0 or #000."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * d for d in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(p * w for p, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_everything_can_be_read_on_its_colour():
    style = parsed(page(evaluated(parallel_cells("en"), said_by_a))).one("style").text
    cells = re.findall(r"\.(\w+) \{ background: (#\w+); color: (#\w+); \}", style)
    assert len(cells) == 2 * 22
    assert [name for name, paper, ink in cells if contrast(paper, ink) < 4.5] == []

    themes = [
        dict(re.findall(r"--(\w+): (#\w+);", part))
        for part in re.findall(r":root \{[^}]*\}", style)
    ]
    assert len(themes) == 2
    for theme in themes:
        for ink in ("ink", "quiet", "link", "right", "wrong"):
            assert contrast(theme[ink], theme["paper"]) >= 4.5
            assert contrast(theme[ink], theme["panel"]) >= 4.5
        assert contrast(theme["ink"], theme["a"]) >= 4.5
        assert contrast(theme["ink"], theme["b"]) >= 4.5
        assert contrast(theme["gold"], theme["panel"]) >= 3
