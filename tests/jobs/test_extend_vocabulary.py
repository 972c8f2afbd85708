"""Vocabularies extended: what stays, what new pieces start from, offsets, resuming."""

import json
import random

import numpy as np
import pytest
import torch

from babelspan.export.onnx import export
from babelspan.jobs import extend_vocabulary as job
from babelspan.jobs.extend_vocabulary import extend
from babelspan.jobs.known_texts import find
from babelspan.networks.pretrained import PretrainedReader, load_bare
from babelspan.networks.revocabulary import word_vectors
from babelspan.readers import load_checkpoint
from babelspan.types import ConfigError, DataError
from tiny_encoders_by_family import FAMILIES, WORDS, save_tiny

GERMAN = {
    "the": "die",
    "bridge": "brücke",
    "old": "alte",
    "river": "fluss",
    "was": "war",
    "built": "gebaut",
    "over": "über",
    "stands": "steht",
    "who": "wer",
}
OTHERS = {
    "hi": "पुरानी क़िताब हिन्दी में है",
    "th": "สะพานเก่าอยู่เหนือแม่น้ำกำแพง",
    "vi": "cây cầu cũ bắc qua sông tiếng việt",
    "ar": "الجسر القديم فوق النهر مَدرَسة",
}
NAME = "chloroplast"
"""A word that the tiny encoders cut into letters, or so; German texts make it a piece."""


