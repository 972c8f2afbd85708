"""What is planted in data is found, with its ids; what is right is let be."""

import json

import pytest

from babelspan.data.squad import load_squad, save_squad
from babelspan.examine.check import FAULTS, NOTES, check, check_examples
from babelspan.jobs.samples import SAMPLES
from babelspan.types import Answer, DataError, Example

CONTEXTS = [
    "The lake lies in Siberia, and its water is clear down to forty metres below the surface.",
    "Die Brücke über den Fluß wurde 1894 gebaut und steht noch heute mitten in der alten Stadt.",
    "这座博物馆建于一九三四年，收藏了许多来自世界各地的珍贵文物，每年吸引上百万的游客前来参观。",
    "A mountain railway climbs from the village to the pass, where an inn has stood since 1790.",
]


def example(identity, context=CONTEXTS[0], question=None, answers=None, title=""):
    return Example(
        id=identity,
        question=f"What of {identity}?" if question is None else question,
        context=context,
        answers=(Answer(context[4:12], 4),) if answers is None else answers,
        question_language="en",
        context_language="en",
        title=title,
    )


def found_in(*examples, tmp_path):
    path = tmp_path / "data.en.json"
    save_squad(path, examples)
    report = check_examples(load_squad(path, keep_misplaced=True), path)
    return {
        kind: [(f.id, f.detail) for f in findings] for kind, findings in report.findings.items()
    }


