"""Multilingual adaptive attention: a text is read together with its translations.

Paper      Wu et al. (2021), arXiv:2107.05002, Sections 4.2 and 4.3; Tables 4, 5, 7 and 8. Built on
           Cui et al. (2019), arXiv:1909.00361 (Dual BERT), which fills in details not stated there.
Needs      examples in one language with their translations: T(Q+C), or parallel files with the
           same ids; missing translations count as zeros. `target` examples if the training sets
           are to be weighted.
Departs    1. Eq. 10 is Dual BERT's, A_S A_SM A_M^T, multi-head and scaled; the paper misprints it
              without the transpose. `attention = "printed"` is Eq. 5 to 13 as printed. Padding is
              masked in both.
           2. lambda has no gradient, and is 0 if either window lacks the answer.
           3. The span losses are half of the paper's, and means over the batch; the weights of
              the training sets (Eq. 19) are scaled to a mean of 1 over the examples.
           4. The target questions are those of `--target`; the paper uses those of the test set.
           5. Details that the paper omits follow Dual BERT: the span vectors H, and a plain span
              head for the translations.
           6. The new head is initialised with the plain head, and with zeros for the part that
              attention adds.
           7. `hidden`, `likeness = "one"`, `auxiliary` and `attention = "none"` are controls.

Algorithm, for each batch x of texts S with their translations R
    1  read    spans of S with attention to R, plain spans and vectors of R  <-  reader(x)
    2  weight  lambda_R = max(0, cosine(answer in S, answer in R)), without gradient
    3  reader  minimise weight of the training set * (L_S + sum over R of lambda_R L_R)
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from babelspan.augment.mix import TaskWeight, task_weights
from babelspan.data.files import write_json
from babelspan.losses.similarity import span_likeness
from babelspan.losses.span import span_losses
from babelspan.networks.parallel_texts import Attention, ParallelBatch, ParallelReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import Reader
from babelspan.training.fit import Losses, fit
from babelspan.training.members import Joined, joined, parallel
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater
from babelspan.types import ConfigError, DataError, Example

NEEDS = {"labelled"}
TAKES = {"target"}

WEIGHTS = "task_weights.json"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=4e-5, schedule="cosine")
    """Optimiser of the reader (Wu et al. 2021, Section 5.2: Adam, 4e-5, cosine decay)."""
    own: str | None = None
    """Language of the texts to answer from; by default that of the first example."""
    languages: tuple[str, ...] | None = None
    """Languages of the translations, in order; by default all languages, sorted by code."""
    attention: Literal["heads", "printed", "none"] = "heads"
    """Attention to the translations: multi-head, the formula as printed, or none (plain head)."""
    heads: PositiveInt | None = None
    """Number of attention heads; by default that of the encoder."""
    new_rate: PositiveFloat = 1.0
    """Factor of the learning rate for attention and head, which are new (ours)."""
    auxiliary: NonNegativeFloat = 1.0
    """Weight of the losses on the translations, 1 in the paper; 0 turns them off."""
    likeness: Literal["cosine", "one"] = "cosine"
    """The value of lambda: the cosine of Eq. 23, or 1."""
    hidden: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of the translations that are not attended to, drawn anew for each batch."""
    same_numbers: bool = False
    """Whether to skip translations whose question contains other numbers than the original's."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader; see the algorithm above.

    A reader of single texts gets attention and a new head; with `attention = "none"` it keeps its
    form. A reader of parallel texts is trained further.

    Raises:
        ConfigError: if the run asks questions about the wrong text (`negatives`), or the reader
            cannot attend to translations, or has nothing new for `new_rate`.
        DataError: if no text has a translation, unless `languages` is given; as `joined` and
            `parallel`.
    """
    if run.config.negatives:
        raise ConfigError(
            f"expected negatives = 0, got {run.config.negatives}: questions over the wrong text "
            "have no translations"
        )
    found = _joined(reader, corpora, config, run)
    weights = _weights(corpora, found, run)
    attending = _attending(reader, found, config, run)
    new = attending.new_parameters()
    if not new and config.new_rate != 1:
        raise ConfigError(
            f"expected new_rate = 1, got {config.new_rate}: nothing is new without attention; "
            "leave it out"
        )
    update_reader = Updater(attending, config.reader, run, new=new, new_rate=config.new_rate)

    def step(batch: ParallelBatch) -> Losses:
        own, others = attending.read(batch.hiding(config.hidden))

        like = batch.both_answered.float()
        alike = span_likeness(
            (own.hidden.detach()[batch.owners], batch.answers[batch.owners]),
            (others.hidden, batch.other_answers),
        )
        if config.likeness == "cosine":
            like = like * alike

        weight = torch.tensor([weights.get(e.id, 1.0) for e in batch.examples]).to(like)
        spans = span_losses(own.start_logits, own.last_logits, batch.answers)
        translated = like * span_losses(
            others.start_logits, others.last_logits, batch.other_answers
        )
        span = (weight * spans).mean()
        auxiliary = (weight[batch.owners] * translated).sum() / len(spans)
        update_reader(span + config.auxiliary * auxiliary)

        return {
            "span": span,
            "translated": auxiliary,
            "likeness": alike.sum() / max(1, len(alike)),
        }

    fit(step, parallel(attending, found.examples, run), run)
    return attending if attending.attention is not None else attending.inner


