"""A reader of a text together with its translations; answers are spans of the text itself.

Wu et al. (2021), arXiv:2107.05002, Section 4.2: one encoder for all texts, adaptive attention over
the translations, a span head on G (Eq. 20 and 21).

The folder of a saved reader contains the encoder with its plain head, which transformers can load,
and `parallel.json`, `parallel.safetensors`.

Shapes: B windows of a batch, K windows of their translations, N languages, L tokens, H width.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from babelspan.config import build
from babelspan.data.files import read_json, write_json
from babelspan.networks import pretrained
from babelspan.networks.adaptive_attention import AdaptiveAttention, Formula, Texts
from babelspan.networks.own_weights import load_own, save_own
from babelspan.networks.pretrained import Encoder, PretrainedReader
from babelspan.networks.reader import Batch, Reading, moved_to
from babelspan.reading.parallel import SETTINGS, ParallelFeaturizer, ParallelWindow, numbered
from babelspan.types import Example, Limits

WEIGHTS = "parallel.safetensors"


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Settings of the attention to translations, stored in `parallel.json`.

    Attributes:
        languages: languages of the translations, in the order in which they are concatenated.
        heads: number of attention heads; must divide the encoder's width.
        formula: as in `AdaptiveAttention`.
    """

    languages: tuple[str, ...]
    heads: PositiveInt = 1
    formula: Formula = "heads"


@dataclass(frozen=True, slots=True, eq=False)
class ParallelBatch:
    """Windows and windows of their translations as tensors.

    Attributes:
        texts: B own windows, then K windows of translations.
        owners: index of the own window of each translation, (K,).
        rows: index among the K translations, for each own window and language; K for none, (B, N).
        windows: the B windows.
    """

    texts: Batch
    owners: Tensor
    rows: Tensor
    windows: tuple[ParallelWindow, ...]

    @property
    def input_ids(self) -> Tensor:
        """Token ids of the own windows, (B, L)."""
        return self.texts.input_ids[: len(self.windows)]

    @property
    def answers(self) -> Tensor:
        """First and last token of the gold answers, as in `Batch`, (B, 2)."""
        return self.texts.answers[: len(self.windows)]

    @property
    def other_answers(self) -> Tensor:
        """First and last token of the gold answers in the translations, (K, 2)."""
        return self.texts.answers[len(self.windows) :]

    @property
    def both_answered(self) -> Tensor:
        """Whether both a translation's window and its own window contain the answer, (K,)."""
        return (self.other_answers[:, 0] > 0) & (self.answers[self.owners, 0] > 0)

    @property
    def examples(self) -> list[Example]:
        """The example of each own window, B of them."""
        return [window.example for window in self.windows]

    @property
    def tokens(self) -> int:
        """Number of tokens of all windows, without padding."""
        return self.texts.tokens

    @property
    def answer_mask(self) -> Tensor:
        """As in `Batch`, (B, L)."""
        return self.texts.answer_mask[: len(self.windows)]

    @property
    def question_mask(self) -> Tensor:
        """As in `Batch`, (B, L)."""
        return self.texts.question_mask[: len(self.windows)]

    @property
    def context_at(self) -> Tensor:
        """As in `Batch`, (B,)."""
        return self.texts.context_at[: len(self.windows)]

    def hiding(self, part: float) -> "ParallelBatch":
        """The same batch with a random part of its translations hidden from the attention."""
        if not part:
            return self
        hidden = (torch.rand(self.rows.shape) < part).to(self.rows.device)
        return replace(self, rows=self.rows.masked_fill(hidden, len(self.owners)))

    def to(self, device: torch.device) -> "ParallelBatch":
        """A copy of the batch on a device."""
        return replace(
            self,
            texts=self.texts.to(device),
            owners=moved_to(device, self.owners),
            rows=moved_to(device, self.rows),
        )


class Read(NamedTuple):
    """The output for a batch: for the own windows (B), and for each translation (K).

    Translations are read by the encoder and its plain head only, independently of other texts.
    """

    own: Reading
    others: Reading