def test_right_data_has_no_findings(tmp_path):
    right = [example(f"q{n}", CONTEXTS[n // 2]) for n in range(8)]
    impossible = example("none", CONTEXTS[3], answers=())
    assert found_in(*right, impossible, tmp_path=tmp_path) == {}


def test_the_samples_are_right():
    report = check([SAMPLES])
    assert report.faults == 0
    assert len(report.files) == 8
    assert {kind for f in report.files for kind in f.findings} == set()


def test_misplaced_answers_are_found_with_where_they_stand(tmp_path):
    text = "Ring ring, said the bell in the tower"
    answers = (Answer("bell", 3), Answer("ing", 0), Answer("gong", 5), Answer("Ring", 0))
    assert found_in(example("q", text, answers=answers), tmp_path=tmp_path) == {
        "misplaced": [
            ("q", "'bell' occurs at character 20"),
            ("q", "'ing' occurs at character 1 and at 1 other places"),
            ("q", "'gong' is nowhere in the context"),
        ]
    }


def test_empty_texts_are_found(tmp_path):
    examples = [
        example("no question", question=" \n"),
        example("no answer", answers=(Answer("", 3), Answer(" ", 3))),
        example("no context", "", answers=()),
    ]
    assert found_in(*examples, tmp_path=tmp_path) == {
        "empty": [
            ("no question", "the question"),
            ("no answer", "an answer"),
            ("no answer", "an answer"),
            ("no context", "the context"),
        ]
    }


def test_odd_characters_are_found_once_for_each_text(tmp_path):
    examples = [
        example("a", "NUL \x00 and NUL \x00 and \x9d here", answers=()),
        example("b", "NUL \x00 and NUL \x00 and \x9d here", "lone \ud83d?", answers=()),
        example("c", "broken \ufffd text", "tab\tand\r\nline", answers=()),
        example("d", "noncharacter \uffff", "joiner \u200d, mark \ufeff, emoji 🌉", answers=()),
    ]
    assert found_in(*examples, tmp_path=tmp_path) == {
        "characters": [
            ("a", "U+0000, U+009D in the context"),
            ("b", "U+D83D in the question"),
            ("c", "U+FFFD in the context"),
            ("d", "U+FFFF in the context"),
        ]
    }


def test_repeats_are_found(tmp_path):
    examples = [
        example("a", CONTEXTS[0], "Where is it?"),
        example("b", CONTEXTS[1]),
        example("b", CONTEXTS[1], "Another one?"),
        example("c", CONTEXTS[0].upper(), "where IS it"),
        example("d", CONTEXTS[2], "Where is it?"),
    ]
    assert found_in(*examples, tmp_path=tmp_path) == {
        "repeated ids": [("b", "")],
        "repeated questions": [("c", "as 'a'")],
        "repeated contexts": [("c", "as with 'a'")],
    }


def test_an_answer_that_is_the_whole_context_is_noted(tmp_path):
    whole = example("q", f" {CONTEXTS[0]}\n", answers=(Answer(CONTEXTS[0], 1),))
    assert found_in(whole, tmp_path=tmp_path) == {"whole": [("q", "")]}


def test_faults_count_and_notes_do_not(tmp_path):
    path = tmp_path / "a.en.json"
    save_squad(path, [example("q", answers=(Answer(CONTEXTS[0], 0),))])
    assert check([path]).faults == 0
    save_squad(path, [example("q"), example("q")])
    assert check([path]).faults == 1
    assert not FAULTS.keys() & NOTES.keys()


def planted(folder):
    """Three splits: one training paragraph is in dev, one, edited, in test."""
    edited = CONTEXTS[1].replace("1894", "1895")
    save_squad(folder / "train.en.json", [example(f"t{n}", c) for n, c in enumerate(CONTEXTS[:3])])
    save_squad(
        folder / "dev.en.json", [example("d0", CONTEXTS[0].lower()), example("t2", "A new place.")]
    )
    save_squad(folder / "test.de-en.json.gz", [example("e0", edited), example("e1", CONTEXTS[3])])


def told(report):
    return {
        (c.path.name, c.against.rpartition("/")[2]): (
            c.overlap.paragraphs,
            [(mine, there) for mine, there, _ in c.overlap.near],
            c.overlap.ids,
        )
        for c in report.comparisons
    }


def test_the_splits_of_a_folder_are_compared_earlier_with_later(tmp_path):
    planted(tmp_path / "set")
    report = check([tmp_path / "set"])

    assert [f.path.name for f in report.files] == [
        "train.en.json",
        "dev.en.json",
        "test.de-en.json.gz",
    ]
    assert told(report) == {
        ("train.en.json", "dev.*"): ([("t0", "d0")], [], ["t2"]),
        ("train.en.json", "test.*"): ([], [("t1", "e0")], []),
        ("dev.en.json", "test.*"): ([], [], []),
    }
    assert report.faults == 3


def test_files_named_one_by_one_are_compared_if_of_one_folder(tmp_path):
    planted(tmp_path / "set")
    files = [tmp_path / "set" / n for n in ("dev.en.json", "train.en.json")]
    assert told(check(files)).keys() == {("train.en.json", "dev.*")}
    other = tmp_path / "other" / "dev.en.json"
    save_squad(other, [example("x")])
    assert told(check([files[1], other])) == {}


def test_files_are_compared_with_test_sets(tmp_path):
    planted(tmp_path / "set")
    mine = tmp_path / "mine.en.json"
    save_squad(
        mine,
        [
            example("m0", CONTEXTS[3]),
            example("m1", CONTEXTS[1]),
            example("m2", "A place of its own."),
        ],
    )
    report = check([mine], [tmp_path / "set" / "test.de-en.json.gz", tmp_path / "set"])
    assert told(report) == {
        ("mine.en.json", "test.de-en.json.gz"): ([("m0", "e1")], [("m1", "e0")], []),
        ("mine.en.json", "set"): ([("m0", "e1"), ("m1", "t1")], [], []),
    }


def test_every_file_of_a_folder_below_is_looked_at_once(tmp_path):
    for name in ("a/test.en.json", "a/test.de.json", "b/c/train.en.json", "b/readme.json"):
        save_squad(tmp_path / name, [example("q")])
    report = check([tmp_path, tmp_path / "a", tmp_path / "a" / "test.en.json"])
    assert [f.path.relative_to(tmp_path).as_posix() for f in report.files] == [
        "a/test.de.json",
        "a/test.en.json",
        "b/c/train.en.json",
    ]
    assert report.comparisons == []


def test_a_file_that_cannot_be_read_is_a_fault_and_the_others_are_looked_at(tmp_path):
    planted(tmp_path)
    (tmp_path / "dev.en.json").write_text('{"data": [', encoding="utf-8")
    report = check([tmp_path])
    assert [list(f.findings) for f in report.files] == [[], ["unreadable"], []]
    (finding,) = report.files[1].findings["unreadable"]
    assert finding.id == ""
    assert "dev.en.json: expected JSON, found something else at line 1" in finding.detail
    assert [c.path.name for c in report.comparisons] == ["train.en.json", "train.en.json"]


def test_what_is_compared_with_must_be_readable(tmp_path):
    planted(tmp_path / "set")
    nowhere = tmp_path / "nowhere.json"
    for paths, against in (([nowhere], []), ([tmp_path / "set"], [nowhere])):
        with pytest.raises(DataError, match=r"nowhere.json: there is no such file or folder$"):
            check(paths, against)
    nowhere.write_text("7", encoding="utf-8")
    with pytest.raises(DataError, match=r"nowhere.json: expected a key 'data'"):
        check([tmp_path / "set"], [nowhere])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: expected files named like test.en.json"):
        check([tmp_path / "empty"])


def test_the_watch_is_told_of_each_file(tmp_path):
    planted(tmp_path)
    seen = []
    check([tmp_path], watch=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_parallel_files_share_ids_without_fault(tmp_path):
    for language, context in (("en", CONTEXTS[0]), ("de", CONTEXTS[1])):
        save_squad(tmp_path / f"test.{language}.json", [example("q", context)])
    assert check([tmp_path]).faults == 0


@pytest.mark.data
def test_real_data_with_faults_planted_in_it(real_data, tmp_path):
    xquad = load_squad(real_data / "qa" / "xquad" / "test.de.json.gz")
    document = {"data": [{"title": "", "paragraphs": []}]}
    for n, one in enumerate(xquad[:200]):
        start = one.answers[0].start + (1 if n % 50 == 7 else 0)
        answers = [{"text": one.answers[0].text, "answer_start": start}]
        qas = [{"id": f"n{n}", "question": one.question, "answers": answers}]
        context = one.context.replace(" und ", " sowie ", 1) if n % 40 == 9 else one.context
        shift = len(context) - len(one.context) if start > context.find(" sowie ") >= 0 else 0
        answers[0]["answer_start"] += shift
        document["data"][0]["paragraphs"].append({"context": context, "qas": qas})
    path = tmp_path / "train.de.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    report = check([path], [real_data / "qa" / "xquad"])

    assert {f.id for f in report.files[0].findings["misplaced"]} >= {"n7", "n57", "n107", "n157"}
    (comparison,) = report.comparisons
    assert comparison.overlap.questions + comparison.overlap.near_questions == 200
    assert comparison.overlap.ids == []
    assert len(comparison.overlap.near) >= 3


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "paragraphs", "questions"),
    [("squad/dev.en", 240, 1190), ("squad/train-without-xquad.en", 0, 0)],
)
def test_xquad_is_in_squad_dev_and_not_in_the_rest_of_it(real_data, name, paragraphs, questions):
    xquad = real_data / "qa" / "xquad" / "test.en.json.gz"
    (comparison,) = check([real_data / "qa" / f"{name}.json.gz"], [xquad]).comparisons
    shared = comparison.overlap

    assert (len(shared.paragraphs), shared.near) == (paragraphs, [])
    assert shared.questions == len(shared.ids) == questions
    assert len(shared.titles) == 48
    assert comparison.faults == paragraphs + questions


@pytest.mark.parametrize("text", ['{"data": []}', "[]", '{"data": [{"paragraphs": []}]}'])
def test_a_file_without_questions_is_a_fault(tmp_path, text):
    path = tmp_path / "test.en.json"
    path.write_text(text, encoding="utf-8")
    report = check([path])
    assert report.faults == 1
    assert list(report.files[0].findings) == ["nothing"]
