"""Export a checkpoint to a folder of at most 40 MB: 8-bit matrices, 4-bit word vectors.

python experiments/multilingual_reader/package.py --checkpoint FOLDER --out FOLDER
"""

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from babelspan.data.exported import MODEL, SETTINGS, TOKENIZER, Settings
from babelspan.data.files import replacing, write_json
from babelspan.export.block_quantised import quantise_vectors
from babelspan.export.onnx import export
from babelspan.networks import pretrained
from babelspan.version import VERSION

MOST_BYTES = 40_000_000


def main(checkpoint: Path, out: Path) -> None:
    """Write `model.onnx`, `tokenizer.json` and `reader.json`; print their sizes."""
    reader = pretrained.load(str(checkpoint))
    with tempfile.TemporaryDirectory() as folder:
        whole, part, small = (Path(folder) / name for name in ("whole", "part.onnx", MODEL))
        export(reader, whole)
        model = onnx.load(whole / MODEL)
        (name,) = [t.name for t in model.graph.initializer if "word_embeddings" in t.name]
        quantise_vectors(model, name)
        onnx.save(model, part)
        quantize_dynamic(part, small, weight_type=QuantType.QInt8, per_channel=True)
        out.mkdir(parents=True, exist_ok=True)
        with replacing(out / MODEL) as beside:
            beside.write_bytes(small.read_bytes())
        tokenizer = Tokenizer.from_file(str(whole / TOKENIZER))
        with replacing(out / TOKENIZER) as beside:
            tokenizer.save(str(beside), pretty=False)
    featurizer = reader.featurizer
    settings = Settings(
        max_positions=featurizer.max_positions,
        pad_id=featurizer.pad_id,
        precision="int8",
        babelspan=VERSION,
    )
    write_json(out / SETTINGS, asdict(settings))
    sizes = {p.name: p.stat().st_size for p in sorted(out.iterdir())}
    print(sizes, sum(sizes.values()))
    if sum(sizes.values()) > MOST_BYTES:
        raise SystemExit(f"expected at most {MOST_BYTES} bytes, found {sum(sizes.values())}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("checkpoint", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.checkpoint, given.out)
