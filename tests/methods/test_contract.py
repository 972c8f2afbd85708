"""What every method keeps to; the folder says which methods there are."""

import dataclasses
import importlib
import inspect
import re
from functools import cache
from pathlib import Path

import pytest
import torch

from babelspan import config, methods
from babelspan.engines.torch import TorchEngine
from babelspan.jobs import first_stage
from babelspan.jobs import train as train_job
from babelspan.jobs.players import GENERATOR, player_of
from babelspan.networks import store
from babelspan.networks.decoding import Decode, write
from babelspan.networks.question_generator import QuestionGenerator, begun
from babelspan.networks.reader import Reader
from babelspan.reading.answerer import Answerer
from babelspan.scoring.scorers import unicode
from babelspan.training.first import First
from babelspan.training.members import joined
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import Alignment, Article, ArticleAnswer, Passage, SentencePair, Span
from miniature import miniature_reader
from worded_readers import miniature_qanet
from world import World

FOLDER = Path(methods.__file__).parent
METHODS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
ROOT = Path(__file__).parents[2]
PARTS = ("Paper", "Needs", "Departs", "Algorithm")

WORLD = World(0)
TRANSLATED = {"L1": WORLD.translations(12, "L1"), "L2": WORLD.translations(12, "L2")}
EXAMPLES = [*WORLD.examples(12), *TRANSLATED["L1"]]
LINKED = [
    SentencePair(own.question, other.question, "en", "L1", Alignment(frozenset({(0, 0), (1, 1)})))
    for own, other in zip(EXAMPLES[:12], TRANSLATED["L1"], strict=True)
]
ARTICLES = [
    Article(
        id=number,
        language="english",
        question=example.question,
        text=example.context,
        passages=(Span(0, len(example.context)),),
        answers=(ArticleAnswer(passage=0, span=example.answers[0].span, yes_no=None),),
    )
    for number, example in enumerate(EXAMPLES)
]
PASSAGES = [Passage(example.context, "en") for example in EXAMPLES[:12]]
OTHERS = WORLD.examples(12, seed=3)
BESIDE = joined([*WORLD.examples(12), *WORLD.translations(12, "L1", "L1")]).examples
LEARNT_BY = {"multilingual_attention": [*BESIDE, *(o for e in BESIDE for o in e.others)]}
"""Of methods that learn from something else than questions in two languages over one text."""
SMALLER = {"qanet_adversarial": {"steps": 2, "filters": 8, "blocks": 1}}
"""Settings that make tests of a method quick."""

every_method = pytest.mark.parametrize("name", METHODS)


def module_of(name):
    return importlib.import_module(f"babelspan.methods.{name}")


def writes(name):
    """Whether a method trains a generator of questions, and not a reader."""
    return player_of(module_of(name)) is GENERATOR


def untrained(name, dropout=0.0):
    """A miniature of what a method trains."""
    if name == "qanet_adversarial":
        sizes = {"sides": ("L1", "L0"), "dependent": "encoder", "blocks": 1}
        return miniature_qanet(WORLD.vocabulary(), dropout=dropout, **sizes)
    reader = miniature_reader(WORLD.vocabulary(), dropout=dropout)
    return begun(reader.encoder) if writes(name) else reader


class StoppedError(Exception):
    """Stands for a crash."""


