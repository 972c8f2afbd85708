"""Choose the pieces (subwords) of a vocabulary that extends another to more languages."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from babelspan.text.scripts import script_of
from babelspan.types import ConfigError
from babelspan.vocabulary.pieces import balanced, merged_pieces, scored_pieces, zipf_counts
from babelspan.vocabulary.skeleton import BORDER, normal

_SCRIPT_SHARE = 0.01
"""Share of the letters of known languages from which on a script counts as known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the choice of pieces.

    Attributes:
        size: maximum size of the vocabulary, special tokens included.
        power: exponent of a language's size in its weight.
        characters: approximate number of characters that pieces are chosen on.
        longest: maximum length of a piece in characters.
        rounds: rounds of EM.
        kept: maximum fraction of the vocabulary for old pieces.
        known: total count given to old pieces by rank, as a fraction of all words.
        letters: minimum frequency of a character that becomes a piece.
    """

    size: int
    power: float = 0.3
    characters: int = 60_000_000
    longest: int = 16
    rounds: int = 3
    kept: float = 0.75
    known: float = 0.12
    letters: int = 10


def chosen_pieces(
    counted: Mapping[str, Counter[str]],
    old: Sequence[str],
    *,
    known: Collection[str],
    special: Sequence[str],
    settings: Settings,
    lowercase: bool = True,
) -> list[tuple[str, float]]:
    """All pieces with their log-probabilities: special tokens first, then the best.

    Old pieces in the scripts of the known languages are kept, so these are tokenized as before.

    Args:
        counted: word counts by language, from `count_words`.
        old: pieces of the encoder by rank, as written by `vocabulary.old.written`.
        known: languages that the encoder supports.
        special: special tokens, in the order of their ids.
        settings: settings of the choice.
        lowercase: whether the tokenizer lower-cases text.

    Raises:
        ConfigError: if there is no room for the old pieces and the characters.
    """
    words = balanced(counted, power=settings.power, total=settings.characters)
    others = {g: c for g, c in counted.items() if g not in known}
    scripts = _scripts(counted[g] for g in counted if g in known)
    stays = [
        p
        for p in old
        if {script_of(c) for c in p} - {""} <= scripts
        and normal(p.removeprefix(BORDER), lowercase=lowercase) == p.removeprefix(BORDER)
    ]
    room = settings.size - len(special)
    stays = stays[: int(settings.kept * room)]
    letters = _letters(words, settings.letters)
    needed = len({*stays, *letters, BORDER})
    if needed > room:
        raise ConfigError(
            f"--size must be at least {needed + len(special)} for these texts ({len(stays)} old "
            f"pieces, {len(letters)} characters, {len(special)} special tokens), "
            f"got {settings.size}"
        )
    merged = merged_pieces(
        balanced(others, power=settings.power, total=settings.characters) if others else words,
        size=room,
        longest=settings.longest,
    )
    pieces = scored_pieces(
        words,
        [p for p in merged if len(p) > 1],
        size=room,
        kept={*stays, *letters, BORDER},
        least_counts=zipf_counts(stays, total=settings.known * words.total()),
        rounds=settings.rounds,
    )
    return [(name, 0.0) for name in special] + [(p, round(score, 3)) for p, score in pieces]


def _scripts(counted: Iterable[Counter[str]]) -> set[str]:
    """The scripts with at least `_SCRIPT_SHARE` of the letters."""
    letters: Counter[str] = Counter()
    for words in counted:
        for word, count in words.items():
            for character in word:
                letters[script_of(character)] += count
    del letters[""]
    return {s for s, count in letters.items() if count >= _SCRIPT_SHARE * letters.total()}


def _letters(words: Mapping[str, int], least: int) -> list[str]:
    """The characters that occur at least `least` times, the most frequent first."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    return [c for c, n in sorted(counts.items(), key=lambda i: (-i[1], i[0])) if n >= least]
