"""What a method trains, by the name of what it starts from."""

import torch

from babelspan.export.onnx import export
from babelspan.jobs import players
from babelspan.jobs.players import GENERATOR
from babelspan.networks.question_generator import QuestionGenerator
from babelspan.readers import load_checkpoint
from babelspan.scoring.scorers import unicode
from babelspan.training.run import Run, RunConfig
from babelspan.types import Limits, Prediction
from miniature import miniature_reader
from tiny_encoders_by_family import save_tiny
from world import World

RIGHT = {"span": None, "score": 1.0, "logit": 0.0, "no_answer_logit": 0.0}


def test_parallel_files_of_the_same_ids_are_measured_each_by_itself(monkeypatch):
    world = World(0)
    dev = [*world.examples(6), *world.examples(6, "L1", "L1")]

    class Right:
        def predict(self, examples, **_):
            return [Prediction(text=e.answers[0].text, id=e.id, **RIGHT) for e in examples]

    monkeypatch.setattr(players, "answerer_of", lambda _: Right())
    reader = miniature_reader(world.vocabulary())
    monitor = players.READER.monitor(reader, dev, unicode, Run(config=RunConfig(threads=1)))
    assert monitor() == {"dev_exact_match": 1.0, "dev_f1": 1.0}


def test_a_generator_begins_from_an_exported_reader(tmp_path):
    save_tiny("bert_reader", tmp_path / "old")
    reader = load_checkpoint(str(tmp_path / "old"))
    export(reader, tmp_path / "exported")
    found = GENERATOR.load(str(tmp_path / "exported"), Limits())
    assert isinstance(found, QuestionGenerator)
    theirs = reader.encoder.word_vectors
    ours = dict(found.named_parameters())
    same = [p for p in ours.values() if p.shape == theirs.shape and torch.equal(p, theirs)]
    assert same
