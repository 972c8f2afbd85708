"""The page in a real browser, without a network: a pair is opened by its address and read back."""

from dataclasses import replace

import pytest

from babelspan.data.files import write_whole
from babelspan.reports.page import page
from babelspan.types import Answer, Example
from reported import evaluated, parallel_cells, parsed

pytestmark = pytest.mark.browser
ROOT = "document.documentElement"


def said(pair, example):
    """Right, wrong, "no answer"."""
    gold = example.answers[0].text
    return {"1": gold, "2": example.context.split(" ")[3], "3": ""}[example.id[-1]]


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens a page at an address in it, acts, and gives the page as it then is."""

    def open_page(text, address="", *, then="", **window):
        path = tmp_path / "report.html"
        write_whole(path, text)
        browser.open(f"{path.as_uri()}{address}", **window)
        browser.run(then)
        tree = parsed(browser.run(f"{ROOT}.outerHTML"))
        assert browser.complaints == []
        assert [url for url in browser.requests if not url.startswith("data:")] == [path.as_uri()]
        return tree

    return open_page


def items(tree):
    """The questions on the page by id, in their order."""
    return {li["data-id"]: li for li in tree.one("ol", id="items").all("li")}


def marks(item):
    """Classes and text of each mark in the context of a question."""
    return [(m["class"], m.text) for m in item.one("p", class_="context").all("mark")]


def test_a_pair_is_opened_by_its_address(opened):
    evaluation = evaluated(parallel_cells("ar", "en"), said)
    tree = opened(page(evaluation), "#en-ar")

    assert tree.one("h2").text == "Questions: English. Contexts: Arabic."
    assert tree.one("output").text == "3 of 3"
    assert [o.text for o in tree.one("select", name="show").all("option")] == [
        "all (3)",
        "right (1)",
        "wrong (2)",
    ]
    current = {a["href"] for a in tree.all("a") if "aria-current" in a.attributes}
    assert current == {"#en-ar"}
    found = items(tree)
    assert list(found) == ["tabor-1", "tabor-2", "tabor-3"]
    for example in evaluation.cells["en", "ar"]:
        item = found[example.id]
        question, context = item.one("p", class_="question"), item.one("p", class_="context")
        assert (question.text, question["lang"], question["dir"]) == (
            example.question,
            "en",
            "auto",
        )
        assert (context.text, context["lang"], context["dir"]) == (example.context, "ar", "rtl")
        assert item.one("p", class_="scores").text.endswith(example.id)
    assert [list(i.all("span", class_="right")) != [] for i in found.values()] == [
        True,
        False,
        False,
    ]


def test_answers_are_marked_in_their_places_also_after_a_character_of_two_units(opened):
    cells = parallel_cells("ar", "en")
    assert "📚" in cells["en", "ar"][1].context[: cells["en", "ar"][1].answers[0].start]
    right, wrong, none = items(opened(page(evaluated(cells, said)), "#en-ar")).values()

    assert marks(right) == [("gold a", "مِيرا")]
    assert marks(wrong) == [("a", "صغيرة"), ("gold", "عام 1932")]
    assert marks(none) == [("gold", "تسعمئة كتاب")]
    assert [dd.text.strip() for dd in wrong.all("dd")] == ["صغيرة", "عام 1932"]
    assert [dd.text.strip() for dd in none.all("dd")] == ["no answer", "تسعمئة كتاب"]
    assert {b["lang"] for i in (right, wrong, none) for b in i.all("bdi")} == {"ar"}


def test_questions_are_narrowed_and_ordered_by_the_address(opened):
    report = page(evaluated(parallel_cells("de", "en"), said))

    assert list(items(opened(report, "#de-en&show=wrong"))) == ["tabor-2", "tabor-3"]
    assert list(items(opened(report, "#de-en&order=low"))) == ["tabor-2", "tabor-3", "tabor-1"]
    assert list(items(opened(report, "#en-de&search=Wann%20wurde"))) == []
    assert list(items(opened(report, "#de-en&search=WANN%20wurde&order=high"))) == ["tabor-2"]
    assert opened(report, "#de-fr").one("section", id="cell").attributes["hidden"] == ""


def test_two_readers_are_told_apart(opened):
    cells = parallel_cells("de", "en")
    other = evaluated(cells, lambda _, e: e.answers[0].text if e.id == "tabor-2" else "x")
    report = page(evaluated(cells, said), replace(other, reader="mine"))
    tree = opened(report, "#de-en&show=wrong-right")

    assert [o.text for o in tree.one("select", name="show").all("option")] == [
        "all (3)",
        "both right (0)",
        "A right, B wrong (1)",
        "A wrong, B right (1)",
        "both wrong (1)",
    ]
    (item,) = items(tree).values()
    assert [dt.text for dt in item.all("dt")] == ["A", "B", "gold"]
    assert marks(item) == [("a", "small"), ("gold b", "1932")]
    assert list(items(opened(report, "#de-en&order=a"))) == ["tabor-1", "tabor-3", "tabor-2"]


def test_the_matrix_is_sorted_by_its_heads(opened):
    right = {("ar", "de"): 1, ("ar", "en"): 2, ("de", "de"): 3, ("en", "ar"): 3, ("en", "de"): 2}
    evaluation = evaluated(
        parallel_cells("ar", "de", "en"),
        lambda pair, e: e.answers[0].text if int(e.id[-1]) <= right.get(pair, 0) else "x",
    )

    report = page(evaluation)

    def order(*clicks):
        then = "".join(f"document.querySelector('#f1 {c} button').click();" for c in clicks)
        tree = opened(report, then=then).one("section", id="f1")
        rows = ["".join(th.text for th in row.all("th")) for row in tree.one("tbody").all("tr")]
        numbers = [[a.text for a in row.all("a")] for row in tree.one("tbody").all("tr")]
        return rows, [th.text for th in tree.all("th", scope="col")], numbers

    by_german = "thead th:nth-child(3)"
    by_arabic = "tbody tr:nth-child(3) th"
    assert order(by_german)[:2] == (["de", "en", "ar"], ["ar", "de", "en"])
    assert order(by_german, by_german)[0] == ["ar", "en", "de"]
    assert order(by_german, by_german, by_german)[0] == ["ar", "de", "en"]
    assert order(by_german, by_arabic) == (
        ["de", "en", "ar"],
        ["en", "de", "ar"],
        [["0.0", "100.0", "0.0"], ["0.0", "66.7", "100.0"], ["66.7", "33.3", "0.0"]],
    )


def test_long_lists_are_put_on_the_page_in_portions(opened):
    cells = parallel_cells("en")
    (example, *_) = cells["en", "en"]
    cells["en", "en"] = [replace(example, id=f"q{i}") for i in range(60)]
    report = page(evaluated(cells, lambda *_: "Mira"))

    assert list(items(opened(report, "#en-en")))[:25] == [f"q{i}" for i in range(25)]
    down = "new Promise((done) => setTimeout(done, 100, scrollTo(0, 1e6)))"
    assert len(items(opened(report, "#en-en", then=down))) == 50
    more = "byId('more').click();" * 3
    tree = opened(report, "#en-en", then=more)
    assert list(items(tree)) == [f"q{i}" for i in range(60)]
    assert "hidden" in tree.one("button", id="more").attributes


def test_a_long_context_is_shown_round_its_marks_and_whole_on_request(opened):
    words = " ".join(f"w{i}" for i in range(3000))
    cells = parallel_cells("en")
    (example, *_) = cells["en", "en"]
    long = replace(example, context=words, answers=(Answer("w1500", words.index("w1500")),))
    cells["en", "en"] = [long]
    report = page(evaluated(cells, lambda *_: "w2500"))
    (item,) = items(opened(report, "#en-en")).values()
    (whole,) = items(
        opened(report, "#en-en", then="document.querySelector('.whole').click();")
    ).values()

    shown = item.one("p", class_="context").text
    assert len(shown) < 1500
    assert shown.count("…") == 3
    assert " w1499 w1500 w1501 " in shown and " w2499 w2500 w2501 " in shown
    assert whole.one("p", class_="context").text == words
    assert marks(whole) == marks(item) == [("gold", "w1500"), ("a", "w2500")]


def test_what_texts_hold_does_nothing(opened):
    hostile = "</script><img src=x onerror=\"document.title='owned'\"><script>throw 1</script>"
    cells = {
        ("en", "en"): [
            Example(
                id=hostile,
                question=hostile,
                context=f"{hostile} and {hostile}",
                answers=(Answer(hostile, 0), Answer("and", None)),
                question_language="en",
                context_language="en",
            )
        ]
    }
    tree = opened(page(evaluated(cells, lambda *_: hostile, reader=hostile)), "#en-en")

    assert tree.one("title").text == f"{hostile}: squad"
    assert list(tree.all("img")) == []
    assert len(list(tree.all("script"))) == 2
    (item,) = items(tree).values()
    assert item["data-id"] == item.one("p", class_="question").text == hostile
    assert marks(item) == [("gold a", hostile)]
    assert "stands 2 times" in next(item.all("dd")).text


def test_nothing_is_wider_than_a_phone_and_wide_tables_scroll(opened, browser):
    report = page(evaluated(parallel_cells("ar", "de", "en", "ko", "zh"), lambda *_: "x"))
    for width in (375, 1280):
        opened(report, "#zh-ar", width=width, height=800)
        assert browser.run(f"{ROOT}.scrollWidth - {ROOT}.clientWidth") == 0
        assert browser.run("innerWidth") == width
    many = [f"{a}{b}" for a in "abcd" for b in "uvwxyz"]
    (example, *_) = parallel_cells("en")["en", "en"]
    cells = {(many[0], language): [example] for language in many}
    opened(page(evaluated(cells, said)), "#au-dz", width=375, height=800)
    assert browser.run(f"[{ROOT}.scrollWidth, innerWidth]") == [375, 375]
    box = "document.querySelector('.scroll')"
    assert browser.run(f"{box}.scrollWidth > {box}.clientWidth")


def test_a_pair_is_reached_by_the_keyboard_and_by_a_click(opened, browser):
    report = page(evaluated(parallel_cells("de", "en"), said))
    opened(report)
    links = "[...document.querySelectorAll('#f1 td a')]"
    assert browser.run(f"{links}.map((a) => a.tabIndex)") == [0, 0, 0, 0]
    opens = "new Promise((done) => addEventListener('hashchange', () => setTimeout(done)))"
    click = f"const opens = {opens}; {links}[1].click(); opens"
    tree = opened(report, then=click)
    assert tree.one("h2").text == "Questions: German. Contexts: English."
    assert browser.run("document.activeElement.id") == "pair"
    assert browser.run("location.hash") == "#de-en"
