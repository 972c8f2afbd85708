"""Export attention as a fused operator of onnxruntime, for models that allow it.

Shapes: B windows, N heads, L tokens, D width of a head.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

_NAME = "babelspan_onnx"
_OPERATOR = "MultiHeadAttention"
_IS_WHOLE = "is_without_padding"


@contextlib.contextmanager
def fused_attention(model: PreTrainedModel) -> Iterator[None]:
    """Within the block, `torch.onnx.export` writes each attention of `model` as one operator.

    A model with its own kind of attention, such as DeBERTa, is not changed.
    """
    before = model.config._attn_implementation
    replaceable = model._can_set_attn_implementation()
    AttentionInterface.register(_NAME, _attention)
    AttentionMaskInterface.register(_NAME, _mask)
    if replaceable:
        model.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        if replaceable:
            model.set_attn_implementation(before)


def _attention(
    _module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention output (B, L, N, D) for queries, keys and values, each (B, N, L, D).

    `attention_mask` is a padding mask, (B, L), 1 for tokens and 0 for padding, or an additive mask,
    (B or 1, N or 1, L, L), or None.
    """
    windows, heads, length, width = query.shape
    flat = (windows, length, heads * width)
    masks: list[Tensor | None] = []
    if attention_mask is not None:
        masks = [None, attention_mask] if attention_mask.ndim == 2 else [None, None, attention_mask]
    mixed = torch.onnx.ops.symbolic(
        f"com.microsoft::{_OPERATOR}",
        [
            *(part.transpose(1, 2).reshape(flat) for part in (query, key, value)),
            *masks,
        ],
        {"num_heads": heads, "scale": width**-0.5 if scaling is None else float(scaling)},
        dtype=query.dtype,
        shape=flat,
        version=1,
    )
    return mixed.reshape(windows, length, heads, width), None


def _mask(
    *args: Any,
    attention_mask: Tensor | None = None,
    allow_is_bidirectional_skip: bool = False,
    local_size: int | None = None,
    **options: Any,
) -> Tensor | None:
    """The padding mask, (B, L), if every token attends to its whole window; else additive."""
    if allow_is_bidirectional_skip and local_size is None:
        return None if attention_mask is None else attention_mask.to(torch.int32)
    added: Tensor = eager_mask(
        *args, attention_mask=attention_mask, local_size=local_size, **options
    )
    return added


def skip_idle_masks(path: Path, mask: str) -> None:
    """Make attention use the padding mask only if there is padding.

    Attention with a mask takes a tenth more time for a window of 384 tokens in int8.

    Args:
        path: the network; the file is overwritten.
        mask: name of its input with the padding mask, (B, L), 1 for tokens and 0 for padding.
    """
    model = onnx.load(path, load_external_data=False)
    nodes = [
        _with_or_without_mask(node) if node.op_type == _OPERATOR and len(node.input) == 5 else node
        for node in model.graph.node
    ]
    if not any(node.op_type == "If" for node in nodes):
        return
    del model.graph.node[:]
    model.graph.node.extend(
        [
            helper.make_node("ReduceMin", [mask], ["least_of_mask"], keepdims=0),
            helper.make_node("Cast", ["least_of_mask"], [_IS_WHOLE], to=TensorProto.BOOL),
            *nodes,
        ]
    )
    onnx.save(model, path)


def _with_or_without_mask(node: onnx.NodeProto) -> onnx.NodeProto:
    """An `If` node with the attention without its mask in one branch, with it in the other."""
    branches = {}
    for name, inputs in (("then_branch", node.input[:3]), ("else_branch", node.input)):
        own = onnx.NodeProto()
        own.CopyFrom(node)
        output = f"{node.output[0]}_{name}"
        own.ClearField("input")
        own.input.extend(inputs)
        own.output[0] = output
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        branches[name] = helper.make_graph([own], output, [], [result])
    return helper.make_node("If", [_IS_WHOLE], list(node.output), **branches)
