"""A question generator: a reader's encoder, a trained token per question language, a new head.

Riabi et al. (2021), arXiv:2010.12643, Sections 4 and 4.2; masks of Dong et al. (2019),
arXiv:1905.03197. The source's last token predicts the first piece (subword) of the question, each
piece predicts the next one, and the last piece predicts the end.

Shape letters: B questions, S source tokens, T pieces of a question with its end, L = S + T - 1,
H width, E embedding width, V pieces of the vocabulary.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoTokenizer, DynamicCache

from babelspan.config import build
from babelspan.data.files import filling, read_json, replacing, write_json
from babelspan.networks import pretrained
from babelspan.networks.asked import Asked, asked_of
from babelspan.networks.pretrained import Encoder, featurizer_of
from babelspan.networks.unilm import UnilmEncoder, built, unilm_mask, writing
from babelspan.networks.writing_head import Candidates, WritingHead, add_copied, mixed
from babelspan.reading.sources import MARKS, Form, Source, Sources
from babelspan.reading.windows import Featurizer
from babelspan.types import ConfigError, DataError, Limits

KIND = "question_generator"
RECORD = "generator.json"
_WEIGHTS = "model.safetensors"
_NEW_TOKENS = 0.02
"""Standard deviation of the initial embeddings of new tokens, as in BERT."""


class Writing(NamedTuple):
    """The output for gold questions (teacher forcing), in fp32, or fp64 if the generator is.

    Attributes:
        log_probs: log-probabilities of the gold pieces, (B, T); 0 for padding.
        uniform: mean over the vocabulary of the log-probabilities without the pointer, (B, T).
    """

    log_probs: Tensor
    uniform: Tensor


class State(NamedTuple):
    """The decoding state of a batch of partial questions of equal length.

    Attributes:
        cache: keys and values of sources and pieces so far.
        asked: the sources.
        keys: the pointer's keys, (B, S, H); None without a pointer.
        hidden: vectors that the next pieces are predicted from, (B, H).
        written: number of pieces read so far.
        candidates: the pieces to choose from.
    """

    cache: DynamicCache
    asked: Asked
    keys: Tensor | None
    hidden: Tensor
    written: int
    candidates: Candidates

    def rows(self, indices: Sequence[int]) -> "State":
        """The state of selected questions, in this order; a question may be repeated."""
        chosen = torch.tensor(indices, device=self.hidden.device)
        asked = Asked(
            self.asked.source_ids[chosen],
            self.asked.source_lengths[chosen],
            self.asked.questions[chosen],
            self.asked.real[chosen],
            tuple(self.asked.sources[i] for i in indices),
        )
        self.cache.reorder_cache(chosen)
        keys = None if self.keys is None else self.keys[chosen]
        return self._replace(asked=asked, keys=keys, hidden=self.hidden[chosen])


class QuestionGenerator(nn.Module):
    """Writes questions about answers in texts.

    Args:
        encoder: encodes the source and decodes the question.
        tokenizer: a fast tokenizer of transformers.

    Attributes:
        kind: name of the module that loads it.
        form: input format; None until `shape` has created the head.
        languages: question language -> index of its trained token.
        pieces_of: question language -> ids of the pieces that its questions may contain, besides
            those of their source; without an entry, all pieces are allowed.
    """

    kind = KIND

    def __init__(self, encoder: UnilmEncoder, tokenizer: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.featurizer: Featurizer = featurizer_of(encoder.model.config, tokenizer, Limits())
        self.form: Form | None = None
        self.languages: dict[str, int] = {}
        self.pieces_of: dict[str, list[int]] = {}
        self.head: WritingHead | None = None
        self.learnt = nn.Embedding(0, encoder.pieces.embedding_dim)

    def shape(self, form: Form, languages: Iterable[str], *, seed: int) -> None:
        """Create missing parts: the head, and a token for each new language.

        Args:
            form: input format.
            languages: languages to write questions in.
            seed: seed of the new weights.

        Raises:
            ConfigError: if it was trained with another input format.
        """
        if self.form not in (None, form):
            raise ConfigError(f"the generator was trained with {self.form}, expected {form}")
        pieces = self.encoder.pieces
        if self.head is None:
            self.head = WritingHead(
                width=self.encoder.width,
                embedding=pieces.embedding_dim,
                pieces=pieces.num_embeddings,
                pointer=form.pointer,
                seed=seed,
            )
        self.form = form
        known = self.learnt.weight.detach()
        for language in sorted(set(languages) - self.languages.keys()):
            self.languages[language] = len(self.languages)
        missing = MARKS + len(self.languages) - len(known)
        random = torch.Generator().manual_seed(seed)
        new = torch.randn(missing, pieces.embedding_dim, generator=random) * _NEW_TOKENS
        self.learnt = _embedding(torch.cat([known, new.to(known.device)]))

    @property
    def sources(self) -> Sources:
        """The factory of sources from examples.

        Raises:
            DataError: if the generator has not been trained.
        """
        if self.form is None:
            raise DataError(
                "expected a generator of questions, found one that has not been trained"
            )
        return Sources(
            self.featurizer,
            self.form,
            pieces=self.encoder.pieces.num_embeddings,
            languages=self.languages,
        )

    @property
    def end(self) -> int:
        """Id of the piece that ends a question."""
        return self.featurizer.frame.suffix[-1]

    @cached_property
    def forbidden(self) -> list[int]:
        """Ids that no question may contain: special tokens other than the end."""
        return sorted(set(self.tokenizer.all_special_ids) - {self.end})

    def collate(self, sources: Sequence[Source]) -> Asked:
        """Collate sources into a batch."""
        return asked_of(sources, self.featurizer.pad_id)

    def forward(self, batch: Asked) -> Writing:
        """Log-probabilities of the gold questions of a batch, given their sources."""
        columns = batch.source_ids.shape[1]
        ids = torch.cat([batch.source_ids, batch.questions[:, :-1]], dim=1)
        written = ids.shape[1] - columns
        sees = unilm_mask(batch.source_lengths, columns, written)
        hidden = self._states(ids, self._places(batch, written), columns, sees)
        last = _last(hidden, batch.source_lengths)
        at = torch.cat([last[:, None], hidden[:, columns:]], dim=1)
        return self._gold(at, self._head.keys(hidden[:, :columns]), batch)

    @torch.inference_mode()
    def start(self, batch: Asked, allowed: Tensor | None = None) -> State:
        """Read the sources; returns the state before the first piece.

        Args:
            batch: the sources.
            allowed: as in `candidates`.
        """
        columns = batch.source_ids.shape[1]
        cache = DynamicCache(config=self.encoder.model.config)
        sees = unilm_mask(batch.source_lengths, columns, 0)
        hidden = self._states(batch.source_ids, self._places(batch, 0), columns, sees, cache)
        last = _last(hidden, batch.source_lengths)
        candidates = self.candidates(batch, allowed)
        return State(cache, batch, self._head.keys(hidden), last, 0, candidates)

    @torch.inference_mode()
    def step(self, state: State, pieces: Tensor) -> State:
        """Read the next piece of each question, (B,); returns the new state."""
        lengths, columns = state.asked.source_lengths, state.asked.source_ids.shape[1]
        is_source = torch.arange(columns, device=lengths.device) < lengths[:, None]
        sees = torch.cat([is_source, is_source.new_ones(len(lengths), state.written + 1)], dim=1)
        hidden = self._states(
            pieces[:, None], (lengths + state.written)[:, None], 0, sees[:, None, None], state.cache
        )
        return state._replace(hidden=hidden[:, 0], written=state.written + 1)

    @torch.inference_mode()
    def next_pieces(self, state: State) -> Tensor:
        """Log-probabilities of the state's candidates, (B, C); minus infinity if not allowed."""
        candidates = state.candidates
        logits = self._head.logits(state.hidden, candidates.pieces, candidates.bias)
        log_probs = logits.log_softmax(dim=-1)
        if state.keys is not None:
            copied = self._copied(state.asked)
            weights, gate = self._head.copying(state.hidden[:, None], state.keys, copied)
            log_probs += F.logsigmoid(-gate)
        log_probs = candidates.spread(log_probs)
        if state.keys is not None:
            ids = state.asked.source_ids.where(copied, self.end)
            add_copied(log_probs, candidates.columns(ids), weights[:, 0], gate)
        log_probs[:, candidates.forbidden] = -torch.inf
        return log_probs

    def candidates(self, batch: Asked, allowed: Tensor | None = None) -> Candidates:
        """The pieces that the questions of a batch may consist of.

        Args:
            batch: the sources.
            allowed: ids of the pieces to choose from, with the end, ascending; pieces of the
                sources are candidates as well, for the pointer. None for all pieces.
        """
        pieces, bias = self.encoder.pieces.weight, self._head.bias
        forbidden = torch.tensor(self.forbidden, dtype=torch.long, device=pieces.device)
        if allowed is None:
            return Candidates.all(pieces, bias, forbidden)
        sources = batch.source_ids[self._copied(batch)]
        return Candidates.of(pieces, bias, forbidden, allowed=allowed, sources=sources)

    def allowed(self, language: str) -> Tensor | None:
        """The pieces of a language's questions, for `start`; None if all are allowed."""
        if language not in self.pieces_of:
            return None
        ids = sorted({*self.pieces_of[language], self.end})
        return torch.tensor(ids, device=self.learnt.weight.device)

    def save(self, folder: Path) -> None:
        """Write config, weights (safetensors), tokenizer and record; each file atomically."""
        with filling(folder) as beside:
            self.encoder.model.config.save_pretrained(beside)
            self.tokenizer.save_pretrained(beside)
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        with replacing(folder / _WEIGHTS) as beside:
            save_file(tensors, beside)
        form = None if self.form is None else asdict(self.form)
        languages = sorted(self.languages, key=self.languages.__getitem__)
        record = {"form": form, "languages": languages, "pieces": self.pieces_of}
        write_json(folder / RECORD, record)

    @property
    def _head(self) -> WritingHead:
        if self.head is None:
            raise DataError(
                "expected a generator of questions, found one that has not been trained"
            )
        return self.head

    def _states(
        self,
        ids: Tensor,
        places: Tensor,
        columns: int,
        sees: Tensor,
        cache: DynamicCache | None = None,
    ) -> Tensor:
        """Vectors of all tokens; the first `columns` are those of the source."""
        pieces = self.encoder.pieces
        is_learnt = ids >= pieces.num_embeddings
        embedded = pieces(ids.masked_fill(is_learnt, self.featurizer.pad_id))
        learnt = self.learnt((ids - pieces.num_embeddings).clamp_min(0))
        embedded = torch.where(is_learnt[..., None], learnt, embedded)
        types = (torch.arange(ids.shape[1], device=ids.device) >= columns).long().expand_as(ids)
        hidden: Tensor = self.encoder(embedded, types, places, sees, cache)
        return hidden

    def _places(self, batch: Asked, written: int) -> Tensor:
        """Position of each token, without padding, (B, S + written); padding gets the last one."""
        columns = batch.source_ids.shape[1]
        lengths = batch.source_lengths[:, None]
        of_source = torch.arange(columns, device=lengths.device)
        of_written = lengths + torch.arange(written, device=lengths.device)
        return torch.cat([torch.minimum(of_source, lengths - 1), of_written], dim=1)

    def _copied(self, batch: Asked) -> Tensor:
        """Whether a source token is a piece that can be copied, (B, S)."""
        columns = torch.arange(batch.source_ids.shape[1], device=batch.source_ids.device)
        is_source = columns < batch.source_lengths[:, None]
        return is_source & (batch.source_ids < self.encoder.pieces.num_embeddings)

    def _gold(self, at: Tensor, keys: Tensor | None, batch: Asked) -> Writing:
        """Log-probabilities of the gold pieces, predicted from vectors (B, T, H)."""
        real, gold = batch.real, batch.questions[batch.real]
        logits = self._head.logits(at[real], self.encoder.pieces.weight, self._head.bias)
        log_mass = logits.logsumexp(dim=-1)
        log_probs = logits.gather(1, gold[:, None])[:, 0] - log_mass
        if keys is not None:
            weights, gate = self._head.copying(at, keys, self._copied(batch))
            is_gold = batch.source_ids[:, None] == batch.questions[..., None]
            log_probs = mixed(log_probs, (weights * is_gold).sum(dim=-1)[real], gate[real])
        empty = torch.zeros(real.shape, dtype=log_probs.dtype, device=real.device)
        return Writing(
            empty.masked_scatter(real, log_probs),
            empty.masked_scatter(real, logits.mean(dim=-1) - log_mass),
        )


