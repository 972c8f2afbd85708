"""`python -m babelspan`, and `accelerate launch -m babelspan`."""

from babelspan.cli.main import main

main()
