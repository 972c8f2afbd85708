"""The files of the toy world are parallel, apart where they have to be, and train a reader."""

import sys

import pytest
import torch

from babelspan.data.folder import cross, describe
from babelspan.data.squad import load_squad
from babelspan.data.texts import find_texts
from babelspan.networks import pretrained
from babelspan.training.pairs import question_pairs
from babelspan.types import ConfigError, DataError
from house_rules import ROOT

sys.path.append(str(ROOT / "experiments"))

import toy_world
from toy_world import CODES, Sizes, make

from world import LANGUAGES, World

SIZES = Sizes(train=30, held_out=20, updates=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("toy")
    make(out, seed=3, sizes=SIZES)
    return out


def loaded(path):
    return describe(path).load()


def held_out(made, split):
    return {code: loaded(made / split / f"{split}.{code}.json.gz") for code in CODES.values()}


def test_all_files_are_there_and_no_others(made):
    found = {str(p.relative_to(made)) for p in made.rglob("*") if p.is_file()}
    languages = ("qab", "qac", "qad")
    translated = {c for other in languages for c in (f"{other}-qaa", f"qaa-{other}", other)}
    data = {"train.qaa.json.gz"}
    data |= {f"translated/train.{codes}.json.gz" for codes in translated}
    data |= {f"texts/texts.{c}.json.gz" for c in ("qaa", *languages)}
    data |= {f"{s}/{s}.{c}.json.gz" for s in ("dev", "test") for c in ("qaa", *languages)}
    names = ("strange", "itself", "noisy10", "noisy30")
    data |= {f"words/qaa-{c}.tsv.gz" for c in languages}
    data |= {f"beside/{name}.{c}.json.gz" for name in names for c in languages[:2]}
    assert {name for name in found if name.endswith(".gz")} == data
    assert {"toy_world.json", "reader/model.safetensors", "reader/config.json"} < found
    assert not [name for name in found if ".part" in name]


def test_every_answer_is_where_it_is_said_to_be(made):
    for path in set(made.rglob("*.json.gz")) - set(made.glob("texts/*")):
        examples = loaded(path)
        assert len(examples) == (30 if "train" in path.name else 20)
        is_noisy = path.name.startswith("noisy")
        assert is_noisy or all(e.answers[0].is_in(e.context) for e in examples)


def test_what_stands_beside_is_wrong_as_it_is_said_to_be(made):
    right = {e.id: e for e in held_out(made, "test")["qab"]}
    last = {e.id: e for e in held_out(made, "test")["qad"]}
    strange, itself, little, much = (
        loaded(made / f"beside/{name}.qab.json.gz")
        for name in ("strange", "itself", "noisy10", "noisy30")
    )
    assert all(e.id in right and e.context != right[e.id].context for e in strange)
    assert {e.context for e in strange} == {e.context for e in right.values()}
    assert all((e.question, e.context) == (last[e.id].question, last[e.id].context) for e in itself)

    def changed(examples):
        """The fraction of words that are other ones."""
        pairs = [
            (a, b)
            for e in examples
            for a, b in zip(e.context.split(), right[e.id].context.split(), strict=True)
        ]
        return sum(a != b for a, b in pairs) / len(pairs)

    assert 0.05 < changed(little) < 0.2 < changed(much) < 0.45


def test_texts_have_links_and_are_in_no_other_set(made):
    contexts = {
        e.context
        for p in set(made.rglob("*.json.gz")) - set(made.glob("texts/*"))
        for e in loaded(p)
    }
    for file in find_texts([made / "texts"]):
        texts = list(file.texts())
        assert len(texts) == SIZES.train // 8
        for text in texts:
            assert 4 <= len(text.links) <= 5
            assert {" ".join(link.of(text.text).split()) for link in text.links} == {
                link.of(text.text) for link in text.links
            }
            assert text.text not in contexts


@pytest.mark.parametrize("split", ["dev", "test"])
def test_held_out_sets_are_parallel(made, split):
    cells = cross(held_out(made, split))
    assert len(cells) == 16
    world = World(3, shared_names=toy_world.SHARED_NAMES)
    seed = {"dev": 2, "test": 3}[split]
    for one, other in (("L1", "L0"), ("L2", "L3")):
        made_here = world.examples(20, one, other, seed=seed)
        cell = cells[CODES[one], CODES[other]]
        assert [(e.id, e.question, e.context, e.answers) for e in cell] == [
            (e.id, e.question, e.context, e.answers) for e in made_here
        ]


def test_sets_and_texts_of_pretraining_share_no_story(made):
    world = World(3, shared_names=toy_world.SHARED_NAMES)
    ids = {"train": loaded(made / "train.qaa.json.gz")}
    ids |= {split: held_out(made, split)["qaa"] for split in ("dev", "test")}
    told = {split: {story(world, e.id) for e in examples} for split, examples in ids.items()}
    for number in range(4):
        for place in range(toy_world.BATCH):
            language = toy_world.language_of(place)
            told.setdefault(language, set()).add(story(world, toy_world.story_of(number, place)))
    assert len(told) == 3 + len(LANGUAGES)
    assert len(set.union(*told.values())) == sum(map(len, told.values()))


def story(world, example_id):
    return tuple(f[:3] for f in world.story(example_id).facts)


def test_translations_have_their_partners(made):
    originals = loaded(made / "train.qaa.json.gz")
    for other in ("qab", "qac", "qad"):
        asked, told, both = (
            loaded(made / "translated" / f"train.{codes}.json.gz")
            for codes in (f"{other}-qaa", f"qaa-{other}", other)
        )
        assert {e.strategy for e in asked} == {"T(Q)"}
        assert {e.strategy for e in told} == {"T(C)"}
        assert {e.strategy for e in both} == {"T(Q+C)"}
        assert question_pairs([*originals, *asked]) == list(zip(originals, asked, strict=True))
        assert len(question_pairs([*originals, *told, *both])) == 30


def test_reader_is_an_encoder_that_gets_a_head(made):
    folder = str(made / "reader")
    with pytest.raises(DataError, match="an encoder without a span head"):
        pretrained.load(folder)
    reader = pretrained.load(folder, gives_new_head=True)
    examples = load_squad(made / "test" / "test.qac.json.gz")
    windows = list(reader.windows(examples))
    assert len(windows) == 20
    assert all(reader.tokenizer.unk_token_id not in window.ids() for window in windows)
    assert reader(reader.collate(windows)).hidden.shape[-1] == 64


def test_what_is_there_is_not_made_again_and_what_is_missing_is_the_same(made):
    weights = made / "reader" / "model.safetensors"
    lost = made / "dev" / "dev.qab.json.gz"
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (weights, lost)}
    lost.unlink()
    make(made, seed=3, sizes=SIZES)
    assert weights.stat().st_mtime_ns == before[weights][0]
    assert lost.read_bytes() == before[lost][1]


def test_pretraining_is_drawn_from_its_seed_alone(made):
    world = World(3, shared_names=toy_world.SHARED_NAMES)
    torch.rand(1)
    again = toy_world.pretrained(world, 3, SIZES.updates).model.state_dict()
    loaded_again = pretrained.load(str(made / "reader"), gives_new_head=True).model.bert
    assert all(torch.equal(again[name], w) for name, w in loaded_again.state_dict().items())


def test_another_world_is_not_mixed_in(made):
    with pytest.raises(ConfigError, match=r"expected .*'seed': 4.*, found .*'seed': 3"):
        make(made, seed=4, sizes=SIZES)
