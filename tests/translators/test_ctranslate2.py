"""CTranslate2: equal to transformers on the same weights; languages, limits, broken folders."""

import json
import math
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import constants
from transformers import BertConfig, BertModel
from transformers.utils import logging

import tiny_translators
from babelspan.cli.convert import command
from babelspan.translators import load_translator, names
from babelspan.translators.ctranslate2.converted import ConvertedModel, convert, licence_of
from babelspan.translators.ctranslate2.engine import CTranslate2, Options, translator
from babelspan.types import ConfigError, DataError, TranslationError

LINES = tiny_translators.made_up_lines(5, seed=5)
FAMILIES = ("marian", "m2m100", "nllb", "madlad")
FORCED = {"m2m100": "__es__", "nllb": "spa_Latn"}

pytestmark = pytest.mark.filterwarnings("ignore:Recommended")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """By family: folder of the converted model, of the checkpoint, network, tokenizer."""
    logging.disable_progress_bar()
    root = tmp_path_factory.mktemp("models")
    made = {}

    def build(family):
        if family not in made:
            model, tokenizer = getattr(tiny_translators, family)(root / family)
            convert(str(root / family), root / f"{family}-ct2")
            made[family] = (root / f"{family}-ct2", root / family, model, tokenizer)
        return made[family]

    return build


@pytest.fixture
def marian(built):
    return built("marian")[0]


@pytest.fixture
def broken(marian, tmp_path):
    """A copy that can be broken."""
    return shutil.copytree(marian, tmp_path / "broken")


def exact(folder, **options):
    return CTranslate2(folder, Options(compute="float32", intra=1, max_ratio=0.25, **options))


def by_transformers(family, model, tokenizer, text, beam):
    """What transformers says, by its own tokenizer, search and decoding."""
    encoded = tokenizer(f"<2es> {text}" if family == "madlad" else text, return_tensors="pt")
    length = encoded.input_ids.shape[1]
    forced = FORCED.get(family)
    ids = model.generate(
        **encoded,
        num_beams=beam,
        do_sample=False,
        early_stopping=beam > 1,  # as CTranslate2 does: when as many as `beam` have ended
        max_length=None,
        max_new_tokens=math.ceil(length / 16) * 4 + 16,
        forced_bos_token_id=tokenizer.convert_tokens_to_ids(forced) if forced else None,
    )
    return tokenizer.decode(ids[0], skip_special_tokens=True)


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("family", FAMILIES)
def test_translations_are_those_of_transformers(built, family, beam):
    folder, _, model, tokenizer = built(family)
    ours = exact(folder, beam=beam).translate(LINES, source="en", target="es")
    theirs = [by_transformers(family, model, tokenizer, line, beam) for line in LINES]
    assert ours == theirs
    assert len(set(ours)) == len(LINES)  # the source is heard


