"""Attention as one operator of onnxruntime, for checkpoints whose attention can be replaced.

Shapes: B windows, N heads, L tokens, D width of a head.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

_NAME, _NAME_OF_PADDED = "babelspan_onnx", "babelspan_onnx_padded"


@contextlib.contextmanager
def fused_attention(model: PreTrainedModel, *, is_padded: bool = False) -> Iterator[None]:
    """Within it, `torch.onnx.export` writes each attention of `model` as one operator.

    A model with an attention of its own kind, such as DeBERTa, stays as it is.

    Args:
        model: to be exported.
        is_padded: whether what it reads may be padded, so that it needs a mask.
    """
    name = _NAME_OF_PADDED if is_padded else _NAME
    before = model.config._attn_implementation
    replaceable = model._can_set_attn_implementation()
    AttentionInterface.register(name, _attention)
    AttentionMaskInterface.register(name, _padded_mask if is_padded else _mask)
    if replaceable:
        model.set_attn_implementation(name)
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
    """Vectors (B, L, N, D) of queries, keys and values, each (B, N, L, D).

    `attention_mask` is what to add to the products, (B or 1, N or 1, L, L); None for nothing.
    """
    windows, heads, length, width = query.shape
    flat = (windows, length, heads * width)
    mixed = torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        [
            *(part.transpose(1, 2).reshape(flat) for part in (query, key, value)),
            *([] if attention_mask is None else [None, None, attention_mask]),
        ],
        {"num_heads": heads, "scale": width**-0.5 if scaling is None else float(scaling)},
        dtype=query.dtype,
        shape=flat,
        version=1,
    )
    return mixed.reshape(windows, length, heads, width), None


def _mask(
    *args: Any,
    allow_is_bidirectional_skip: bool = False,
    local_size: int | None = None,
    **options: Any,
) -> Tensor | None:
    """What to add to the products: nothing where every token attends to all of its window."""
    if allow_is_bidirectional_skip and local_size is None:
        return None
    return _padded_mask(*args, local_size=local_size, **options)


def _padded_mask(*args: Any, allow_is_bidirectional_skip: bool = False, **options: Any) -> Tensor:
    """What to add to the products, whatever is padded."""
    added: Tensor = eager_mask(*args, **options)
    return added
