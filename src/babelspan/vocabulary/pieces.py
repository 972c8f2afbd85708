"""Choose the pieces (subwords) of a tokenizer: candidates by BPE on word counts, then hard EM.

`UnigramTrainer` of the library `tokenizers` takes its initial pieces from *distinct* words, so that
short frequent words (Vietnamese, Russian) never become pieces. Here merges are learnt from words
weighted by frequency (Sennrich et al. 2016, arXiv:1508.07909), then each piece is scored by its
frequency in the best segmentation of the words (hard EM for the model of Kudo 2018,
arXiv:1804.10959).
"""

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE, Unigram
from tokenizers.trainers import BpeTrainer

_BATCH = 20_000
_UNSEEN = 0.1
"""Count of a piece that no word uses."""


def balanced(counts: Mapping[str, Counter[str]], *, power: float, total: int) -> Counter[str]:
    """Combine the word counts of all languages, weighted by size^power.

    A scaled count is rounded up or down by a hash of the word, so that rare words (and runs in
    scripts without spaces, all of them rare) keep their share.

    Args:
        counts: word counts by language.
        power: 1 leaves languages as they are, 0 makes them equal.
        total: approximate number of characters in the result. Counts are never scaled up, so small
            languages may fall short.
    """
    sizes = {g: sum(len(w) * c for w, c in words.items()) for g, words in counts.items()}
    shares = {g: size**power for g, size in sizes.items()}
    result: Counter[str] = Counter()
    for language, words in counts.items():
        wanted = total * shares[language] / sum(shares.values())
        scale = min(1.0, wanted / max(sizes[language], 1))
        for word, count in words.items():
            kept = math.floor(count * scale + _fraction(word))
            if kept:
                result[word] += kept
    return result


def merged_pieces(words: Mapping[str, int], *, size: int, longest: int) -> list[str]:
    """Pieces by BPE on word counts, characters first.

    Args:
        words: word counts; words contain no white space.
        size: approximate number of pieces.
        longest: maximum length of a piece in characters.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = BpeTrainer(
        vocab_size=size, min_frequency=3, max_token_length=longest, show_progress=False
    )
    tokenizer.train_from_iterator(_repeated(words), trainer)
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=lambda piece: vocabulary[piece])


def scored_pieces(
    words: Mapping[str, int],
    candidates: Sequence[str],
    *,
    size: int,
    kept: Collection[str],
    least_counts: Mapping[str, float],
    rounds: int = 4,
) -> list[tuple[str, float]]:
    """The best `size` pieces with their log-probabilities, best first.

    Each round segments the words into the most probable pieces, counts them, and drops half of the
    excess pieces; the last rounds only count.

    Args:
        words: word counts.
        candidates: pieces to choose from.
        size: number of pieces to choose.
        kept: pieces to keep whatever their count; must include the characters of candidates.
        least_counts: minimum counts of pieces, such as those of a pretrained vocabulary, which may
            be rarer in the words than in the pretraining data.
        rounds: rounds of EM.

    Raises:
        ValueError: if there are more pieces to keep than to choose.
    """
    if len(set(kept)) > size:
        raise ValueError(f"expected at most {size} pieces to keep, got {len(set(kept))}")
    counts = {p: float(words.get(p, 0)) for p in dict.fromkeys([*kept, *candidates])}
    scores = _scores(counts, least_counts)
    for i in range(rounds):
        used = _usage(words, scores)
        counts = {piece: float(used[piece]) for piece in scores}
        excess = max(len(counts) - size, 0)
        dropped = excess if i >= rounds - 2 else excess // 2
        free = sorted((p for p in counts if p not in kept), key=lambda p: (counts[p], p))
        for piece in free[:dropped]:
            del counts[piece]
        scores = _scores(counts, least_counts)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def zipf_counts(pieces: Sequence[str], *, total: float) -> dict[str, float]:
    """Zipfian counts (proportional to 1 / rank) that sum to `total`, for pieces by rank."""
    harmonic = sum(1 / rank for rank in range(1, len(pieces) + 1))
    return {p: total / (rank * harmonic) for rank, p in enumerate(pieces, 1)}


def _scores(counts: Mapping[str, float], least: Mapping[str, float]) -> dict[str, float]:
    raised = {p: max(c, least.get(p, 0.0), _UNSEEN) for p, c in counts.items()}
    log_total = math.log(sum(raised.values()))
    return {piece: math.log(count) - log_total for piece, count in raised.items()}


def _usage(words: Mapping[str, int], scores: Mapping[str, float]) -> Counter[str]:
    """Counts of the pieces in the best segmentation of each word."""
    names = ["", *scores]
    tokenizer = Tokenizer(Unigram([("", -100.0), *scores.items()], unk_id=0))
    used = [0] * len(names)
    listed = list(words.items())
    for first in range(0, len(listed), _BATCH):
        batch = listed[first : first + _BATCH]
        for (_, count), encoding in zip(
            batch, tokenizer.encode_batch_fast([w for w, _ in batch]), strict=True
        ):
            for identity in encoding.ids:
                used[identity] += count
    return Counter(dict(zip(names[1:], used[1:], strict=True)))


def _repeated(words: Mapping[str, int]) -> Iterator[str]:
    for word, count in words.items():
        yield " ".join([word] * count)


def _fraction(word: str) -> float:
    digest = hashlib.blake2b(word.encode(errors="replace"), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32
