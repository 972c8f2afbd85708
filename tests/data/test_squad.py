"""The SQuAD layout: what is loaded, what is refused, and that saving loses nothing."""

import gc
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles import record_of, write_records
from babelspan.data.files import write_whole
from babelspan.data.folder import describe
from babelspan.data.squad import load_squad, misplaced, save_squad
from babelspan.types import Answer, DataError, Example

FIXTURES = Path(__file__).parents[1] / "fixtures"
WELL_PLACED = sorted(
    path for part in ("squad_*", "mlqa/*", "parallel/*") for path in FIXTURES.glob(f"{part}.json")
)
CONTEXT = "Der Rhein 🌊 fließt durch Köln."


def document(**changes):
    """A file with one question, `q7`, whose record is changed; a value of ... drops its key."""
    record = {
        "id": "q7",
        "question": "Wo?",
        "answers": [{"text": "Köln", "answer_start": 25}],
    } | changes
    record = {key: value for key, value in record.items() if value is not ...}
    return {"data": [{"title": "Rhein", "paragraphs": [{"context": CONTEXT, "qas": [record]}]}]}


def answer(**changes):
    found = {"text": "Köln", "answer_start": 25} | changes
    return [{key: value for key, value in found.items() if value is not ...}]


def written(folder, value):
    path = folder / "written.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_squad_1_1_is_read_as_it_stands():
    examples = load_squad(
        FIXTURES / "squad_v1.1.json", question_language="en", context_language="en"
    )

    assert [e.id for e in examples] == ["orvik-1", "orvik-2", "orvik-3", "4", "tarn-1"]
    assert [e.title for e in examples] == ["Orvik"] * 4 + ["Lake_Tarn"]
    assert examples[0].answers == (
        Answer("Ada Lindqvist", 47),
        Answer("Lindqvist", 51),
        Answer("Ada Lindqvist", 47),
    )
    assert examples[1].question == "How many boats were in the harbour in 1874?"
    assert examples[2].answers == (Answer("🍋🍋 ice cream", 33),)  # after an accent of its own
    assert {(e.question_language, e.context_language, e.origin) for e in examples} == {
        ("en", "en", None)
    }


def test_squad_2_0_tells_unanswerable_from_unknown():
    answered, unanswerable, unknown = load_squad(FIXTURES / "squad_v2.0.json")

    assert answered.answers == (Answer("green", 33),)
    assert unanswerable.answers == ()
    assert unknown.answers is None
    assert answered.question_language == answered.context_language == "und"


@pytest.mark.parametrize("path", WELL_PLACED, ids=lambda p: p.stem)
def test_every_answer_is_in_its_context(path):
    examples = load_squad(path)

    assert examples
    for example in examples:
        for gold in example.answers or ():
            assert gold.span.of(example.context) == gold.text
    assert misplaced(examples) == 0


def test_the_miniatures_are_all_there():
    assert len(WELL_PLACED) == 21