def load(folder: Path, *, limits: Limits = Limits()) -> QuestionGenerator:
    """Load a generator from a folder; `limits` has no effect.

    Raises:
        DataError: if a file is missing or broken.
    """
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        weights = load_file(folder / _WEIGHTS)
    except Exception as error:  # the libraries raise many classes; all mean the same to users
        cause = " ".join(str(error).split())[:300]
        raise DataError(f"{folder}: expected a generator of questions: {cause}") from error
    generator = QuestionGenerator(built(config), tokenizer)
    record = read_json(folder / RECORD)
    if not isinstance(record, Mapping) or not {"form", "languages", "pieces"} <= record.keys():
        raise DataError(f"{folder / RECORD}: expected form, languages and pieces; save it again")
    generator.languages = {language: n for n, language in enumerate(record["languages"])}
    generator.shape(build(Form, record["form"], str(folder / RECORD)), record["languages"], seed=0)
    generator.pieces_of = dict(record["pieces"])
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise DataError(f"{folder / _WEIGHTS}: other weights than expected: {error}") from error
    return generator


def begun(encoder: Encoder) -> QuestionGenerator:
    """An untrained generator from an encoder; errors are those of `unilm.built`."""
    return QuestionGenerator(writing(encoder.model), encoder.tokenizer)


def begin(name: str) -> QuestionGenerator:
    """An untrained generator from a checkpoint of an encoder or a reader.

    Raises:
        DataError: as `pretrained.load`.
        ConfigError: as `unilm.built`.
    """
    return begun(pretrained.load(name, gives_new_head=True).encoder)


def _embedding(weights: Tensor) -> nn.Embedding:
    """A trainable embedding layer with these initial weights."""
    made = nn.Embedding(*weights.shape)
    with torch.no_grad():
        made.weight.copy_(weights)
    return made


def _last(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Vector of each source's last token, (B, H), from (B, L, H)."""
    return hidden[torch.arange(len(lengths), device=lengths.device), lengths - 1]
