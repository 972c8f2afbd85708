"""Windows: what the tokenizer gives for a pair, cut without losing a token or its place."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from babelspan.reading.windows import LEAST_CONTEXT, Featurizer
from babelspan.text.scripts import hardly_known
from babelspan.types import ConfigError, DataError, Example, Limits, Span

PIECES = [
    *"a b. \t?",
    *"\u0301\u200d\u00df\u0130\ufb01\u2167",
    "\r\n",
    "bridge",
    "Brücke",
    "桥在河上",
    "الجسر",
    "다리는",
    "क्षत्रिय",
    "แม่น้ำ",
    "👨\u200d👩\u200d👧\u200d👦",
    "🇩🇪",
    "𐍈𠜎",
    "\0",
    "[SEP]",
    "</s>",
]
mixed = st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join)
crammed = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
texts = mixed | crammed | st.text(max_size=30)
contexts = st.tuples(texts, st.integers(1, 12)).map(lambda c: c[0] * c[1])

quiet = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def example(question, context, identity="q1"):
    return Example(
        id=identity,
        question=question,
        context=context,
        answers=None,
        question_language="en",
        context_language="de",
    )


def featurizer_of(tokenizer, max_positions=512):
    return Featurizer(tokenizer, max_positions=max_positions, pad_id=1)


def alone(tokenizer, text):
    """What the tokenizer itself gives for a text: ids and offsets."""
    encoding = tokenizer.encode(
        "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text),
        add_special_tokens=False,
    )
    return encoding.ids, encoding.offsets


@quiet
@given(question=texts, context=contexts)
def test_one_window_is_what_the_tokenizer_gives_for_the_pair(tokenizer, question, context):
    pair = tokenizer.encode(question, context)
    if not alone(tokenizer, context)[0]:
        assert not list(featurizer_of(tokenizer).windows([example(question, context)]))
        return
    size = max(len(pair.ids), 64) + LEAST_CONTEXT
    (window,) = featurizer_of(tokenizer, size).windows(
        [example(question, context)], Limits(max_length=size)
    )
    assert window.ids().tolist() == pair.ids
    assert window.types().tolist() == pair.type_ids
    assert window.length == len(pair.ids)
    of_context = [i for i, part in enumerate(pair.sequence_ids) if part == 1]
    assert window.context_at == of_context[0]
    assert [tuple(o) for o in window.offsets.tolist()] == [pair.offsets[i] for i in of_context]


@quiet
@given(
    question=st.sampled_from(["bridge?", "桥在哪里", "", "Wo liegt die Brücke"]),
    context=contexts,
    max_length=st.integers(100, 130),
    overlap=st.integers(0, 200),
)
def test_windows_cover_every_token_and_share_what_was_asked(
    tokenizer, question, context, max_length, overlap
):
    encoder = featurizer_of(tokenizer)
    question_ids, _ = alone(tokenizer, question)
    ids, offsets = alone(tokenizer, context)
    prefix, middle, suffix = encoder.frame.prefix, encoder.frame.middle, encoder.frame.suffix
    room = max_length - encoder.frame.size - len(question_ids)
    limits = Limits(max_length=max_length, overlap=overlap)
    if len(ids) > room and overlap >= room:
        with pytest.raises(ConfigError, match=rf"--overlap\) to {room - 1} or less,"):
            list(encoder.windows([example(question, context)], limits))
        return
    windows = list(encoder.windows([example(question, context)], limits))

    covered = 0
    for window in windows:
        first, last = window.first_token, window.first_token + window.size - 1
        assert first == (0 if window is windows[0] else covered - overlap)
        assert last >= covered
        assert last - first + 1 == room or window is windows[-1]
        whole = [*prefix, *question_ids, *middle, *ids[first : last + 1], *suffix]
        assert window.ids().tolist() == whole
        assert len(window.types()) == window.length == len(whole) <= max_length
        assert [tuple(o) for o in window.offsets.tolist()] == offsets[first : last + 1]
        covered = last + 1
    assert covered == len(ids)


def test_frames_of_the_four_kinds(tokenizers):
    frames = {name: featurizer_of(t).frame for name, t in tokenizers.items()}
    assert [*frames["roberta_like"][:3]] == [*frames["xlm_r_like"][:3]] == [[0], [2, 2], [2]]
    assert [*frames["bert_like"]] == [[0], [2], [2], [0], 0, [0], 1, [1]]
    assert frames["word_level"] == frames["bert_like"]
    assert [frames[n].size for n in ("roberta_like", "bert_like")] == [4, 3]


def test_normalised_text_keeps_the_offsets_of_what_was_written(tokenizers):
    context = "\u00dcBER die BR\u00dcCKE, cafe\u0301"
    tokens = featurizer_of(tokenizers["bert_like"]).tokens(context)
    seen = "".join(context[a:b] for a, b in tokens.offsets)
    assert seen == "\u00dcBERdieBR\u00dcCKE,cafe"
    assert (
        tokens.ids.tolist()
        == tokenizers["bert_like"].encode("uber die brucke, cafe", add_special_tokens=False).ids
    )


def test_the_tokenizers_own_limits_and_padding_do_not_count(tokenizers):
    tokenizer = Tokenizer.from_str(tokenizers["xlm_r_like"].to_str())
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=40)
    context = "The old bridge was built by Anna. " * 20
    one = list(featurizer_of(tokenizer).windows([example("Who?", context)], Limits(max_length=100)))
    other = list(
        featurizer_of(tokenizers["xlm_r_like"]).windows(
            [example("Who?", context)], Limits(max_length=100)
        )
    )
    assert [w.ids().tolist() for w in one] == [w.ids().tolist() for w in other]
    assert len(one) > 1
    assert tokenizer.truncation["max_length"] == 16, "the caller's tokenizer was changed"


def test_lone_surrogates_are_read_as_the_replacement_character(tokenizer):
    encoder = featurizer_of(tokenizer)
    broken, replaced = "the \ud83d old \udc00bridge", "the \ufffd old \ufffdbridge"
    (window,) = encoder.windows([example("Who \udfff?", broken)])
    (expected,) = encoder.windows([example("Who \ufffd?", replaced)])
    assert window.ids().tolist() == expected.ids().tolist()
    assert window.offsets.tolist() == expected.offsets.tolist()
    assert window.example.context == broken


def test_nul_is_a_character_like_others(tokenizers):
    encoder = featurizer_of(tokenizers["roberta_like"])
    (window,) = encoder.windows([example("a\0?", "x\0y")])
    assert window.offsets.tolist() == [[0, 1], [1, 2], [2, 3]]


def test_a_context_without_tokens_has_no_windows(tokenizer):
    encoder = featurizer_of(tokenizer)
    examples = [
        example("Who?", "", "empty"),
        example("Who?", "the bridge", "full"),
    ]
    assert [w.example.id for w in encoder.windows(examples)] == ["full"]


def test_a_long_question_is_refused_with_its_id_and_numbers(tokenizers):
    encoder = featurizer_of(tokenizers["word_level"])
    question = " ".join(["bridge"] * 70)
    fits = 70 + encoder.frame.size + LEAST_CONTEXT
    assert len(list(encoder.windows([example(question, "a b")], Limits(max_length=fits)))) == 1
    with pytest.raises(
        DataError,
        match=rf"question 'long-7' has 70 tokens, which leaves 31 of {fits - 1} for its context, "
        r"expected 32 or more; .*\(this reader takes 512 tokens\)",
    ):
        list(encoder.windows([example(question, "a b", "long-7")], Limits(max_length=fits - 1)))
    with pytest.raises(DataError, match="has 600 tokens, which leaves 0 of 384 for its context"):
        list(encoder.windows([example(" ".join(["bridge"] * 600), "a b")]))


@pytest.mark.parametrize("max_length", [-1, 0, 35])
def test_max_length_out_of_range_is_refused(tokenizers, max_length):
    encoder = featurizer_of(tokenizers["bert_like"], max_positions=200)
    with pytest.raises(
        ConfigError, match=rf"36 to 200 tokens .*\(--window, max_length\), got {max_length}$"
    ):
        list(encoder.windows([example("Who?", "a")], Limits(max_length=max_length)))
    with pytest.raises(ConfigError, match=r"windows of 201 tokens .* takes 200 or fewer"):
        list(encoder.windows([example("Who?", "a")], Limits(max_length=201)))
    for allowed in (36, 200):
        assert list(encoder.windows([example("", "a")], Limits(max_length=allowed)))


def test_a_window_without_room_for_a_text_is_refused(tokenizers):
    """Two special tokens go round a text."""

    def room(max_length):
        limits = Limits(max_length=max_length)
        made = Featurizer(tokenizers["bert_like"], max_positions=200, pad_id=1, limits=limits)
        return made.room_of_a_text

    assert [room(3), room(200)] == [1, 198]
    for max_length in (1, 2):
        message = rf"max_length must be in \[3, 200\] for single texts, got {max_length}$"
        with pytest.raises(ConfigError, match=message):
            room(max_length)


def test_negative_overlap_is_refused():
    with pytest.raises(ConfigError, match="overlap must not be negative, got -3"):
        Limits(overlap=-3)


def test_pad_fills_on_the_right(tokenizers):
    encoder = featurizer_of(tokenizers["bert_like"])
    windows = list(
        encoder.windows(
            [example("Who?", "the old bridge"), example("Wo?", "die Brücke liegt " * 3)]
        )
    )
    padded = encoder.pad(windows)
    assert len({w.length for w in windows}) == 2
    for row, window in enumerate(windows):
        rest = max(w.length for w in windows) - window.length
        assert padded.input_ids[row].tolist() == [*window.ids().tolist(), *[1] * rest]
        assert padded.attention_mask[row].tolist() == [1] * window.length + [0] * rest
        assert padded.token_type_ids[row].tolist() == [*window.types().tolist(), *[0] * rest]
    assert {a.dtype for a in padded} == {np.dtype(np.int64)}


@quiet
@given(context=mixed, start=st.integers(0, 400), length=st.integers(1, 40))
def test_tokens_of_a_span_are_those_that_touch_it(tokenizer, context, start, length):
    span = Span(start, start + length)
    ids, offsets = alone(tokenizer, context)
    touching = [i for i, (a, b) in enumerate(offsets) if b > span.start and a < span.end]
    for window in featurizer_of(tokenizer).windows(
        [example("Who?", context)], Limits(max_length=60, overlap=10)
    ):
        inside = [i for i in touching if 0 <= i - window.first_token < window.size]
        found = window.tokens_of(span)
        if not touching or inside != touching:
            assert found is None
        else:
            first, last = found
            assert window.ids()[first] == ids[touching[0]]
            shift = window.context_at - window.first_token
            assert (first, last) == (touching[0] + shift, touching[-1] + shift)


def test_eight_threads_encode_as_one_does(tokenizer, sentences):
    examples = [
        example(question.split("?")[0], " ".join(sentences) * (1 + i % 2), f"{i}-{j}")
        for j in range(2)
        for i, question in enumerate(sentences)
    ]

    def encoded(encoder, of_examples):
        return [
            (w.example.id, w.ids().tolist(), w.offsets.tolist())
            for w in encoder.windows(of_examples, Limits(max_length=160, overlap=20))
        ]

    alone = encoded(featurizer_of(tokenizer), examples)
    shared = featurizer_of(tokenizer)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda e: encoded(shared, [e]), examples))
        whole = list(pool.map(lambda _: encoded(shared, examples), range(8)))
    assert [w for windows in together for w in windows] == alone
    assert all(w == alone for w in whole)


class Counting(Featurizer):
    """An encoder that keeps the texts its tokenizer was given."""

    def __init__(self, *args, **limits):
        self.encoded = []
        super().__init__(*args, **limits)

    def tokens(self, text):
        self.encoded.append(text)
        return super().tokens(text)


def test_many_questions_over_one_document_encode_it_once(tokenizer, sentences):
    encoder = Counting(tokenizer, max_positions=128, pad_id=1)
    document, other = " ".join(sentences * 3), " ".join(sentences)
    questions = [f"Who built bridge {i}?" for i in range(60)]
    asked = [example(q, (document, other)[i % 2], str(i)) for i, q in enumerate(questions)]
    windows = list(encoder.windows(asked, Limits(max_length=80, overlap=16)))
    assert len(windows) > 2 * len(questions)
    assert sorted(encoder.encoded) == sorted([document, other, *questions])


def test_one_question_over_many_documents_is_encoded_once(tokenizer, sentences):
    encoder = Counting(tokenizer, max_positions=128, pad_id=1)
    documents = [f"{sentence} {i}" for i, sentence in enumerate(sentences * 6)]
    asked = [example("Who built it?", d, str(i)) for i, d in enumerate(documents)]
    list(encoder.windows(asked, Limits(max_length=80, overlap=16)))
    assert encoder.encoded == ["Who built it?", *documents]


def test_many_documents_are_encoded_once_for_many_questions(tokenizer, sentences):
    encoder = Counting(tokenizer, max_positions=128, pad_id=1)
    documents = [f"{sentence} {i}" for i, sentence in enumerate(sentences * 20)]
    for question in ("Who built it?", "When?", "Where?"):
        asked = [example(question, d, str(i)) for i, d in enumerate(documents)]
        list(encoder.windows(asked, Limits(max_length=80, overlap=16)))
    assert sorted(encoder.encoded) == sorted([*documents, "Who built it?", "When?", "Where?"])


def test_a_pickled_featurizer_cuts_the_same_windows(tokenizer, sentences):
    encoder = featurizer_of(tokenizer)
    again = pickle.loads(pickle.dumps(encoder))
    assert (again.max_positions, again.pad_id) == (encoder.max_positions, encoder.pad_id)
    assert again.limits == encoder.limits
    asked = [example("Who?", " ".join(sentences))]
    ours, theirs = (list(e.windows(asked, Limits(max_length=80))) for e in (encoder, again))
    assert [w.ids().tolist() for w in ours] == [w.ids().tolist() for w in theirs]


def test_a_tokenizer_that_swaps_the_pair_is_refused(tokenizers):
    tokenizer = Tokenizer.from_str(tokenizers["bert_like"].to_str())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", pair="[CLS] $B [SEP] $A", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    with pytest.raises(DataError, match="puts the second text before the first"):
        featurizer_of(tokenizer)


def test_a_tokenizer_that_cannot_read_letters_is_refused():
    tokenizer = Tokenizer(models.BPE(vocab={"1": 0}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(DataError, match="gives no token for the letter 'a'"):
        featurizer_of(tokenizer)


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigError, match=r"^expected overlap or step, got both \(3 and 5\)"):
        Limits(overlap=3, step=5)
    with pytest.raises(ConfigError, match="step must be 1 or more, got 0"):
        Limits(step=0)


def words(count):
    return " ".join(["bridge"] * count)


@pytest.mark.parametrize(
    ("limits", "starts"),
    [
        (Limits(max_length=384, step=128), [0, 128, 256]),
        (Limits(max_length=384, overlap=128), [0, 241]),
        (Limits(max_length=384), [0, 241]),
        (Limits(max_length=384, overlap=241), [0, 128, 256]),
    ],
)
def test_a_step_is_what_run_squad_calls_doc_stride(tokenizers, limits, starts):
    """A question of 12 tokens leaves 369: 500 tokens make windows every 128, not every 241."""
    featurizer = featurizer_of(tokenizers["word_level"])
    windows = featurizer.windows([example(words(12), words(500))], limits)
    assert [w.first_token for w in windows] == starts


def test_a_step_that_would_leave_out_context_is_refused(tokenizers):
    """Room for 41 tokens; a context that fits into one window is not cut."""
    featurizer = featurizer_of(tokenizers["word_level"])
    limits = Limits(max_length=64, step=42)
    assert len(list(featurizer.windows([example(words(20), words(41))], limits))) == 1
    with pytest.raises(ConfigError, match=r"room for 41 context tokens; lower step to 41 or raise"):
        list(featurizer.windows([example(words(20), words(42))], limits))


def test_a_long_question_halves_the_overlap_only_where_none_was_asked_for(tokenizers):
    """Room for 181 tokens: half of it is 90 (steps of 91); a named overlap of 128 is kept."""
    featurizer = featurizer_of(tokenizers["word_level"])
    asked = [example(words(200), words(300))]
    first = {
        limits: [w.first_token for w in featurizer.windows(asked, limits)]
        for limits in (Limits(), Limits(overlap=128))
    }
    assert first == {Limits(): [0, 91, 182], Limits(overlap=128): [0, 53, 106, 159]}


@quiet
@given(
    questions=st.tuples(*[st.sampled_from(["bridge?", "桥在哪里", "", "Wo liegt die Brücke"])] * 2),
    context=contexts,
    overlap=st.integers(0, 40),
)
def test_members_of_a_group_are_cut_at_the_same_context_tokens(
    tokenizer, questions, context, overlap
):
    featurizer = featurizer_of(tokenizer)
    limits = Limits(max_length=100, overlap=overlap)
    group = [example(q, context, str(i)) for i, q in enumerate(questions)]
    rows = list(featurizer.together(group, limits))
    cuts = [[(w.first_token, w.size) for w in of_one] for of_one in zip(*rows, strict=True)]
    assert all(cut == cuts[0] for cut in cuts)
    longest = max(group, key=lambda e: len(alone(tokenizer, e.question)[0]))
    by_itself = featurizer.windows([longest], limits)
    assert [(w.first_token, w.size) for w in by_itself] == (cuts[0] if cuts else [])
    for row in rows:
        assert [w.example for w in row] == group
        assert len({tuple(w.context.ids.tolist()) for w in row}) == 1


def test_a_group_over_two_contexts_is_refused(tokenizers):
    featurizer = featurizer_of(tokenizers["word_level"])
    with pytest.raises(ValueError, match=r"over one context, got \['x', 'y'\] over several"):
        list(featurizer.together([example("?", "a", "x"), example("?", "b", "y")]))


def test_every_tokenizer_knows_what_it_was_made_from_and_no_other_script(tokenizer, sentences):
    featurizer = Featurizer(tokenizer, max_positions=64, pad_id=1)
    assert hardly_known(sentences[0], featurizer.known(sentences[0])) == ()
    georgian = "თბილისი საქართველოს დედაქალაქია"
    assert hardly_known(georgian, featurizer.known(georgian)) == ("Georgian",)
