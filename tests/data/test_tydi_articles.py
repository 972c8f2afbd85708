"""Articles of the TyDi QA primary tasks: bytes become characters, and faults are named."""

import copy
import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from articles import record_of, write_records
from babelspan.data.tydi_articles import ByteOffsets, are_articles, official, stream_articles
from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
from babelspan.types import ArticleAnswer, DataError, PrimaryAnswer, PrimaryQuestion, Span

TELUGU = ["తెలుగు అక్షరాలు క్షేత్రం", "రెండవ పేరా నవంబరు"]
SCRIPTS = {
    "te": "తెలుగు క్ష్మా నిర్మాణ",
    "bn": "বাংলা ক্ষুদ্র র‍্যাব ড়",
    "th": "ภาษาไทย น้ำ กี่ ปู่",
    "ar": "اَلْعَرَبِيَّةُ ـ لآ",
    "ja": "か\u3099き\u309a 漢字 𠮟る ｶﾞ 🇯🇵",
}
RECORD = record_of(3, "ఎవరు?", TELUGU, passage=1, answer="నవంబరు", language="telugu", title="శీర్షిక")


def changed(**fields):
    return {**copy.deepcopy(RECORD), **fields}


def simplified(record):
    """A record with lists side by side, as Hugging Face has them, without an id."""
    candidates, annotations = record["passage_answer_candidates"], record["annotations"]
    minimal = [a["minimal_answer"] for a in annotations]
    kept = {k: v for k, v in record.items() if k != "example_id"}
    return kept | {
        "passage_answer_candidates": {
            key: [c[key] for c in candidates]
            for key in ("plaintext_start_byte", "plaintext_end_byte")
        },
        "annotations": {
            "passage_answer_candidate_index": [
                a["passage_answer"]["candidate_index"] for a in annotations
            ],
            "minimal_answers_start_byte": [m["plaintext_start_byte"] for m in minimal],
            "minimal_answers_end_byte": [m["plaintext_end_byte"] for m in minimal],
            "yes_no_answer": [a["yes_no_answer"] for a in annotations],
        },
    }


@pytest.mark.parametrize("name", ["lines.jsonl", "lines.jsonl.gz"])
@pytest.mark.parametrize("form", [lambda r: r, simplified])
def test_both_forms_give_the_same_article(tmp_path, name, form):
    path = write_records(tmp_path / name, [form(RECORD)])
    (article,) = stream_articles(path)
    assert are_articles(path)
    assert [p.of(article.text) for p in article.passages] == TELUGU
    assert [(a.passage, a.span.of(article.text)) for a in article.answers] == [(1, "నవంబరు")] * 2
    assert (article.question, article.language) == ("ఎవరు?", "telugu")
    assert article.id == (3 if form(RECORD) is RECORD else 1)  # the line, where there is no id
    assert len(load_primary_golds(path)[0].answers) == 2


def test_a_test_set_has_no_annotations_and_an_empty_passage_counts(tmp_path):
    empty = [*RECORD["passage_answer_candidates"]]
    empty.insert(1, {"plaintext_start_byte": -1, "plaintext_end_byte": -1})
    record = changed(passage_answer_candidates=empty)
    del record["annotations"]
    (article,) = stream_articles(write_records(tmp_path / "a.jsonl", [record]))
    assert article.answers == ()
    assert [p and p.of(article.text) for p in article.passages] == [TELUGU[0], None, TELUGU[1]]


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(
        st.text(st.sampled_from("".join(SCRIPTS.values()) + "a \u0301\u200d"), min_size=1),
        min_size=1,
    ),
    data=st.data(),
)
@example(texts=list(SCRIPTS.values()), data=None)
def test_bytes_and_characters_come_and_go(tmp_path_factory, texts, data):
    """Any span of any passage, against Python's own encoding."""
    number = 0 if data is None else data.draw(st.integers(0, len(texts) - 1))
    start = 0 if data is None else data.draw(st.integers(0, len(texts[number]) - 1))
    end = start + 1 if data is None else data.draw(st.integers(start + 1, len(texts[number])))
    folder = tmp_path_factory.mktemp("articles")
    record = record_of(1, "?", texts)
    at = record["passage_answer_candidates"][number]["plaintext_start_byte"]
    place = at + len(texts[number][:start].encode()), at + len(texts[number][:end].encode())
    minimal = dict(zip(("plaintext_start_byte", "plaintext_end_byte"), place, strict=True))
    record["annotations"][0] |= {
        "passage_answer": {"candidate_index": number},
        "minimal_answer": minimal,
    }
    (article,) = stream_articles(write_records(folder / "a.jsonl", [record]))
    assert [p.of(article.text) for p in article.passages] == texts
    span = article.answers[0].span
    assert span.of(article.text) == texts[number][start:end]
    assert ByteOffsets(article.text).place_of(span) == place
    encoded = article.text.encode()
    assert encoded[place[0] : place[1]].decode() == span.of(article.text)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_no_byte_inside_a_character_is_a_place(text):
    offsets = ByteOffsets(text)
    starts = {len(text[:i].encode()): i for i in range(len(text) + 1)}
    found = {byte: offsets.character_at(byte) for byte in range(-1, len(text.encode()) + 2)}
    assert {byte: c for byte, c in found.items() if c is not None} == starts


def candidates(*places):
    return [{"plaintext_start_byte": s, "plaintext_end_byte": e} for s, e in places]


SIZE = len(RECORD["document_plaintext"].encode())


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            changed(passage_answer_candidates=candidates((1, 21))),
            f"passage 0: expected bytes between characters of the article, which has {SIZE} bytes "
            "of UTF-8, found byte 1, which is inside a character; offsets count bytes, not "
            "characters",
        ),
        (
            changed(passage_answer_candidates=candidates((0, SIZE + 1))),
            f"found byte {SIZE + 1}, which is outside the article",
        ),
        (
            changed(passage_answer_candidates=candidates((0, 21), (18, 21))),
            "passage 1: expected passages in order that do not overlap, found one from byte 18 "
            "where the one before ends at byte 21",
        ),
        (
            changed(passage_answer_candidates=candidates((6, 3))),
            "expected a start before the end, found bytes 6 to 3",
        ),
        (
            changed(passage_answer_candidates=[]),
            "expected an annotation with one of the 0 passages of the article, found passage 1; "
            "were the passages left out?",
        ),
        (changed(document_plaintext="\ud800"), "found half a surrogate pair at character 0"),
        (changed(example_id="3"), "expected 'example_id' to be int, found '3'"),
        (
            changed(passage_answer_candidates={"plaintext_start_byte": [1, 2]}),
            "expected a key 'plaintext_end_byte'",
        ),
        (
            changed(
                passage_answer_candidates={
                    "plaintext_start_byte": [1, 2],
                    "plaintext_end_byte": [3],
                }
            ),
            "expected lists of equal length, found 2 of 'plaintext_start_byte', 1 of "
            "'plaintext_end_byte'",
        ),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, record, message):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in (RECORD, record)), encoding="utf-8")
    articles = stream_articles(path)
    next(articles)
    with pytest.raises(DataError, match=re.escape(message)) as raised:
        next(articles)
    assert str(raised.value).startswith(f"{path}: line 2")


def test_a_minimal_answer_inside_a_character_is_refused(tmp_path):
    record = changed()
    record["annotations"][1]["minimal_answer"]["plaintext_start_byte"] += 1
    with pytest.raises(DataError, match=r"line 1: minimal answer: .* inside a character"):
        list(stream_articles(write_records(tmp_path / "a.jsonl", [record])))


def test_other_files_are_no_articles(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"data": [{"title": "\\"document_plaintext\\":"}]}', encoding="utf-8")
    assert not are_articles(path)


@pytest.mark.parametrize(
    ("passage", "place", "yes_no"), [(4, (3, 9), None), (0, None, "yes"), (None, None, None)]
)
def test_what_is_written_is_what_the_scorer_reads(tmp_path, passage, place, yes_no):
    answer = PrimaryAnswer(
        passage=passage, place=place, yes_no=yes_no, passage_score=-1.5, minimal_score=2.25
    )
    question = PrimaryQuestion(id=-7, language="thai", answers=(answer,))
    path = write_records(tmp_path / "p.jsonl.gz", [official(question)])
    assert load_primary_predictions(path) == [question]


def test_answers_are_the_annotators(tmp_path):
    record = record_of(1, "?", ["a", "b"], passage=1, yes_no="YES")
    (article,) = stream_articles(write_records(tmp_path / "a.jsonl", [record]))
    assert article.answers[0] == ArticleAnswer(passage=1, span=None, yes_no="yes")
    assert article.passages == (Span(0, 1), Span(2, 3))
