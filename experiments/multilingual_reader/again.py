"""Convert the reader in the package to a checkpoint, to train it further.

    python experiments/multilingual_reader/again.py OUT

Writes weights and tokenizer to `OUT`. `links.py` and `pack.py` also write there.
"""

import sys
from pathlib import Path

from babelspan.readers import DEFAULT, load_checkpoint

if __name__ == "__main__":
    load_checkpoint(DEFAULT).save(Path(sys.argv[1]))
