"""Apertium: the real programs, kept running; needs `apertium` and `apertium-eng-spa`."""

import os
import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from babelspan.translators import load_translator
from babelspan.translators.apertium import pipeline as apertium
from babelspan.translators.apertium.pipeline import Apertium, installed, links, shortest
from babelspan.types import ConfigError, TranslationError

MODES = Path("/usr/share/apertium/modes")
needs_programs = pytest.mark.skipif(
    not shutil.which("apertium") or not (MODES / "eng-spa.mode").is_file(),
    reason="needs Debian's apertium and apertium-eng-spa",
)
SENTENCES = [
    "A gorblin stopped to rest on the beach.",
    "According to theory, what did the name Gorblin mean?",
    # words with readings that the tagger was not trained on: known, included, I, near
    "He was known and included, I think, near the elected Marine.",
    "It rains in spite of that.",
]


@pytest.fixture(scope="module")
def spanish():
    with load_translator("apertium:eng-spa") as system:
        yield system


def translated(system, texts, tags=()):
    return system.translate(texts, source="en", target="es", tags=tags)


def started_for(text):
    """The program `apertium` started for one text alone, without marks of unknown words."""
    done = subprocess.run(
        ["apertium", "-u", "eng-spa"], input=text.encode(), capture_output=True, check=True
    )
    return re.sub(" +", " ", done.stdout.decode()).strip()


@needs_programs
def test_a_sentence_is_translated(spanish):
    assert translated(spanish, ["The dog house is red."]) == ["La casa de perro es roja."]


@needs_programs
def test_the_programs_that_stay_up_translate_as_those_started_for_each_text(spanish):
    assert translated(spanish, SENTENCES) == [started_for(text) for text in SENTENCES]


@needs_programs
def test_a_translation_depends_on_no_text_before_it():
    with Apertium("eng-spa") as system:
        assert translated(system, SENTENCES) == translated(system, SENTENCES[::-1])[::-1]


@needs_programs
def test_characters_that_apertium_reserves_come_back(spanish):
    text = r"qx [1] \ ^x$ @y #z *w* a/b {v} <u> & &amp; ~ [[0]] [[/]] .[] + | ' "
    words = re.sub(r"\ba\b", "un", text)
    assert translated(spanish, [text]) == [words]


@needs_programs
@pytest.mark.parametrize("blank", ["\n", "\n\n", "\t", "\0", "   ", "\u00a0", "\u2028", "\ud800"])
def test_white_space_and_what_no_pipe_can_carry_come_back(spanish, blank):
    [came] = translated(spanish, [f" {blank}The cat{blank}the dog{blank}"])
    assert came.casefold() == f" {blank}el gato{blank}el perro{blank}"


@needs_programs
def test_texts_without_words_and_no_texts_come_back(spanish):
    assert translated(spanish, ["", " ", "\n", "?", "…"]) == ["", " ", "\n", "?", "…"]
    assert translated(spanish, []) == []


@needs_programs
def test_unknown_words_have_no_mark(spanish):
    assert translated(spanish, ["Is the gorblin red?"]) == ["Es el gorblin rojo?"]


@needs_programs
def test_tags_go_where_their_words_go(spanish):
    texts = ["the red <b>dog house</b> of <i>Anna</i>", "it costs <b>$5.50</b> & <b>x</b> < y"]
    assert translated(spanish, texts, ["b", "i"]) == [
        "La <b>casa de perro</b> roja de <i>Anna</i>",
        "Cuesta <b>$5.50</b> & <b>x</b> < y",
    ]


@needs_programs
def test_a_phrase_inside_an_element_stays_a_phrase(spanish):
    assert translated(spanish, ["<b>in spite of</b> that"], ["b"]) == ["<b>A pesar de</b> aquel"]


@needs_programs
def test_an_element_whose_words_vanish_does_not_come_back(spanish):
    assert translated(spanish, ["he <b>does</b> not go"], ["b"]) == ["No va"]


def test_more_text_than_the_pipes_hold():
    """Writing all before reading any would stop for good: a pipe holds 64 KiB."""
    programs = apertium._Programs("it", [["cat"], ["cat"]])
    texts = ["x" * 300_000, "", "y" * 300_000]
    assert programs.exchange(texts) == texts
    programs.stop()


@needs_programs
def test_threads_get_their_own_texts(spanish):
    lists = [[f"The dog {'x' * n}{i}." for i in range(20)] for n in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda texts: translated(spanish, texts), lists))
    assert found == [[t.replace("The dog", "El perro") for t in texts] for texts in lists]


def children():
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line.split(None, 1) for line in listed.splitlines() if "ps -o" not in line]


@needs_programs
@pytest.mark.parametrize("program", ["automorf", "prob", "t1x", "autopgen"])
def test_a_killed_program_is_started_again(program):
    with Apertium("eng-spa") as system:
        translated(system, ["The dog."])
        before = children()
        for pid, words in before:
            if program in words:
                os.kill(int(pid), signal.SIGKILL)
        assert translated(system, ["The dog.", "The cat."]) == ["El perro.", "El gato."]


@needs_programs
def test_a_program_that_fails_again_is_an_error_with_what_it_said(tmp_path):
    """The data of the last program are gone, so that it ends as often as it is started."""
    (tmp_path / "modes").mkdir()
    mode = (MODES / "eng-spa.mode").read_text()
    mode = re.sub(r"'[^']*eng-spa.autopgen.bin'", f"'{tmp_path}/gone.bin'", mode)
    (tmp_path / "modes" / "eng-spa.mode").write_text(mode)
    system = Apertium("eng-spa", data=tmp_path)
    said = r"eng-spa: a program stopped; .*lt-proc ended with 1; Error: Cannot open file '.*gone"
    with pytest.raises(TranslationError, match=said):
        translated(system, ["The dog."])


