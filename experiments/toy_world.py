"""Make the data and the encoder for experiments on the toy world of parallel languages.

    python experiments/toy_world.py OUT [--seed 0]

OUT/reader                      an encoder without a span head, for `babelspan train --reader`
OUT/train.qaa.json.gz           labelled examples in the first language
OUT/translated/train.*.json.gz  their exact translations: T(Q) is <other>-qaa, T(C) qaa-<other>,
                                T(Q+C) <other>
OUT/dev, OUT/test               a parallel set each, with the same ids in every language
OUT/texts/texts.*.json.gz       stories in each language without questions, no two of them parallel;
                                the objects of their facts are links
OUT/words/qaa-*.tsv.gz          exact dictionaries of the first language and each other
OUT/beside                      replacements for the translations of the test in its last language:
                                `strange` from another story, `noisy10` and `noisy30` with that
                                percentage of words replaced, and the text `itself`

The languages L0 to L3 of the world have the codes qaa to qad, which ISO 639-2 reserves for local
use. Stories in the data sets, and in the pretraining texts of each language, are disjoint.
Existing parts are not made again.

Pretraining, on non-parallel text in all languages: a fact of a document, in either paraphrase and
with its object masked, then the document. The loss is the sum of three: masked words are predicted
(Devlin et al. 2019, arXiv:1810.04805); those of the fact are found in the document, by attention
summed over their occurrences (Kadlec et al. 2016); and a span head, discarded afterwards, predicts
the object in the document, a cloze (Lewis et al. 2019). There are no questions, no labels, and no
text in two languages. Two relations of the same type mostly behave alike, as do names that are not
shared, so non-parallel text should not reveal which is which in another language (not measured).

Results on dev, world 0, one seed: F1 / exact match after fine-tuning on L0 alone (learning rate
1e-3, batches of 32), 100 questions per language pair (150 in the last two rows), and CPU minutes of
pretraining on one thread:

    pretraining                                          fine-tuned  L0-L0    XLT      G-XLT    min
    hidden words alone, 1500 x 64, 0.3 of names shared          700  37 / 28  23 / 13  21 / 12  2.4
    and looked up, 1 to 3 facts, 3000 x 32, 0.5 shared          700  41 / 34  33 / 23  29 / 20  3.6
    and marked, one fact, 2000 x 32                             700  36 / 25  29 / 19  28 / 17  2.5
    the same, sine positions, rate to zero at 4000              700  40 / 30  34 / 24  29 / 20  4.2
    as the third, 3000 x 32 (this file)                        2300  93 / 91  45 / 38  37 / 29  3.6

After 700 updates all are at chance, also in L0: readers learn relations first (loss 0.7, one of two
persons), and persons only after about 800 updates; with sine positions not within 2,000 updates,
nor at twice the learning rate.
"""

import argparse
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from rich.progress import track
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForMaskedLM

from babelspan.data.files import read_json, write_json, write_whole
from babelspan.data.squad import save_squad
from babelspan.networks.pretrained import PretrainedReader
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
FALLS_TO_ZERO_AT = 6500  # the updates stop where no more was gained
HIDDEN = 0.1
BETAS = (0.9, 0.98)
UNHIDDEN = ("[CLS]", "[SEP]", ".", "-")


class Sizes(NamedTuple):
    """Sizes of all parts; the defaults are those of the experiments."""

    train: int = 20_000
    held_out: int = 500
    updates: int = 3000


FULL = Sizes()


class Text(NamedTuple):
    """Words of a fact and of a document, and the place of its object in both; `last` inclusive."""

    fact: list[str]
    document: list[str]
    start: int
    start_in_document: int
    words: int


class Batch(NamedTuple):
    """Masked tokens, original tokens, segments and masked positions: (B, L) each, 0 for padding.

    `places` (B, 2) are the first and the last token of the object in the document.
    """

    shown: Tensor
    tokens: Tensor
    segments: Tensor
    hidden: Tensor
    places: Tensor


