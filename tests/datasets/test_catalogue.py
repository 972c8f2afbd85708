"""The catalogue says of each data set what is needed to fetch it, and nothing that contradicts."""

import re
from pathlib import Path

import pytest

from babelspan.data.folder import describe
from babelspan.datasets.catalogue import (
    TERMS,
    data_set,
    described,
    load_catalogue,
    megabytes,
    overlapping,
    reference_page,
)
from babelspan.datasets.layouts import LAYOUTS
from babelspan.types import ConfigError
from house_rules import ROOT

FIELD = """squad squad2 xquad mlqa tydiqa-goldp tydiqa-primary korquad drcd cmrc2018 piaf fquad
    squad-it squad-es jaquad jsquad afriqa arcd faquad heq pquad poquad kazqad norquad amqa iapp
    bipar germanquad sberquad viquad indicqa"""


def test_the_sets_of_the_field_are_there():
    assert load_catalogue().keys() >= set(FIELD.split())


@pytest.mark.parametrize("name", load_catalogue())
def test_an_entry_is_complete_and_agrees_with_itself(name):
    entry = data_set(name)

    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert all((entry.title, entry.licence, entry.citation, entry.counts))
    assert entry.homepage.startswith("https://")
    assert entry.arxiv is None or re.fullmatch(r"\d{4}\.\d{5}", entry.arxiv)
    assert entry.layout in {*LAYOUTS, "as-is"}
    assert set(entry.terms) <= TERMS.keys()
    assert ("NC" in entry.licence) == ("non-commercial" in entry.terms)
    assert ("ND" in entry.licence) == ("no derivatives" in entry.terms)
    assert bool(entry.by_hand) != bool(entry.base)
    assert not entry.base or re.fullmatch(r"https://[a-z.]+/\S+/", entry.base)
    assert name not in entry.overlaps
    assert entry.overlaps.keys() <= load_catalogue().keys()


@pytest.mark.parametrize("name", load_catalogue())
def test_the_sources_of_an_entry_can_be_told_apart(name):
    entry = data_set(name)
    published = {}
    for source in entry.sources:
        facts = (source.url, source.bytes, source.sha256)
        assert published.setdefault(source.name, facts) == facts
        assert "{" not in f"{source.url}{source.member}"
        assert source.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", source.sha256)
        assert not source.member or source.name.endswith((".zip", ".tar.gz"))
    addresses = [url for url, _, _ in published.values() if url]
    assert len(set(addresses)) == len(addresses)
    inside = {s.member for s in entry.sources if s.member}
    assert len({Path(m).name for m in inside}) == len(inside)
    checksums = [sha256 for _, _, sha256 in published.values() if sha256]
    assert len(set(checksums)) == len(checksums)


@pytest.mark.parametrize("name", load_catalogue())
def test_what_is_written_is_found_by_its_name(name):
    entry = data_set(name)
    for source in entry.sources:
        if entry.layout == "as-is":
            assert source.output == f"{source.split}.jsonl.gz"
            continue
        file = describe(Path(source.output))
        assert (file.split, file.question_language, file.context_language) == (
            source.split,
            source.question_language,
            source.context_language,
        )


def test_languages_stand_in_the_addresses_and_members():
    (german,) = [s for s in data_set("xquad").sources if s.context_language == "de"]
    assert german.url == "https://github.com/deepmind/xquad/raw/master/xquad.de.json"
    assert (german.name, german.output) == ("xquad.de.json", "test.de.json.gz")

    sources = {s.output: s for s in data_set("mlqa").sources}
    assert len(sources) == 98
    source = sources["dev.es-hi.json.gz"]
    assert source.member == "MLQA_V1/dev/dev-context-hi-question-es.json"
    assert source.url == "https://dl.fbaipublicfiles.com/MLQA/MLQA_V1.zip"
    assert sources["test.vi.json.gz"].member.endswith("test-context-vi-question-vi.json")


def test_a_name_is_decoded_from_its_address():
    names = {s.name for s in data_set("heq").sources}
    assert names == {"train v1.1.json", "val v1.1.json", "test v1.1.json"}


def test_lengths_are_summed_over_files_and_only_where_all_are_known():
    assert data_set("mlqa").bytes == 75_719_050
    assert data_set("squad").bytes == 30_288_272 + 4_854_279
    assert data_set("drcd").bytes is None
    assert megabytes(75_719_050) == "75.7 MB"
    assert megabytes(None) == "not known"


def test_an_overlap_is_told_from_both_sides():
    assert "240 paragraphs" in overlapping("xquad")["squad"]
    assert overlapping("squad")["xquad"] == overlapping("xquad")["squad"]
    assert "squad-es" in overlapping("xquad")
    assert overlapping("drcd") == {}


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"^unknown data set 'xqaud'; did you mean 'xquad'\?$"):
        data_set("xqaud")


def test_what_is_not_known_is_said_to_be_not_known():
    text = described(data_set("drcd"))
    assert "published (not known):" in text
    assert text.count("length not known, SHA-256 not known") == 3
    assert "drcd/train.zh.json.gz" in text
    assert "by hand    fill in the form" in described(data_set("fquad"))
    assert "terms      for non-commercial use only" in described(data_set("fquad"))
    assert "tydiqa-primary/train.jsonl.gz" in described(data_set("tydiqa-primary"))
    assert "xquad/test.*.json.gz, * being ar de el en" in described(data_set("xquad"))


def test_the_page_of_the_catalogue_is_what_the_catalogue_says():
    page = (ROOT / "docs" / "reference" / "catalogue.md").read_text(encoding="utf-8")
    assert page == reference_page(), (
        'write it again: python -c "from babelspan.datasets.catalogue import reference_page; '
        "print(reference_page(), end='')\" > docs/reference/catalogue.md"
    )


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "file", "questions"),
    [("squad", "dev.en", 10_570), ("korquad", "dev.ko", 5_774), ("jaquad", "dev.ja", 3_939)],
)
def test_counts_are_those_of_the_files(real_data, name, file, questions):
    examples = describe(real_data / "qa" / name / f"{file}.json.gz").load(keep_misplaced=True)
    assert len(examples) == questions
    assert f"{questions:,} dev" in data_set(name).counts
