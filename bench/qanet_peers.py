"""Our QANet beside the arithmetic of well-known PyTorch implementations, and beside MiniLM.

Both QANets have the same sizes (128 wide, 8 heads, 7 blocks, word vectors of 300, letters of 64)
and random weights, and read the same questions of XQuAD by the same word and letter numbers. The
peer pads contexts to 400 words and questions to 50, as its loader does; "cut" is the same network
with batches cut to their longest, which its loader does not do. Updates have the same loss,
optimiser and dropout; ours has no stochastic depth here, because the peer's skips other layers.

Answers are single questions in evaluation mode, without decoding; then whole answers of exported
readers, ours beside the reader in the package without its dictionaries.

    python bench/qanet_peers.py [--rounds 3] [--batch 24] [--questions 24]
"""

import argparse
import tempfile
from pathlib import Path

import torch
from measured import DATA, processor, ratio, report, rounds
from peers.qanet_network import KnownQANet

from babelspan.data.folder import describe
from babelspan.engines.onnx import OnnxEngine
from babelspan.export.onnx import export
from babelspan.losses.span import span_loss
from babelspan.networks.qanet_new import Start, make
from babelspan.readers import DEFAULT_FOLDER
from babelspan.reading.answerer import Answerer
from babelspan.types import Limits

SEED = 1
WIDTH, HEADS, LETTER_WIDTH = 128, 8, 64
TEXTS = DATA / "qa" / "xquad" / "test.en.json.gz"
SIZES = (
    f"width={WIDTH}", f"heads={HEADS}", f"letter_width={LETTER_WIDTH}", "spelling=16",
    "survival=1.0",
)  # fmt: skip
CONTEXT, QUESTION = 400, 50
"""The peer's lengths in words."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--questions", type=int, default=24)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    limits = Limits(max_length=CONTEXT + QUESTION)
    reader, _ = make(Start(texts=(TEXTS,), settings=SIZES, seed=SEED), limits=limits)
    windows = [w for w in reader.windows(examples()) if w.length <= CONTEXT]
    known = KnownQANet(
        reader.learnt.weight.detach().clone(),
        reader.featurizer.table.letter_rows,
        width=WIDTH,
        heads=HEADS,
        letter_width=LETTER_WIDTH,
    )
    reader.learnt.weight.requires_grad_(False)
    rows = [
        *updates(reader, known, windows[: wanted.batch], wanted.rounds),
        *answers(reader, known, windows[: wanted.questions], wanted.rounds),
        *exported(reader, wanted),
    ]
    report("qanet_peers", rows, libraries=["torch", "onnxruntime"], seed=SEED)


def examples():
    """Every 13th question, so that the first ones are about different contexts."""
    return list(describe(TEXTS).load())[::13]


def updates(reader, known, windows, count):
    """CPU time of an update on one batch."""
    batch = reader.collate(windows)
    steps = {"ours": update(reader, lambda: ours(reader, batch), batch.answers)}
    for name, cut in (("the peer's arithmetic", False), ("the same, cut", True)):
        parts, gold = apart(batch, cut)
        steps[name] = update(known, lambda parts=parts: known(*parts), gold)
    found = {name: processor(taken) for name, taken in rounds(steps, count).items()}
    return [row(f"update of {len(windows)}, {name}", found, name) for name in found]


def answers(reader, known, windows, count):
    """CPU time of the logits of single questions."""
    batches = [reader.collate([window]) for window in windows]
    contenders = {"ours": lambda: [ours(reader.eval(), batch) for batch in batches]}
    for name, cut in (("the peer's arithmetic", False), ("the same, cut", True)):
        inputs = [apart(batch, cut)[0] for batch in batches]
        contenders[name] = lambda inputs=inputs: [known.eval()(*parts) for parts in inputs]
    with torch.inference_mode():
        found = {name: processor(taken) for name, taken in rounds(contenders, count).items()}
    return [row(f"{len(windows)} questions one by one, {name}", found, name) for name in found]


def exported(reader, wanted):
    """CPU time of whole answers by exported readers."""
    asked = examples()[: wanted.questions]
    with tempfile.TemporaryDirectory() as folder:
        export(reader.eval(), Path(folder))
        readers = {
            "ours": Answerer(OnnxEngine(Path(folder), workers=1)),
            "MiniLM, int8": Answerer(OnnxEngine(DEFAULT_FOLDER, workers=1)),
        }
        contenders = {
            name: lambda answerer=answerer: [list(answerer.predict([e])) for e in asked]
            for name, answerer in readers.items()
        }
        found = {n: processor(taken) for n, taken in rounds(contenders, wanted.rounds).items()}
    return [row(f"{len(asked)} answers, exported, {name}", found, name) for name in found]


def ours(reader, batch):
    """Our logits of a batch."""
    reading = reader(batch)
    return reading.start_logits, reading.last_logits


def update(network, logits, gold):
    """A call that makes an update of a network."""
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=1e-3)

    def step():
        network.train()
        loss = span_loss(*logits(), gold)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def apart(batch, cut):
    """Context, its letters, question, its letters; and the gold tokens in the context.

    Args:
        batch: a batch of our reader; the token for "no answer" counts as part of the context.
        cut: whether to cut the batch to its longest context and question.
    """
    ids, token = batch.input_ids, batch.attention_mask > 0
    is_context = token & (batch.token_type_ids % 2 == 1)
    is_question = token & (batch.token_type_ids % 2 == 0)
    longest = [int(part.sum(1).max()) for part in (is_context, is_question)]
    sizes = longest if cut else (CONTEXT, QUESTION)
    made = []
    for part, size in zip((is_context, is_question), sizes, strict=True):
        rows = torch.zeros(len(ids), size, ids.shape[2], dtype=ids.dtype)
        for at, mask in enumerate(part):
            own = ids[at, mask][:size]
            rows[at, : len(own)] = own
        made += [rows[..., 0], rows[..., 1:]]
    return made, (is_context.cumsum(1) - 1).gather(1, batch.answers)


def row(what, found, name):
    return {
        "what": what,
        "processor seconds": min(found[name]),
        "ours, times as fast": "" if name == "ours" else ratio(found[name], found["ours"]),
    }


if __name__ == "__main__":
    main()
