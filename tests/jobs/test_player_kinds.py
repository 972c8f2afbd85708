"""What a method trains, by the name of what it starts from."""

import torch

from babelspan.export.onnx import export
from babelspan.jobs.players import GENERATOR
from babelspan.networks.question_generator import QuestionGenerator
from babelspan.readers import load_checkpoint
from babelspan.types import Limits
from tiny_encoders_by_family import save_tiny


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