def sentences(seed, count):
    rng = random.Random(seed)
    return [rng.choices(WORDS, k=6) for _ in range(count)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Texts in six languages, a bitext and a dictionary."""
    folder = tmp_path_factory.mktemp("data")
    english = [" ".join(words) + "." for words in sentences(0, 80)] + [f"the {NAME} stands"] * 40
    (folder / "texts.en.txt").write_text("\n".join(english), "utf-8")
    for language, text in OTHERS.items():
        (folder / f"texts.{language}.txt").write_text("\n".join([text] * 50), "utf-8")
    pairs = [
        " ".join(words) + "\t" + " ".join(GERMAN.get(w, w) for w in words)
        for words in sentences(1, 150)
    ]
    (folder / "pairs.en-de.tsv").write_text("\n".join(pairs), "utf-8")
    (folder / "texts.de.txt").write_text("\n".join([f"der {NAME} steht"] * 40), "utf-8")
    (folder / "hi-en.tsv").write_text("क़िताब\triver\n" * 9, "utf-8")
    return folder


def texts_of(folder, **changed):
    arguments = {
        "texts": [folder],
        "bitext": [folder],
        "lexicons": [folder / "hi-en.tsv"],
        "known": ("en",),
    }
    return find(**(arguments | changed))


SIZE = 400


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def extended(request, data, tmp_path_factory):
    """A tiny encoder of each family, before and after, and what is told of it."""
    folder = tmp_path_factory.mktemp(request.param)
    save_tiny(request.param, folder / "old")
    made = extend(str(folder / "old"), texts_of(data), folder / "new", size=SIZE)
    return load_bare(str(folder / "old")), load_bare(str(folder / "new")), made


def test_everything_but_the_word_vectors_is_kept(extended):
    old, new, made = extended
    assert type(old) is type(new)
    before, after = old.state_dict(), new.state_dict()
    assert before.keys() == after.keys()
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert len(changed) == 1
    assert word_vectors(new).shape == (made.size, 16)
    assert made.shared + made.linked + made.unlinked == made.size <= SIZE
    assert new.model.config.vocab_size == made.size


def test_a_text_of_shared_pieces_is_read_as_before(extended):
    """The new ids, put back into old ones, give the old encoder's vectors: frame, positions."""
    old, new, _ = extended
    text = " the old bridge was built by anna in the river"
    names = {v: k for k, v in new.featurizer.tokenizer.get_vocab().items()}
    window = next(windows_of(new, text))
    vocabulary = old.featurizer.tokenizer.get_vocab()
    ids = [vocabulary[as_old(names[i], vocabulary)] for i in window.ids().tolist()]
    theirs = next(windows_of(old, text))
    assert theirs.ids().tolist() == ids
    assert theirs.types().tolist() == window.types().tolist()
    readings = []
    for network, own in ((old, ids), (new, window.ids().tolist())):
        encoder = network.encoder if isinstance(network, PretrainedReader) else network
        given = torch.tensor([own])
        with torch.no_grad():
            readings.append(encoder.model.eval()(input_ids=given)[0])
    assert torch.allclose(*readings, atol=1e-6)


def windows_of(network, text):
    from babelspan.types import Example

    example = Example(
        id="q", question=" who was anna", context=text, answers=None,
        question_language="en", context_language="en",
    )  # fmt: skip
    return network.featurizer.windows([example])


def as_old(piece, vocabulary):
    """A piece as the old vocabulary writes it."""
    later = piece.startswith("▁") and piece.removeprefix("▁")
    for name in (piece, later and f"Ġ{later}", later, f"##{piece}"):
        if name and name in vocabulary:
            return name
    raise AssertionError(piece)


def test_a_new_word_of_a_known_language_starts_from_its_old_pieces(extended):
    """In each text the word has the same old pieces; twice the same piece counts twice."""
    old, new, made = extended
    vocabulary = new.featurizer.tokenizer.get_vocab()
    assert f"▁{NAME}" in vocabulary
    tokens = old.featurizer.tokens(f" {NAME}")
    ids = tokens.ids[(tokens.offsets[:, 0] >= 1) & (tokens.offsets[:, 1] > tokens.offsets[:, 0])]
    assert len(ids) > 3
    before, after = word_vectors(old), word_vectors(new)
    kept = [v for v in after if any(np.array_equal(v, o) for o in before)]
    assert len(kept) == made.shared
    middle = np.mean(kept, axis=0)
    pieces, times = np.unique(ids, return_counts=True)
    mean = np.average(before[pieces], axis=0, weights=times**1.5)
    assert likeness(after[vocabulary[f"▁{NAME}"]] - middle, mean - middle) > 0.999


def likeness(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_translations_start_alike(extended):
    """By the bitext ("brücke") and by the dictionary ("क़िताब" stands for the river)."""
    _, new, _ = extended
    vocabulary = new.featurizer.tokenizer.get_vocab()
    vectors = word_vectors(new)
    english = {w: vectors[vocabulary[f"▁{w}"]] for w in WORDS if f"▁{w}" in vocabulary}
    assert len(english) > 10
    for foreign, word in (("▁brücke", "bridge"), ("▁alte", "old"), (hindi(vocabulary), "river")):
        likest = max(english, key=lambda w: likeness(english[w], vectors[vocabulary[foreign]]))
        assert likest == word, foreign


def hindi(vocabulary):
    import unicodedata

    return max(
        (p for p in vocabulary if unicodedata.normalize("NFKC", "▁क़िताब").startswith(p)), key=len
    )


def test_marks_are_kept_and_offsets_are_exact(extended):
    _, new, made = extended
    for language, text in OTHERS.items():
        tokens = new.featurizer.tokens(text)
        assert made.after[language].unknown == 0
        covered = {i for start, end in tokens.offsets.tolist() for i in range(start, end)}
        assert covered == {i for i, c in enumerate(text) if not c.isspace()}, language
        assert [*map(tuple, tokens.offsets)] == sorted(map(tuple, tokens.offsets))
    for marked, bare in (("tiếng", "tieng"), ("हिन्दी", "हनद"), ("กำ", "ก"), ("مَدرَسة", "مدرسة")):
        assert (
            new.featurizer.tokens(marked).ids.tolist() != new.featurizer.tokens(bare).ids.tolist()
        )


def test_languages_are_cut_less_finely(extended):
    _, _, made = extended
    assert set(made.before) == set(made.after) == {"en", "de", *OTHERS}
    for language in ("de", *OTHERS):
        old, new = made.before[language], made.after[language]
        assert old.characters == new.characters > 0
        assert new.per_character < 0.5
        assert old.unknown > 0 or old.per_character > new.per_character


def test_an_extended_encoder_can_be_trained_further(extended, tmp_path):
    _, new, _ = extended
    new.save(tmp_path)
    reader = load_checkpoint(str(tmp_path), gives_new_head=True)
    batch = reader.collate(list(windows_of(reader, OTHERS["hi"])))
    assert torch.isfinite(reader(batch).start_logits).all()


class StoppedError(Exception):
    """Stands for a crash."""


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_a_stopped_job_goes_on_where_it_stopped(data, tmp_path, monkeypatch):
    save_tiny("bert", tmp_path / "old")
    whole = extend(str(tmp_path / "old"), texts_of(data), tmp_path / "whole", size=SIZE)
    estimated, counted = [], []
    estimate, count_words = job.estimate, job.count_words

    def stopping(*arguments, **options):
        estimated.append(len(arguments[0]))
        if len(estimated) == 2:
            raise StoppedError
        return estimate(*arguments, **options)

    def counting(*arguments, **options):
        counted.append(1)
        return count_words(*arguments, **options)

    monkeypatch.setattr(job, "estimate", stopping)
    monkeypatch.setattr(job, "count_words", counting)
    with pytest.raises(StoppedError):
        extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=SIZE)
    assert (len(counted), len(estimated)) == (6, 2)
    again = extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=SIZE)
    assert (len(counted), len(estimated)) == (6, 3)
    assert again == whole
    assert contents(tmp_path / "new") == contents(tmp_path / "whole")
    assert not (tmp_path / "new" / "parts").exists()
    assert extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=SIZE) == whole
    with pytest.raises(ConfigError, match="holds a vocabulary of 400 pieces, expected one of 401"):
        extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=SIZE + 1)
    save_tiny("roberta", tmp_path / "old")
    with pytest.raises(ConfigError, match="holds a job that differs in encoder; choose another"):
        extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=SIZE)