@needs_programs
def test_a_program_that_hangs_is_an_error(monkeypatch):
    monkeypatch.setattr(apertium, "_SILENCE", 0.2)
    with Apertium("eng-spa") as system:
        system._pipelines = {("eng-spa",): apertium._Pipeline(("eng-spa",), [])}
        system._pipelines["eng-spa",]._parts = [apertium._Programs("it", [["sleep", "9"]])]
        with pytest.raises(TranslationError, match=r"it: no output for 0\.2 seconds"):
            translated(system, ["The dog."])


@needs_programs
def test_a_program_that_loses_a_text_is_an_error():
    """Its output is complete by its count of ends, but not the answer to what was sent."""
    with Apertium("eng-spa") as system:
        system._pipelines = {("eng-spa",): apertium._Pipeline(("eng-spa",), [])}
        swallows = ["sed", "-zu", "s/dog.*/dog/"]
        system._pipelines["eng-spa",]._parts = [apertium._Programs("it", [swallows])]
        with pytest.raises(TranslationError, match=r"sent 'The dog\..*', got '\[#1\]The dog'"):
            translated(system, ["The dog."])


@needs_programs
def test_closing_ends_the_programs_and_the_next_text_starts_them():
    system = Apertium("eng-spa")
    before = len(children())
    translated(system, ["The dog."])
    assert len(children()) - before == 13
    system.close()
    assert len(children()) == before
    assert translated(system, ["The dog."]) == ["El perro."]
    del system
    assert len(children()) == before


@needs_programs
def test_the_direction_is_found_or_checked():
    with load_translator("apertium") as system:
        assert system.translate(["El perro."], source="es", target="en") == ["The dog."]
        with pytest.raises(ConfigError, match=r"no installed pairs translate from 'en' to 'zu'"):
            system.translate(["a"], source="en", target="zu")
    with pytest.raises(ConfigError, match="apertium:eng-spa does not translate from 'es' to 'en'"):
        Apertium("eng-spa").translate(["a"], source="es", target="en")


@needs_programs
def test_a_chain_of_modes_is_their_composition(spanish):
    text = "The <b>dog</b> &\nthe cat."
    [there] = translated(spanish, [text], ["b"])
    with Apertium("spa-eng") as english, Apertium("eng-spa-eng") as chain:
        back = english.translate([there], source="es", target="en", tags=["b"])
        assert chain.translate([text], source="en", target="en", tags=["b"]) == back
        assert back == ["The <b>dog</b> &\nthe cat."]


@needs_programs
def test_the_identity_changes_with_the_data(tmp_path, spanish):
    assert re.fullmatch(r"Apertium 3\S+; lt-proc version \S+; eng-spa; \w{16}", spanish.identity)
    (tmp_path / "modes").mkdir()
    (tmp_path / "data.bin").write_bytes(b"one")
    (tmp_path / "modes" / "eng-spa.mode").write_text(f"lt-proc '{tmp_path}/data.bin'")
    first = Apertium("eng-spa", data=tmp_path).identity
    assert Apertium("eng-spa", data=tmp_path).identity == first
    (tmp_path / "data.bin").write_bytes(b"two")
    assert Apertium("eng-spa", data=tmp_path).identity != first


@needs_programs
def test_a_program_of_a_mode_that_is_missing(tmp_path):
    (tmp_path / "modes").mkdir()
    (tmp_path / "modes" / "eng-spa.mode").write_text("no-such-program x.bin")
    with pytest.raises(ConfigError, match="found no program no-such-program; on Debian: apt-get"):
        translated(Apertium("eng-spa", data=tmp_path), ["a"])


def test_without_the_programs_the_packages_are_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="apt-get install apertium apertium-eng-spa"):
        load_translator("apertium")


MANY = ["eng-spa", "spa-eng", "spa-eng_US", "spa-cat", "spa-cat_valencia", "cat-fra", "es-pt"]


@pytest.mark.parametrize(
    ("source", "target", "chain"),
    [
        ("en", "es", ("eng-spa",)),
        ("es", "en", ("spa-eng",)),
        ("en", "ca", ("eng-spa", "spa-cat")),
        ("en", "pt", ("eng-spa", "es-pt")),
        ("en", "fr", ("eng-spa", "spa-cat", "cat-fra")),
    ],
)
def test_the_shortest_chain_is_found(source, target, chain):
    assert shortest(MANY, source, target) == chain


def test_no_chain_is_an_error_that_lists_what_there_is():
    with pytest.raises(ConfigError, match="from 'fr' to 'en'; installed: cat-fra, eng-spa, es-pt,"):
        shortest(MANY, "fr", "en")
    with pytest.raises(ConfigError, match="installed: none"):
        shortest([], "en", "es")


def test_a_direction_is_made_of_installed_modes():
    assert links("eng-spa", MANY) == ("eng-spa",)
    assert links("eng-spa-cat_valencia", MANY) == ("eng-spa", "spa-cat_valencia")
    with pytest.raises(ConfigError, match="'spa-cta' is not installed; did you mean 'spa-cat'"):
        links("eng-spa-cta", MANY)
    with pytest.raises(ConfigError, match="'english' is not installed"):
        links("english", MANY)


def test_modes_are_files_named_by_two_languages(tmp_path):
    (tmp_path / "modes").mkdir()
    for name in ("eng-spa.mode", "eng-spa-tagger.mode", "README", "spa-cat_valencia.mode"):
        (tmp_path / "modes" / name).touch()
    assert sorted(installed(tmp_path)) == ["eng-spa", "spa-cat_valencia"]
    assert installed(tmp_path / "nowhere") == {}
