"""A reader that selects a passage of an article, the kind of answer, and the answer span.

Alberti, Lee and Collins (2019), arXiv:1901.08634, Section 3: an encoder, a span head, and a head
for the kind of answer on the vector of the first token. A third head gives each passage of a window
the mean logit of its tokens; "no passage" gets the logit of the first token. On plain texts it
behaves like its inner reader.

The folder of a saved reader contains the inner reader, which transformers can load, and
`passages.safetensors`.

Shapes: B windows, L tokens, P passages of the window with the most, H width.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from babelspan.networks import pretrained
from babelspan.networks.own_weights import load_own, save_own
from babelspan.networks.pretrained import Encoder, PretrainedReader
from babelspan.networks.reader import Batch, Reading, moved_to
from babelspan.reading.articles import ArticleWindow, Kind, article_windows
from babelspan.reading.windows import Featurizer, Window
from babelspan.types import Article, Example, Limits

WEIGHTS = "passages.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class ArticleBatch:
    """Windows over articles as tensors.

    Attributes:
        texts: the windows; `texts.answers` are the tokens of their labels.
        slots: number of each token's passage in its window, from 1; 0 for none, (B, L).
        counts: number of tokens of each passage, (B, 1 + P); 1 for "no passage", 0 for passages
            that a window does not have.
        passages: gold passage of each window, 0 for none, (B,).
        kinds: gold kind of answer, (B,).
    """

    texts: Batch
    slots: Tensor
    counts: Tensor
    passages: Tensor
    kinds: Tensor

    @property
    def tokens(self) -> int:
        """Number of tokens of the windows, without padding."""
        return self.texts.tokens

    def to(self, device: torch.device) -> "ArticleBatch":
        """A copy of the batch on a device."""
        return ArticleBatch(
            self.texts.to(device),
            *(moved_to(device, t) for t in (self.slots, self.counts, self.passages, self.kinds)),
        )


class ArticleReading(NamedTuple):
    """The output for a batch; all logits in fp32.

    Attributes:
        start_logits: (B, L).
        last_logits: (B, L).
        passage_logits: logits of "no passage" and of each passage, (B, 1 + P); minus infinity for
            passages that a window does not have.
        kind_logits: in the order of `reading.articles.Kind`, (B, 5).
    """

    start_logits: Tensor
    last_logits: Tensor
    passage_logits: Tensor
    kind_logits: Tensor


class PassageReader(nn.Module):
    """Adds heads for passages and kinds of answer to a reader.

    The weights of the new heads are drawn from a separate random state.

    Args:
        inner: the inner reader, whose encoder and span head are used.
        seed: seed of the new weights.
    """

    kind = "passage_reader"

    def __init__(self, inner: PretrainedReader, *, seed: int = 0) -> None:
        super().__init__()
        self.inner = inner
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.passage_head = nn.Linear(inner.width, 1)
            self.kind_head = nn.Linear(inner.width, len(Kind))

    @property
    def encoder(self) -> Encoder:
        """The inner reader's encoder."""
        return self.inner.encoder

    @property
    def featurizer(self) -> Featurizer:
        """The featurizer, which cuts texts and articles into windows."""
        return self.inner.featurizer

    @property
    def width(self) -> int:
        """Width of the encoder's vectors, H."""
        return self.inner.width

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""
        return self.inner.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of plain texts, in order; errors are those of `Featurizer.windows`."""
        return self.inner.windows(examples, limits)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters of the known tokens of a text, as `Featurizer.known`."""
        return self.inner.known(text)

    def together(self, group: Sequence[Example]) -> Iterator[tuple[Window, ...]]:
        """Windows of examples over one context, as `Featurizer.together`."""
        return self.inner.together(group)

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows of plain texts into a batch."""
        return self.inner.collate(windows)

    def article_windows(self, article: Article) -> Iterator[ArticleWindow]:
        """The windows of an article, in order; errors are those of `Featurizer.windows`."""
        return article_windows(self.featurizer, article)

    def collate_articles(self, windows: Sequence[ArticleWindow]) -> ArticleBatch:
        """Collate windows of articles into a batch."""
        texts = self.inner.collate([window.window for window in windows])
        labels = [window.label for window in windows]
        slots = np.zeros(tuple(texts.input_ids.shape), np.int64)
        counts = np.zeros((len(windows), 1 + max(len(w.passages) for w in windows)), np.float32)
        counts[:, 0] = 1
        for row, window in enumerate(windows):
            slots[row, : window.length] = window.slots()
            counts[row, 1 : 1 + len(window.passages)] = np.diff(window.passages[:, 1:], axis=1)[
                :, 0
            ]
        return ArticleBatch(
            texts=replace(texts, answers=torch.tensor([label.tokens for label in labels])),
            slots=torch.from_numpy(slots),
            counts=torch.from_numpy(counts),
            passages=torch.tensor([label.passage for label in labels]),
            kinds=torch.tensor([int(label.kind) for label in labels]),
        )

    def forward(self, batch: Batch) -> Reading:
        """Logits and vectors of plain texts, from the inner reader."""
        reading: Reading = self.inner(batch)
        return reading

    def read(self, batch: ArticleBatch) -> ArticleReading:
        """Logits of windows of articles."""
        reading = self(batch.texts)
        of_tokens, kinds = self.heads(reading)
        return ArticleReading(
            reading.start_logits, reading.last_logits, _of_passages(of_tokens, batch), kinds
        )

    def heads(self, reading: Reading) -> tuple[Tensor, Tensor]:
        """Passage logit of each token, (B, L), and logits of the kinds of answer, (B, 5)."""
        of_tokens = self.passage_head(reading.hidden).squeeze(-1).float()
        return of_tokens, self.kind_head(reading.summary).float()

    def save(self, folder: Path) -> None:
        """Write the inner reader's files and the weights of the heads."""
        self.inner.save(folder)
        save_own(self, folder / WEIGHTS)


def load(folder: Path, *, limits: Limits = Limits()) -> PassageReader:
    """Load a reader from a folder.

    Raises:
        DataError: if files are missing or broken.
    """
    reader = PassageReader(pretrained.load(str(folder), limits=limits))
    load_own(reader, folder / WEIGHTS, "the weights that select passages")
    return reader


def _of_passages(of_tokens: Tensor, batch: ArticleBatch) -> Tensor:
    """Logits of passages, (B, 1 + P): means of token logits, (B, L), over each passage."""
    numbers = torch.arange(batch.counts.shape[1], device=of_tokens.device)
    is_of = batch.slots[:, None, :] == numbers[None, :, None]
    sums = (is_of * of_tokens[:, None, :]).sum(dim=-1)
    sums = torch.cat([of_tokens[:, :1], sums[:, 1:]], dim=1)  # "no passage" is the first token
    return (sums / batch.counts.clamp(min=1)).masked_fill(batch.counts == 0, -torch.inf)
