"""Peak rates of the CPU: matrix products of the sizes that a reader has."""

import time
from functools import cache

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession, SessionOptions

_TOKENS = 512
_SECONDS = 0.3


def operations(config, length):
    """Multiplications and additions for a window: with weights, and in attention.

    Per layer four H x H and two H x F products for each token, and two L x L x H ones; the
    embeddings are looked up, and the head is two columns.
    """
    width, inner = config["hidden_size"], config["intermediate_size"]
    layers = config["num_hidden_layers"]
    weights = 2 * length * layers * (4 * width**2 + 2 * width * inner)
    return weights, 2 * 2 * layers * length**2 * width


def rates(config):
    """Billions of operations per second of one core, by CPU time.

    For onnxruntime in fp32 and int8, and for PyTorch in fp32.
    """
    width, inner = config["hidden_size"], config["intermediate_size"]
    left = np.random.default_rng(0).standard_normal((_TOKENS, width), dtype=np.float32)
    small, tensor, weights = (
        left.astype(np.uint8),
        torch.from_numpy(left),
        torch.randn(width, inner),
    )
    fp32, int8 = (_session(operator, width, inner) for operator in ("MatMul", "MatMulInteger"))
    torch.set_num_threads(1)
    products = {
        "fp32": lambda: fp32.run(None, {"x": left}),
        "int8": lambda: int8.run(None, {"x": small}),
        "torch": lambda: tensor @ weights,
    }
    return {name: _rate(call, _TOKENS * width * inner) for name, call in products.items()}


def _rate(call, size):
    call()
    began, calls = time.process_time(), 0
    while time.process_time() - began < _SECONDS:
        call()
        calls += 1
    return 2 * size * calls / (time.process_time() - began) / 1e9


@cache
def _session(operator, width, inner):
    """A session with one product (L, H) x (H, F); int8 as in quantised readers."""
    exact = operator == "MatMul"
    inputs, outputs = (
        (TensorProto.FLOAT, TensorProto.FLOAT) if exact else (TensorProto.UINT8, TensorProto.INT32)
    )
    weights = np.random.default_rng(0).integers(-127, 128, (width, inner))
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", inputs, ["L", width])],
        [helper.make_tensor_value_info("y", outputs, ["L", inner])],
        [numpy_helper.from_array(weights.astype(np.float32 if exact else np.int8), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