def make(out: Path, *, seed: int = 0, sizes: Sizes = FULL) -> None:
    """Write all parts that are missing in `out`.

    Raises:
        ConfigError: if `out` was started with another seed or other sizes.
    """
    torch.set_num_threads(1)
    settings = {"seed": seed, "shared_names": SHARED_NAMES, **sizes._asdict()}
    claim(out / "toy_world.json", settings)
    world = World(seed, shared_names=SHARED_NAMES)
    for name, examples in data_sets(world, sizes):
        if not (out / name).exists():
            save_squad(out / name, examples())
    for language, code in CODES.items():
        path = out / "texts" / f"texts.{code}.json.gz"
        if not path.exists():
            write_json(path, texts(world, language, sizes.train // 8))
        path = out / "words" / f"{CODES[OWN]}-{code}.tsv.gz"
        if language != OWN and not path.exists():
            write_whole(path, dictionary(world, language))
    if not (out / "reader").exists():
        beside = out / ".reader.part"
        pretrained(world, seed, sizes.updates).save(beside)
        beside.rename(out / "reader")


def claim(path: Path, settings: dict[str, float]) -> None:
    """Check that the folder of `path` has these settings; write them if there are none."""
    if not path.exists():
        write_json(path, settings)
    if (found := read_json(path)) != settings:
        raise ConfigError(
            f"{path}: expected {settings}, found {found}; choose another folder or remove this one"
        )


def data_sets(world: World, sizes: Sizes) -> Iterator[tuple[str, Callable[[], list[Example]]]]:
    """File names, and functions that make their examples."""
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

    for language in OTHERS[:-1]:
        for name, made in BESIDE.items():
            yield (
                f"beside/{name}.{CODES[language]}.json.gz",
                partial(made, world, sizes.held_out, language),
            )


def strange(world: World, count: int, language: str) -> list[Example]:
    """The test in a language, each question and text under the id of the previous one."""
    examples = world.examples(count, language, language, seed=TEST)
    return [
        replace(other, id=example.id)
        for example, other in zip(examples, examples[1:] + examples[:1], strict=True)
    ]


def itself(world: World, count: int, language: str) -> list[Example]:
    """The test in its last language, whatever the language asked for."""
    return world.examples(count, OTHERS[-1], OTHERS[-1], seed=TEST)


def noisy(percent: int, world: World, count: int, language: str) -> list[Example]:
    """The test in a language, with `percent` of its words replaced by others of that language."""
    words = [word for word in world.words(language) if word not in MARKS]
    rng = random.Random(f"noise {percent} {language}")

    def heard(text: str) -> str:
        return re.sub(
            r"\w+", lambda m: rng.choice(words) if 100 * rng.random() < percent else m[0], text
        )

    return [
        replace(e, question=heard(e.question), context=heard(e.context), answers=None)
        for e in world.examples(count, language, language, seed=TEST)
    ]


BESIDE = {
    "strange": strange,
    "itself": itself,
    "noisy10": partial(noisy, 10),
    "noisy30": partial(noisy, 30),
}
"""Replacements for the translation of a text."""


def dictionary(world: World, language: str) -> str:
    """Lines with a word of the first language, a tab, and its translation."""
    pairs = sorted(world.dictionary(OWN, language).items())
    return "".join(f"{word}\t{translation}\n" for word, translation in pairs)


def texts(world: World, language: str, count: int) -> dict[str, object]:
    """Stories of a language in the SQuAD layout; the objects of their facts are links."""
    paragraphs = []
    for number in range(count):
        text, links = "", []
        for fact in world.story(f"text {language} {number}").facts:
            text += " " if text else ""
            said = world.tell(fact, language)
            found = re.search(rf"(?<!\w){re.escape(world.say(fact.object, language))}(?!\w)", said)
            assert found is not None
            links.append([len(text) + found.start(), len(text) + found.end()])
            text += said
        paragraphs.append({"context": text, "links": links, "qas": []})
    return {"data": [{"title": language, "paragraphs": paragraphs}]}


def pretrained(world: World, seed: int, updates: int) -> PretrainedReader:
    """An encoder pretrained on unparallel text; its span head is not saved."""
    tokenizer = word_tokenizer(world.vocabulary())
    torch.manual_seed(seed)
    model = BertForMaskedLM(architecture(len(tokenizer), tokenizer.pad_token_id))
    pointer = nn.ModuleDict({"looks": nn.Linear(WIDTH, WIDTH), "marks": nn.Linear(WIDTH, 2)})
    embeddings = list(model.bert.embeddings.parameters())
    others = [p for name, p in model.named_parameters() if ".embeddings." not in name]
    learnt = [{"params": embeddings, "lr": RATE_OF_EMBEDDINGS}, {"params": others}]
    optimizer = torch.optim.AdamW([*learnt, {"params": pointer.parameters()}], lr=RATE, betas=BETAS)
    falls = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_after)
    for number in track(range(updates), "pretraining"):
        batch = batch_of(world, tokenizer.get_vocab(), seed, number)
        loss = loss_of(model, pointer, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        falls.step()
    return PretrainedReader(model.bert, tokenizer)


def architecture(words: int, padding: int) -> BertConfig:
    """The config of the encoder: an initialisation for narrow layers, no dropout."""
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


def rate_after(update: int) -> float:
    """Fraction of the peak learning rate: warm-up, then linear decay to `FALLS_TO_ZERO_AT`."""
    warm = FALLS_TO_ZERO_AT // 10
    return min((update + 1) / warm, (FALLS_TO_ZERO_AT - update) / (FALLS_TO_ZERO_AT - warm))


def loss_of(model: BertForMaskedLM, pointer: nn.ModuleDict, batch: Batch) -> Tensor:
    """Sum of three losses: masked words, masked words by pointer, and the object as a span."""
    seen = (batch.tokens != 0).long()
    vectors = model.bert(
        input_ids=batch.shown, token_type_ids=batch.segments, attention_mask=seen
    ).last_hidden_state
    told = cross_entropy(model.cls(vectors[batch.hidden]), batch.tokens[batch.hidden])

    asked = batch.hidden & (batch.segments == 0)
    rows = asked.nonzero()[:, 0]
    scores = (pointer["looks"](vectors[asked])[:, None] * vectors[rows]).sum(-1) / WIDTH**0.5
    document = batch.segments[rows] == 1
    same = document & (batch.tokens[rows] == batch.tokens[asked][:, None])
    stands = same.any(dim=1)
    missed = log_sum(scores, document) - log_sum(scores, same)

    marks = pointer["marks"](vectors).masked_fill(batch.segments[..., None] == 0, -torch.inf)
    return told + missed[stands].mean() + cross_entropy(marks, batch.places)


def log_sum(scores: Tensor, places: Tensor) -> Tensor:
    """Log-sum-exp of scores (N, L) over selected places (N, L)."""
    return scores.masked_fill(~places, -1e4).logsumexp(dim=1)


def batch_of(world: World, ids: dict[str, int], seed: int, number: int) -> Batch:
    """A batch of new texts, a part of it in each language."""
    rng = random.Random(f"texts {seed}, batch {number}")
    texts = [
        text_of(world, story_of(number, place), language_of(place), rng) for place in range(BATCH)
    ]
    rows = [masked(text, ids, rng) for text in texts]
    longest = max(len(tokens) for tokens, *_ in rows)
    *columns, places = zip(*rows, strict=True)
    shown, tokens, segments, hidden = (
        torch.tensor([row + [0] * (longest - len(row)) for row in column]) for column in columns
    )
    return Batch(shown, tokens, segments, hidden.bool(), torch.tensor(places))


def story_of(number: int, place: int) -> str:
    """The id of the story at a place of a batch; it is unique and in no data set."""
    return f"pretraining {number}-{place}"


def language_of(place: int) -> str:
    """The language of the text at a place of a batch."""
    return LANGUAGES[place % len(LANGUAGES)]


def text_of(world: World, story: str, language: str, rng: random.Random) -> Text:
    """The text of a story: one of its facts, in either paraphrase, and the document."""
    facts = world.story(story).facts
    fact = rng.choice(facts)
    said = words_of(world.tell(fact._replace(paraphrase=rng.randrange(2)), language))
    document = [word for fact in facts for word in words_of(world.tell(fact, language))]
    words = words_of(world.say(fact.object, language))
    return Text(said, document, place_of(words, said), place_of(words, document), len(words))


def place_of(words: list[str], text: list[str]) -> int:
    """Index of the first occurrence of a sequence of words in a text."""
    return next(i for i in range(len(text)) if text[i : i + len(words)] == words)


def masked(text: Text, ids: dict[str, int], rng: random.Random) -> list[list[int]]:
    """A row of each tensor of a batch: [CLS] fact [SEP] document [SEP], with the object masked."""
    words = ["[CLS]", *text.fact, "[SEP]", *text.document, "[SEP]"]
    first = len(text.fact) + 2
    start, at = 1 + text.start, first + text.start_in_document
    tokens = [ids[word] for word in words]
    hidden = [
        start <= place < start + text.words or (word not in UNHIDDEN and rng.random() < HIDDEN)
        for place, word in enumerate(words)
    ]
    shown = [ids["[MASK]"] if hides else token for token, hides in zip(tokens, hidden, strict=True)]
    segments = [int(place >= first) for place in range(len(words))]
    return [shown, tokens, segments, hidden, [at, at + text.words - 1]]


def words_of(text: str) -> list[str]:
    """Words and punctuation, as split by the reader's tokenizer."""
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