def trained(
    name,
    *,
    updates=60,
    seed=1,
    dropout=0.0,
    folder=None,
    stop_at=None,
    first=None,
    dev=(),
    measured=None,
    **settings,
):
    """A miniature trained by a method with its defaults, but for the learning rate.

    `stop_at` is an update of the method, or stage and update; `first` the settings of a first stage
    on other examples; `measured` gets the figures on the examples `dev`.
    """

    def monitor():
        if stop_at in (run.clock.update, (run.clock.stage, run.clock.update)):
            raise StoppedError
        if measured is None:
            return {}
        measured.append(player_of(module).monitor(network, dev, unicode, run)())
        return measured[-1]

    module = module_of(name)
    config = RunConfig(seed=seed, updates=updates, batch_size=12, threads=1, **settings)
    run = Run(config=config, folder=folder, monitor=monitor)
    network = untrained(name, dropout)
    fields = {f.name: f.default for f in dataclasses.fields(module.Config)}
    fast = {key: Optim(lr=5e-3) for key, value in fields.items() if isinstance(value, Optim)}
    assert fast, f"{name}.Config has no player"
    labelled = LEARNT_BY.get(name, EXAMPLES)
    corpora = Corpora(labelled=labelled, bitext=LINKED, passages=PASSAGES, articles=ARTICLES)
    if first:
        before = module_of(player_of(module).first)
        first_stage.learn(network, before, Corpora(labelled=OTHERS), first, run)
    return module.train(network, corpora, module.Config(**fast, **SMALLER.get(name, {})), run)


def predicted(reader, examples=EXAMPLES):
    """The answers of a reader, the questions of a generator."""
    if isinstance(reader, QuestionGenerator):
        batch = reader.collate([reader.sources.of(e, is_asked=True) for e in examples])
        return write(reader.eval(), batch, Decode())
    engine = TorchEngine(reader.eval())
    return list(Answerer(engine).predict(examples))


def weights(reader):
    return torch.cat([p.detach().flatten() for p in reader.parameters()])


@cache
def weights_unbroken(name, first=None, **settings):
    """The weights of a training that nothing stopped; other runs are compared with them."""
    return weights(trained(name, first=first, **settings))


def test_the_methods_are_found():
    assert {"fine_tune", "question_generation"} <= {*METHODS}


@every_method
def test_what_is_trained_is_measured_on_development_data(name):
    dev = [*WORLD.examples(4), *WORLD.examples(4, "L1", "L1")]  # parallel, with the same ids
    found = []
    trained(name, updates=2, evaluate_every=1, dev=dev, measured=found)
    expected = {"dev_nats"} if writes(name) else {"dev_exact_match", "dev_f1"}
    assert [{*figures} for figures in found] == [expected] * 2


@every_method
def test_docstring_has_its_parts(name):
    text = module_of(name).__doc__
    first, blank, *rest = text.split("\n")
    assert re.fullmatch(r"[A-Z].{20,}\.", first)
    assert len(first) <= 97
    assert blank == ""
    heads = [re.match(r"\w+", line)[0] for line in rest if line and not line.startswith(" ")]
    assert tuple(heads) == PARTS
    assert re.search(r"^Paper .*\(\d{4}\), arXiv:\d{4}\.\d{5}", text, re.MULTILINE)
    assert re.search(r"^Departs +1\. |^Departs +None known", text, re.MULTILINE)
    assert re.search(r"^Algorithm, for each .+\n +\d+ +\w+ ", text, re.MULTILINE)


