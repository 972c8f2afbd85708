"""Rules of the house: imports, sizes of bodies, recipes, citations, the README's commands."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import babelspan
from house_rules import ROOT, broken, tracked

PACKAGE = Path(babelspan.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ROWS = [
    {"machine", "types", "version"},
    {"seams", "config", "text"},
    {"data", "scoring"},
    {"alignment", "augment", "datasets", "documents", "examine", "translators", "vocabulary"},
    {"losses", "reading", "retrieval"},
    {"networks"},
    {"training"},
    {"methods"},
    {"engines", "export"},
    {"generators", "readers", "reports"},
    {"aligners"},
    {"jobs"},
    {"service"},
    {"cli"},
    {"__main__", "__init__"},
]
ROW = {name: number for number, names in enumerate(ROWS) for name in names}


def dotted(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def imported(tree):
    """Modules of ours that a tree names, with `from babelspan import x` as `babelspan.x`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("babelspan."))
        elif isinstance(node, ast.ImportFrom) and node.module == "babelspan":
            yield from (f"babelspan.{a.name}" for a in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("babelspan."):
            yield node.module


def forbidden_imports(own, tree):
    mine = own.split(".")[1]
    for name in imported(tree):
        theirs = name.split(".")[1]
        same = mine == theirs and mine != "methods"
        if not same and not ROW[theirs] < ROW[mine]:
            yield name


def test_there_are_modules_to_check():
    assert len(MODULES) >= 50


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_point_downwards(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert list(forbidden_imports(dotted(path), tree)) == []


def test_the_rule_of_imports_finds_what_it_is_for():
    upwards = ast.parse("from babelspan.jobs.train.fit import fit\nimport babelspan.cli.main")
    assert list(forbidden_imports("babelspan.losses.span", upwards)) == [
        "babelspan.jobs.train.fit",
        "babelspan.cli.main",
    ]
    sideways = ast.parse("from babelspan.methods.fine_tune import train")
    assert list(forbidden_imports("babelspan.methods.other", sideways)) != []


@pytest.mark.parametrize("path", [p for p in MODULES if p.stem != "__main__"], ids=dotted)
def test_every_module_imports(path):
    importlib.import_module(dotted(path).removesuffix(".__init__"))


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_bodies_and_modules_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{node.name} has {lines} lines"


def test_no_module_has_a_name_that_says_nothing():
    nothing = {"utils", "util", "helpers", "common", "base", "misc", "manager"}
    assert [p for p in MODULES if p.stem in nothing or p.parent.name in nothing] == []


def test_files_keep_the_rules_of_the_repository():
    assert list(broken(tracked())) == []


def long_lines(page):
    """Lines of a page of more than 100 characters that could be broken.

    Rows of tables, printed output (blocks marked `text`) and lines of one word cannot.
    """
    text = re.sub(r"^```text\n.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    return [
        line
        for line in text.splitlines()
        if len(line) > 100 and not line.lstrip().startswith("|") and " " in line.strip()
    ]


PAGES = [n for n in tracked() if n.endswith(".md") and not n.startswith("src/")]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_lines_of_pages_are_short(name):
    assert long_lines((ROOT / name).read_text("utf-8")) == []


def test_the_rule_of_lines_finds_what_it_is_for():
    long = "a word " * 20
    assert long_lines(f"# Title\n\n{long}\n") == [long]
    assert long_lines(f"```console\n$ {long}\n```\n") == [f"$ {long}"]
    assert long_lines(f"| {long} |\n```text\n{long}\n```\n{'signature|' * 20}\n") == []


def test_every_citation_of_the_package_is_in_the_list_of_papers():
    papers = (ROOT / "PAPERS.md").read_text(encoding="utf-8")
    cited = {c for p in MODULES for c in re.findall(r"arXiv:(\d{4}\.\d{5})", p.read_text("utf-8"))}
    assert len(cited) >= 5
    assert [c for c in sorted(cited) if c not in papers] == []


LIGHT = """
import sys, {what}
heavy = {{"torch", "transformers", "onnxruntime", "accelerate", "tokenizers"}} & set(sys.modules)
print(sorted(heavy))
"""


@pytest.mark.parametrize("what", ["babelspan", "babelspan.cli.main"])
def test_imports_stay_light(what):
    found = subprocess.run(
        [sys.executable, "-c", LIGHT.format(what=what)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


WITH_TORCH = {"losses", "networks", "training", "methods", "engines", "export"}


def test_other_rows_import_pytorch_on_use_only():
    names = [dotted(p).removesuffix(".__init__") for p in MODULES if p.stem != "__main__"]
    light = [name for name in names if not WITH_TORCH & {*name.split(".")[1:2]}]
    assert len(light) >= 150
    code = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    code += "    assert not {'torch', 'transformers'} & set(sys.modules), name\n"
    done = subprocess.run(
        [sys.executable, "-c", code, *light], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_core_asks_for_no_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = {re.split(r"[<>=\[]", d)[0] for d in project["dependencies"]}
    assert core == {
        "anyascii", "numpy", "onnxruntime", "pydantic", "regex", "rich", "tokenizers", "typer",
    }  # fmt: skip


def test_the_public_names_can_be_completed():
    assert "load_answerer" in dir(babelspan)
    assert {"Any", "VERSION"}.isdisjoint(dir(babelspan))


EXAMPLES = {path: len(re.findall(r"^ *>>> ", path.read_text("utf-8"), re.M)) for path in MODULES}


@pytest.mark.parametrize("path", [path for path, count in EXAMPLES.items() if count], ids=dotted)
def test_examples_in_docstrings_run(path):
    module = importlib.import_module(dotted(path).removesuffix(".__init__"))
    found = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found == (0, EXAMPLES[path])


def test_there_are_examples_in_docstrings():
    assert sum(map(bool, EXAMPLES.values())) >= 10


def commands_of(text):
    """Lines of the shell blocks of a page that start with `$`."""
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_commands_of_the_readme_that_measure_run(tmp_path):
    readme = commands_of((ROOT / "README.md").read_text("utf-8"))
    slow = ("samples build", "predict ", "evaluate ", "score ")  # test_outputs.py runs the others
    run = [c for c in readme if c.startswith(tuple(f"babelspan {verb}" for verb in slow))]
    assert len(run) >= 4
    setup = f'set -euo pipefail; babelspan() {{ {sys.executable} -m babelspan "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", setup + "\n".join(run)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_targets_of_the_readme_exist():
    readme = commands_of((ROOT / "README.md").read_text("utf-8"))
    targets = {c.split()[1] for c in readme if c.startswith("make ")}
    assert {"quickstart", "test"} <= targets
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert [t for t in sorted(targets) if f"\n{t}:" not in makefile] == []
