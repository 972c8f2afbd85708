"""What every reader keeps to: windows of long contexts, gold answers, places in the text."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from babelspan.losses.span import span_loss
from babelspan.networks.reader import NO_ANSWER, gold_tokens
from babelspan.types import Answer, Example
from miniature import miniature_reader

WORDS = [f"word{number}" for number in range(150)]
MAX_LENGTH, OVERLAP = 50, 12


@pytest.fixture(scope="module")
def reader():
    return miniature_reader([*WORDS, "where", "?"], max_length=MAX_LENGTH, overlap=OVERLAP)


def example(first, last, *, answers=None):
    """Words 0 to 149 with `word{first} … word{last}` as the answer, and many kinds of blanks."""
    blanks = [" ", "  ", "\n", "\t", "\u3000"]
    context, starts, ends = "", [], []
    for number, word in enumerate(WORDS):
        starts.append(len(context))
        context += word
        ends.append(len(context))
        context += blanks[number % len(blanks)]
    text = context[starts[first] : ends[last]]
    return Example(
        id="x",
        question="where ?",
        context=context,
        answers=(Answer(text, starts[first]),) if answers is None else answers,
        question_language="en",
        context_language="en",
    )


def text_of(window, first, last):
    """The characters behind tokens of a window, by its offsets."""
    shift = window.context_at
    start, end = window.offsets[first - shift, 0], window.offsets[last - shift, 1]
    return window.example.context[start:end]


@pytest.mark.parametrize("size", [1, 3, OVERLAP])
def test_some_window_holds_the_answer_wherever_it_is(reader, size):
    for first in range(len(WORDS) - size + 1):
        asked = example(first, first + size - 1)
        windows = list(reader.windows([asked]))
        assert len(windows) > 3
        places = [(w, place) for w in windows if (place := gold_tokens(w)) is not None]
        assert places
        for window, place in places:
            assert text_of(window, *place) == asked.answers[0].text
            assert place[1] - place[0] == size - 1


def test_neighbours_without_a_blank_between_are_not_in_the_answer(reader):
    asked = replace(
        example(0, 0), context="word1-word2-word3", answers=(Answer("word2", len("word1-")),)
    )
    (window,) = reader.windows([asked])
    assert gold_tokens(window) == (window.context_at + 2, window.context_at + 2)


def test_windows_cover_the_context_and_share_their_overlap(reader):
    windows = list(reader.windows([example(0, 0)]))
    assert windows[0].first_token == 0
    assert windows[-1].first_token + windows[-1].size == len(WORDS)
    for one, following in pairwise(windows):
        assert one.length == MAX_LENGTH
        assert one.first_token + one.size - following.first_token == OVERLAP
    for window in windows:
        tokens = [reader.tokenizer.convert_ids_to_tokens(int(i)) for i in window.ids()]
        own = WORDS[window.first_token :][: window.size]
        assert tokens == ["[CLS]", "where", "?", "[SEP]", *own, "[SEP]"]
        assert window.types().tolist() == [0] * 4 + [1] * (len(own) + 1)


def test_an_answer_cut_by_the_windows_edge_is_not_in_it(reader):
    """The first window holds 45 words; an answer over its edge is in the second one only."""
    asked = example(43, 46)
    first, second, *_ = reader.windows([asked])
    assert (first.size, second.first_token) == (45, 33)
    assert gold_tokens(first) is None
    assert gold_tokens(second) == (4 + 10, 4 + 13)


def test_the_first_answer_with_a_place_is_learnt(reader):
    at = example(5, 5).answers[0]
    other = example(7, 7).answers[0]
    window = next(reader.windows([example(0, 0, answers=(Answer("gone", None), at, other))]))
    assert gold_tokens(window) == (4 + 5, 4 + 5)


@pytest.mark.parametrize("answers", [(), (Answer("gone", None),)])
def test_without_a_place_there_is_no_gold(reader, answers):
    window = next(reader.windows([example(0, 0, answers=answers)]))
    assert gold_tokens(window) is None
    assert reader.collate([window]).answers.tolist() == [list(NO_ANSWER)]


def test_a_batch_holds_what_its_windows_say(reader):
    windows = list(reader.windows([example(20, 22)]))[::-1]
    batch = reader.collate(windows)
    assert batch.windows == tuple(windows)
    assert [e.id for e in batch.examples] == ["x"] * len(windows)
    assert batch.input_ids.dtype == batch.answers.dtype == torch.int64
    for row, window in enumerate(windows):
        length = window.length
        assert batch.input_ids[row, :length].tolist() == window.ids().tolist()
        assert batch.token_type_ids[row, :length].tolist() == window.types().tolist()
        assert batch.attention_mask[row].tolist() == [1] * length + [0] * (MAX_LENGTH - length)
        assert (batch.input_ids[row, length:] == reader.featurizer.pad_id).all()
        assert (batch.token_type_ids[row, length:] == 0).all()
        assert tuple(batch.answers[row].tolist()) == (gold_tokens(window) or NO_ANSWER)
    assert sum(place == [0, 0] for place in batch.answers.tolist()) == len(windows) - 1


def test_the_mask_of_questions_shows_their_tokens_only(reader):
    """Over questions of several lengths, the empty one among them, and windows of several."""
    asked = [replace(example(2, 4), question=q) for q in ("where ?", "", "word1 word2 word3 ?")]
    batch = reader.collate([w for e in asked for w in list(reader.windows([e]))[-2:]])
    assert batch.question_mask.dtype == torch.bool
    assert batch.question_mask.shape == batch.input_ids.shape
    for ids, mask, shown in zip(batch.input_ids, batch.question_mask, batch.examples, strict=True):
        found = " ".join(reader.tokenizer.convert_ids_to_tokens(ids[mask].tolist()))
        assert found == shown.question
    assert batch.to(torch.device("meta")).question_mask.device.type == "meta"


def test_the_loss_points_at_the_answer(reader):
    """The gradient of the loss pulls up the logits of the gold tokens and no others."""
    batch = reader.collate([w for w in reader.windows([example(2, 4)]) if gold_tokens(w)])
    logits = torch.zeros(batch.input_ids.shape, requires_grad=True)
    span_loss(logits, torch.zeros_like(logits), batch.answers).backward()
    start, last = batch.answers[0].tolist()
    assert np.flatnonzero(logits.grad[0] < 0).tolist() == [start]
    assert text_of(batch.windows[0], start, last) == batch.examples[0].answers[0].text


def test_a_batch_moves_whole(reader):
    batch = reader.collate(list(reader.windows([example(2, 4)])))
    moved = batch.to(torch.device("meta"))
    for name in ("input_ids", "attention_mask", "token_type_ids", "answers"):
        assert getattr(moved, name).device.type == "meta"
        assert getattr(moved, name).shape == getattr(batch, name).shape
    assert moved.windows is batch.windows
