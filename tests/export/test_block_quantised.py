"""Word vectors as 4-bit integers: the numbers, and the operator that reads them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from babelspan.export.block_quantised import blocks, quantise_vectors
from babelspan.types import DataError

MATRIX = np.random.default_rng(2).normal(size=(7, 64)).astype(np.float32)


def test_codes_by_a_version_with_loops():
    made = blocks(MATRIX)
    for row in range(7):
        for part in range(2):
            numbers = [float(x) for x in MATRIX[row, part * 32 : part * 32 + 32]]
            low, high = min(*numbers, 0), max(*numbers, 0)
            scale = (high - low) / 15
            zero = round(-low / scale)
            assert made.scales[row, part] == pytest.approx(scale, rel=1e-6)
            assert made.zeros[row, part] == zero
            for k, number in enumerate(numbers):
                code = min(max(round(number / scale) + zero, 0), 15)
                assert abs(int(made.codes[row, part * 32 + k]) - code) <= 1
    assert np.abs(made.restored() - MATRIX).max() <= made.scales.max() * 1.01


def test_zero_rows_and_one_sided_rows_keep_their_values():
    matrix = np.zeros((2, 32), np.float32)
    matrix[1] = np.linspace(1, 15, 32).round()
    assert np.allclose(blocks(matrix).restored(), matrix, atol=0.51)
    assert not blocks(matrix).restored()[0].any()


def test_a_width_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected a width that is a multiple of 32, got 40"):
        blocks(np.zeros((2, 40), np.float32))


def network():
    graph = helper.make_graph(
        [helper.make_node("Gather", ["words", "ids"], ["out"])],
        "g",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, None])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, None, 64])],
        [numpy_helper.from_array(MATRIX, "words")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_onnxruntime_reads_the_same_numbers():
    model = network()
    quantise_vectors(model, "words")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    ids = np.array([[6, 0, 3, 3]])
    (found,) = session.run(None, {"ids": ids})
    assert np.allclose(found, blocks(MATRIX).restored()[ids], atol=1e-6)
    assert len(model.SerializeToString()) < len(network().SerializeToString())


def test_a_matrix_that_is_not_there_is_named():
    with pytest.raises(DataError, match="expected one matrix 'other' with one look-up, found 0"):
        quantise_vectors(network(), "other")
    assert isinstance(network(), onnx.ModelProto)
