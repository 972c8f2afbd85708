"""The sample set in the package: short passages in eight languages, written for this project.

Its card is `assets/samples/README.md`.
"""

from pathlib import Path

from babelspan.data.folder import find

SAMPLES = Path(__file__).parents[1] / "assets" / "samples"


def sample_texts() -> dict[str, str]:
    """Return the passages by file name, `<topic>.<language>.txt`; each ends with a newline."""
    return {
        f"{example.id.rpartition('-')[0]}.{file.context_language}.txt": example.context + "\n"
        for file in find([SAMPLES])
        for example in file.load()
    }
