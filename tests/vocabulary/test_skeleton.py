"""Normalisation, words and offsets of the new tokenizers."""

import pytest

from babelspan.vocabulary.fertility import fertility
from babelspan.vocabulary.skeleton import as_piece, count_words, framed, skeleton

NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁", *"abcdefghijklmnopqrstuvwxyz中国กำไทยाहिन्दी"]


@pytest.fixture(scope="module")
def tokenizer():
    pieces = [(n, -5.0) for n in dict.fromkeys(NAMES)] + [("▁bridge", -3.0), ("中国", -3.0)]
    built = skeleton(pieces, unknown="[UNK]", pad="[PAD]")
    return framed(built, single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1")


def test_words_of_all_scripts():
    words = count_words(["Die Brücke, abc中国ไทย (हिन्दी)", "die"])
    assert words["▁die"] == 2
    assert {"▁brücke", "▁,", "▁abc", "中国ไทย", "▁(", "▁हिन्दी", "▁)"} <= set(words)


def test_marks_stay_and_invisible_characters_go():
    assert set(count_words(["ไทยกำ"])) == {"ไทยกํา"}
    assert set(count_words(["Ti\u1ebfng", "Tie\u0302\u0301ng"])) == {"▁ti\u1ebfng"}
    assert set(count_words(["co\u00adop\u200d"])) == {"▁coop"}


@pytest.mark.parametrize(
    "text", ["The BRIDGE 中国x", "Ⅻ ½ ﷺ İx", "ไทยกำ", "हिन्दी bridge", "e\u0301a  bridge"]
)
def test_offsets_are_places_in_the_text_as_it_was_given(tokenizer, text):
    encoding = tokenizer.encode(text, add_special_tokens=False)
    ends = [0]
    for start, end in encoding.offsets:
        assert ends[-1] <= end <= len(text)
        assert not text[start:end].isspace()
        ends.append(end)
    if "bridge" in text:
        places = [text[a:b] for a, b in encoding.offsets]
        assert "bridge" in places


def test_a_pair_is_framed_as_the_english_encoder_does(tokenizer):
    encoding = tokenizer.encode("bridge", "中国")
    assert encoding.tokens == ["[CLS]", "▁bridge", "[SEP]", "中国", "[SEP]"]
    assert encoding.type_ids == [0, 0, 0, 1, 1]


def test_pieces_of_the_old_vocabulary():
    assert [as_piece(p) for p in ("bridge", "##ing", "##", "中", "(")] == [
        "▁bridge", "ing", "▁##", "中", "▁(",
    ]  # fmt: skip


def test_fertility(tokenizer):
    found = fertility(tokenizer, ["Bridge ab", "中国 ж"], unknown="[UNK]")
    assert (found.characters, found.words, found.tokens, found.unknown) == (11, 4, 7, 1)
    assert found.per_character == pytest.approx(7 / 11)
    assert found.per_word == pytest.approx(7 / 4)
    with pytest.raises(ValueError, match=r"expected a tokenizer with the token '<unk>', found"):
        fertility(tokenizer, [], unknown="<unk>")
