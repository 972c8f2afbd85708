"""Dumps in the export format, made here, to texts: formats, faults, ranks, kills."""

import bz2
import gzip
import os
import random
import subprocess
import sys
import time
from functools import partial
from html import escape

import pytest
from typer.testing import CliRunner

from babelspan.cli.main import app
from babelspan.data.files import read_json
from babelspan.data.texts import find_texts
from babelspan.data.wikipedia import pages, site_of
from babelspan.jobs import wikipedia
from babelspan.jobs.patience import Patient
from babelspan.jobs.shards import Crew
from babelspan.jobs.wikipedia import Choice, carry_out
from babelspan.types import ConfigError, DataError
from killing import killed

pytest.importorskip("mwparserfromhell", reason="takes the extra `wikipedia`")

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="es">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>eswiki</dbname>
    <base>https://es.wikipedia.org/wiki/Portada</base>
    <namespaces>
      <namespace key="0" case="first-letter" />
      <namespace key="6" case="first-letter">Archivo</namespace>
      <namespace key="14" case="first-letter">Categoría</namespace>
    </namespaces>
  </siteinfo>
"""
CHOICE = Choice(ranked=12, articles=6, paragraphs=2, shortest=40, longest=200)


def page(title, text, *, number=1, namespace=0, redirect="", deleted=False):
    sent = f'<redirect title="{escape(redirect)}" />' if redirect else ""
    said = '<text deleted="deleted" />' if deleted else f"<text>{escape(text)}</text>"
    return (
        f"<page><title>{escape(title)}</title><ns>{namespace}</ns><id>{number}</id>{sent}"
        f"<revision><id>{number + 1000}</id>{said}</revision></page>\n"
    )


def article(number, links=()):
    linked = " ".join(f"[[{title}]]" for title in links)
    return "\n\n".join(
        f"Ciudad {number} tiene {part} plazas y {linked or 'nada'} junto al [[río {part}|río]]."
        for part in range(100, 103)
    )


def pages_of_a_wiki(count=30):
    """Articles that link to the next ones and to number 3; redirects, a loop, other namespaces."""
    made = []
    for n in range(count):
        links = ["Ciudad 3", f"Ciudad {(n * 7 + 1) % 10}", "Vieja"]
        made.append(page(f"Ciudad {n}", article(n, links), number=n))
    made.append(page("Vieja", "", number=90, redirect="Ciudad 5"))
    made.append(page("Eco", "", number=91, redirect="Oce"))
    made.append(page("Oce", "", number=92, redirect="Eco"))
    made.append(page("Archivo:Foto", article(99), number=93, namespace=6))
    made.append(page("Borrada", "", number=94, deleted=True))
    made.append(page("Corta", "Muy corta. [[Eco]]", number=95))
    return made


def written(path, made=None):
    """A dump; in streams of 10 pages where the name says bz2."""
    made = pages_of_a_wiki() if made is None else made
    if path.suffix == ".bz2":
        runs = [made[n : n + 10] for n in range(0, len(made), 10)]
        parts = [HEAD, *("".join(run) for run in runs), "</mediawiki>"]
        path.write_bytes(b"".join(bz2.compress(part.encode()) for part in parts))
    else:
        whole = (HEAD + "".join(made) + "</mediawiki>").encode()
        path.write_bytes(gzip.compress(whole) if path.suffix == ".gz" else whole)
    return path


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(wikipedia, "PAGES_IN_A_SHARD", 8)
    monkeypatch.setattr(wikipedia, "ARTICLES_IN_A_SHARD", 5)


@pytest.mark.parametrize("name", ["d.xml", "d.xml.gz", "d.xml.bz2"])
def test_pages_of_every_packing(tmp_path, name):
    dump = written(tmp_path / name)
    site = site_of(dump)
    assert (site.name, site.database, site.language) == ("Wikipedia", "eswiki", "es")
    assert {"archivo", "categoría", "file"} <= site.namespaces
    found = list(pages(dump))
    assert list(pages(dump, threads=3)) == found
    assert len(found) == 34
    assert found[2].title == "Ciudad 2"
    assert (found[2].id, found[2].revision) == ("2", "1002")
    assert [p.redirect for p in found if p.redirect] == ["Ciudad 5", "Oce", "Eco"]


def test_a_dump_becomes_texts_to_ask_about(tmp_path, small):
    dump = written(tmp_path / "eswiki.xml.bz2")
    made = carry_out(dump, tmp_path / "texts", choice=CHOICE)
    assert (made["pages"], len(made["articles"]), made["licence"]) == (34, 6, "CC BY-SA 4.0")
    assert made["articles"][0].keys() == {"title", "page", "revision"}
    (file,) = find_texts([tmp_path / "texts"])
    texts = list(file.texts())
    assert (file.language, len(texts)) == ("es", 18)
    for text in texts:
        assert 40 <= len(text.text) <= 200
        assert "río" in {span.of(text.text) for span in text.links}
    assert sorted(p.name for p in (tmp_path / "texts").iterdir()) == [
        "manifest-es.json",
        "texts.es.json.gz",
    ]
    assert carry_out(dump, tmp_path / "texts", choice=CHOICE) == made
    with pytest.raises(ConfigError, match="holds texts of another dump or choice"):
        carry_out(dump, tmp_path / "texts", choice=Choice(articles=7))


def test_the_best_linked_articles_are_looked_at(tmp_path, small):
    dump = written(tmp_path / "eswiki.xml")
    few = Choice(ranked=2, articles=6, paragraphs=2, shortest=40, longest=200)
    made = carry_out(dump, tmp_path / "texts", choice=few)
    assert {a["title"] for a in made["articles"]} == {"Ciudad 3", "Ciudad 5"}


def test_several_workers_give_the_same_bytes(tmp_path, small):
    dump = written(tmp_path / "eswiki.xml.bz2")
    for name, crew in (("alone", Crew()), ("two", Crew(workers=2))):
        carry_out(dump, tmp_path / name, choice=CHOICE, crew=crew)
    for file in ("texts.es.json.gz", "manifest-es.json"):
        assert (tmp_path / "alone" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


RUN = """
import sys
from functools import partial
from pathlib import Path
from babelspan.jobs import wikipedia
wikipedia.PAGES_IN_A_SHARD, wikipedia.ARTICLES_IN_A_SHARD = 8, 5
choice = wikipedia.Choice(ranked=12, articles=6, paragraphs=2, shortest=40, longest=200)
wikipedia.carry_out(Path(sys.argv[1]), Path(sys.argv[2]), choice=choice)
"""


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_gives_the_same_bytes(tmp_path):
    dump = written(tmp_path / "eswiki.xml.bz2")
    command = [sys.executable, "-c", RUN, str(dump)]
    started = time.monotonic()
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    took, again = time.monotonic() - started, [*command, str(tmp_path / "killed")]
    start = partial(subprocess.Popen, again)
    killed(start, tmp_path / "killed", times=3, within=took, rng=random.Random(0))
    subprocess.run(again, check=True)
    for file in ("texts.es.json.gz", "manifest-es.json"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()


def test_a_page_that_takes_too_long_is_dropped(tmp_path, small):
    bomb = "".join("{{a|" for _ in range(20_000)) + "[[" * 20_000
    dump = written(tmp_path / "eswiki.xml", [*pages_of_a_wiki(8), page("Ciudad 8", bomb, number=8)])
    quick = Choice(ranked=20, articles=6, paragraphs=2, shortest=40, longest=200, seconds=2)
    made = carry_out(dump, tmp_path / "texts", choice=quick)
    assert len(made["articles"]) == 6
    (bomb_reason,) = made["dropped"].keys() - {"too few paragraphs"}
    assert bomb_reason.startswith("parsing")


def test_patience_ends():
    patient = Patient(time.sleep, 1.0)
    with pytest.raises(TimeoutError):
        patient(60)
    assert patient(0) is None
    with pytest.raises(RuntimeError, match="ValueError: sleep length must be non-negative"):
        patient(-1)
    patient.close()
    dying = Patient(os._exit, 5)
    with pytest.raises(RuntimeError, match="its process died"):
        dying(3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "broken or cut short"),
        (b"no xml", "broken or cut short"),
        (b"<html><body/></html>", "expected a MediaWiki dump with <siteinfo>, found none"),
        (b"BZh9 garbage", "the dump is broken"),
        (bz2.compress(HEAD.encode())[:-20], "the dump is cut short"),
        (gzip.compress(HEAD.encode(), mtime=0)[:-20], "the dump is cut short"),
        (HEAD.encode() + b"<page><title>x", "broken or cut short"),
    ],
)
def test_a_dump_that_is_none_or_cut_is_told(tmp_path, content, said):
    dump = tmp_path / "eswiki.xml"
    dump.write_bytes(content)
    with pytest.raises(DataError, match=said):
        carry_out(dump, tmp_path / "texts", choice=CHOICE)
    assert not (tmp_path / "texts" / "texts.es.json.gz").exists()


def test_a_cut_dump_of_several_streams_is_told(tmp_path):
    dump = written(tmp_path / "eswiki.xml.bz2")
    dump.write_bytes(dump.read_bytes()[:-20])
    with pytest.raises(DataError, match="the dump is cut short"):
        list(pages(dump, threads=2))


def test_entities_that_unfold_without_end_are_refused(tmp_path):
    lines = [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "ha">{"".join(lines)}]><mediawiki>&a11;</mediawiki>'
    dump = tmp_path / "bomb.xml"
    dump.write_text(bomb)
    with pytest.raises(DataError, match="broken or cut short"):
        list(pages(dump))


def test_a_wiki_of_short_articles_is_told(tmp_path):
    dump = written(tmp_path / "eswiki.xml")
    with pytest.raises(DataError, match="found none; lower --paragraphs or widen --characters"):
        carry_out(dump, tmp_path / "texts", choice=Choice())


def test_the_command(tmp_path):
    dump, out = written(tmp_path / "eswiki.xml.bz2"), tmp_path / "texts"
    options = ["--paragraphs", "2", "--characters", "40:200", "--articles", "4"]
    done = CliRunner().invoke(app, ["data", "wikipedia", str(dump), "--out", str(out), *options])
    assert done.exit_code == 0, done.output
    assert "4 articles, 12 paragraphs (CC BY-SA 4.0)" in done.output
    assert read_json(out / "manifest-es.json")["site"]["database"] == "eswiki"
    wrong = ["data", "wikipedia", str(dump), "--out", str(out), "--characters", "many"]
    assert "expected a range such as 500:1500" in str(CliRunner().invoke(app, wrong).exception)