def _joined(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Joined:
    """The examples with their translations, of which the log tells how many there are."""
    found = joined(
        corpora.labelled,
        own=config.own,
        languages=config.languages,
        same_numbers=config.same_numbers,
    )
    if run.place.leads:
        for line in found.summary():
            print(line, file=sys.stderr)
    if config.languages is None and config.attention != "none" and not any(found.present.values()):
        languages = reader.languages if isinstance(reader, ParallelReader) else ()
        raise DataError(
            "expected translations of the texts to learn from, found none for "
            f"{len(found.examples)} texts: add some with --train (`babelspan translate --strategy "
            "qc` makes them; they belong to a text by its id, or by `origin`), or, to learn "
            f"without, set languages = {list(languages)}"
        )
    return found


def _attending(reader: Reader, found: Joined, config: Config, run: Run) -> ParallelReader:
    """The reader of parallel texts to train."""
    if isinstance(reader, ParallelReader):
        if config.languages is not None and config.languages != reader.languages:
            raise ConfigError(
                f"expected a reader of translations into "
                f"{', '.join(config.languages) or 'no language'}, got one "
                f"of {', '.join(reader.languages)}; leave out `languages` to train it further"
            )
        _refuse_other_attention(reader.attention, config)
        return reader
    if not isinstance(reader, PretrainedReader):
        raise ConfigError(f"a reader of kind {reader.kind!r} cannot attend to translations")
    if config.attention == "none":
        return ParallelReader(reader, None, languages=found.languages)
    heads = config.heads or int(reader.encoder.model.config.num_attention_heads)
    if reader.width % heads:
        raise ConfigError(
            f"expected heads that divide the reader's width {reader.width}, got {heads}"
        )
    attention = Attention(languages=found.languages, heads=heads, formula=config.attention)
    return ParallelReader(reader, attention, seed=run.config.seed)


def _refuse_other_attention(attention: Attention | None, config: Config) -> None:
    """Refuse settings that would change the attention of a reader that has one."""
    heads = attention.heads if attention else None
    formula = attention.formula if attention else "none"
    if config.heads not in (None, heads):
        raise ConfigError(
            f"the reader has {heads or 'no'} heads, got heads = {config.heads}; leave it out"
        )
    if config.attention not in ("heads", formula):
        raise ConfigError(
            f"the reader's attention is {formula!r}, got {config.attention!r}; leave it out"
        )


def _weights(corpora: Corpora, found: Joined, run: Run) -> Mapping[str, float]:
    """The weight of each example by its id; empty if all weights are equal."""
    if not corpora.target:
        return {}
    sets = _sets(corpora, {(e.id, e.context_language) for e in found.examples})
    weights = task_weights(sets, corpora.target)
    if run.place.leads:
        _tell(weights, run)
    return {e.id: weights[name].weight for name, examples in sets.items() for e in examples}


def _sets(corpora: Corpora, own: set[tuple[str, str]]) -> dict[str, list[Example]]:
    """The examples in the own language by file; files of translations only are left out."""
    examples = iter(corpora.labelled)
    of_files = {name: list(islice(examples, count)) for name, count in corpora.sets}
    mine = {
        name: [e for e in some if (e.id, e.context_language) in own]
        for name, some in of_files.items()
    }
    return {name: some for name, some in mine.items() if some}


def _tell(weights: Mapping[str, TaskWeight], run: Run) -> None:
    """Print the weight of each training set, and write it to the run's folder."""
    for name, found in weights.items():
        print(
            f"{name}: likeness {found.likeness:.3f}, share {found.share:.3f}, each example weighs "
            f"{found.weight:.3f}",
            file=sys.stderr,
        )
    if run.folder is not None:
        kept = {name: found._asdict() for name, found in weights.items()}
        write_json(run.folder / WEIGHTS, kept)
