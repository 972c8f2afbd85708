"""Exported readers get their weights back, so that they can be trained further."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from babelspan import readers
from babelspan.data.exported import MODEL
from babelspan.export.onnx import export
from babelspan.export.restored import restored
from babelspan.methods import fine_tune
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import DataError, Limits
from miniature import miniature_of, miniature_reader
from world import World

WORLD = World(0)
EXAMPLES = WORLD.examples(12)
LIMITS = Limits(max_length=64, overlap=16)


@pytest.fixture(scope="module")
def reader():
    return miniature_reader(WORLD.vocabulary(), width=64)


@pytest.fixture(scope="module")
def exported(reader, tmp_path_factory):
    """A folder with 8-bit matrices and 4-bit word vectors."""
    folder = tmp_path_factory.mktemp("exported")
    export(reader, folder, int8=True, int4_vectors=True)
    return folder


def weights_of(reader):
    return {name: p.detach().numpy() for name, p in reader.named_parameters()}


def arrays_of(folder):
    initializers = onnx.load(folder / MODEL).graph.initializer
    return {t.name: numpy_helper.to_array(t) for t in initializers}


@pytest.mark.parametrize(
    ("model_type", "settings"),
    [("bert", {}), ("xlm-roberta", {"max_position_embeddings": 131})],
)
def test_all_weights_of_an_fp32_export_come_back(tmp_path, model_type, settings):
    reader = miniature_of(model_type, WORLD.vocabulary(), **settings)
    export(reader, tmp_path)
    found, expected = weights_of(restored(tmp_path)), weights_of(reader)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_quantised_weights_come_back_as_the_middle_of_their_step(reader, exported, tmp_path):
    again = restored(exported)
    found, expected = weights_of(again), weights_of(reader)
    for name, values in expected.items():
        spread = np.ptp(values)
        step = spread / (15 if "word_embeddings" in name else 200)
        assert np.abs(found[name] - values).max() <= step, name
    assert sum(not np.array_equal(found[n], v) for n, v in expected.items()) > 10
    export(again, tmp_path, int8=True, int4_vectors=True)
    before, after = arrays_of(exported), arrays_of(tmp_path)
    for name, codes in before.items():
        if name.endswith(("_quantized", "_codes")):
            close = np.abs(codes.astype(int) - after[name].astype(int)) <= 1
            assert close.all(), name


def test_an_exported_reader_can_be_trained(exported):
    reader = readers.load_checkpoint(str(exported), limits=LIMITS)
    assert reader.limits == LIMITS
    run = Run(config=RunConfig(updates=40, batch_size=12, threads=1))
    config = fine_tune.Config(reader=Optim(lr=5e-3))
    learnt = fine_tune.train(reader, Corpora(labelled=EXAMPLES), config, run)
    found = readers.answerer_of(learnt).predict(EXAMPLES)
    right = sum(p.text == e.answers[0].text for p, e in zip(found, EXAMPLES, strict=True))
    assert right >= 10


def test_the_default_reader_has_a_checkpoint_that_answers_alike():
    text = "The Suez Canal was opened on 17 November 1869 by Ferdinand de Lesseps in Egypt."
    checkpoint = readers.answerer_of(readers.load_checkpoint(readers.DEFAULT))
    packaged = readers.load_answerer()
    for question in ("Wann wurde der Suezkanal eröffnet?", "Who opened the canal?"):
        one, other = checkpoint.ask(question, text)[0], packaged.ask(question, text)[0]
        assert one.prediction.logit == pytest.approx(other.prediction.logit, abs=1.0)


def test_a_network_that_lacks_a_weight_is_refused(exported, tmp_path):
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    network = onnx.load(tmp_path / MODEL)
    for array in network.graph.initializer:
        array.name = array.name.replace("position", "place")
    onnx.save(network, tmp_path / MODEL)
    with pytest.raises(DataError, match=r"model\.onnx: expected the weight '.*position.*', found"):
        restored(tmp_path)


def test_a_folder_without_the_settings_of_its_network_is_refused(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "part")
    (tmp_path / "part" / "config.json").unlink()
    with pytest.raises(
        DataError, match=r"part: expected config\.json, the settings of the network"
    ):
        readers.load_checkpoint(str(tmp_path / "part"))
