"""QANet: a reader with word vectors and without a pretrained encoder.

Yu et al. (2018), with separate layers for each side (source and target language) as in Lee and Lee
(2019), arXiv:1907.06042: the input embedding and one encoder block, together called Psi, are
separate; everything above is shared.

A folder contains `qanet.json` (the architecture), `words.json` (the words), `words.npy` (their
vectors, if fixed) and `qanet.safetensors`.

Shapes: B windows, L tokens, H width, V rows of the table, E width of word vectors, S letters.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import torch
from numpy.typing import NDArray
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from babelspan.config import build
from babelspan.data.files import read_json, write_json
from babelspan.networks.own_weights import load_own, save_own
from babelspan.networks.qanet_layers import Block, Drop, Row, Trilinear, WordInput, dropout
from babelspan.networks.reader import Batch, Reading, collate
from babelspan.reading.windows import Window
from babelspan.reading.words import WordFeaturizer
from babelspan.types import ConfigError, Example, Limits
from babelspan.vocabulary import word_table
from babelspan.vocabulary.word_table import FIRST, NONE, PAD, WordTable

SETTINGS = "qanet.json"
WEIGHTS = "qanet.safetensors"

Part = Annotated[float, Field(ge=0, lt=1)]
Dependent = Literal["none", "embedding", "encoder", "attention"]
"""Which layers are separate for each side: none; the input embedding; also the encoder block (Lee
and Lee 2019); or also context-query attention."""

_OWN = {"none": 0, "embedding": 1, "encoder": 2, "attention": 3}
_PSI = (4, 7)
"""Number of convolutions in an encoder block of Psi, and their kernel size."""
_MODEL = (2, 5)
"""The same for a model block."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Hyperparameters of a QANet; the defaults are those of Lee and Lee, or else of QANet."""

    width: PositiveInt = 96
    """Width of all vectors; even, and a multiple of `heads`."""
    heads: PositiveInt = 2
    """Heads of each attention layer."""
    blocks: PositiveInt = 7
    """Blocks of the model encoder."""
    passes: Annotated[int, Field(ge=2)] = 3
    """Passes through the model encoder; start logits use the first and second pass, last logits
    the first and last."""
    word_width: PositiveInt = 300
    """Width of trained word vectors; fixed ones have the width of their file."""
    letter_width: PositiveInt = 64
    """Width of letter vectors."""
    dependent: Dependent = "none"
    """Which layers are separate for each side."""
    dropout: Part = 0.1
    """Dropout of layers and word vectors."""
    letter_dropout: Part = 0.05
    """Dropout of letter vectors."""
    survival: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Stochastic depth: probability that the last sublayer of a stack is kept in training."""


class Encoded(NamedTuple):
    """The output of Psi for a batch.

    Attributes:
        vectors: (B, L, H).
        row: masks of question and context.
        side: index of each token's side, (B, L).
    """

    vectors: Tensor
    row: Row
    side: Tensor


class QANet(nn.Module):
    """A QANet with its table of words.

    Args:
        architecture: the hyperparameters.
        table: the table of words.
        vectors: fixed vectors of the words, (V, E); None to train them.
        limits: default limits for cutting contexts into windows.

    Raises:
        ConfigError: if the sizes do not fit together, or separate layers are asked for and there is
            only one side.
    """

    kind = "qanet"
    vectors: Tensor

    def __init__(
        self,
        architecture: Architecture,
        table: WordTable,
        vectors: NDArray[Any] | None = None,
        *,
        limits: Limits = Limits(),
    ) -> None:
        super().__init__()
        _check(architecture, table)
        self.architecture = architecture
        self.featurizer = WordFeaturizer(table, limits)
        self.is_fixed = vectors is not None
        self.word_width = architecture.word_width if vectors is None else vectors.shape[1]
        if vectors is None:
            self.learnt = nn.Embedding(table.rows, self.word_width, padding_idx=PAD)
        else:
            self.special = nn.Embedding(FIRST, self.word_width, padding_idx=PAD)
            self.register_buffer("vectors", torch.from_numpy(vectors), persistent=False)
        own = _OWN[architecture.dependent]
        counts = [max(1, len(table.sides)) if own > level else 1 for level in range(3)]
        self.inputs = nn.ModuleList(self._input(self.word_width, table) for _ in range(counts[0]))
        self.encoders = nn.ModuleList(self._blocks(1, *_PSI)[0] for _ in range(counts[1]))
        self.attentions = nn.ModuleList(
            Trilinear(architecture.width, architecture.dropout) for _ in range(counts[2])
        )
        self.model = nn.ModuleList(self._blocks(architecture.blocks, *_MODEL))
        self.head = nn.ModuleList(nn.Linear(2 * architecture.width, 1) for _ in range(2))

    def _input(self, word_width: int, table: WordTable) -> WordInput:
        sizes = self.architecture
        letters = (table.letter_rows, sizes.letter_width) if table.spelling else None
        drop = (sizes.dropout, sizes.letter_dropout)
        return WordInput(word_width, letters, sizes.width, drop)

    def _blocks(self, count: int, convolutions: int, reach: int) -> list[Block]:
        sizes = self.architecture
        each = convolutions + 2
        return [
            Block(
                sizes.width,
                sizes.heads,
                convolutions,
                reach,
                Drop(sizes.dropout, sizes.survival, 1 + number * each, count * each),
            )
            for number in range(count)
        ]

    @property
    def width(self) -> int:
        """Width of the vectors, H."""
        return self.architecture.width

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""
        return self.featurizer.limits

    @property
    def sides(self) -> tuple[str, ...]:
        """Languages with separate layers, the source first; empty if all layers are shared."""
        return self.featurizer.table.sides if self.architecture.dependent != "none" else ()

    def psi(self, side: int) -> list[nn.Parameter]:
        """The parameters of Psi that belong to one side only."""
        stages = [stage for stage in (self.inputs, self.encoders) if len(stage) > 1]
        return [parameter for stage in stages for parameter in stage[side].parameters()]

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of examples, in order; errors are those of `Featurizer.windows`."""
        return self.featurizer.windows(examples, limits)

    def known(self, text: str) -> NDArray[Any]:
        """Characters of the known words of a text, as `WordFeaturizer.known`."""
        return self.featurizer.known(text)

    def together(self, group: Sequence[Example]) -> Iterator[tuple[Window, ...]]:
        """Windows of examples over one context, as `Featurizer.together`."""
        return self.featurizer.together(group)

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows into a batch, whose `input_ids` are (B, L, 1 + S)."""
        return collate(self.featurizer, windows)

    def forward(self, batch: Batch) -> Reading:
        """Logits and vectors of a batch; `hidden` is the output of Psi. Logits are in fp32."""
        return self.answer(self.encode(batch))

    def encode(self, batch: Batch) -> Encoded:
        """Run Psi on a batch, each token through the layers of its side."""
        ids, types = batch.input_ids, batch.token_type_ids
        side = types.div(2, rounding_mode="floor")
        row = Row.of(batch.attention_mask, types % 2, ids[..., 0] == NONE)
        words = self._words(ids[..., 0])
        stages = [module(words, ids[..., 1:]) for module in self.inputs]
        x = _by_side(stages, side)
        encoded = [module(x, row.places, row.parts, row.apart) for module in self.encoders]
        return Encoded(_by_side(encoded, side), row, side)

    def answer(self, encoded: Encoded) -> Reading:
        """Compute the logits from the output of Psi."""
        hidden, row, side = encoded
        x = _by_side([attention(hidden, row) for attention in self.attentions], side)
        parts = row.parts[1:]
        passes = []
        for _ in range(self.architecture.passes):
            x = dropout(x, self.architecture.dropout, self.training)
            for block in self.model:
                x = block(x, row.places, parts, row.elsewhere)
            passes.append(x)
        pairs = (passes[0], passes[1]), (passes[0], passes[-1])
        start_logits, last_logits = (
            _masked(head(torch.cat(pair, dim=-1)), row)
            for head, pair in zip(self.head, pairs, strict=True)
        )
        return Reading(start_logits, last_logits, hidden[:, 0], hidden)

    def _words(self, rows: Tensor) -> Tensor:
        """Word vectors, (B, L, E), of table rows (B, L)."""
        if not self.is_fixed:
            found: Tensor = self.learnt(rows)
            return found
        special = self.special(rows.clamp(max=FIRST - 1))
        return torch.where((rows < FIRST)[..., None], special, F.embedding(rows, self.vectors))

    def save(self, folder: Path) -> None:
        """Write architecture, words, fixed vectors and weights; each file is written atomically."""
        folder.mkdir(parents=True, exist_ok=True)
        self.save_settings(folder)
        if self.is_fixed:
            word_table.save_vectors(self.vectors.cpu().numpy(), folder)
        save_own(self, folder / WEIGHTS)

    def save_settings(self, folder: Path) -> None:
        """Write architecture and words."""
        write_json(folder / SETTINGS, asdict(self.architecture))
        self.featurizer.table.save(folder)


def new(settings: str, *, limits: Limits = Limits()) -> QANet:
    """Create an untrained reader from `new:qanet,texts=FILE,…`; see `networks.qanet_new`."""
    from babelspan.networks.qanet_new import make, parsed  # it imports this module

    return make(parsed(settings), limits=limits)[0]


def load(folder: Path, *, limits: Limits = Limits()) -> QANet:
    """Load a reader from a folder.

    Raises:
        ConfigError: if its settings are not those of a QANet.
        DataError: if files are missing or broken.
    """
    architecture = build(Architecture, read_json(folder / SETTINGS), str(folder / SETTINGS))
    table = word_table.load_words(folder)
    vectors = word_table.load_vectors(folder, table.rows)
    reader = QANet(architecture, table, vectors, limits=limits)
    load_own(reader, folder / WEIGHTS, "the weights of a QANet of this architecture")
    return reader.eval()


def _check(architecture: Architecture, table: WordTable) -> None:
    width, heads = architecture.width, architecture.heads
    if width % 2 or width % heads:
        raise ConfigError(
            f"expected a width that is even and a multiple of heads, got a width of {width} and "
            f"{heads} heads"
        )
    if architecture.dependent != "none" and len(table.sides) < 2:
        raise ConfigError(
            f"layers that depend on the language (dependent={architecture.dependent!r}) take two "
            f"sides or more, got {', '.join(table.sides) or 'none'}; give --sides source,target"
        )


def _by_side(made: Sequence[Tensor], side: Tensor) -> Tensor:
    """For each token, the output of the layers of its side, (B, L, H)."""
    chosen = made[0]
    for number, other in enumerate(made[1:], 1):
        chosen = torch.where((side == number)[..., None], other, chosen)
    return chosen


def _masked(logits: Tensor, row: Row) -> Tensor:
    """Masked logits (B, L) from (B, L, 1): minus infinity for padding, -1e9 for the question."""
    found = logits.squeeze(-1).float().masked_fill(row.question, -1e9)
    return found.masked_fill(~(row.question | row.context), -torch.inf)
