"""Peak memory of `babelspan generate`, by the number of texts.

    python bench/generating_memory.py --generator FOLDER [--sizes 182 1820] [--keep FOLDER]

The texts are paragraphs of the SQuAD part for training, with one answer each. Each size runs in a
separate process with one thread; memory is its peak.
"""

import argparse
import gzip
import json
import os
import tempfile
from pathlib import Path

from measured import DATA, child, peak_memory, report

SQUAD = DATA / "qa" / "squad" / "train-without-xquad.en.json.gz"


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--generator", required=True)
    options.add_argument("--sizes", type=int, nargs="+", default=[182, 1820])
    options.add_argument("--keep", type=Path, help="folder for the files; kept")
    options.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    wanted = options.parse_args()
    if wanted.alone:
        return generate_alone(wanted.generator, *map(Path, wanted.alone))
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.keep or Path(temporary)
        rows = [measured(wanted.generator, folder, size) for size in wanted.sizes]
    report("generating-memory", rows, libraries=["torch", "transformers"])
    return None


def measured(generator, folder, size):
    """Measure one size, in a separate process."""
    texts = folder / f"{size}.en.json"
    write(texts, size)
    given = ["--generator", generator, "--alone", texts, folder / f"{size}"]
    return {"texts": size, **child(__file__, *given, OMP_NUM_THREADS="1")}


def write(path, size):
    """Write `size` different paragraphs, evenly spaced."""
    articles = json.loads(gzip.decompress(SQUAD.read_bytes()))["data"]
    contexts = list(dict.fromkeys(p["context"] for a in articles for p in a["paragraphs"]))
    chosen = contexts[:: len(contexts) // size][:size]
    path.parent.mkdir(parents=True, exist_ok=True)
    paragraphs = [{"context": context, "qas": []} for context in chosen]
    path.write_text(json.dumps({"data": [{"title": "", "paragraphs": paragraphs}]}))


def generate_alone(generator, texts, out):
    """Generate, and print the number of questions and the peak memory."""
    from babelspan.data.texts import find_texts
    from babelspan.jobs import generate

    files = tuple(find_texts([texts]))
    number, _ = generate.count_texts(files)
    job = generate.Job(
        generator=generator,
        files=files,
        questions=("en",),
        per_paragraph=1,
        out=out,
        texts=number,
    )
    _, efforts = generate.carry_out(job)
    questions = sum(effort.questions for effort in efforts)
    processor = sum(os.times()[:2])
    print(json.dumps({"questions": questions, "processor s": processor, "MiB": peak_memory()}))


if __name__ == "__main__":
    main()