def test_the_translator_is_known_by_name(marian):
    assert "ctranslate2" in names()
    chosen = load_translator(f"ctranslate2:{marian},beam=1,compute=float32,max_ratio=0.25,intra=1")
    assert chosen.translate(LINES, source="en", target="es") == exact(marian, beam=1).translate(
        LINES, source="en", target="es"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_translation_does_not_depend_on_its_neighbours(built, family):
    engine = exact(built(family)[0], batch_tokens=40)
    texts = [*LINES, " ".join(LINES), "ka"]
    together = engine.translate(texts, source="en", target="es")
    backwards = engine.translate(texts[::-1], source="en", target="es")
    alone = [engine.translate([text], source="en", target="es")[0] for text in texts]
    side_by_side = exact(built(family)[0], inter=2).translate(texts, source="en", target="es")
    assert together == backwards[::-1] == alone == side_by_side


def test_int8_stored_and_int8_run_are_the_same(built, tmp_path):
    folder, checkpoint, _, _ = built("m2m100")
    convert(str(checkpoint), tmp_path / "small", int8=True)
    size, small = ((f / "model.bin").stat().st_size for f in (folder, tmp_path / "small"))
    assert small < 0.6 * size  # the table of positions stays as it is
    run, stored = (
        CTranslate2(f, Options(max_ratio=1)).translate(LINES, source="en", target="es")
        for f in (folder, tmp_path / "small")
    )
    assert run == stored
    assert all(run)


def test_what_is_empty_stays_and_is_not_sent(marian):
    engine = exact(marian)
    (alone,) = engine.translate(LINES[:1], source="en", target="es")
    texts = ["", LINES[0], " \n", ""]
    assert engine.translate(texts, source="en", target="es") == ["", alone, " \n", ""]
    engine._engine = None
    assert engine.translate(["", "\t"], source="en", target="es") == ["", "\t"]
    assert engine.translate([], source="en", target="es") == []


def test_tags_and_control_tokens_in_a_text_are_text(built):
    for family in FAMILIES:
        model = ConvertedModel(built(family)[0])
        pair = model.pair("en", "es")
        tokens = model.encode("<b>ka</b> </s> __es__ spa_Latn >>es<<", pair)
        special = {"</s>", "__en__", "__es__", "eng_Latn", "spa_Latn", ">>es<<", "<2es>"}
        inner = tokens[1:-1] if family != "madlad" else tokens[2:-1]
        assert tokens[-1] == "</s>"
        assert special.isdisjoint(inner)
        assert "ka" in "".join(inner)
    engine = exact(built("marian")[0])
    plain, tagged = (
        engine.translate([f"<b>{LINES[0]}</b>"], source="en", target="es", tags=tags)
        for tags in ((), ("b",))
    )
    assert plain == tagged


def test_tokens_name_the_languages(built):
    made = {family: ConvertedModel(built(family)[0]) for family in FAMILIES}
    pairs = {family: model.pair("en", "zh") for family, model in made.items() if family != "marian"}
    assert pairs == {
        "m2m100": ("__en__", "__zh__"),
        "nllb": ("eng_Latn", "zho_Hans"),
        "madlad": ("<2en>", "<2zh>"),
    }
    assert made["nllb"].pair("ar", "zh-Hant") == ("arb_Arab", "zho_Hant")
    assert made["marian"].pair("en", "es") == ("", "")
    heads = {f: made[f].encode("ka", pair)[:2] for f, pair in pairs.items()}
    assert heads["m2m100"][0] == "__en__"
    assert heads["nllb"][0] == "eng_Latn"
    assert heads["madlad"] == ["▁", "<2zh>"]
    assert [made[f].prefix(pairs[f]) for f in pairs] == [["__zh__"], ["zho_Hans"], []]


def test_a_marian_model_to_many_languages_is_told_which(tmp_path, built):
    tiny_translators.marian(tmp_path / "many", languages=("spa", "cmn_Hans", "fra"))
    convert(str(tmp_path / "many"), tmp_path / "ct2")
    model = ConvertedModel(tmp_path / "ct2")
    assert model.encode("ka", model.pair("en", "es"))[0] == ">>spa<<"
    assert model.pair("en", "zh").target == ">>cmn_Hans<<"
    with pytest.raises(ConfigError, match=r"translates to cmn_Hans, fra, spa, not to 'de'$"):
        model.pair("en", "de")
    with pytest.raises(ConfigError, match="from en, not from 'de'; if it does, say so: source=de"):
        model.pair("de", "es")
    engine = exact(tmp_path / "ct2")
    spanish, french = (engine.translate(LINES, source="en", target=t) for t in ("es", "fr"))
    assert spanish != french
    with pytest.raises(ConfigError, match="Marian model names its languages; leave out target="):
        translator(f"{tmp_path / 'ct2'},target=es")


def test_a_pair_that_the_model_does_not_have_is_refused(built):
    with pytest.raises(
        ConfigError, match=r"marian-ct2: .* to es, not to 'fr'; if it does, say so: target=fr"
    ):
        exact(built("marian")[0]).translate(["ka"], source="en", target="fr")
    with pytest.raises(ConfigError, match=r"translates from en, not from 'de'"):
        exact(built("marian")[0]).translate([], source="de", target="es")
    with pytest.raises(ConfigError, match=r"from af, am, .* and 88 more, not from 'ie'"):
        exact(built("m2m100")[0]).translate(["ka"], source="ie", target="es")
    with pytest.raises(ConfigError, match=r"translates to en, es, zh, not to 'de'"):
        exact(built("madlad")[0]).translate(["ka"], source="en", target="de")
    with pytest.raises(ConfigError, match="M2M-100 model names its languages; leave out source="):
        translator(f"{built('m2m100')[0]},source=en")


def test_languages_that_the_files_do_not_say_can_be_given(broken):
    (broken / "tokenizer_config.json").unlink()
    with pytest.raises(ConfigError, match=r"from languages that its files do not name, not from"):
        translator(str(broken)).translate(["ka"], source="en", target="es")
    told = translator(f"{broken},source=en+de,target=es,intra=1")
    assert told.translate(["", ""], source="de", target="es") == ["", ""]
    with pytest.raises(ConfigError, match=r"translates from en, de, not from 'fr'"):
        told.translate(["ka"], source="fr", target="es")


def test_a_translation_has_a_length_in_proportion(marian, monkeypatch):
    """A model of random weights hardly ever ends a text by itself; so the limit does."""
    monkeypatch.setattr(ConvertedModel, "decode", lambda self, tokens: str(len(tokens)))
    for ratio, texts, lengths in (
        (0.5, ["ka lo mi", " ".join(["ka"] * 15), " ".join(["ka"] * 16)], ["24", "24", "32"]),
        (2.0, ["ka lo mi", " ".join(["ka"] * 500)], ["48", "511"]),
    ):
        engine = CTranslate2(marian, Options(compute="float32", intra=1, beam=1, max_ratio=ratio))
        assert engine.translate(texts, source="en", target="es") == lengths


def test_a_text_beyond_the_positions_is_refused(marian, tmp_path):
    message = r"text 1, 'k k k .*'…: expected at most 512 tokens, .* Marian .*, found \d+; split it"
    with pytest.raises(TranslationError, match=message):
        exact(marian).translate(["ka", "k " * 600], source="en", target="es")
    tiny_translators.marian(tmp_path / "short", positions=32)
    convert(str(tmp_path / "short"), tmp_path / "ct2")
    with pytest.raises(TranslationError, match=r"CTranslate2 failed: No position encodings"):
        exact(tmp_path / "ct2").translate(["k " * 100], source="en", target="es")


def test_a_lone_surrogate_does_no_harm(marian):
    model = ConvertedModel(marian)
    assert model.encode("ka\ud800", model.pair("en", "es")) == model.encode(
        "ka?", model.pair("en", "es")
    )


def test_pieces_that_only_the_source_has_are_read_too(marian):
    model = ConvertedModel(marian)
    assert model.decode(["▁ka", "lo", "▁strange", "</s>", "▁mi", "."]) == "kalo strange mi."


def test_the_identity_is_of_weights_version_and_options(built, broken):
    folder = built("marian")[0]
    first = exact(folder).identity
    assert re.fullmatch(
        r"ctranslate2:[0-9a-f]{16} ctranslate2=\d[\d.]+ device=cpu compute=float32 beam=2 "
        r"max_ratio=0\.25",
        first,
    )
    assert exact(folder, inter=2, batch_tokens=64).identity == first
    assert exact(folder, beam=3).identity != first
    assert exact(built("m2m100")[0]).identity.split()[0] != first.split()[0]
    assert exact(broken).identity == first
    (broken / "README.md").write_text("another card", encoding="utf-8")
    assert exact(broken).identity == first
    shutil.copyfile(built("madlad")[0] / "spiece.model", broken / "target.spm")
    assert exact(broken).identity != first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (",beem=4", r"ctranslate2: unknown key 'beem'; did you mean 'beam'\?"),
        (",beam=two", r"'beam': input should be a valid integer, found 'two'"),
        (",beam=0", r"'beam': input should be greater than or equal to 1, found 0"),
        (",compute=int4", r"'compute': input should be 'int8', .*, found 'int4'"),
        (",device=cpu,compute=float16", r"Requested float16 compute type"),
        (",max_ratio=0", r"'max_ratio': input should be greater than 0, found 0"),
    ],
)
def test_options_are_strict(marian, options, message):
    with pytest.raises(ConfigError, match=message):
        translator(f"{marian}{options}")


