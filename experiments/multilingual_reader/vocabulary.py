"""Train the multilingual tokenizer; keep the English pieces.

python experiments/multilingual_reader/vocabulary.py --data DATA --english FOLDER --out FOLDER
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import corpora
import regex
from tokenizers import Tokenizer

from babelspan.vocabulary.fertility import fertility
from babelspan.vocabulary.pieces import balanced, merged_pieces, scored_pieces, zipf_counts
from babelspan.vocabulary.skeleton import (
    BORDER,
    CONTINUATION,
    as_piece,
    count_words,
    framed,
    skeleton,
)

SIZE = 96_000
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MERGED = 92_000
LONGEST = 16
POWER = 0.3
TOTAL = 60_000_000
"""Number of characters that pieces are chosen on."""
LINES = 60_000
"""Maximum number of lines per language and kind of text."""
ENGLISH_WORDS = 1_500_000
"""Total count distributed among the English pieces by rank."""

_LATIN = regex.compile(r"[\p{Latin}\p{N}\p{P}\p{S}]+")


def texts(data: Path, language: str) -> list[str]:
    """Lines to count: plain text, the language's side of the bitext, contexts of questions."""
    found = list(corpora.plain_texts(data, language))
    step = max(len(found) // LINES, 1)
    lines = found[::step]
    if language != "en":
        pairs = [p for _, listed in corpora.bitext(data, language) for p in listed]
        lines += [p.target for p in pairs[:LINES]]
    return lines


def english_pieces(path: Path) -> list[str]:
    """Pieces of the English vocabulary in Latin script, digits and marks, by rank."""
    vocabulary = Tokenizer.from_file(str(path)).get_vocab()
    return [
        as_piece(p)
        for p in sorted(vocabulary, key=lambda p: vocabulary[p])
        if not p.startswith("[") and _LATIN.fullmatch(p.removeprefix(CONTINUATION))
    ]


def alphabet(words: Counter[str]) -> set[str]:
    """Characters that occur ten times or more."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    return {c for c, n in counts.items() if n >= 10}


def main(data: Path, english: Path, out: Path) -> None:
    """Write `tokenizer.json` and `fertility.json`."""
    begun = time.process_time()
    counted = {}
    contexts = {}
    for e in corpora.questions(data, dev=False):
        contexts.setdefault(e.context_language, {})[e.context] = None
    for language in corpora.LANGUAGES:
        lines = texts(data, language) + list(contexts.get(language, ()))
        counted[language] = count_words(lines)
        print(language, len(lines), len(counted[language]), flush=True)
    words = balanced(counted, power=POWER, total=TOTAL)
    others = balanced({g: c for g, c in counted.items() if g != "en"}, power=POWER, total=TOTAL)
    known = list(dict.fromkeys(english_pieces(english / "tokenizer.json")))
    letters = alphabet(words)
    merged = [p for p in merged_pieces(others, size=MERGED, longest=LONGEST) if len(p) > 1]
    print(
        len(words),
        "words",
        len(known),
        "English pieces",
        len(letters),
        "letters",
        len(merged),
        "merged",
        round(time.process_time() - begun),
        "s",
        flush=True,
    )
    pieces = scored_pieces(
        words,
        merged,
        size=SIZE - len(SPECIAL),
        kept=[*known, *letters, BORDER],
        least_counts=zipf_counts(known, total=ENGLISH_WORDS),
        rounds=3,
    )
    listed = [(name, 0.0) for name in SPECIAL] + [(p, round(s, 3)) for p, s in pieces]
    tokenizer = framed(
        skeleton(listed, unknown="[UNK]", pad="[PAD]"),
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    )
    tokenizer.add_special_tokens(SPECIAL)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    report(data, tokenizer, Tokenizer.from_file(str(english / "tokenizer.json")), out)
    print(round(time.process_time() - begun), "processor seconds")


def report(data: Path, tokenizer: Tokenizer, old: Tokenizer, out: Path) -> None:
    """Print and write tokens per character on held-out lines of bitext."""
    old.no_padding()
    old.no_truncation()
    table = {}
    for language in corpora.LANGUAGES:
        pairs = [p for _, listed in corpora.held_bitext(data, language) for p in listed][:500]
        lines = [p.target for p in pairs]
        if not lines:
            continue
        new, before = (fertility(t, lines, unknown="[UNK]") for t in (tokenizer, old))
        table[language] = {
            "new": round(new.per_character, 3),
            "english": round(before.per_character, 3),
            "unknown": new.unknown,
            "tokens": new.tokens,
        }
        print(language, table[language])
    (out / "fertility.json").write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "english", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.data, given.english, given.out)