@pytest.mark.parametrize("name", ["again.json", "again.json.gz"])
@pytest.mark.parametrize(
    "path", [*WELL_PLACED, FIXTURES / "byte_offsets.json"], ids=lambda p: p.stem
)
def test_loading_saving_and_loading_is_the_identity_on_files(tmp_path, path, name):
    first = load_squad(path, keep_misplaced=True)
    save_squad(tmp_path / name, first)
    again = load_squad(tmp_path / name, keep_misplaced=True)
    save_squad(tmp_path / f"2{name}", again)

    assert again == first
    assert (tmp_path / f"2{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_what_other_programs_read_of_unanswerable_and_unplaced_answers(tmp_path):
    path = tmp_path / "kept.json"
    save_squad(path, load_squad(FIXTURES / "squad_v2.0.json"))
    _, unanswerable, unknown = json.loads(path.read_text())["data"][0]["paragraphs"][0]["qas"]
    assert (unanswerable["answers"], unanswerable["is_impossible"]) == ([], True)
    assert unknown.keys() == {"id", "question"}

    save_squad(path, load_squad(FIXTURES / "byte_offsets.json", keep_misplaced=True))
    records = json.loads(path.read_text())["data"][0]["paragraphs"][0]["qas"]
    assert [r["answers"][0]["answer_start"] for r in records] == [0, -1, -1]


def test_answers_of_an_impossible_question_are_none(tmp_path):
    (example,) = load_squad(written(tmp_path, document(is_impossible=True)))
    assert example.answers == ()

    (example,) = load_squad(written(tmp_path, document(is_impossible=False)))
    assert example.answers == (Answer("Köln", 25),)


def test_neighbours_with_one_title_and_context_are_grouped(tmp_path):
    save_squad(tmp_path / "grouped.json", load_squad(FIXTURES / "squad_v1.1.json"))
    articles = json.loads((tmp_path / "grouped.json").read_text(encoding="utf-8"))["data"]

    assert [[len(p["qas"]) for p in a["paragraphs"]] for a in articles] == [[2, 2], [1]]


ASTRAL = ["𠮷", "🗼", "👩\u200d🚀"]
COMBINED = ["e\u0301", "क्षि", "กำ", "مِيرا"]
INVISIBLE = ["", " ", "\u202e", "\ufeff", "\r\n", "\u2028", "\0"]
SURROGATES = ["\ud800", "\udfff"]
TRICKY = st.sampled_from([*ASTRAL, *COMBINED, *INVISIBLE, *SURROGATES])
TEXT = st.lists(TRICKY | st.text(st.characters(), max_size=4), max_size=4).map("".join)
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@st.composite
def example_groups(draw):
    """Examples about one context, some of whose answers stand in it."""
    parts = draw(st.lists(TEXT, min_size=1, max_size=4))
    context = "".join(parts)
    placed = [Answer(part, len("".join(parts[:index]))) for index, part in enumerate(parts) if part]
    unplaced = [Answer("nowhere", None), *(Answer(a.text, None) for a in placed)]
    answers = st.none() | st.lists(st.sampled_from([*placed, *unplaced]), max_size=3).map(tuple)
    title, count = draw(TEXT), draw(st.integers(1, 3))
    return [
        Example(
            id=draw(TEXT),
            question=draw(TEXT),
            context=context,
            answers=draw(answers),
            question_language="en",
            context_language="zh-Hant",
            title=title,
            origin=draw(st.none() | TEXT),
        )
        for _ in range(count)
    ]


def json_can_hold(examples):
    """Not so two lone surrogates that side by side are the escape of another character."""
    texts = [t for e in examples for t in (e.id, e.question, e.context, e.title, e.origin or "")]
    return not PAIR.search("\n".join(texts))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(example_groups(), max_size=3)
    .map(lambda groups: [e for group in groups for e in group])
    .filter(json_can_hold),
    st.sampled_from(["any.json", "any.json.gz"]),
)
def test_saving_and_loading_is_the_identity_on_any_text(tmp_path_factory, examples, name):
    path = tmp_path_factory.getbasetemp() / name
    save_squad(path, examples)

    loaded = load_squad(
        path, question_language="en", context_language="zh-Hant", keep_misplaced=True
    )
    assert loaded == examples


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["x"], r"record 1: expected an object, found str"),
        ([{"id": 1}], r"record 1: expected 'question' \(str\), found"),
        ("x", r"expected a key 'data' of the SQuAD layout, found str"),
        (document(is_impossible="true"), r"question 'q7': .* to be bool, found 'true'"),
        (document(is_impossible=1), r"question 'q7': expected 'is_impossible' to be bool, found 1"),
        (document(is_impossible=None), r"question 'q7': .* to be bool, found None"),
        ({"version": "1.1"}, r"expected a key 'data' of the SQuAD layout, found the keys \['ver"),
        (
            {f"id{number}": "" for number in range(1000)},
            r"expected a key 'data' of the SQuAD layout, found 1,000 other keys, such as 'id0'",
        ),
        ({"data": {}}, r"expected 'data' to be list, found {}"),
        ({"data": ["x"]}, r"article 0: expected a key 'paragraphs' .*, found str"),
        (
            {"data": [{"paragraphs": None}]},
            r"article 0: expected 'paragraphs' to be list, found None",
        ),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, r"article 0, paragraph 0: .* key 'context'"),
        ({"data": [{"paragraphs": [{"context": "x"}]}]}, r"article 0, paragraph 0: .* key 'qas'"),
        (document(id=...), r"article 0, paragraph 0: expected a key 'id' .*'answers', 'question'"),
        (document(id=None), r"article 0, paragraph 0: expected 'id' to be str or int, found None"),
        (document(id=True), r"article 0, paragraph 0: expected 'id' to be str or int, found True"),
        (document(question=...), r"question 'q7': expected a key 'question'"),
        (document(question=5), r"question 'q7': expected 'question' to be str, found 5"),
        (document(answers=None), r"question 'q7': expected 'answers' to be list, found None"),
        (
            document(answers={"text": ["x"]}),
            r"question 'q7': expected 'answers' to be list, found {'text'",
        ),
        (document(answers=["Köln"]), r"question 'q7': expected a key 'text' .*, found str"),
        (document(answers=answer(text=...)), r"question 'q7': expected a key 'text'"),
        (
            document(answers=answer(text=None)),
            r"question 'q7': expected 'text' to be str, found None",
        ),
        (document(answers=answer(answer_start=...)), r"question 'q7': .* key 'answer_start'"),
        (document(answers=answer(answer_start="25")), r"question 'q7': .* to be int, found '25'"),
        (document(answers=answer(answer_start=25.0)), r"question 'q7': .* to be int, found 25.0"),
        (document(answers=answer(answer_start=True)), r"question 'q7': .* to be int, found True"),
    ],
)
@pytest.mark.parametrize("keep_misplaced", [False, True])
def test_another_layout_is_refused_with_its_place(tmp_path, value, message, keep_misplaced):
    path = written(tmp_path, value)

    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: {message}"):
        load_squad(path, keep_misplaced=keep_misplaced)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("Köln", 24),
        ("Köln", -1),
        ("Köln", -5),  # where Python would count from the end
        ("Köln", 10**20),
        ("KÖLN", 25),
        ("Ko\u0308ln", 25),
        ("", 0),
        ("Köln. Und", 25),
    ],
)
def test_an_answer_out_of_its_place_is_refused_or_kept_by_its_text(tmp_path, text, start):
    path = written(tmp_path, document(answers=answer(text=text, answer_start=start)))

    message = f"{path}: question 'q7': the answer {text!r} is not at character {start} of its"
    with pytest.raises(DataError, match=re.escape(message)):
        load_squad(path)
    kept = load_squad(path, keep_misplaced=True)
    assert [e.answers for e in kept] == [(Answer(text, None),)]
    assert misplaced(kept) == 1


