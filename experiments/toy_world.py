"""What an experiment on the toy world of parallel languages needs, as ordinary files.

    python experiments/toy_world.py OUT [--seed 0]

OUT/reader                      an encoder without a span head, for `babelspan train --reader`
OUT/train.qaa.json.gz           labelled examples in the first language
OUT/translated/train.*.json.gz  their exact translations: T(Q) is <other>-qaa, T(C) qaa-<other>,
                                T(Q+C) <other>
OUT/dev, OUT/test               a parallel set each, with the same ids in every language

The languages L0 to L3 of the world are written qaa to qad, codes that ISO 639-2 leaves to local
use. Stories of the sets, and of the texts of each language in pretraining, have nothing in common.
A part that is there is not made again.

Pretraining, on unparallel text of all languages: some facts of a document, each said in either
paraphrase, then the document. Words are hidden and told (Devlin et al. 2019, arXiv:1810.04805), and
those hidden in the first part are looked up in the document, by attention summed over the places
where they stand (Kadlec et al. 2016). Neither sees a label, a question, or two languages at once.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from rich.progress import track
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForMaskedLM

from babelspan.data.files import read_json, write_json
from babelspan.data.squad import save_squad
from babelspan.models.pretrained import PretrainedReader
from babelspan.types import ConfigError, Example

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from miniature import POSITIONS, word_tokenizer
from world import LANGUAGES, MARKS, World

CODES = dict(zip(LANGUAGES, ("qaa", "qab", "qac", "qad"), strict=True))
OWN, *OTHERS = LANGUAGES
TRAIN, DEV, TEST = 1, 2, 3  # seeds of examples
SHARED_NAMES = 0.5
WIDTH, LAYERS, HEADS = 64, 4, 4
BATCH = 32
RATE, RATE_OF_EMBEDDINGS = 2e-3, 1e-2
HIDDEN_OBJECTS, HIDDEN_AGAIN, HIDDEN_IN_DOCUMENT = 0.5, 0.2, 0.1
RESTATED = 3
BETAS = (0.9, 0.98)
UNHIDDEN = ("[CLS]", "[SEP]", ".", "-")


class Sizes(NamedTuple):
    """How much of everything; the default is what the experiments use."""

    train: int = 20_000
    held_out: int = 500
    updates: int = 6000


FULL = Sizes()


class Text(NamedTuple):
    """Words of some facts and of a document; `objects` are places of objects among the former."""

    facts: list[str]
    document: list[str]
    objects: set[int]


class Batch(NamedTuple):
    """Tokens as shown and as they are, segments, what is hidden: (B, L) each, 0 for padding."""

    shown: Tensor
    tokens: Tensor
    segments: Tensor
    hidden: Tensor


def make(out: Path, *, seed: int = 0, sizes: Sizes = FULL) -> None:
    """Write everything that `out` lacks.

    Raises:
        ConfigError: if `out` was begun with another seed or other sizes.
    """
    torch.set_num_threads(1)
    settings = {"seed": seed, "shared_names": SHARED_NAMES, **sizes._asdict()}
    claim(out / "toy_world.json", settings)
    world = World(seed, shared_names=SHARED_NAMES)
    for name, examples in data_sets(world, sizes):
        if not (out / name).exists():
            save_squad(out / name, examples())
    if not (out / "reader").exists():
        beside = out / ".reader.part"
        pretrained(world, seed, sizes.updates).save(beside)
        beside.rename(out / "reader")


def claim(path: Path, settings: dict[str, float]) -> None:
    """See that the folder of `path` is of these settings, which are written if there are none."""
    if not path.exists():
        write_json(path, settings)
    if (found := read_json(path)) != settings:
        raise ConfigError(
            f"{path}: expected {settings}, found {found}; choose another folder or remove this one"
        )


def data_sets(world: World, sizes: Sizes) -> Iterator[tuple[str, Callable[[], list[Example]]]]:
    """Names of files, and what makes their examples."""
    yield f"train.{CODES[OWN]}.json.gz", partial(world.examples, sizes.train, seed=TRAIN)
    for other in OTHERS:
        for question, context in ((other, OWN), (OWN, other), (other, other)):
            codes = "-".join(dict.fromkeys((CODES[question], CODES[context])))
            yield (
                f"translated/train.{codes}.json.gz",
                partial(world.translations, sizes.train, question, context, seed=TRAIN),
            )
    for split, seed in (("dev", DEV), ("test", TEST)):
        for language, code in CODES.items():
            yield (
                f"{split}/{split}.{code}.json.gz",
                partial(world.examples, sizes.held_out, language, language, seed=seed),
            )


def pretrained(world: World, seed: int, updates: int) -> PretrainedReader:
    """An encoder that has read unparallel text; its span head is not among its weights."""
    tokenizer = word_tokenizer(world.vocabulary())
    torch.manual_seed(seed)
    model = BertForMaskedLM(architecture(len(tokenizer), tokenizer.pad_token_id))
    looks = nn.Linear(WIDTH, WIDTH)
    embeddings = list(model.bert.embeddings.parameters())
    others = [p for name, p in model.named_parameters() if ".embeddings." not in name]
    learnt = [{"params": embeddings, "lr": RATE_OF_EMBEDDINGS}, {"params": others}]
    optimizer = torch.optim.AdamW([*learnt, {"params": looks.parameters()}], lr=RATE, betas=BETAS)
    falls = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda u: rate_after(u, updates))
    for number in track(range(updates), "pretraining"):
        batch = batch_of(world, tokenizer.get_vocab(), seed, number)
        loss = loss_of(model, looks, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        falls.step()
    return PretrainedReader(model.bert, tokenizer)


def architecture(words: int, padding: int) -> BertConfig:
    """Of the encoder: weights as wide as narrow layers need them, no dropout."""
    return BertConfig(
        vocab_size=words,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=2 * WIDTH,
        initializer_range=WIDTH**-0.5,
        max_position_embeddings=POSITIONS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=padding,
    )


def rate_after(update: int, updates: int) -> float:
    """Part of the highest learning rate: up in a tenth of the updates, then down."""
    return min((update + 1) / (0.1 * updates), (updates - update) / (0.9 * updates))


def loss_of(model: BertForMaskedLM, looks: nn.Linear, batch: Batch) -> Tensor:
    """Hidden words told, plus those of the first part found in the document."""
    seen = (batch.tokens != 0).long()
    vectors = model.bert(
        input_ids=batch.shown, token_type_ids=batch.segments, attention_mask=seen
    ).last_hidden_state
    told = cross_entropy(model.cls(vectors[batch.hidden]), batch.tokens[batch.hidden])

    asked = batch.hidden & (batch.segments == 0)
    rows = asked.nonzero()[:, 0]
    scores = (looks(vectors[asked])[:, None] * vectors[rows]).sum(-1) / WIDTH**0.5
    document = batch.segments[rows] == 1
    same = document & (batch.tokens[rows] == batch.tokens[asked][:, None])
    stands = same.any(dim=1)
    missed = log_sum(scores, document) - log_sum(scores, same)
    return told + missed[stands].mean()


def log_sum(scores: Tensor, places: Tensor) -> Tensor:
    """Log of the summed exponentials of scores (N, L) at places (N, L)."""
    return scores.masked_fill(~places, -1e4).logsumexp(dim=1)


def batch_of(world: World, ids: dict[str, int], seed: int, number: int) -> Batch:
    """A batch of texts, a part of it in each language, none of them seen before."""
    rng = random.Random(f"texts {seed}, batch {number}")
    languages = [LANGUAGES[i % len(LANGUAGES)] for i in range(BATCH)]
    texts = [
        text_of(world, f"pretraining {number}-{i}", language, rng)
        for i, language in enumerate(languages)
    ]
    rows = [masked(text, ids, rng) for text in texts]
    longest = max(len(tokens) for tokens, *_ in rows)
    columns = zip(*rows, strict=True)
    shown, tokens, segments, hidden = (
        torch.tensor([row + [0] * (longest - len(row)) for row in rows]) for rows in columns
    )
    return Batch(shown, tokens, segments, hidden.bool())


def text_of(world: World, story: str, language: str, rng: random.Random) -> Text:
    """The text of a story: one to some of its facts, in either paraphrase, and all of them."""
    told = world.story(story).facts
    facts: list[str] = []
    objects: set[int] = set()
    for fact in rng.sample(told, rng.randint(1, RESTATED)):
        words = words_of(world.tell(fact._replace(paraphrase=rng.randrange(2)), language))
        object_ = words_of(world.say(fact.object, language))
        at = next(i for i in range(len(words)) if words[i : i + len(object_)] == object_)
        if rng.random() < HIDDEN_OBJECTS:
            objects.update(range(len(facts) + at, len(facts) + at + len(object_)))
        facts += words
    return Text(facts, [w for fact in told for w in words_of(world.tell(fact, language))], objects)


def masked(text: Text, ids: dict[str, int], rng: random.Random) -> list[list[int]]:
    """A row of each tensor of a batch: [CLS] facts [SEP] document [SEP], some words hidden."""
    words = ["[CLS]", *text.facts, "[SEP]", *text.document, "[SEP]"]
    first = len(text.facts) + 2
    tokens = [ids[word] for word in words]
    chances = [HIDDEN_AGAIN if place < first else HIDDEN_IN_DOCUMENT for place in range(len(words))]
    hidden = [
        word not in UNHIDDEN and (place - 1 in text.objects or rng.random() < chance)
        for place, (word, chance) in enumerate(zip(words, chances, strict=True))
    ]
    shown = [ids["[MASK]"] if hides else token for token, hides in zip(tokens, hidden, strict=True)]
    return [shown, tokens, [int(place >= first) for place in range(len(words))], hidden]


def words_of(text: str) -> list[str]:
    """Words and marks, as the tokenizer of the reader divides them."""
    for mark in MARKS:
        text = text.replace(mark, f" {mark} ")
    return text.split()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    make(wanted.out, seed=wanted.seed)


if __name__ == "__main__":
    main()
