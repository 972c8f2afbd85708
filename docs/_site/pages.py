"""What the site shows: its navigation, the pages that live elsewhere, and those made of code.

A hook of MkDocs. A new page in a folder of `docs`, and a new module of the package, are found here
without an entry anywhere.
"""

import os
import re
from pathlib import Path
from typing import Any

from commands import reference as commands
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "babelspan"
ELSEWHERE = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "explanation/architecture.md",
    "CONTRIBUTING.md": "explanation/contributing.md",
    "PAPERS.md": "reference/papers.md",
    "CHANGELOG.md": "reference/changelog.md",
    "src/babelspan/assets/reader/README.md": "reference/default-reader.md",
    "src/babelspan/assets/samples/README.md": "reference/samples.md",
    "bench/README.md": "results/benchmarks.md",
    "experiments/multilingual_reader/README.md": "results/multilingual-programs.md",
}
"""Page of the repository outside `docs` -> its place on the site."""
SECTIONS = {
    "tutorial": "Tutorial",
    "how-to": "How-to guides",
    "methods": "Methods",
    "reference": "Reference",
    "reference/python": "Python API",
    "explanation": "Explanation",
    "results": "Results",
    "decisions": "Decisions",
}
"""Folder -> its title, in the order of the navigation. Other folders come last."""
FIRST = (
    *("ask", "collections", "serve", "applications", "pipeline", "calibrate"),
    *("predict", "reports", "data", "train", "translate", "translators", "generate", "align"),
    *("command-line", "scorers", "catalogue", "default-reader", "samples", "papers"),
)
"""Pages that come first in their section, in this order; others follow by name."""
HEADLESS = "\n    options: {show_root_heading: false, show_root_toc_entry: false}"
"""For the first module of a page, whose name is the title of the page."""
NO_API = {"cli", "assets", "recipes", "__main__", "version"}
"""Parts of the package that are no Python API."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in `docs`, and make the navigation."""
    made = {to: (ROOT / at).read_text("utf-8") for at, to in ELSEWHERE.items()}
    made["reference/command-line.md"] = commands()
    made["decisions/index.md"] = _decisions()
    made.update(_python())
    for uri, content in made.items():
        files.append(File.generated(config, uri, content=content))
    config.nav = _navigation(sorted(f.src_uri for f in files.documentation_pages()))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    uri = page.file.src_uri
    if uri == "index.md":
        page.meta["hide"] = ["navigation"]
    source = next((at for at, to in ELSEWHERE.items() if to == uri), f"docs/{uri}")

    def linked(match: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join(os.path.dirname(source), match[1]))
        inside = target.removeprefix("docs/") if target.startswith("docs/") else None
        to = {**ELSEWHERE, "docs/decisions": "decisions/index.md"}.get(target, inside)
        return f"]({os.path.relpath(to, os.path.dirname(uri))}" if to else match[0]

    return re.sub(r"\]\((?!#|\w+:)([^)#\s]+)", linked, markdown)


def _navigation(uris: list[str]) -> list[Any]:
    folders: dict[str, list[str]] = {}
    for uri in uris:
        folders.setdefault(os.path.dirname(uri), []).append(uri)
    nav: list[Any] = [{"Home": uri} for uri in folders.pop("")]
    order = [*SECTIONS, *sorted(folders.keys() - SECTIONS.keys())]
    for folder in [name for name in order if name in folders and "/" not in name]:
        inner = [name for name in order if name in folders and name.startswith(f"{folder}/")]
        pages: list[Any] = sorted(folders[folder], key=_rank)
        pages += [{_title(name): folders[name]} for name in inner]
        nav.append({_title(folder): pages})
    return nav


def _rank(uri: str) -> tuple[bool, int]:
    stem = Path(uri).stem
    return stem != "index", FIRST.index(stem) if stem in FIRST else len(FIRST)


def _title(folder: str) -> str:
    return SECTIONS.get(folder, folder.rpartition("/")[2].replace("-", " ").capitalize())


def _decisions() -> str:
    lines = []
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        title = path.read_text("utf-8").split("\n", 1)[0].lstrip("# ")
        lines.append(f"* [{title}]({path.name})")
    return "# Decisions\n\nWhy things are as they are, one page each.\n\n" + "\n".join(lines) + "\n"


def _python() -> dict[str, str]:
    """A page for each module and folder of the package, with its public names."""
    parts = sorted(
        p for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    )
    pages = {}
    for part in parts:
        if part.stem in NO_API:
            continue
        modules = sorted(part.rglob("*.py")) if part.is_dir() else [part]
        names = [".".join(m.relative_to(ROOT / "src").with_suffix("").parts) for m in modules]
        names = sorted(name.removesuffix(".__init__") for name in names)
        title = "babelspan" if part.stem == "__init__" else f"babelspan.{part.stem}"
        shown = "\n\n".join(f"::: {name}{'' if i else HEADLESS}" for i, name in enumerate(names))
        name = "index" if part.stem == "__init__" else part.stem
        pages[f"reference/python/{name}.md"] = f"# `{title}`\n\n{shown}\n"
    return pages