def test_offsets_in_bytes_are_refused_or_kept_by_their_text():
    path = FIXTURES / "byte_offsets.json"
    message = f"{path}: question 'oertze-2': the answer 'Jörn Käse' is not at character 59 of its"
    with pytest.raises(DataError, match=re.escape(message) + r".*bytes, convert them first"):
        load_squad(path)

    kept = load_squad(path, keep_misplaced=True)
    assert [e.answers for e in kept] == [
        (Answer("Die Brücke", 0),),  # nothing before it that takes two bytes
        (Answer("Jörn Käse", None),),
        (Answer("grün", None),),
    ]
    assert misplaced(kept) == 2


def test_only_the_answer_out_of_its_place_loses_it(tmp_path):
    answers = [*answer(), *answer(text="Rhein", answer_start=3), *answer(text="Rhein")]
    path = written(tmp_path, document(answers=answers))
    kept = load_squad(path, keep_misplaced=True)

    assert kept[0].answers == (Answer("Köln", 25), Answer("Rhein", None), Answer("Rhein", None))
    assert misplaced([*kept, *kept]) == 4


def test_unknown_and_absent_answers_are_not_misplaced(tmp_path):
    unknown = load_squad(written(tmp_path, document(answers=...)), keep_misplaced=True)
    absent = load_squad(written(tmp_path, document(answers=[])), keep_misplaced=True)

    assert (unknown[0].answers, absent[0].answers) == (None, ())
    assert misplaced([*unknown, *absent]) == 0


