"""Texts through a translator sentence by sentence: what is kept of them, and where things went."""

from babelspan.augment.mark import Carried, Lost
from babelspan.augment.translate import Direction, Rendering
from babelspan.types import Span
from worded import Worded

TEXT = "  Paris is a city.  It has two parks.\n\nThe river is big.\n"
IN_SPANISH = "  París es una ciudad.  Ello tiene dos parques.\n\nLa río es grande.\n"


def direction(**wrong):
    return Direction(Worded(wrong), "en", "es")


def rendered(text, **wrong):
    return direction(**wrong).render([text])[text]


def test_white_space_between_sentences_is_kept():
    assert rendered(TEXT).text == IN_SPANISH


def test_each_sentence_is_asked_for_once():
    translator = Worded()
    Direction(translator, "en", "es").render([TEXT, "The river is big. The river is big."])
    assert translator.asked == ["Paris is a city.", "It has two parks.", "The river is big."]


def test_pairs_say_which_sentence_became_which():
    found = rendered(TEXT)
    assert [(a.of(TEXT), b.of(found.text)) for a, b in found.pairs] == [
        ("Paris is a city.", "París es una ciudad."),
        ("It has two parks.", "Ello tiene dos parques."),
        ("The river is big.", "La río es grande."),
    ]


def test_places_go_there_and_back_by_sentences():
    found = rendered(TEXT)
    parks = Span(TEXT.index("parks"), TEXT.index("parks") + 5)
    there = found.about(parks)
    assert there.of(found.text) == "Ello tiene dos parques."
    assert found.source_of(there, TEXT).of(TEXT) == "It has two parks."


def test_a_text_of_nothing_stays_so():
    assert rendered(" \n") == Rendering(" \n", ())
    assert rendered("") == Rendering("", ())
    assert rendered("").is_whole


def test_a_sentence_that_came_back_empty_is_seen():
    found = rendered(TEXT, **{"It has two parks.": " "})
    assert not found.is_whole
    assert found.pairs[1][1] is None
    assert found.text == "  París es una ciudad.  \n\nLa río es grande.\n"
    assert found.about(Span(21, 23)) == Span(0, len(found.text))


def test_sentences_of_a_script_without_spaces_get_one_where_words_have_them():
    text = "巴黎很大。它有公园。"
    wrong = {"巴黎很大。": "Paris is big.", "它有公园。": "It has parks."}
    found = Direction(Worded(wrong), "zh", "en").render([text])[text]
    assert found.text == "Paris is big. It has parks."


def test_odd_lengths_are_told():
    long = "This sentence has more than twenty characters."
    short = "Tiny one."
    wrong = {long: "No.", short: "A very long translation of a tiny sentence, all made up."}
    text = f"{long} {short} {long}"
    assert rendered(text, **wrong).odd(text) == [0, 2]
    assert rendered(TEXT).odd(TEXT) == []


def test_an_answer_travels_in_its_sentence():
    span = Span(TEXT.index("two"), TEXT.index("two") + 9)
    carried = direction().render_marked([(TEXT, span)])[TEXT, span]
    assert isinstance(carried, Carried)
    assert carried.text == IN_SPANISH
    assert carried.span.of(carried.text) == "dos parques"


def test_only_the_sentence_of_the_answer_gets_tags():
    translator = Worded()
    span = Span(TEXT.index("river"), TEXT.index("river") + 5)
    Direction(translator, "en", "es").render_marked([(TEXT, span)])
    assert translator.asked == [
        "Paris is a city.",
        "It has two parks.",
        "The <b>river</b> is big.",
    ]


def test_an_answer_over_two_sentences_joins_them():
    span = Span(TEXT.index("city"), TEXT.index(" has"))
    assert span.of(TEXT) == "city.  It"
    translator = Worded()
    carried = Direction(translator, "en", "es").render_marked([(TEXT, span)])[TEXT, span]
    assert "Paris is a <b>city.  It</b> has two parks." in translator.asked
    assert carried.text == IN_SPANISH
    assert carried.span.of(carried.text) == "ciudad.  Ello"


def test_two_answers_of_one_context_have_their_own_places():
    spans = [Span(TEXT.index(w), TEXT.index(w) + len(w)) for w in ("Paris", "city", "big")]
    found = direction().render_marked([(TEXT, span) for span in spans])
    assert [c.span.of(c.text) for c in found.values()] == ["París", "ciudad", "grande"]


def test_why_an_answer_is_lost():
    span = Span(TEXT.index("two"), TEXT.index("two") + 3)
    key = "It has <b>two</b> parks."

    def lost(**wrong):
        return direction(**wrong).render_marked([(TEXT, span)])[TEXT, span]

    assert lost(**{key: "Ello tiene dos parques."}) == Lost("tags lost")
    assert lost(**{"The river is big.": ""}) == Lost("sentence lost")
    text = "It has <b> <i> <u> <em> <q> <tt> two parks."
    full = Span(text.index("two"), text.index("two") + 3)
    assert direction().render_marked([(text, full)])[text, full] == Lost("text full of tags")


def test_a_text_with_a_tag_of_its_own():
    text = "The <b> of a city is big."
    span = Span(12, 18)
    carried = direction().render_marked([(text, span)])[text, span]
    assert carried.text == "La <b> de una ciudad es grande."
    assert carried.span.of(carried.text) == "ciudad"
