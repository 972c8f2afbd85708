"""What the pages show is what the commands print: docs/_site/outputs.py, and the pages themselves.

Only commands that answer a few questions are run here; `make outputs` runs all.
"""

import importlib.util
import sys

import pytest

from house_rules import ROOT

PAGES = ["README.md", "docs/tutorial/first-steps.md"]
PAGES += ["docs/how-to/applications.md", "docs/how-to/pipeline.md"]


@pytest.fixture(scope="module")
def outputs():
    spec = importlib.util.spec_from_file_location("outputs", ROOT / "docs/_site/outputs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["outputs"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["outputs"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(outputs, page):
    assert outputs.stale(page, quick=True) == []


PAGE = """
```console
$ printf 'one\\ntwo\\n'
1
$ mkdir quiet
$ printf 'a %s\\n' \\
    b
…
$ unknown command
what it printed
```

```python
x = 1
len("four") + 96
# 3
qa(question="Who built it?", context="It was built by Ada Byron.")["answer"]
# 'nobody'
```

```python
print("said")
```

prints

```text
shouted
```
"""


@pytest.fixture(scope="module")
def renewed(outputs):
    return outputs.run(PAGE, quick=True)


def test_outputs_and_values_are_put_in(renewed):
    expected = PAGE.replace("1\n$ mkdir", "one\ntwo\n$ mkdir").replace("# 3", "# 100")
    expected = expected.replace("'nobody'", "'Ada Byron'").replace("shouted", "said")
    assert renewed == expected


def test_stale_lines_are_told(outputs, renewed):
    assert outputs.differences(PAGE, renewed) == [
        ("1", "one"),
        ("(no line)", "two"),
        ("# 3", "# 100"),
        ("# 'nobody'", "# 'Ada Byron'"),
        ("shouted", "said"),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a 1|…|c 1", "a 2|b 2|c 2", "a 2|…|c 2"),
        ("a 1|…", "a 2|b 2", "a 2|…"),
        ("…|c 1", "a 2|b 2|c 2|d 2", "…|c 2|…"),
        ("a 1|b 1", "a 2|b 2|c 2", "a 2|b 2|c 2"),
    ],
)
def test_what_the_page_leaves_out_stays_out(outputs, shown, printed, expected):
    assert outputs.abridged(shown.split("|"), printed.split("|")) == expected.split("|")


def test_a_line_that_is_gone_is_told(outputs):
    with pytest.raises(SystemExit, match="no line begins with 'c' any more"):
        outputs.abridged(["a", "…", "c 1"], ["a", "b"])


@pytest.mark.parametrize(
    ("one", "other", "is_alike"),
    [
        ("1894   99%  bridge.txt:25-29", "1894   95%  bridge.txt:25-29", True),
        ("1894   99%  bridge.txt:25-29", "1894   90%  bridge.txt:25-29", False),
        ("1894   99%  bridge.txt:25-29", "1894   99%  bridge.txt:25-30", False),
        ("1894   99%  bridge.txt:25-29", "1895   99%  bridge.txt:25-29", False),
        ('"score": 0.9107341292397046,', '"score": 0.9007341292397046,', True),
        ('"score": 0.9107341292397046,', '"score": 0.7007341292397046,', False),
        (" en │ 51.2 │  5.8", " en │ 50.2 │ 10.1", True),
    ],
)
def test_scores_may_differ_a_little_and_nothing_else(outputs, one, other, is_alike):
    assert outputs.alike(one, other) is is_alike


def test_a_command_that_fails_is_an_error(outputs):
    with pytest.raises(SystemExit, match="no such file"):
        outputs.run("```console\n$ babelspan ask 'Who?' nowhere.txt\nx\n```\n", quick=True)
