"""`babelspan`, `python -m babelspan`, and `accelerate launch -m babelspan`."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; an interrupt while it is still being loaded ends in one line, too."""
    try:
        from babelspan.cli.main import main as run
    except KeyboardInterrupt:
        print("babelspan: interrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