def test_a_translator_without_a_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected a folder, as in ctranslate2:FOLDER"):
        load_translator("ctranslate2")
    with pytest.raises(DataError, match="a,b/nowhere: expected the folder of a model, found no"):
        translator(f"{tmp_path}/a,b/nowhere,beam=1")
    with pytest.raises(
        DataError, match=r"expected a translation model with model\.bin, found none"
    ):
        translator(str(tmp_path))


def test_what_is_not_installed_is_named(marian, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(
        ConfigError, match=r'sentencepiece is not installed: pip install "\.\[translate\]'
    ):
        translator(str(marian))


def test_it_runs_without_pytorch(marian):
    script = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from babelspan.translators import load_translator\n"
        f"found = load_translator({f'ctranslate2:{marian},intra=1'!r})\n"
        "print(len(found.translate(['ka lo'], source='en', target='es')[0]) > 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


@pytest.mark.parametrize("size", [0, 10, 2000, -10])
def test_a_model_cut_short_is_refused(broken, size):
    raw = (broken / "model.bin").read_bytes()
    (broken / "model.bin").write_bytes(raw[:size])
    with pytest.raises(DataError, match=r"broken: CTranslate2 cannot load it \(.+\)"):
        translator(str(broken))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.bin", b"no model" * 99, r"CTranslate2 cannot load it \(Unsupported model binary"),
        ("config.json", None, r"config\.json: there is no such file"),
        ("config.json", b"[1]", r"config\.json: expected an object, found list"),
        ("shared_vocabulary.json", None, r"expected a vocabulary, found none; convert"),
        ("shared_vocabulary.json", b"{}", r"vocabulary\.json: expected a list of tokens"),
        ("target.spm", b"\x00none", r"target\.spm: not a SentencePiece model"),
        ("source.spm", None, r"expected a translation model .*M2M-100, NLLB"),
    ],
)
def test_a_broken_folder_is_refused(broken, name, content, message):
    if content is None:
        (broken / name).unlink()
    else:
        (broken / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        translator(str(broken))


def test_a_broken_tokenizer_is_refused(built, tmp_path):
    folder = shutil.copytree(built("nllb")[0], tmp_path / "nllb")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"tokenizer\.json: not a tokenizer \(.+\)"):
        translator(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"expected a tokenizer \(source\.spm, .*found none; copy"):
        translator(str(folder))


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({}, "not stated"),
        ({"README.md": "# no head\nlicense: mit\n"}, "not stated"),
        ({"README.md": "---\ntags: [a]\nlicense:\n---\n"}, "not stated"),
        ({"README.md": "---\nlicense: apache-2.0\n---\n"}, "apache-2.0"),
        ({"README.md": "---\nlicense:\n- cc-by-nc-4.0\n---\n"}, "cc-by-nc-4.0"),
        ({"README.md": "---\nlicense: other\nlicense_name: 'house'\n---\n"}, "house"),
        ({"README.md": "# nothing\n", "LICENSE.txt": "\n  MIT License\n\nx\n"}, "MIT License"),
    ],
)
def test_the_licence_is_that_of_the_card(tmp_path, files, licence):
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert licence_of(tmp_path) == licence


