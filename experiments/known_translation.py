"""Make the data of "a text that the reader knows less well than its translation" (XLTT).

    python experiments/known_translation.py TOY OUT [--examples 2000]

TOY is the folder of experiments/toy_world.py.

OUT/train.qad.json.gz              examples in the last language of the world, to answer from
OUT/translated/train.qaa.json.gz   the same in its first language, under the same ids
OUT/strange/test.qaa.json.gz       the test in qaa, each example under the id of the one before it
"""

import argparse
from dataclasses import replace
from pathlib import Path

from babelspan.data.folder import describe
from babelspan.data.squad import save_squad


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("toy", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--examples", type=int, default=2000)
    wanted = parser.parse_args()
    translated = describe(wanted.toy / "translated" / "train.qad.json.gz").load()[: wanted.examples]
    originals = {
        example.id: example for example in describe(wanted.toy / "train.qaa.json.gz").load()
    }
    own = [replace(e, id=e.origin, origin=None, strategy="") for e in translated]
    tested = describe(wanted.toy / "test" / "test.qaa.json.gz").load()
    others = zip(tested, tested[1:] + tested[:1], strict=True)
    save_squad(wanted.out / "train.qad.json.gz", own)
    save_squad(wanted.out / "translated" / "train.qaa.json.gz", [originals[e.id] for e in own])
    strange = [replace(other, id=example.id) for example, other in others]
    save_squad(wanted.out / "strange" / "test.qaa.json.gz", strange)


if __name__ == "__main__":
    main()
