"""The version of the package."""

VERSION = "0.1.0"


def how_to_install(*extras: str) -> str:
    """The command that installs extras from source; the package is not on a package index."""
    return f'pip install ".[{",".join(extras)}]" in the folder with the source of Babelspan'
