"""The pieces of a vocabulary that extends another one to more languages."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from babelspan.text.scripts import script_of
from babelspan.types import ConfigError
from babelspan.vocabulary.pieces import balanced, merged_pieces, scored_pieces, zipf_counts
from babelspan.vocabulary.skeleton import BORDER, normal

_SCRIPT_SHARE = 0.01
"""Share of the letters of known languages from which on a script is theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How pieces are chosen.

    Attributes:
        size: pieces of the vocabulary, at most, special tokens included.
        power: languages weigh as much as their size to this power.
        characters: that the pieces are chosen on, about.
        longest: characters of a piece, at most.
        rounds: of EM.
        kept: share of the places, at most, that go to old pieces.
        known: share of all words by which old pieces are counted, by their rank.
        letters: occurrences of a character from which on it is a piece.
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
    """Every piece with the logarithm of its probability; special tokens first, then the best.

    Old pieces in the scripts of the known languages stay: they are cut as before.

    Args:
        counted: how often each word occurs, by language, as `count_words` counts.
        old: pieces of the encoder by rank, as `vocabulary.old.written` writes them.
        known: languages that the encoder knows.
        special: special tokens, in the order of their ids.
        settings: of the choice.
        lowercase: whether the tokenizer makes letters small.

    Raises:
        ConfigError: if there is no room for the old pieces and the letters.
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
            f"--size must be at least {needed + len(special)} for these texts ({len(stays)} pieces "
            f"that stay, {len(letters)} characters, {len(special)} special tokens), "
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
    """The scripts of languages, and those of a word or two in a hundred."""
    letters: Counter[str] = Counter()
    for words in counted:
        for word, count in words.items():
            for character in word:
                letters[script_of(character)] += count
    del letters[""]
    return {s for s, count in letters.items() if count >= _SCRIPT_SHARE * letters.total()}


def _letters(words: Mapping[str, int], least: int) -> list[str]:
    """The characters that occur so often, most frequent first."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    return [c for c, n in sorted(counts.items(), key=lambda i: (-i[1], i[0])) if n >= least]
