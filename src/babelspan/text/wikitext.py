"""Convert wikitext to paragraphs with the spans of their links, using mwparserfromhell.

Files, categories, footnotes, tables, lists and headings are left out. A few templates are replaced
by their arguments; a line with any other template, a formula or a parameter would have a gap
("hole"), so it is skipped and counted.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from babelspan.types import Span

_LINK = re.compile(r"\[\[\s*:?([^\[\]|#<>{}\n]+?)\s*(?:[|#][^\[\]]*)?\]\]")
_SHOWN: dict[str, tuple[int, ...]] = {
    "convert": (1, 2),
    "formatnum": (1,),
    "lang": (2,),
    "nobr": (1,),
    "nobold": (1,),
    "nowrap": (1,),
    "small": (1,),
}
"""Templates that are replaced by these arguments, joined by a space."""
_UNSEEN = frozenset(
    {"anchor", "citation needed", "clear", "cn", "efn", "fact", "r", "refn", "sfn", "sfnp"}
)
"""Templates that render as nothing, or as a footnote."""
_LEFT_OUT = frozenset({"gallery", "imagemap", "ref", "references", "table", "timeline"})
_HOLES = frozenset({"ce", "chem", "code", "hiero", "math", "score", "source", "syntaxhighlight"})
_LISTS = frozenset({"dd", "dt", "li"})
_HOLE, _ITEM = "\ue000", "\ue001"
"""Placeholders for content that cannot be rendered, and for list markers."""
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of an article as plain text; `links` are the spans of its link anchors."""

    text: str
    links: tuple[Span, ...]


@dataclass(slots=True)
class Article:
    """The plain text of an article.

    Attributes:
        paragraphs: the paragraphs, in order.
        holes: number of lines skipped because of a template, a formula or a parameter.
    """

    paragraphs: list[Paragraph] = field(default_factory=list)
    holes: int = 0


def article_of(wikitext: str, namespaces: Collection[str]) -> Article:
    """The paragraphs of an article.

    Args:
        wikitext: the source of the article.
        namespaces: names of namespaces other than the article namespace, in lower case.
    """
    import mwparserfromhell

    article = Article()
    nodes = mwparserfromhell.parse(wikitext, skip_style_tags=False).nodes
    for line in _lines(_shown(nodes, namespaces)):
        text = "".join(part for part, _ in line)
        if _ITEM in text or not text.replace(_HOLE, "").strip():
            continue
        if _HOLE in text:
            article.holes += 1
        else:
            article.paragraphs.append(_joined(line))
    return article


def targets(wikitext: str, namespaces: Collection[str]) -> list[str]:
    """The distinct titles of the articles that a page links to, in order of appearance."""
    titles = (title_of(match[1]) for match in _LINK.finditer(wikitext))
    return list(dict.fromkeys(title for title in titles if not _is_elsewhere(title, namespaces)))


def title_of(link: str) -> str:
    """The normalised title of a link target."""
    title = _BLANKS.sub(" ", link.replace("_", " ")).strip()
    return title[:1].upper() + title[1:]


def _is_elsewhere(title: str, namespaces: Collection[str]) -> bool:
    """Whether a title is not that of an article: in another namespace, or on another wiki."""
    prefix, colon, _ = title.partition(":")
    name = prefix.strip().lower()
    return bool(colon) and (name in namespaces or bool(re.fullmatch(r"[a-z]{2,3}|simple", name)))


def _shown(nodes: Iterable[Any], namespaces: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The rendered text of nodes, in parts, each with whether it is a link."""
    for node in nodes:
        kind = type(node).__name__
        if kind == "Text":
            yield str(node.value), False
        elif kind == "HTMLEntity":
            yield str(node.normalize()), False
        elif kind == "Wikilink":
            yield from _of_link(node, namespaces)
        elif kind == "Tag":
            yield from _of_tag(node, namespaces)
        elif kind == "Template":
            yield from _of_template(node, namespaces)
        elif kind == "ExternalLink" and node.title is not None:
            yield from _shown(node.title.nodes, namespaces)
        elif kind == "Heading":
            yield "\n", False
        elif kind == "Argument":
            yield _HOLE, False


def _of_link(node: Any, namespaces: Collection[str]) -> Iterator[tuple[str, bool]]:
    target = str(node.title).strip()
    if _is_elsewhere(target, namespaces):
        return
    if node.text is None:
        text = target.removeprefix(":")
    else:
        text = "".join(part for part, _ in _shown(node.text.nodes, namespaces))
    yield text, bool(target) and not target.startswith(("#", ":"))


def _of_tag(node: Any, namespaces: Collection[str]) -> Iterator[tuple[str, bool]]:
    name = str(node.tag).strip().lower()
    if name in _LISTS and node.wiki_markup:
        yield _ITEM, False
    elif name in _HOLES:
        yield _HOLE, False
    elif name == "br":
        yield " ", False
    elif name not in _LEFT_OUT and node.contents is not None:
        yield from _shown(node.contents.nodes, namespaces)


def _of_template(node: Any, namespaces: Collection[str]) -> Iterator[tuple[str, bool]]:
    name, colon, argument = str(node.name).strip().partition(":")
    name = name.lower()
    if colon and name == "formatnum":
        yield argument, False
    elif name in _SHOWN and all(node.has(number) for number in _SHOWN[name]):
        for position, number in enumerate(_SHOWN[name]):
            yield " " if position else "", False
            yield from _shown(node.get(number).value.nodes, namespaces)
    elif name not in _UNSEEN:
        yield _HOLE, False


def _lines(parts: Iterable[tuple[str, bool]]) -> Iterator[list[tuple[str, bool]]]:
    line: list[tuple[str, bool]] = []
    for text, is_link in parts:
        first, *others = text.split("\n")
        line.append((first, is_link))
        for other in others:
            yield line
            line = [(other, is_link)]
    yield line


def _joined(parts: Iterable[tuple[str, bool]]) -> Paragraph:
    """Join parts into a paragraph with normalised spaces, and the spans of its links."""
    text = ""
    links = []
    for part, is_link in parts:
        shown = _BLANKS.sub(" ", part)
        if not text or text.endswith(" "):
            shown = shown.lstrip()
        start = len(text) + len(shown) - len(shown.lstrip())
        text += shown
        end = len(text.rstrip())
        if is_link and start < end:
            links.append(Span(start, end))
    return Paragraph(text.rstrip(), tuple(links))