class ParallelReader(nn.Module):
    """Adds attention to translations to a reader; the inner reader encodes all texts.

    Translations are read with the plain head of the inner reader. The new head is initialised with
    the plain head, and with zeros for the part that attention adds, so that before training it
    gives the answers of the inner reader. Other new weights are drawn from a separate random state.

    Args:
        inner: the inner reader.
        attention: settings of the attention; None for no attention: the own text is then read with
            the plain head, as by the inner reader.
        languages: languages of the translations, if there is no attention.
        seed: seed of the new weights.
    """

    kind = "parallel_texts"

    def __init__(
        self,
        inner: PretrainedReader,
        attention: Attention | None,
        *,
        languages: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.inner = inner
        self.attention = attention
        self.featurizer = ParallelFeaturizer(
            inner.featurizer, languages if attention is None else attention.languages
        )
        if attention is not None:
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)
                self.adaptive = AdaptiveAttention(
                    inner.width,
                    len(attention.languages),
                    heads=attention.heads,
                    formula=attention.formula,
                )
                self.head = _wider(inner.span_head, inner.width)

    @property
    def encoder(self) -> Encoder:
        """The inner reader's encoder."""
        return self.inner.encoder

    def new_parameters(self) -> list[nn.Parameter]:
        """The parameters of the attention and of the head on it."""
        return [p for name, p in self.named_parameters() if not name.startswith("inner.")]

    @property
    def width(self) -> int:
        """Width of the encoder's vectors, H."""
        return self.inner.width

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the translations, in order."""
        return self.featurizer.languages

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""
        return self.featurizer.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[ParallelWindow]:
        """The windows of examples, in order, as `ParallelFeaturizer.windows`."""
        return self.featurizer.windows(examples, limits)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters of the known tokens of a text, as `Featurizer.known`."""
        return self.featurizer.known(text)

    def together(self, group: Sequence[Example]) -> Iterator[tuple[ParallelWindow, ...]]:
        """Windows for training, as `ParallelFeaturizer.together`."""
        return self.featurizer.together(group)

    def collate(self, windows: Sequence[ParallelWindow]) -> ParallelBatch:
        """Collate windows into a batch."""
        texts, owners, rows = numbered(windows)
        return ParallelBatch(
            texts=self.inner.collate(texts),
            owners=torch.from_numpy(owners),
            rows=torch.from_numpy(rows),
            windows=tuple(windows),
        )

    def forward(self, batch: ParallelBatch) -> Reading:
        """Logits and vectors of the own windows; logits are always in fp32.

        On the CPU, the texts of a single window are read one by one, because padding would cost
        more than batching saves.
        """
        on_cpu = batch.input_ids.device.type == "cpu"
        if self.training or len(batch.windows) > 1 or not on_cpu:
            return self.read(batch).own
        return self._apart(batch)

    def read(self, batch: ParallelBatch) -> Read:
        """As `forward`, with the plain head's output for each translation."""
        texts: Reading = self.inner(batch.texts)
        size = len(batch.windows)
        own = Reading(*(part[:size] for part in texts)) if len(batch.owners) else texts
        others = Reading(*(part[size:] for part in texts))
        if self.attention is None:
            return Read(own, others)
        own_mask, others_mask = batch.texts.attention_mask.tensor_split([size])
        beside = Texts(others.hidden, others_mask)
        return Read(self._attending(own, own_mask, beside, batch), others)

    def _apart(self, batch: ParallelBatch) -> Reading:
        """Read a batch of one own window: each text separately, equal texts once."""
        found: dict[bytes, Reading] = {}
        read = []
        for number in range(len(batch.texts.windows)):
            text = batch.texts.alone(number)
            seen = torch.stack([text.input_ids, text.token_type_ids]).numpy().tobytes()
            if seen not in found:
                found[seen] = self.inner(text)
            read.append(found[seen])
        own, *others = read
        if self.attention is None:
            return own
        nothing = own.hidden[:0]
        vectors = [text.hidden[0] for text in others]
        masks = [torch.ones(len(text), dtype=torch.long) for text in vectors]
        beside = Texts(
            pad_sequence(vectors, batch_first=True) if vectors else nothing,
            pad_sequence(masks, batch_first=True) if masks else nothing[..., 0].long(),
        )
        return self._attending(own, batch.texts.alone(0).attention_mask, beside, batch)

    def _attending(
        self, own: Reading, mask: Tensor, others: Texts, batch: ParallelBatch
    ) -> Reading:
        """A reading of own texts with its logits replaced by those with attention."""
        start_logits, last_logits = self.spans(
            Texts(own.hidden, mask), others, batch.owners, batch.rows
        )
        return own._replace(start_logits=start_logits, last_logits=last_logits)

    def spans(
        self, own: Texts, others: Texts, owners: Tensor, rows: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start and last logits of own texts, (B, L) each: Eq. 20 and 21.

        The arguments are those of `AdaptiveAttention.forward`.
        """
        logits = self.head(self.adaptive(own, others, owners, rows)).float()
        padding = own.mask[:, :, None] == 0
        start_logits, last_logits = logits.masked_fill(padding, -torch.inf).unbind(-1)
        return start_logits, last_logits

    def save(self, folder: Path) -> None:
        """Write the inner reader's files, the attention's weights and its settings."""
        assert self.attention is not None
        self.inner.save(folder)
        save_own(self, folder / WEIGHTS)
        write_json(folder / SETTINGS, asdict(self.attention))


def load(folder: Path, *, limits: Limits = Limits()) -> ParallelReader:
    """Load a reader from a folder.

    Raises:
        ConfigError: if its settings are not those of a reader of parallel texts.
        DataError: if files are missing or broken.
    """
    attention = build(Attention, read_json(folder / SETTINGS), str(folder / SETTINGS))
    reader = ParallelReader(pretrained.load(str(folder), limits=limits), attention)
    load_own(reader, folder / WEIGHTS, "the weights of its attention")
    return reader


def _wider(plain: nn.Linear | None, width: int) -> nn.Linear:
    """A head on vectors of twice the width, initialised from a plain head if there is one."""
    head = nn.Linear(2 * width, 2)
    if plain is not None:
        with torch.no_grad():
            head.weight.zero_()
            head.weight[:, :width] = plain.weight
            head.bias.copy_(plain.bias)
    return head
