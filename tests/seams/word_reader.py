"""A network without transformers: whole words, embeddings, one recurrent layer, a span head."""

import json

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn

from babelspan.networks.reader import Reading, collate
from babelspan.reading.windows import Featurizer

WORDS = ["[PAD]", "[UNK]", "[NONE]", *["what", "is", "the", "of", "was", "w", "a", "?"]]


class WordReader(nn.Module):
    """A reader over words; `[NONE]` stands first, for "no answer"."""

    kind = "word_reader"

    def __init__(self, width, words, limits):
        super().__init__()
        self.width = width
        tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, "[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[NONE] $A", pair="[NONE] $A $B:1", special_tokens=[("[NONE]", 2)]
        )
        self.featurizer = Featurizer(tokenizer, max_positions=4096, pad_id=0, limits=limits)
        self.words = words
        self.limits = self.featurizer.limits
        self.windows, self.together = self.featurizer.windows, self.featurizer.together
        self.embedding = nn.Embedding(len(words), width)
        self.layer = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(width, 2)

    def collate(self, windows):
        return collate(self.featurizer, windows)

    def forward(self, batch):
        hidden, _ = self.layer(self.embedding(batch.input_ids))
        padding = batch.attention_mask[:, :, None] == 0
        start, last = self.head(hidden).masked_fill(padding, -torch.inf).unbind(-1)
        return Reading(start, last, hidden[:, 0], hidden)

    def save(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "words.json").write_text(json.dumps([self.width, self.words]))
        torch.save(self.state_dict(), folder / "weights.pt")


def new(settings, *, limits):
    return WordReader(int(settings.removeprefix("width=") or 8), WORDS, limits)


def load(folder, *, limits):
    reader = WordReader(*json.loads((folder / "words.json").read_text()), limits)
    reader.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
    return reader
