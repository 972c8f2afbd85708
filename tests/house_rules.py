"""Rules about the files of the repository: sizes, and that no data of others is among them.

Run by itself (the pre-commit hook) it prints what breaks a rule; the test of the house runs it too.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LARGEST = 500_000
LARGEST_ASSETS = 40_000_000
OURS = ("src/babelspan/assets/", "tests/fixtures/")


def tracked():
    """Files that git tracks, or would; none outside a checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def broken(names):
    """What breaks a rule, in words."""
    sizes = {name: (ROOT / name).stat().st_size for name in names}
    assets = sum(size for name, size in sizes.items() if "/assets/" in name)
    if assets > LARGEST_ASSETS:
        yield f"assets are {assets} bytes together, more than {LARGEST_ASSETS}"
    for name, size in sizes.items():
        if size > LARGEST and "/assets/" not in name:
            yield f"{name} has {size} bytes, more than {LARGEST}"
        if name.endswith((".json", ".gz", ".tsv", ".jsonl")) and not name.startswith(OURS):
            yield f"{name} looks like data; ours live in {' and '.join(OURS)}"


if __name__ == "__main__":
    found = list(broken(tracked()))
    print("\n".join(found))
    sys.exit(bool(found))
