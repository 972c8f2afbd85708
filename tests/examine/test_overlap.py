"""Paragraphs that two sets share are found, edited ones too, and others are not."""

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.examine.overlap import NEAR, Reference, fingerprint, normalised
from babelspan.types import Example

LETTERS = {
    "en": string.ascii_lowercase,
    "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "hi": "अआइईउऊएओकखगघचछजटडतथदधनपफबमयरलवशसहािीुे",
    "th": "กขคงจฉชซญดตถทธนบปผพฟมยรลวสหอะาิีุเแโ",
    "zh": "".join(map(chr, range(0x4E00, 0x5000))),
}


def words(seed, count, language="en"):
    rng = random.Random(f"{seed}{language}")
    letters, length = LETTERS[language], 2 if language == "zh" else 6
    return ["".join(rng.choices(letters, k=length)) for _ in range(count)]


def text(seed, count=60, language="en"):
    joint = "" if language in ("zh", "th") else " "
    return joint.join(words(seed, count, language))


def over(context, identity="q", title=""):
    return Example(
        id=identity,
        question="?",
        context=context,
        answers=None,
        question_language="en",
        context_language="en",
        title=title,
    )


def shared(ours, theirs):
    """What contexts of ours share with contexts of theirs: same ones, near ones, by number."""
    reference = Reference(over(c, f"t{n}") for n, c in enumerate(theirs))
    found = reference.shared_with([over(c, f"o{n}") for n, c in enumerate(ours)])
    return found.paragraphs, [(mine, there) for mine, there, _ in found.near]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The lake lies in Siberia.", "the  lake lies\nin SIBERIA"),
        ("Große Straße", "GROSSE STRASSE"),
        ("ｆｕｌｌ　ｗｉｄｔｈ １２", "full width 12"),
        ("cafe\u0301 au lait", "café au lait"),
        ("湖、在西伯利亚。", "湖在西伯利亚"),
    ],
)
def test_spacing_case_width_and_punctuation_make_no_difference(one, other):
    assert normalised(one) == normalised(other)
    assert shared([one], [other]) == ([("o0", "t0")], [])


@pytest.mark.parametrize(
    ("one", "other"),
    [("कि", "की"), ("มา", "มี"), ("1894", "1895"), ("مَن", "مِن"), ("a b", "a c")],
)
def test_marks_and_digits_do_make_a_difference(one, other):
    assert fingerprint(normalised(one)) != fingerprint(normalised(other))


def test_a_paragraph_without_letters_is_shared_with_none():
    assert shared(["…", ""], ["!", " "]) == ([], [])


@pytest.mark.parametrize("language", LETTERS)
def test_an_edited_paragraph_is_near_and_another_is_not(language):
    old = words("old", 60, language)
    edited = [w if n % 12 else "xyz" for n, w in enumerate(old)]
    joint = "" if language in ("zh", "th") else " "
    ours = [joint.join(edited), text("other", 60, language), joint.join(old)]
    same, near = shared(
        ours, [text(f"filler{n}", 60, language) for n in range(50)] + [joint.join(old)]
    )

    assert same == [("o2", "t50")]
    assert near == [("o0", "t50")]


def test_a_paragraph_inside_a_longer_one_is_near():
    assert shared([text("a", 400)], [text("a", 40)]) == ([], [("o0", "t0")])
    assert shared([text("a", 40)], [text("a", 400)]) == ([], [("o0", "t0")])


def test_a_paragraph_of_which_less_than_half_is_shared_is_not_near():
    ours = " ".join(words("a", 20) + words("b", 40))
    assert shared([ours], [" ".join(words("a", 20) + words("c", 40))]) == ([], [])


def test_what_all_paragraphs_begin_with_makes_none_near():
    common = words("boilerplate", 40)
    theirs = [" ".join(common + words(n, 10)) for n in range(60)]
    ours = [" ".join(common + words(n, 10)) for n in range(60, 90)]
    assert shared(ours, theirs) == ([], [])


def test_questions_ids_and_titles_are_counted():
    context, another = text("a"), text("b")
    theirs = [
        over(context, "x1", "Lakes"),
        over(context, "x2", "Lakes"),
        over(another, "7", "Seas"),
    ]
    ours = [
        over(context, "x1", "Lakes"),
        over(context, "y", "Rivers"),
        over(text("c"), "x2", "Seas"),
        over(context, "7", "Lakes"),
        over(text("d"), "z"),
    ]
    found = Reference(theirs).shared_with(ours)
    assert found.paragraphs == [("x1", "x1")]
    assert (found.questions, found.near_questions) == (3, 0)
    assert (found.ids, found.numbers) == (["x1", "x2"], ["7"])
    assert found.titles == ["Lakes", "Seas"]


def test_nothing_is_shared_with_nothing():
    assert shared([text("a")], []) == ([], [])
    assert shared([], [text("a")]) == ([], [])


def naive(one, other, length=16):
    """Containment with Python's sets, over the pieces of 16 bytes of the normalised text."""
    a, b = (normalised(t).encode("utf-8", "surrogatepass") for t in (one, other))
    pieces = [{t[n : n + length] for n in range(len(t) - length + 1)} for t in (a, b)]
    fewest = min(map(len, pieces))
    return len(pieces[0] & pieces[1]) / fewest if fewest else 0.0


@settings(max_examples=60)
@given(st.data(), st.sampled_from(sorted(LETTERS)))
def test_the_share_is_that_of_a_plain_count(data, language):
    old = words(data.draw(st.integers(0, 99)), 50, language)
    drop = data.draw(st.sets(st.integers(0, 49), max_size=25))
    new = ["x" if n in drop else w for n, w in enumerate(old)]
    one, other = "".join(old), "".join(new)
    found = Reference([over(other)]).shared_with([over(one)])
    share = naive(one, other)

    if one == other:
        assert found.paragraphs
    elif share >= NEAR:
        assert [round(s, 9) for _, _, s in found.near] == [round(share, 9)]
    else:
        assert found.near == []


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_a_text_is_shared_with_itself_whatever_it_is(context):
    found = Reference([over(context)]).shared_with([over(context)])
    assert len(found.paragraphs) == bool(normalised(context))
