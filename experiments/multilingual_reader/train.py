"""Train the multilingual reader: distillation and questions in alternating updates.

    python experiments/multilingual_reader/train.py --data DATA --english FOLDER --start FOLDER \
        --run FOLDER --seconds 4500

Run the same command again to resume: an update is a pure function of seed and number, and the
state is saved every `SAVE_SECONDS`. `<run>/average` is the moving average of the weights, a
checkpoint for transformers, which is what is evaluated and exported.

The first updates train the word vectors alone by distillation; then distillation over sentence
pairs and questions alternate. Dropout is off. Rates stay constant after a warm-up, so that a run
can go on for as long as there is time; the average takes the place of a falling rate.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import corpora
import numpy as np
import torch
from asking import Mixture, QuestionBatches, load_dictionaries, span_loss
from distilling import PairBatches, distillation_loss
from start import shared_ids
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from babelspan.data.files import replacing
from babelspan.networks.pretrained import PretrainedReader

SAVE_SECONDS = 480
LOGGED = 20
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
    crossed: float = 0.15
    switched: float = 0.4


class Learner:
    """The reader that learns, its optimisers and the average of its weights."""

    def __init__(self, start: Path, settings: Settings) -> None:
        off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.model = AutoModelForQuestionAnswering.from_pretrained(start, **off)
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
        share = min(max(after, 0) / settings.warm_up, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.body_rate * share
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
                tokens=settings.question_tokens,
                seed=settings.seed,
            ),
        )

    def __call__(self, update: int) -> tuple[str, Tensor, int]:
        """Name and loss of an update, and how many tokens it read."""
        after = update - self.settings.alone
        if after < 0 or after % 2 == 0:
            number = update if after < 0 else self.settings.alone + after // 2
            batch = self.pairs(number)
            loss = distillation_loss(self.learner.model.bert, self.teacher, batch)
            return "distillation", loss, int(batch.student.mask.sum())
        questions = self.questions(after // 2)
        reading = self.learner.reader(questions)
        loss = span_loss(reading.start_logits, reading.last_logits, questions.answers)
        return "questions", loss, int(questions.attention_mask.sum())


def main(given: argparse.Namespace) -> None:
    """Train for the given time, or up to a number of updates."""
    settings = Settings()
    given.run.mkdir(parents=True, exist_ok=True)
    (given.run / "settings.json").write_text(json.dumps(asdict(settings), indent=1))
    learner = Learner(given.start, settings)
    learner.load(given.run)
    lessons = Lessons(given, learner, settings)
    begun = saved = time.monotonic()
    processor = time.process_time()
    losses: dict[str, list[float]] = {}
    tokens = 0
    while time.monotonic() - begun < given.seconds and learner.update < given.updates:
        learner.freeze(learner.update < settings.alone)
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
    main(parser.parse_args())