def test_convert_says_the_licence_and_so_does_the_translator(built, tmp_path, capsys):
    command(str(built("marian")[1]), tmp_path / "deep" / "ct2", int8=True)
    assert capsys.readouterr().out.endswith("ct2; licence of the weights: cc-by-4.0\n")
    assert translator(str(tmp_path / "deep" / "ct2")).licence == "cc-by-4.0"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["ct2"]


def test_a_conversion_that_fails_leaves_nothing(tmp_path, built):
    BertModel(
        BertConfig(
            vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
            intermediate_size=8,
        )
    ).save_pretrained(tmp_path / "bert")  # fmt: skip
    with pytest.raises(
        DataError, match=r"config\.json: expected a Marian, .* found one of kind 'bert'$"
    ):
        convert(str(tmp_path / "bert"), tmp_path / "out")
    with pytest.raises(DataError, match="nowhere: expected the folder of a model, found no"):
        convert(str(tmp_path / "nowhere"), tmp_path / "out")
    cut = shutil.copytree(built("nllb")[1], tmp_path / "cut")
    (cut / "model.safetensors").write_bytes(b"")
    with pytest.raises(DataError, match=r"cut: cannot be converted: .+"):
        convert(str(cut), tmp_path / "out")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "note").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="used: expected a new or empty folder, found one in use"):
        convert(str(built("nllb")[1]), tmp_path / "used")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bert", "cut", "used"]


def test_a_name_is_one_of_the_hub(marian, tmp_path, monkeypatch):
    """The layout of the hub's cache, offline: what was fetched once is found again."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    held = tmp_path / "models--someone--tiny-mt"
    shutil.copytree(marian, held / "snapshots" / ("0" * 40))
    (held / "refs").mkdir()
    (held / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    found = load_translator("ctranslate2:someone/tiny-mt,compute=float32,max_ratio=0.25,intra=1")
    assert found.identity == exact(marian).identity
    with pytest.raises(
        DataError, match=r"someone/else: .* the hub cannot be reached; check the name"
    ):
        translator("someone/else")


@pytest.mark.parametrize(
    ("name", "status", "code", "said"),
    [
        ("someone/nothing", 404, "RepoNotFound", "the hub has no such model, or a private one; "),
        ("someone/gated", 403, "GatedRepo", "only to users who accepted its terms; accept them"),
        ("someone/broken", 500, "", "the hub cannot be reached; check the name and the network"),
        ("not a name at all", 200, "", "this cannot be a name on the hub; check the path"),
    ],
)
def test_a_model_that_is_nowhere_is_refused_in_our_words(
    name, status, code, said, tmp_path, monkeypatch
):
    """The hub is a real server on this machine that answers as the real one does."""

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", "words of the hub")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    try:
        with pytest.raises(DataError) as caught:
            convert(name, tmp_path / "out")
    finally:
        server.shutdown()
        server.server_close()
    message = str(caught.value)
    assert message.startswith(f"{name}: expected a folder, or a model on the Hugging Face hub; ")
    assert said in message
    assert "words of the hub" not in message
    assert "huggingface.co" not in message
    assert not (tmp_path / "out").exists()


def test_a_vocabulary_in_lines_is_read(broken):
    """As CTranslate2 wrote it before version 3."""
    tokens = json.loads((broken / "shared_vocabulary.json").read_text("utf-8"))
    (broken / "shared_vocabulary.json").unlink()
    (broken / "shared_vocabulary.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    assert exact(broken).translate(LINES, source="en", target="es") == exact(broken).translate(
        LINES, source="en", target="es"
    )
