"""Train the multilingual reader: distillation, cloze questions and questions in turn.

    python experiments/multilingual_reader/train.py --data DATA --english FOLDER --start FOLDER \
        --run FOLDER [--updates N [--cool FROM]] [--rate R] [--precision bf16] [--seed S] \
        [--alone N] [--tasks distillation,cloze,questions] [--set NAME=SHARE ...]

Run the same command again to resume: an update is a pure function of seed and number, and the
state is saved every `SAVE_SECONDS`. `<run>/average` is the moving average of the weights, a
checkpoint for transformers, which is what is evaluated and exported.

The first updates (`--alone`) train the word vectors alone by distillation; then distillation over
sentence pairs, cloze questions over them, and questions take turns. Dropout is off. Rates stay
constant after a warm-up, so that a run can go on for as long as there is time. `--cool` says from
which update on they fall linearly to zero at `--updates` (Hu et al. 2024, arXiv:2404.06395); from
there on questions take the turns of distillation. `--tasks` leaves some of the three out, and
`--set` changes a share of `Settings`, such as `crossed=0`: `steps.py` measures them apart.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import corpora
import numpy as np
import torch
from asking import Mixture, QuestionBatches, load_dictionaries, span_loss
from cloze import ClozeBatches
from distilling import PairBatches, distillation_loss
from start import shared_ids
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from babelspan.data.files import replacing
from babelspan.networks.pretrained import PretrainedReader

SAVE_SECONDS = 480
EXTRA = 1_000_000
"""Number of the first batch of questions among those that take the turns of distillation."""
TASKS = ("distillation", "cloze", "questions")
SHARES = ("english", "crossed", "switched", "plain", "elsewhere", "glossed")
LOGGED = 30
"""Updates whose means are logged together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of a run.

    Attributes:
        seed: of everything random.
        pair_tokens: of a batch of sentence pairs, on the student's side.
        question_tokens: of a batch of questions.
        alone: first updates, which train the word vectors alone.
        body_rate: learning rate of everything but the word vectors.
        vector_rate: learning rate of the word vectors.
        warm_up: updates over which the body's rate rises after the first.
        clip: length of the body's gradient, at most.
        decay: of the moving average, for each update.
        english: share of first segments of sentence pairs that stay English.
        crossed: share of questions with a context in another language.
        switched: share of questions with words replaced.
        plain: share of English questions as they are.
        elsewhere: share of the native questions that are asked in another language.
        glossed: share of the questions in another language than their context's that are followed
            by their word-by-word translation into it.
    """

    seed: int = 1
    pair_tokens: int = 1_600
    question_tokens: int = 2_400
    alone: int = 50
    body_rate: float = 1e-4
    vector_rate: float = 1e-3
    warm_up: int = 80
    clip: float = 1.0
    decay: float = 0.99
    english: float = 0.15
    crossed: float = 0.14
    switched: float = 0.30
    plain: float = 0.10
    elsewhere: float = 0.5
    glossed: float = 0.75


@dataclass(frozen=True, slots=True)
class Cooling:
    """The updates over which the rates fall to zero."""

    start: float = float("inf")
    end: float = float("inf")

    def share(self, update: int) -> float:
        """Of the rates that an update takes."""
        if update < self.start:
            return 1.0
        return max(self.end - update, 0.0) / (self.end - self.start)


class Learner:
    """The reader that learns, its optimisers and the average of its weights."""

    def __init__(self, start: Path, settings: Settings, cooling: Cooling) -> None:
        self.cooling = cooling
        off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.model = AutoModelForQuestionAnswering.from_pretrained(
            start, attn_implementation="eager", **off
        )  # on a CPU in bf16 its backward pass is faster than the fused one's
        self.reader = PretrainedReader(self.model, AutoTokenizer.from_pretrained(start))
        self.settings = settings
        self.vectors: nn.Embedding = self.model.get_input_embeddings()
        self.vectors.sparse = True
        self.body = [p for p in self.model.parameters() if p is not self.vectors.weight]
        self.optimizer = torch.optim.AdamW(
            self.body, lr=settings.body_rate, betas=(0.9, 0.98), weight_decay=0.01
        )
        self.of_vectors = torch.optim.SparseAdam(
            [self.vectors.weight], lr=settings.vector_rate, betas=(0.9, 0.98)
        )
        self.average = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        self.update = 0

    def learn(self, loss: Tensor) -> None:
        """Make one update."""
        settings = self.settings
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.body if p.grad is not None], settings.clip)
        after = self.update - settings.alone
        cooled = self.cooling.share(self.update)
        share = min(max(after, 0) / settings.warm_up, 1.0) * cooled
        for group in self.optimizer.param_groups:
            group["lr"] = settings.body_rate * share
        for group in self.of_vectors.param_groups:
            group["lr"] = max(settings.vector_rate * cooled, 1e-12)  # it takes no zero
        if after >= 0:
            self.optimizer.step()
        self.of_vectors.step()
        self.model.zero_grad(set_to_none=True)
        self.update += 1
        if self.update % 4 == 0:
            self._average(settings.decay**4)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        decay = min(decay, (1 + self.update) / (10 + self.update))
        for name, parameter in self.model.named_parameters():
            self.average[name].lerp_(parameter, 1 - decay)

    def freeze(self, frozen: bool) -> None:
        """Freeze everything but the word vectors, or thaw it."""
        for parameter in self.body:
            parameter.requires_grad_(not frozen)

    def save(self, run: Path) -> None:
        """Write the state to go on from, and the average as a checkpoint."""
        state = {
            "update": self.update,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "of_vectors": self.of_vectors.state_dict(),
        }
        with replacing(run / "state.pt") as beside:
            torch.save(state, beside)
        learnt = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        self._put(self.average)
        self.reader.save(run / "average")
        self._put(learnt)

    def load(self, run: Path) -> None:
        """Go on from a state, if there is one."""
        if not (run / "state.pt").exists():
            return
        state = torch.load(run / "state.pt", weights_only=True)
        self.update = state["update"]
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.of_vectors.load_state_dict(state["of_vectors"])

    @torch.no_grad()
    def _put(self, weights: dict[str, Tensor]) -> None:
        for name, parameter in self.model.named_parameters():
            parameter.copy_(weights[name])


class Lessons:
    """The loss of each update, by number."""

    def __init__(self, given: argparse.Namespace, learner: Learner, settings: Settings) -> None:
        self.learner = learner
        self.settings = settings
        self.tasks = given.tasks
        self.teacher: Any = AutoModelForQuestionAnswering.from_pretrained(given.english).eval().bert
        self.teacher.requires_grad_(False)
        old, new = (
            Tokenizer.from_file(str(folder / "tokenizer.json"))
            for folder in (given.english, given.start)
        )
        same = np.full(old.get_vocab_size(), -1, np.int32)
        for new_id, old_id in shared_ids(old, new, given.english).items():
            same[old_id] = new_id
        frames = tuple(tuple(t.token_to_id(n) for n in ("[CLS]", "[SEP]")) for t in (new, old))
        self.pairs = PairBatches(
            given.start / "pairs.npz",
            frames=frames,
            same=same,
            tokens=settings.pair_tokens,
            english=settings.english,
            seed=settings.seed,
        )
        self.questions = QuestionBatches(
            corpora.questions(given.data, dev=False),
            learner.reader.featurizer,
            load_dictionaries(given.start / "dictionaries.json"),
            Mixture(
                crossed=settings.crossed,
                switched=settings.switched,
                plain=settings.plain,
                elsewhere=settings.elsewhere,
                glossed=settings.glossed,
                tokens=settings.question_tokens,
                seed=settings.seed,
            ),
        )

        self.cloze = ClozeBatches(
            given.start / "pairs.npz",
            new,
            same=same,
            tokens=settings.question_tokens,
            seed=settings.seed,
        )

    def __call__(self, update: int) -> tuple[str, Tensor, int]:
        """Name and loss of an update, and how many tokens it read."""
        task, number = lesson(
            update,
            alone=self.settings.alone,
            tasks=self.tasks,
            cooled=self.learner.cooling.start,
        )
        if task == "distillation":
            batch = self.pairs(number)
            loss = distillation_loss(self.learner.model.bert, self.teacher, batch)
            return task, loss, int(batch.student.mask.sum())
        if task == "cloze":
            asked = self.cloze(number)
            output = self.learner.model(
                input_ids=asked.input_ids,
                attention_mask=asked.attention_mask,
                token_type_ids=asked.token_type_ids,
            )
            closed = asked.token_type_ids == 0
            start, last = (
                logits.float().masked_fill(closed, -torch.inf)
                for logits in (output.start_logits, output.end_logits)
            )
            return task, span_loss(start, last, asked.answers), int(asked.attention_mask.sum())
        questions = self.questions(number)
        reading = self.learner.reader(questions)
        loss = span_loss(reading.start_logits, reading.last_logits, questions.answers)
        return task, loss, int(questions.attention_mask.sum())


def lesson(update: int, *, alone: int, tasks: Sequence[str], cooled: float) -> tuple[str, int]:
    """Task of an update, and the number of its batch.

    Args:
        update: number of the update, from 0.
        alone: number of first updates, which are all distillation.
        tasks: the tasks that take turns.
        cooled: update from which on questions take the turns of distillation.
    """
    if update < alone:
        return "distillation", update
    number, turn = divmod(update - alone, len(tasks))
    if tasks[turn] != "distillation":
        return tasks[turn], number
    if update >= cooled and "questions" in tasks:
        return "questions", EXTRA + number
    return "distillation", alone + number


def tasks_of(names: str) -> tuple[str, ...]:
    """The tasks of a list with commas."""
    tasks = tuple(names.split(","))
    if not {*tasks} <= {*TASKS}:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(TASKS)}, found {names!r}")
    return tasks


def share_of(text: str) -> tuple[str, float]:
    """Name and value of a share of the mixture."""
    name, _, share = text.partition("=")
    if name not in SHARES or not share:
        raise argparse.ArgumentTypeError(
            f"expected NAME=SHARE with a name of {', '.join(SHARES)}, found {text!r}"
        )
    return name, float(share)


def main(given: argparse.Namespace) -> None:
    """Train for the given time, or up to a number of updates."""
    shares: dict[str, Any] = dict(given.set)
    settings = Settings(seed=given.seed, alone=given.alone, body_rate=given.rate, **shares)
    given.run.mkdir(parents=True, exist_ok=True)
    made = {**asdict(settings), "tasks": [*given.tasks]}
    (given.run / "settings.json").write_text(json.dumps(made, indent=1))
    cooling = Cooling(given.cool, given.updates)
    learner = Learner(given.start, settings, cooling)
    learner.load(given.run)
    lessons = Lessons(given, learner, settings)
    begun = saved = time.monotonic()
    processor = time.process_time()
    losses: dict[str, list[float]] = {}
    tokens = 0
    while time.monotonic() - begun < given.seconds and learner.update < given.updates:
        learner.freeze(learner.update < settings.alone)
        with torch.autocast("cpu", torch.bfloat16, enabled=given.precision == "bf16"):
            name, loss, read = lessons(learner.update)
        learner.learn(loss)
        losses.setdefault(name, []).append(loss.item())
        tokens += read
        if learner.update % LOGGED == 0:
            record = {n: round(sum(v) / len(v), 4) for n, v in losses.items()}
            record |= {"update": learner.update, "tokens": tokens}
            record["processor_seconds"] = round(time.process_time() - processor, 1)
            with (given.run / "log.jsonl").open("a") as log:
                log.write(json.dumps(record) + "\n")
            losses, tokens, processor = {}, 0, time.process_time()
        if time.monotonic() - saved > SAVE_SECONDS:
            learner.save(given.run)
            saved = time.monotonic()
    learner.save(given.run)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for folder in ("data", "english", "start", "run"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--updates", type=int, default=10**9)
    parser.add_argument("--cool", type=float, default=float("inf"))
    parser.add_argument("--rate", type=float, default=Settings().body_rate)
    parser.add_argument("--seed", type=int, default=Settings().seed)
    parser.add_argument("--alone", type=int, default=Settings().alone)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--tasks", type=tasks_of, default=TASKS)
    parser.add_argument("--set", type=share_of, action="append", default=[])
    main(parser.parse_args())
