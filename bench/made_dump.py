"""Writes a made-up Wikipedia dump with the markup of real articles, in streams of 100 pages.

Paragraphs are those of SQuAD, with links, footnotes, templates, lists, tables, files and
categories. Links are to a few pages much more often than to the others.
"""

import bz2
import random
from html import escape

from measured import DATA

from babelspan.data.squad import load_squad

SEED = 1
STREAM = 100
"""Pages in a stream, as in the dumps of Wikipedia."""
PAGE = 15_000
"""Approximate length of a page in bytes; sets how many titles there are to link to."""
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>madewiki</dbname>
    <base>https://en.wikipedia.org/wiki/Main_Page</base>
    <namespaces>
      <namespace key="0" case="first-letter" />
      <namespace key="6" case="first-letter">File</namespace>
      <namespace key="10" case="first-letter">Template</namespace>
      <namespace key="14" case="first-letter">Category</namespace>
    </namespaces>
  </siteinfo>
"""
INFOBOX = """{{{{Infobox settlement
| name            = {title}
| image_skyline   = {title}.jpg
| coordinates     = {{{{coord|{n}|24|N|14|12|E|display=inline,title}}}}
| population_total = {{{{formatnum:{n}000}}}}
| population_as_of = 2021<ref name="census">{{{{cite web |url=https://example.org/{n} \
|title=Census of {title} |publisher=Office of Statistics |date=2021-05-{n}}}}}</ref>
}}}}
[[File:{title} view.jpg|thumb|250px|left|A view of [[{link}]] from the {{{{convert|{n}|m}}}} tower]]
"""
TABLE = """{{| class="wikitable sortable"
! Year !! Name !! [[{link}|Result]]
|-
| 19{n} || '''{title}''' || align="right" | {n}.5
|-
| 20{n} || ''[[{link}]]'' || {{{{nowrap|{n} points}}}}
|}}
"""


def write(path, size):
    """Write a dump of at least `size` bytes of XML to `path`; return the number of bytes."""
    rng = random.Random(SEED)
    pool = [
        context
        for name in ("train-without-xquad.en.json.gz", "dev.en.json.gz")
        for context in dict.fromkeys(e.context for e in load_squad(DATA / "qa" / "squad" / name))
    ]
    written = number = 0
    with path.open("wb") as file:
        while written < size:
            text = "" if number else HEAD
            for _ in range(STREAM):
                text += _page(rng, number, size // PAGE, pool)
                number += 1
            raw = text.encode()
            written += len(raw)
            if written >= size:
                raw += b"</mediawiki>\n"
            file.write(bz2.compress(raw))
    return written


def _page(rng, number, titles, pool):
    """A page: an article, a redirect (one of ten), or a template (one of ten)."""
    kind = rng.random()
    title = f"Article {number}" if kind < 0.9 else f"Template:Box {number}"
    sent = f'    <redirect title="{_link(rng, titles)}" />\n' if kind < 0.1 else ""
    text = f"#REDIRECT [[{_link(rng, titles)}]]" if sent else _article(rng, title, titles, pool)
    namespace = 0 if kind < 0.9 else 10
    return f"""  <page>
    <title>{title}</title>
    <ns>{namespace}</ns>
    <id>{number}</id>
{sent}    <revision>
      <id>{number + 10**9}</id>
      <parentid>{number + 10**8}</parentid>
      <timestamp>2026-01-01T12:00:00Z</timestamp>
      <contributor><username>Someone</username><id>{number % 1000}</id></contributor>
      <comment>/* History */ a source</comment>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="{len(text)}" xml:space="preserve">{escape(text, quote=True)}</text>
      <sha1>phoiac9h4m842xq45sp7s6u21eteeq1</sha1>
    </revision>
  </page>
"""


def _article(rng, title, titles, pool):
    facts = {"title": title, "n": rng.randrange(10, 30), "link": _link(rng, titles)}
    parts = [
        "{{Short description|Made-up article}}\n",
        INFOBOX.format(**facts),
        f"'''{title}''' is ",
    ]
    for number in range(rng.randrange(1, 22)):
        if number % 4 == 3:
            parts.append(f"== Section {number} ==\n{{{{Main|{_link(rng, titles)}}}}}\n")
        if number % 8 == 5:
            parts.append(TABLE.format(**facts))
        if number % 6 == 4:
            parts += [f"* [[{_link(rng, titles)}]], part {n}\n" for n in range(4)]
        parts.append(_marked(rng, rng.choice(pool), titles) + "\n\n")
    parts.append("== References ==\n{{Reflist}}\n{{Authority control}}\n")
    parts += [f"[[Category:Things of {rng.randrange(2000)}]]\n" for _ in range(4)]
    return "".join(parts)


def _marked(rng, text, titles):
    """A paragraph with links, footnotes, and sometimes a template."""
    words = text.replace("\n", " ").split(" ")
    for at in range(rng.randrange(8), len(words), 17):
        target = _link(rng, titles)
        words[at] = f"[[{target}|{words[at]}]]" if rng.random() < 0.6 else f"[[{target}]]"
    for at in range(rng.randrange(20), len(words), 45):
        number = rng.randrange(10**6)
        words[at] += (
            f'<ref name="r{number}">{{{{cite journal |last=Author |first=A. |title=On {target} '
            f"|journal=Journal of Things |volume={number % 90} |pages=1–{number % 300} "
            f"|doi=10.1000/{number}}}}}</ref>"
        )
    if rng.random() < 0.15:
        words[-1] += " {{as of|2021}}"
    return " ".join(words)


def _link(rng, titles):
    """A title; those with small numbers are drawn much more often."""
    return f"Article {int(titles * rng.random() ** 3)}"