def test_bad_input_is_named(data, tmp_path):
    save_tiny("bert", tmp_path / "old")
    with pytest.raises(ConfigError, match=r"--size must be at least \d+ for these texts .* got 60"):
        extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=60)
    assert extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=300).size <= 300
    with pytest.raises(ConfigError, match=r"a language that the encoder knows \(fr\), found texts"):
        texts_of(data, known=("fr",))
    with pytest.raises(ConfigError, match="expected texts in other languages, found texts in en"):
        texts_of(data, texts=[data / "texts.en.txt"], bitext=[])
    with pytest.raises(DataError, match="expected a dictionary with a name like en-de"):
        texts_of(data, lexicons=[data / "texts.en.txt"])
    (tmp_path / "broken.en-de.tsv").write_text("one\n", "utf-8")
    with pytest.raises(DataError, match=r"broken.en-de.tsv: line 1: expected a sentence, a tab"):
        broken = texts_of(data, bitext=[tmp_path / "broken.en-de.tsv"])
        extend(str(tmp_path / "old"), broken, tmp_path / "other", size=SIZE)


def test_the_record_names_what_the_result_depends_on(data, tmp_path):
    save_tiny("bert", tmp_path / "old")
    extend(str(tmp_path / "old"), texts_of(data), tmp_path / "new", size=SIZE)
    record = json.loads((tmp_path / "new" / job.RECORD).read_text("utf-8"))
    assert set(record) == {"encoder", "files", "lexicons", "known", "babelspan"}


def test_an_exported_reader_gets_more_pieces_too(data, tmp_path):
    save_tiny("bert_reader", tmp_path / "old")
    export(load_checkpoint(str(tmp_path / "old")), tmp_path / "exported", int8=True)
    made = extend(str(tmp_path / "exported"), texts_of(data), tmp_path / "new", size=SIZE)
    found = load_checkpoint(str(tmp_path / "new"))
    assert found.model.config.vocab_size == made.size > len(WORDS)
    before = load_checkpoint(str(tmp_path / "old")).state_dict()
    for name, values in found.state_dict().items():
        if "layer.0.output.dense.weight" in name:
            assert torch.allclose(values, before[name], atol=0.02)