@every_method
def test_config_is_frozen_and_explained(name):
    kind = module_of(name).Config
    assert dataclasses.is_dataclass(kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(kind(), dataclasses.fields(kind)[0].name, None)
    with pytest.raises(TypeError):
        kind(*[f.default for f in dataclasses.fields(kind)])  # keyword-only
    source = inspect.getsource(kind)
    for field in dataclasses.fields(kind):
        assert re.search(rf'\n    {field.name}: .+\n    """[A-Z]', source), field.name


@every_method
def test_train_has_the_signature(name):
    signature = inspect.signature(module_of(name).train)
    found = [(p.name, p.annotation) for p in signature.parameters.values()]
    player = ("generator", QuestionGenerator) if writes(name) else ("reader", Reader)
    expected = [
        player,
        ("corpora", Corpora),
        ("config", module_of(name).Config),
        ("run", Run),
    ]
    assert found == expected
    assert signature.return_annotation is player[1]


@every_method
def test_methods_do_not_import_methods(name):
    assert "babelspan.methods" not in (FOLDER / f"{name}.py").read_text(encoding="utf-8")


@every_method
def test_papers_has_an_entry(name):
    papers = (ROOT / "PAPERS.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}\n(.+?)(?=^## |\Z)", papers, re.MULTILINE | re.DOTALL)
    assert section, f"PAPERS.md has no section {name}"
    assert f"methods/{name}.py" in section[1]
    cited = set(re.findall(r"arXiv:\d{4}\.\d{5}", module_of(name).__doc__))
    assert cited <= set(re.findall(r"arXiv:\d{4}\.\d{5}", section[1]))


@every_method
def test_a_recipe_of_the_method_loads(name):
    launch = re.compile(rf"^# +babelspan train {name} --recipe (\S+)", re.MULTILINE)
    recipes = [
        (path, match[1])
        for path in train_job.RECIPES.rglob("*.toml")
        if (match := launch.search(path.read_text(encoding="utf-8")))
    ]
    assert recipes
    for path, called in recipes:
        assert path.relative_to(train_job.RECIPES).with_suffix("").as_posix() == called
        tables = config.load_tables(path)
        config.build(module_of(name).Config, tables.get("method", {}), str(path))
        config.build(RunConfig, tables.get("run", {}), str(path))


@pytest.mark.parametrize("name", [n for n in METHODS if "labelled" in module_of(n).NEEDS])
def test_learns_a_dozen_examples(name):
    asked = BESIDE if name in LEARNT_BY else EXAMPLES

    def texts(network):
        found = predicted(network, asked)
        if writes(name):
            return [network.tokenizer.convert_ids_to_tokens(w.pieces) for w in found]
        return [p.text for p in found]

    gold = [e.answers[0].text for e in asked]
    if writes(name):
        tokenize = untrained(name).tokenizer.tokenize
        gold = [tokenize(e.question) for e in asked]
    else:
        assert texts(untrained(name)) != gold
    assert texts(trained(name, updates=400 if writes(name) else 60)) == gold


@every_method
def test_same_seed_same_weights(name):
    one, other = (trained(name, updates=5, dropout=0.1) for _ in range(2))
    assert torch.equal(weights(one), weights(other))
    assert not torch.equal(weights(one), weights(trained(name, updates=5, dropout=0.1, seed=2)))


@every_method
@pytest.mark.parametrize("stop_at", [2, 5, 6])
def test_stopped_and_resumed_equals_not_stopped(name, stop_at, tmp_path):
    """Stopped where a checkpoint has been written and, at 5, where one has not."""
    settings = {"updates": 8, "dropout": 0.1, "save_every": 2, "evaluate_every": 1}
    with pytest.raises(StoppedError):
        trained(name, folder=tmp_path, stop_at=stop_at, **settings)
    torch.manual_seed(99)  # nothing hangs on what happened to stand in memory
    resumed = trained(name, folder=tmp_path, **settings)
    assert torch.equal(weights(resumed), weights_unbroken(name, **settings))


@pytest.mark.parametrize("name", [n for n in METHODS if not writes(n)])
@pytest.mark.parametrize("stop_at", [(0, 3), (0, 4), (1, 1), (1, 5)])
def test_stopped_in_either_stage_and_resumed_equals_not_stopped(name, stop_at, tmp_path):
    """What a method makes of the reader of the first stage is the same again."""
    first = First(reader=Optim(lr=5e-3), updates=4, batch_size=6)
    settings = {"updates": 6, "dropout": 0.1, "save_every": 2, "evaluate_every": 1, "first": first}
    with pytest.raises(StoppedError):
        trained(name, folder=tmp_path, stop_at=stop_at, **settings)
    torch.manual_seed(99)
    resumed = trained(name, folder=tmp_path, **settings)
    whole = weights_unbroken(name, **settings)
    assert torch.equal(weights(resumed), whole)
    assert not torch.equal(whole, weights_unbroken(name, **{**settings, "first": None}))


@every_method
def test_saved_and_loaded_predicts_the_same(name, tmp_path):
    reader = trained(name, updates=5, dropout=0.1)
    store.save(reader, tmp_path)
    loaded = store.load(str(tmp_path), limits=reader.featurizer.limits)
    assert predicted(loaded) == predicted(reader)
    assert predicted(loaded, BESIDE) == predicted(reader, BESIDE)
