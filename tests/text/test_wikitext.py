"""Wikitext to paragraphs: what is shown, what is left out, where links are."""

import pytest

from babelspan.text.wikitext import article_of, targets, title_of

pytest.importorskip("mwparserfromhell", reason="takes the extra `wikipedia`")

NAMESPACES = {"file", "category", "image", "datei", "kategorie"}


def paragraphs(wikitext):
    return [p.text for p in article_of(wikitext, NAMESPACES).paragraphs]


@pytest.mark.parametrize(
    ("wikitext", "shown"),
    [
        ("'''Berlin''' is ''big''.", "Berlin is big."),
        ("a [[Berlin|town]] in [[Europe]]s", "a town in Europes"),
        ("[[Datei:x.jpg|thumb|A [[cap]]tion]]text[[Category:Foo]]", "text"),
        ("[[:Category:Foo|shown]] [[fr:Berlin]] end", "shown end"),
        ("one<ref name=a>note {{cite|x}}</ref> two<ref name=a/>.", "one two."),
        ("3&nbsp;km &amp; more", "3 km & more"),
        ("{{formatnum:3}} of {{convert|3|km}} {{nowrap|a [[b]]}} {{lang|de|Stadt}}", None),
        ("a<!-- no -->b<br/>c <small>d</small> x<sup>2</sup>", "ab c d x2"),
        ("see [http://x.org the page] [http://y.org] here", "see the page here"),
        ("<nowiki>[[plain]]</nowiki> text", "[[plain]] text"),
        ("e{{fact}}nd{{sfn|Smith|2000}}", "end"),
    ],
)
def test_what_is_shown(wikitext, shown):
    assert paragraphs(wikitext) == [shown or "3 of 3 km a b Stadt"]


@pytest.mark.parametrize(
    "wikitext",
    [
        "* item [[a]]",
        "# one",
        ": indented",
        "; term",
        "== Head ==",
        "{|\n|a\n|}",
        "{{Infobox|x=1}}",
    ],
)
def test_what_is_left_out_without_a_word(wikitext):
    article = article_of(f"{wikitext}\n\ntext", NAMESPACES)
    assert ([p.text for p in article.paragraphs], article.holes) == (["text"], 0)


@pytest.mark.parametrize("hole", ["{{IPA|x}}", "<math>x</math>", "{{{1}}}", "{{convert|3}}"])
def test_a_line_with_a_hole_is_counted(hole):
    article = article_of(f"before {hole} after\nwhole", NAMESPACES)
    assert ([p.text for p in article.paragraphs], article.holes) == (["whole"], 1)


def test_links_are_places_in_the_text():
    (paragraph,) = article_of(
        "  '''A''' [[b|  two  words ]] and [[c]],  [[#here|section]] [[d]].", NAMESPACES
    ).paragraphs
    assert paragraph.text == "A two words and c, section d."
    assert [span.of(paragraph.text) for span in paragraph.links] == ["two words", "c", "d"]


def test_titles_that_a_page_links_to():
    text = (
        "[[berlin]] [[Berlin|x]] [[:Category:Y]] [[new_york#part|z]] [[Datei:f]] [[de:A]] [[A: b]]"
    )
    assert targets(text, NAMESPACES) == ["Berlin", "New york", "A: b"]
    assert title_of(" élan_vital ") == "Élan vital"
