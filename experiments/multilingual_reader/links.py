"""Links of every language with English: between pieces (subwords), and between words.

    python experiments/multilingual_reader/links.py --data DATA --english FOLDER --out FOLDER \
        [--kind pieces|words] [--languages de,ru,...] [--without ntrex]

Writes `<out>/<kind>/<language>.npz`, one file for each language; existing files are kept.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import corpora
import numpy as np
import regex
from tokenizers import Tokenizer

from babelspan.alignment.ibm1 import Settings, Tables, estimate
from babelspan.data.files import replacing
from babelspan.types import SentencePair
from babelspan.vocabulary.skeleton import BORDER

MOST_LINKS = {"pieces": 6_000_000, "words": 8_000_000}
"""Maximum number of possible links per language, by kind; the most useful sources come first."""
MOST_TOKENS = 64
_WORD = regex.compile(r"[\p{L}\p{N}]")


class Words:
    """Words of a text after the new tokenizer's pre-tokenization; pieces in unspaced scripts."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def __call__(self, text: str) -> list[str]:
        """Lower-case words, without punctuation."""
        assert self.tokenizer.normalizer is not None and self.tokenizer.pre_tokenizer is not None
        normal = self.tokenizer.normalizer.normalize_str(text)
        found: list[str] = []
        for word, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(normal):
            if not _WORD.search(word):
                continue
            if word.startswith(BORDER):
                found.append(word.removeprefix(BORDER))
            else:
                found += [token.value for token in self.tokenizer.model.tokenize(word)]
        return found


def pairs_of(data: Path, language: str) -> Iterator[SentencePair]:
    """The dictionary, then the bitext."""
    for english, foreign in corpora.dictionary(data, language):
        yield SentencePair(english, foreign)
    for _, listed in corpora.bitext(data, language):
        yield from listed


def word_pairs(data: Path, language: str) -> list[SentencePair]:
    """The pairs whose words are linked: translated questions, the dictionary, the bitext."""
    return [*corpora.translated_questions(data, language), *pairs_of(data, language)]


def piece_ids(
    data: Path, language: str, english: Tokenizer, new: Tokenizer
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Piece ids of both sides of pairs, up to the limit of possible links."""
    sources, targets, links = [], [], 0
    listed = list(pairs_of(data, language))
    for first in range(0, len(listed), 2_000):
        batch = listed[first : first + 2_000]
        left = english.encode_batch([p.source for p in batch], add_special_tokens=False)
        right = new.encode_batch([p.target for p in batch], add_special_tokens=False)
        for a, b in zip(left, right, strict=True):
            if 0 < len(a.ids) <= MOST_TOKENS and 0 < len(b.ids) <= MOST_TOKENS:
                sources.append(np.array(a.ids, np.int32))
                targets.append(np.array(b.ids, np.int32))
                links += len(a.ids) * len(b.ids)
        if links > MOST_LINKS["pieces"]:
            break
    return sources, targets


def word_ids(
    data: Path, language: str, words: Words
) -> tuple[list[np.ndarray], list[np.ndarray], list[str], list[str]]:
    """Word indices of both sides, and the words by index."""
    numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    links = 0
    # questions first: question words are rare in news, and readers gloss questions by these links
    for pair in sorted(word_pairs(data, language), key=lambda pair: "?" not in pair.source):
        both = words(pair.source), words(pair.target)
        if not all(0 < len(side) <= MOST_TOKENS for side in both):
            continue
        for side, known, listed in zip(both, numbers, sides, strict=True):
            listed.append(np.array([known.setdefault(w, len(known)) for w in side], np.int32))
        links += len(both[0]) * len(both[1])
        if links > MOST_LINKS["words"]:
            break
    return *sides, list(numbers[0]), list(numbers[1])


def save(path: Path, tables: Tables, **more: np.ndarray) -> None:
    """Write tables without cells that have no expected links."""
    kept = (tables.counts > 0.01) | (tables.forward > 0.05) | (tables.backward > 0.05)
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez(
            file,
            keys=tables.keys[kept],
            target_size=tables.target_size,
            forward=tables.forward[kept],
            backward=tables.backward[kept],
            counts=tables.counts[kept],
            source_shares=tables.source_shares,
            target_shares=tables.target_shares,
            **more,
        )


def load(path: Path) -> Tables:
    """Load tables written by `save`."""
    with np.load(path) as found:
        names = ["keys", "forward", "backward", "counts", "source_shares", "target_shares"]
        return Tables(
            target_size=int(found["target_size"]),
            settings=Settings(),
            **{name: found[name] for name in names},
        )


def main(data: Path, english: Path, out: Path, kind: str, languages: list[str]) -> None:
    """Estimate and write the tables of each language."""
    old = Tokenizer.from_file(str(english / "tokenizer.json"))
    old.no_truncation()
    old.no_padding()
    new = Tokenizer.from_file(str(out / "tokenizer.json"))
    for language in languages:
        path = out / kind / f"{language}.npz"
        if path.exists() or language == "en" or not _is_parallel(data, language, kind):
            continue
        begun = time.process_time()
        more = {}
        if kind == "pieces":
            sources, targets = piece_ids(data, language, old, new)
            sizes = (old.get_vocab_size(), new.get_vocab_size())
        else:
            sources, targets, first, second = word_ids(data, language, Words(new))
            sizes = (len(first), len(second))
            more = {
                "source_words": np.array(first),
                "target_words": np.array(second),
                "source_total": np.array(sum(map(len, sources))),
            }
        tables = estimate(sources, targets, source_size=sizes[0], target_size=sizes[1])
        save(path, tables, **more)
        seconds = time.process_time() - begun
        print(
            kind,
            language,
            len(sources),
            "pairs",
            len(tables.keys),
            "cells",
            round(seconds),
            "s",
            flush=True,
        )


def _is_parallel(data: Path, language: str, kind: str) -> bool:
    """Whether there is anything to link with English; questions count for words only."""
    questions = kind == "words" and corpora.translated_questions(data, language)
    return bool(corpora.bitext(data, language) or questions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "english", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--kind", choices=("pieces", "words"), default="pieces")
    parser.add_argument("--languages", default=",".join(corpora.LANGUAGES))
    parser.add_argument("--without", help="Source of sentence pairs to leave out.")
    given = parser.parse_args()
    corpora.PARALLEL = [source for source in corpora.PARALLEL if source != given.without]
    main(given.data, given.english, given.out, given.kind, given.languages.split(","))
