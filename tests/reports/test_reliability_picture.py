"""The reliability diagram as an SVG: dots at the right places, one panel for each set."""

from xml.etree import ElementTree

import pytest

from babelspan.reports.reliability_picture import LEFT, SIDE, TOP, reliability_svg
from babelspan.scoring.calibration import Bin, bins

SVG = "{http://www.w3.org/2000/svg}"
EMPTY = Bin(0, float("nan"), float("nan"))
KINDS = {
    "score": [EMPTY, Bin(30, 0.25, 0.5), Bin(10, 0.9, 0.4)],
    "probability": [Bin(40, 0.5, 0.475), EMPTY, EMPTY],
}


def drawn(panels, title="Title"):
    return ElementTree.fromstring(reliability_svg(title, panels))


def dots(panel):
    return [c for c in panel.iter(f"{SVG}circle")]


def test_a_dot_is_where_what_was_said_and_what_was_right_meet():
    (panel,) = drawn({"en-de": KINDS}).iter(f"{SVG}g")
    places = [(float(d.get("cx")) - LEFT, TOP + SIDE - float(d.get("cy"))) for d in dots(panel)]
    assert places == [
        pytest.approx((SIDE * said, SIDE * right), abs=0.11)
        for said, right in ((0.25, 0.5), (0.9, 0.4), (0.5, 0.475))
    ]


def test_more_answers_make_a_larger_dot():
    (panel,) = drawn({"en-de": KINDS}).iter(f"{SVG}g")
    some, few, all_of_them = (float(d.get("r")) for d in dots(panel))
    assert few < some < all_of_them


def test_a_panel_says_how_many_answers_how_many_right_and_the_errors():
    texts = [t.text for t in drawn({"en-de": KINDS}).iter(f"{SVG}text")]
    assert "40 answers, 48% right" in texts
    assert "calibration error 31.2 → 2.5 %" in texts  # (30 * .25 + 10 * .5) / 40, and .5 - .475


def test_panels_stand_side_by_side_and_then_below():
    root = drawn({f"p{n}": KINDS for n in range(6)})
    places = [g.get("transform") for g in root.iter(f"{SVG}g")]
    assert len({p.split("(")[1] for p in places}) == 6
    assert len({p.split()[1] for p in places}) == 2
    width, height = map(int, root.get("viewBox").split()[2:])
    for place in places:
        x, y = map(int, place.removeprefix("translate(").removesuffix(")").split())
        assert x + LEFT + SIDE < width and y + TOP + SIDE < height


def test_names_are_escaped():
    root = drawn({"<script>": KINDS}, title="a & b <i>")
    assert root.find(f"{SVG}title").text == "a & b <i>"
    assert root.find(f".//{SVG}script") is None


def test_bins_without_answers_are_left_out():
    kinds = {"score": bins([0.95] * 50, [True] * 50)}
    (panel,) = drawn({"x": kinds}).iter(f"{SVG}g")
    assert len(dots(panel)) == 1
    assert "nan" not in reliability_svg("t", {"x": kinds})
