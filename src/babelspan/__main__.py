"""`babelspan`, `python -m babelspan`, and `accelerate launch -m babelspan`."""

import sys


def main() -> None:
    """Run the command line; an interrupt during loading also prints one line only."""
    try:
        from babelspan.cli.main import main as run
    except BaseException as error:
        from babelspan.cli.interrupts import was_interrupted

        if not was_interrupted(error):
            raise
        print("babelspan: interrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
