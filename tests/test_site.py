"""The documentation site: it builds without a warning, and the pages ask other servers for nothing.

A link that leads nowhere, a page outside the navigation and a docstring whose arguments are not
those of its function are warnings of MkDocs, and `--strict` makes them errors.
"""

import importlib.util
import re
import subprocess
import sys

import pytest

from house_rules import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason='needs pip install ".[docs]"'
)
ASKED_FOR = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(https?:[^\"]+)|<link\b[^>]*\bhref=\"(https?:[^\"]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    done = built(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def built(config, folder):
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", folder],
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_verb_and_every_module_has_its_place(site):
    commands = (site / "reference" / "command-line.html").read_text("utf-8")
    for verb in ("ask", "evaluate", "data fetch"):
        assert f">babelspan {verb}<" in commands
    reading = (site / "reference" / "python" / "reading.html").read_text("utf-8")
    assert 'id="babelspan.reading.answerer.Answerer.ask"' in reading


def test_the_pages_ask_other_servers_for_nothing(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) >= 50
    found = [m[0] for p in pages for m in ASKED_FOR.finditer(p.read_text("utf-8"))]
    assert found == []


def test_a_link_that_leads_nowhere_is_an_error(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[no such page](nowhere.md)\n", encoding="utf-8")
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    settings = re.sub(r"^(hooks|plugins):.*?(?=^\S)", "", settings, flags=re.M | re.S)
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    done = built(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr
