"""Three-letter codes: checked against the languages that two translation models name."""

import doctest

import pytest
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES
from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB

from babelspan.text import iso639
from babelspan.text.iso639 import among, names_of

M2M100 = FAIRSEQ_LANGUAGE_CODES["m2m100"]


def test_examples_run():
    assert doctest.testmod(iso639, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_codes_are_those_of_the_standard_in_number_and_form():
    table = iso639._table()
    assert len(table) == 183  # of 184: `sh`, deprecated, is out
    assert all(len(two) == 2 and len(three) >= 1 for two, three in table.items())
    assert all(len(name.partition("_")[0]) == 3 for names in table.values() for name in names)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("en", "eng_Latn"), ("es", "spa_Latn"), ("de", "deu_Latn"), ("el", "ell_Grek"),
        ("ru", "rus_Cyrl"), ("tr", "tur_Latn"), ("ar", "arb_Arab"), ("vi", "vie_Latn"),
        ("th", "tha_Thai"), ("zh", "zho_Hans"), ("zh-Hant", "zho_Hant"), ("hi", "hin_Deva"),
        ("ro", "ron_Latn"), ("sw", "swh_Latn"), ("fa", "pes_Arab"), ("ms", "zsm_Latn"),
        ("no", "nob_Latn"), ("kab", "kab_Latn"), ("kab_Latn", "kab_Latn"), ("xx", None), ("", None),
    ],
)  # fmt: skip
def test_languages_are_found_among_those_of_nllb(language, code):
    assert among(language, NLLB) == code


def test_nearly_all_languages_of_m2m100_are_found_among_those_of_nllb():
    two_letters = [code for code in M2M100 if len(code) == 2]
    assert len(two_letters) >= 95
    assert {code for code in two_letters if among(code, NLLB) is None} == {"br", "fy", "ns"}


def test_a_code_without_script_wins_over_one_with():
    codes = {"ara", "ara_Latn", "cmn", "cmn_Hans", "pt", "pt_BR"}
    assert among("ar", codes) == "ara"
    assert among("zh", codes) == "cmn_Hans"
    assert among("pt", codes) == "pt"
    assert among("pt", {"pt_BR"}) is None  # a country is no script


def test_names_keep_their_script():
    assert names_of("zh") == ("zh", "zho", "cmn_Hans", "cmn")
    assert names_of("zh-Hant") == names_of("zh_Hant") == ("zh_Hant", "zho_Hant", "cmn_Hant")
    assert names_of("spa") == ("spa",)
