"""What a method trains: a reader or a question generator, by the type of its first parameter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple, get_type_hints

from babelspan.generators import load_generator
from babelspan.readers import answerer_of, folder_of, is_exported, load_checkpoint
from babelspan.scoring.figures import Scorer, figures
from babelspan.types import DataError, Example, Limits

Monitor = Callable[[], Mapping[str, float]]


class Player(NamedTuple):
    """How to load a network for training and how to evaluate it.

    Attributes:
        load: loads it, from a name and window limits.
        monitor: makes its evaluation, from the network, development data, scorer and run.
        first: method of a first stage; None if there cannot be one.
    """

    load: Callable[[str, Limits], Any]
    monitor: Callable[[Any, Sequence[Example], Scorer, Any], Monitor]
    first: str | None = None


def player_of(method: ModuleType) -> Player:
    """Return the kind of network that a method trains."""
    from babelspan.networks.question_generator import QuestionGenerator

    hints = get_type_hints(method.train)
    trained = next(iter(hints.values()), None)
    return GENERATOR if trained is QuestionGenerator else READER


def _reader_monitor(reader: Any, examples: Sequence[Example], scorer: Scorer, run: Any) -> Monitor:
    """Measure exact match and F1; each process reads a part of the questions.

    It measures the run's player "reader", which a method may have built around `reader`.
    """
    from babelspan.training.fit import evaluating

    place = run.place
    says_none = getattr(scorer, "HAS_UNANSWERABLE", False)
    asked = [replace(e, id=str(n)) for n, e in enumerate(examples)]  # parallel files share ids

    def monitor() -> dict[str, float]:
        learns = run.players.get("reader", reader)
        with evaluating(learns):
            mine = asked[place.process :: place.processes]
            answered = answerer_of(learns).predict(mine, allows_no_answer=says_none)
            parts = place.gathered({p.id: p.text for p in answered})
        texts = {identity: text for part in parts for identity, text in part.items()}
        found = figures(asked, texts, scorer)
        return {"dev_exact_match": found.exact_match, "dev_f1": found.f1}

    return monitor


def _generator_monitor(
    generator: Any, examples: Sequence[Example], scorer: Scorer, run: Any
) -> Monitor:
    """Measure nats per piece of the questions that can be learnt, one question at a time."""
    import torch

    from babelspan.losses.writing import writing_loss
    from babelspan.training.fit import evaluating

    place = run.place

    @torch.no_grad()
    def nats(example: Example) -> float | None:
        try:
            batch = generator.collate([generator.sources.of(example)]).to(place.device)
        except DataError:
            return None
        writing = generator(batch)
        return float(writing_loss(writing.log_probs, writing.uniform, batch.real))

    def monitor() -> dict[str, float]:
        with evaluating(generator):
            mine = map(nats, examples[place.process :: place.processes])
            parts = place.gathered([loss for loss in mine if loss is not None])
        found = [loss for part in parts for loss in part]
        return {"dev_nats": sum(found) / len(found)} if found else {}

    return monitor


def _generator(name: str) -> Any:
    """Load a generator, or start one from an encoder or a reader, which may be an exported one."""
    if not is_exported(name):
        return load_generator(name, begins=True)
    from babelspan.export.restored import restored
    from babelspan.networks.question_generator import begun

    return begun(restored(folder_of(name)).encoder)


READER = Player(
    lambda name, limits: load_checkpoint(name, limits=limits, gives_new_head=True),
    _reader_monitor,
    first="fine_tune",
)
GENERATOR = Player(lambda name, limits: _generator(name), _generator_monitor)
