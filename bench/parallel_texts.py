"""Cost of reading translations together with a text: training updates, and answering.

An update of `multilingual_attention` on G texts with two translations each, compared with one of
`fine_tune` on the same 3 G texts; answering with 0, 1 and 2 translations, in PyTorch and exported.
all-MiniLM-L6-v2 reads English, Spanish and Italian SQuAD with the same ids, texts of a single
window. Contenders take turns within a round; CPU time is more reliable on a busy machine. Time is
proportional to the number of tokens: an English vocabulary splits Spanish and Italian into many
more pieces. With `--multilingual` the vocabulary is that of the reader in the package, which splits
all three similarly, the network has the same size and random weights, and only answering is
measured.

    python bench/parallel_texts.py [--reader FOLDER] [--groups 8] [--rounds 3] [--questions 24]
    python bench/parallel_texts.py --multilingual [--rounds 3] [--questions 24]

An exported reader caches the vectors of the last texts: ask 17 questions or more, otherwise texts
are not encoded again.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from fine_tuning import LEARNING_RATE, SEED
from measured import DATA, peak_memory, processor, ratio, report, rounds
from transformers import BertConfig, BertForQuestionAnswering, PreTrainedTokenizerFast

from babelspan.data.folder import describe
from babelspan.engines.onnx import OnnxEngine
from babelspan.export.onnx import export
from babelspan.methods import fine_tune, multilingual_attention
from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.readers import DEFAULT_FOLDER, answerer_of, load_checkpoint
from babelspan.reading.answerer import Answerer
from babelspan.training.members import joined
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim

FILES = (
    "qa/squad/train-without-xquad.en.json.gz",
    "qa/squad-es/train-without-xquad.es.json.gz",
    "qa/squad-it/test-first-half.it.json.gz",
)
LONGEST = 800
"""Maximum length of a context in characters, so that each text is one window."""
OPTIM = Optim(lr=LEARNING_RATE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reader", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--multilingual", action="store_true")
    parser.add_argument("--engines", default="PyTorch,exported")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    groups = triples()
    if wanted.multilingual:
        rows = [*answering(wanted, groups, attending(of_many_languages()))]
    else:
        trained = multilingual_attention.train(*job(wanted, groups, multilingual_attention))
        rows = [*training(wanted, groups), *answering(wanted, groups, trained)]
    facts = {"seed": SEED, "groups": wanted.groups, "peak MiB": peak_memory()}
    report("parallel_texts", rows, libraries=["torch", "onnxruntime"], **facts)


def triples():
    """English texts of a single window with both translations."""
    texts = [e for name in FILES for e in describe(DATA / name).load(keep_misplaced=True)]
    placed = (e for e in texts if len(e.context) < LONGEST and e.answers[0].start is not None)
    return [e for e in joined(placed, same_numbers=True).examples if len(e.others) == 2]


def job(wanted, groups, module):
    """Arguments for an update of a method on the first texts."""
    some = groups[: wanted.groups]
    texts = [text for e in some for text in (replace(e, others=()), *e.others)]
    size = len(texts) if module is fine_tune else len(some)
    run = Run(config=RunConfig(seed=SEED, batch_size=size, updates=1, threads=1))
    reader = load_checkpoint(wanted.reader, gives_new_head=True)
    return reader, Corpora(labelled=texts), module.Config(reader=OPTIM), run


def training(wanted, groups):
    """A row for each method: CPU seconds of an update, and the ratio to fine-tuning."""
    contenders = {
        module.__name__.rpartition(".")[2]: lambda module=module: module.train(
            *job(wanted, groups, module)
        )
        for module in (fine_tune, multilingual_attention)
    }
    found = {name: processor(taken) for name, taken in rounds(contenders, wanted.rounds).items()}
    reader = attending(load_checkpoint(wanted.reader, gives_new_head=True))
    tokens = count(reader, groups[: wanted.groups])
    for name, taken in found.items():
        yield row(f"update, {name}", tokens, taken, found["fine_tune"])


def of_many_languages():
    """A reader of the size of all-MiniLM-L6-v2 with the vocabulary of the reader in the package."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(DEFAULT_FOLDER / "tokenizer.json"), pad_token="[PAD]"
    )
    torch.manual_seed(SEED)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    return PretrainedReader(BertForQuestionAnswering(config), tokenizer)


def attending(reader):
    """The reader with new attention to Spanish and Italian."""
    return ParallelReader(reader, Attention(languages=("es", "it")))


def count(reader, examples):
    """Number of tokens of examples and their translations, without padding."""
    return sum(window.tokens for window in reader.windows(examples))


def answering(wanted, groups, reader):
    """A row for each number of translations and engine, and the ratio to none."""
    asked = groups[: wanted.questions]
    strangers = groups[wanted.questions :]
    kinds = (0, 1, 2, "itself and 1", "2 English")
    sets = {what: list(beside(asked, what, strangers)) for what in kinds}
    with tempfile.TemporaryDirectory() as folder:
        makes = {
            "PyTorch": lambda: answerer_of(reader.eval()),
            "exported": lambda: exported(reader, Path(folder)),
        }
        engines = {name: makes[name]() for name in wanted.engines.split(",")}
        contenders = {
            (name, what): lambda answerer=answerer, some=some: list(answerer.predict(some))
            for name, answerer in engines.items()
            for what, some in sets.items()
        }
        found = {key: processor(taken) for key, taken in rounds(contenders, wanted.rounds).items()}
    for (name, what), taken in found.items():
        yield row(f"{name}, {what} beside", count(reader, sets[what]), taken, found[name, 0])


def exported(reader, folder):
    """An answerer with the reader, exported to a folder."""
    export(reader, folder)
    return Answerer(OnnxEngine(folder, workers=1))


def beside(asked, what, strangers):
    """The examples with some of their translations, or with other texts instead.

    "itself and 1" uses the text itself as the first translation; "2 English" uses two unrelated
    texts of about the same length.
    """
    for number, example in enumerate(asked):
        first, second = example.others
        in_place = {
            "itself and 1": (example, second),
            "2 English": strangers[2 * number : 2 * number + 2],
        }
        others = in_place.get(what, example.others[: what if isinstance(what, int) else 2])
        as_translations = zip(others, (first, second), strict=False)
        yield replace(
            example,
            others=tuple(
                replace(named, question=text.question, context=text.context, answers=None)
                for text, named in as_translations
            ),
        )


def row(name, tokens, taken, under):
    return {
        "what": name,
        "tokens": tokens,
        "processor seconds": min(taken),
        "ratio": ratio(taken, under),
    }


if __name__ == "__main__":
    main()