@pytest.mark.parametrize("article", [{}, {"title": None}, {"title": ""}])
def test_an_article_may_have_no_title(tmp_path, article):
    value = document()
    value["data"][0].pop("title")
    value["data"][0].update(article)

    assert load_squad(written(tmp_path, value))[0].title == ""


@pytest.mark.parametrize("was_enabled", [True, False])
@pytest.mark.parametrize("place", [25, 24])
def test_the_search_for_garbage_is_left_as_it_was(tmp_path, was_enabled, place):
    path = written(tmp_path, document(answers=answer(answer_start=place)))
    (gc.enable if was_enabled else gc.disable)()
    try:
        if place == 25:
            load_squad(path)
        else:
            with pytest.raises(DataError, match="not at character 24"):
                load_squad(path)
        assert gc.isenabled() == was_enabled
    finally:
        gc.enable()


def test_nothing_is_searched_for_garbage_while_a_file_is_loaded(tmp_path):
    value = document()
    value["data"] *= 2000
    path = written(tmp_path, value)
    gc.collect()
    seen = []
    gc.callbacks.append(lambda phase, info: seen.append(phase))
    try:
        load_squad(path)
        during = len(seen)
        gc.collect()
    finally:
        gc.callbacks.pop()
    assert during <= 2  # start and stop of one search, when it is on again
    assert len(seen) == during + 2


ROWS = [
    {
        "id": 7,
        "title": "Rhein",
        "question": "Wo?",
        "context": CONTEXT,
        "answers": {"text": ["Köln"], "answer_start": [25]},
    },
    {
        "question_id": "8",
        "question": "Wer?",
        "context": CONTEXT,
        "answers": {"text": [], "answer_start": []},
    },
    {"id": "9", "question": "Wann?", "context": CONTEXT},
]


@pytest.mark.parametrize("name", ["rows.de.json", "rows.de.jsonl.gz"])
@pytest.mark.parametrize("form", ["list", "indented list", "lines", "lines with a mark"])
def test_flat_records_of_hugging_face_are_read(tmp_path, name, form):
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n\n"
    text = {
        "list": json.dumps(ROWS),
        "indented list": "\n " + json.dumps(ROWS, indent=1),
        "lines": lines,
        "lines with a mark": "\ufeff" + lines,
    }[form]
    write_whole(tmp_path / name, text)

    examples = describe(tmp_path / name).load()

    assert [(e.id, e.question, e.answers) for e in examples] == [
        ("7", "Wo?", (Answer("Köln", 25),)),
        ("8", "Wer?", ()),
        ("9", "Wann?", None),
    ]
    assert {(e.question_language, e.context) for e in examples} == {("de", CONTEXT)}


def test_one_line_is_one_record(tmp_path):
    (example,) = load_squad(written(tmp_path, ROWS[0]))
    assert example.answers == (Answer("Köln", 25),)


def test_answers_of_flat_records_are_checked_for_their_places(tmp_path):
    path = written(tmp_path, [{**ROWS[0], "answers": {"text": ["Köln"], "answer_start": [24]}}])
    with pytest.raises(DataError, match="question '7': the answer 'Köln' is not at character 24"):
        load_squad(path)
    (example,) = load_squad(path, keep_misplaced=True)
    assert example.answers == (Answer("Köln", None),)


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n" + json.dumps(ROWS[1])[:-9] + "\n")
    with pytest.raises(DataError, match=r"rows\.jsonl: expected JSON in line 2, found something"):
        load_squad(path)


def test_articles_of_tydi_qa_are_called_so(tmp_path):
    path = write_records(tmp_path / "train.fi.jsonl", [record_of(n, "?", ["x"]) for n in (1, 2)])
    with pytest.raises(DataError, match=r"record 1: expected a question about .*--scorer tydi-pri"):
        list(load_squad(path, question_language="fi", context_language="fi"))
