"""Freeze the lower layers of an encoder during training.

The lower layers of a multilingual encoder carry much of its knowledge of languages, and training on
a few languages can damage it (Bornea et al. 2021, arXiv:2012.05958, Section 1). Without updates of
the embeddings, training also takes less time and memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from babelspan.networks.pretrained import Encoder
from babelspan.types import ConfigError


@contextmanager
def frozen(reader: Any, layers: int | None) -> Iterator[None]:
    """Freeze the embeddings and the first layers of a reader's encoder within the block.

    Args:
        reader: a reader with an encoder of transformers.
        layers: number of layers, from the bottom; 0 for the embeddings alone, None for nothing.

    Raises:
        ConfigError: if the reader has no such encoder, or the encoder has fewer layers.
    """
    kept = [] if layers is None else lower_part(reader, layers)
    kept = [parameter for parameter in kept if parameter.requires_grad]
    for parameter in kept:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in kept:
            parameter.requires_grad_(True)


def lower_part(reader: Any, layers: int) -> list[nn.Parameter]:
    """The parameters of the embeddings and the first layers; errors are those of `frozen`."""
    encoder = getattr(reader, "encoder", None)
    if not isinstance(encoder, Encoder):
        raise ConfigError(
            f"frozen={layers}: expected a reader with a pretrained encoder, found one of kind "
            f"{getattr(reader, 'kind', type(reader).__name__)!r}; leave the setting out"
        )
    if layers > encoder.layers:
        raise ConfigError(
            f"frozen={layers}: expected at most {encoder.layers}, the layers of this encoder"
        )
    vectors = encoder.model.get_input_embeddings()
    stacks = [
        module
        for module in encoder.model.modules()
        if isinstance(module, nn.ModuleList) and len(module) == encoder.layers
    ]
    embeddings = [
        child
        for child in encoder.model.children()
        if any(module is vectors for module in child.modules())
    ]
    if not stacks or not embeddings:
        raise ConfigError(
            f"frozen={layers}: expected an encoder with separate layers, found none (some "
            "encoders share theirs); leave the setting out"
        )
    return [*embeddings[0].parameters(), *stacks[0][:layers].parameters()]
