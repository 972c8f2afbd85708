"""Translations made on the way to stand beside a text; answers are places in the text itself."""

from dataclasses import replace

import pytest
import torch

from babelspan.engines.torch import TorchEngine
from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.reading.answerer import Answerer
from babelspan.reading.beside import Beside
from babelspan.scoring.calibration import Calibration
from babelspan.translators import load_translator
from babelspan.types import ConfigError
from miniature import miniature_reader
from world import World

WORLD = World(0)


def renamed(examples, language):
    return [replace(e, question_language=language, context_language=language) for e in examples]


ENGLISH = renamed(WORLD.examples(6), "en")
GERMAN = renamed(WORLD.examples(6, "L1", "L1"), "de")
FRENCH = renamed(WORLD.examples(6, "L2", "L2"), "fr")


class Exact:
    """The world's own translations of its sentences and questions; `lost` becomes nothing."""

    identity = "exact"

    def __init__(self, lost=()):
        self.lost, self.asked = lost, []
        self.said = {}
        for language, others in (("de", GERMAN), ("fr", FRENCH)):
            for one, other in zip(ENGLISH, others, strict=True):
                for mine, theirs in ((one.question, other.question), (one.context, other.context)):
                    pairs = zip(mine.split(". "), theirs.split(". "), strict=True)
                    self.said |= {(language, a.strip(". ")): b.strip(". ") for a, b in pairs}

    def translate(self, texts, *, source, target, tags=()):
        self.asked += [(source, target, text) for text in texts]
        return [
            "" if text in self.lost else self.said[target, text.strip(". ")] + "." * ("." in text)
            for text in texts
        ]


@pytest.fixture(scope="module")
def answerer():
    inner = miniature_reader(WORLD.vocabulary())
    reader = ParallelReader(inner, Attention(languages=("de", "fr"), heads=4), seed=3)
    with torch.no_grad():
        reader.head.weight[:, inner.width :].normal_(generator=torch.Generator().manual_seed(5))
    return Answerer(TorchEngine(reader.eval()))


def by_files(*others):
    return [replace(e, others=o) for e, *o in zip(ENGLISH, *others, strict=True)]


def test_translations_made_on_the_way_read_as_those_from_files(answerer):
    made = list(Beside(answerer, Exact(), ["de", "fr"]).predict(ENGLISH))
    given = list(
        answerer.predict([replace(e, others=tuple(e.others)) for e in by_files(GERMAN, FRENCH)])
    )
    assert [p.span for p in made] == [p.span for p in given]
    assert [p.logit for p in made] == pytest.approx([p.logit for p in given], abs=1e-4)
    assert all(p.span.of(e.context) == p.text for p, e in zip(made, ENGLISH, strict=True))
    alone = list(answerer.predict(ENGLISH))
    assert [p.logit for p in made] != pytest.approx([p.logit for p in alone], abs=1e-3)


def test_what_is_there_is_not_translated(answerer):
    """A translation from a file, and a text that is in the language already."""
    translator = Exact()
    beside = Beside(answerer, translator, ["de", "fr"])
    (english,) = beside.with_translations([replace(ENGLISH[0], others=(GERMAN[0],))])
    assert english.others[0] == GERMAN[0]
    assert {target for _, target, _ in translator.asked} == {"fr"}
    (french,) = Beside(answerer, Exact(), ["fr"]).with_translations([FRENCH[0]])
    assert french.others == (replace(FRENCH[0], answers=None),)


def test_one_question_over_several_texts(answerer):
    spoken = {"question_language": "en", "context_language": "en"}
    beside = Beside(answerer, Exact(), ["de", "fr"])
    contexts = [e.context for e in ENGLISH]
    found = beside.ask(ENGLISH[2].question, contexts, top_k=3, **spoken)
    assert len(found) == 3
    assert all(f.prediction.span.of(contexts[f.context]) == f.prediction.text for f in found)
    with pytest.raises(ValueError, match="the question is empty"):
        beside.ask(" ", contexts)
    assert beside.ask(ENGLISH[2].question, contexts[0], **spoken) == beside.ask(
        ENGLISH[2].question, contexts[:1], **spoken
    )


def test_a_calibrated_reader_says_how_probably_it_is_right_and_what_it_cannot_read(answerer):
    curve = Calibration(slope=2.0, offset=0.0)
    calibrated = Answerer(answerer.engine, calibration=curve)
    beside = Beside(calibrated, Exact(), ["de"])
    assert beside.calibration is curve
    (said,) = beside.predict(ENGLISH[:1])
    (given,) = calibrated.predict(by_files(GERMAN)[:1])
    assert 0 < said.probability < 1
    assert said.probability == pytest.approx(given.probability, abs=1e-5)
    assert beside.unfamiliar("ไก่" * 20) == answerer.unfamiliar("ไก่" * 20) == ("Thai",)


def test_translations_that_come_back_empty_are_counted_and_read_as_missing(answerer):
    lost = Beside(answerer, Exact(lost=[ENGLISH[0].question]), ["de"])
    found = lost.with_translations(ENGLISH)
    assert [len(e.others) for e in found] == [0, 1, 1, 1, 1, 1]
    assert lost.missing == {"de": 1}
    assert lost.summary().endswith("; 1 into de came back empty")


def test_wrong_languages_are_told(answerer):
    with pytest.raises(
        ConfigError, match="reads translations into 'it' beside a text, got one tha"
    ):
        Beside(answerer, Exact(), ["it"])
    plain = Answerer(TorchEngine(miniature_reader(WORLD.vocabulary())))
    with pytest.raises(ConfigError, match="got one that reads one text only; leave 'de' out"):
        Beside(plain, Exact(), ["de"])
    with pytest.raises(ConfigError, match="needs the languages of question and context"):
        Beside(answerer, Exact(), ["de"]).ask(ENGLISH[0].question, [ENGLISH[0].context])


def test_copies_are_the_text_itself(answerer):
    (example,) = Beside(answerer, load_translator("copy"), ["de"]).with_translations(ENGLISH[:1])
    assert example.others[0].context == ENGLISH[0].context
    with pytest.raises(ConfigError, match="the translator copy takes no argument, got 'x'"):
        load_translator("copy:x")
