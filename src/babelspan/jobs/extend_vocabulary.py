"""A job that extends an encoder's vocabulary to more languages, from texts to a checkpoint.

Words are counted, pieces are chosen, the pieces of both vocabularies are linked for each language,
and each new vector starts from the old vectors that it is linked to. Each step saves a file in
`parts` in the job's folder, until the checkpoint is complete.
"""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from babelspan.alignment.ibm1 import estimate
from babelspan.data.files import read_json, replacing, write_json, write_whole
from babelspan.jobs.known_texts import KnownTexts
from babelspan.jobs.shards import Watch, claimed
from babelspan.readers import checksum_of, folder_of, is_exported
from babelspan.types import ConfigError, DataError
from babelspan.version import VERSION, how_to_install
from babelspan.vocabulary import extended
from babelspan.vocabulary.fertility import Fertility, fertility
from babelspan.vocabulary.links import PieceLinks, self_links
from babelspan.vocabulary.old import family_of, written
from babelspan.vocabulary.skeleton import count_words, framed, skeleton
from babelspan.vocabulary.vectors import start_vectors

if TYPE_CHECKING:
    from babelspan.networks.pretrained import Encoder, PretrainedReader
    from babelspan.reading.windows import Featurizer

RECORD = "extend-vocabulary.json"
RESULT = "vocabulary.json"
PARTS = "parts"

SEED = 1
MEASURED = 40
"""One in this many lines is held out from learning, to measure how finely texts are cut."""
MOST_MEASURED = 500
MOST_LINKS = 6_000_000
"""Maximum number of possible links of a language; the first files take precedence."""
MOST_TOKENS = 64
LEAST_COUNT = 0.02
"""Pairs of pieces with fewer expected links than this are not linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """The result of the job.

    Attributes:
        asked: requested maximum number of pieces.
        size: number of pieces in the new vocabulary.
        shared: number of pieces that keep their vector.
        linked: number of pieces whose vector comes from links.
        unlinked: number of pieces that start near the mean.
        before: how finely the old tokenizer cuts each language.
        after: how finely the new tokenizer cuts each language.
    """

    asked: int
    size: int
    shared: int
    linked: int
    unlinked: int
    before: dict[str, Fertility]
    after: dict[str, Fertility]


def extend(
    encoder: str,
    texts: KnownTexts,
    out: Path,
    *,
    size: int,
    watch: Watch = lambda items, _, __: items,
) -> Extended:
    """Write an encoder with a new vocabulary; finished steps are not repeated.

    Args:
        encoder: an encoder or a reader: a folder or a hub name.
        texts: the texts to learn from.
        out: the output folder.
        size: maximum number of pieces.
        watch: shows progress.

    Raises:
        ConfigError: if the folder holds another job, or the vocabulary size is too small.
        DataError: if a text cannot be read, or the encoder cannot be loaded.
    """
    if not all(map(find_spec, ("torch", "transformers"))):
        raise ConfigError(f"this needs PyTorch and transformers: {how_to_install('train')}")
    from babelspan.export.restored import restored
    from babelspan.networks.pretrained import load_bare

    folder = folder_of(encoder)
    network = (
        restored(folder)
        if is_exported(encoder)
        else load_bare(str(folder) if folder.is_dir() else encoder)
    )
    depends_on = {"encoder": checksum_of(encoder), **texts.identity, "babelspan": VERSION}
    with claimed(out / RECORD, depends_on):
        if (out / RESULT).exists():
            return _finished(out, size)
        made = _Job(network, texts, out / PARTS, size, watch).finish(out)
        write_json(out / RESULT, asdict(made))
        shutil.rmtree(out / PARTS)
    return made


class _Job:
    """The steps of a job; each is done once."""

    def __init__(
        self,
        network: "PretrainedReader | Encoder",
        texts: KnownTexts,
        parts: Path,
        size: int,
        watch: Watch,
    ) -> None:
        self.network = network
        self.texts = texts
        self.parts = parts
        self.size = size
        self.watch = watch
        self.featurizer = network.featurizer
        self.old = network.featurizer.tokenizer
        roles = network.tokenizer.special_tokens_map
        if "unk_token" not in roles or "pad_token" not in roles:
            raise DataError(
                "expected an encoder whose tokenizer has tokens for unknown characters and for "
                f"padding, found {', '.join(map(str, roles)) or 'no special tokens'}"
            )
        self.unknown, self.pad = str(roles["unk_token"]), str(roles["pad_token"])
        ids = {str(name): _id(self.old, name) for name in network.tokenizer.all_special_tokens}
        self.special = dict(sorted(ids.items(), key=lambda item: item[1]))
        spelt = [self.featurizer.tokens(letter).ids.tolist() for letter in ("A", "a")]
        self.lowercase = spelt[0] == spelt[1]
        self.old_ids = written(self.old, self.special)
        self.lead = " " if family_of(self.old) == "bytes" else ""  # as before a word inside a text

    def finish(self, out: Path) -> Extended:
        """Carry out all steps and save the checkpoint."""
        from babelspan.networks.revocabulary import with_vocabulary, word_vectors

        languages = self.texts.languages
        for language in self.watch(languages, "counting words", len(languages)):
            self.counted(language)
        new = self.tokenizer()
        linked = [self.linked(g, new) for g in self.watch(languages, "links", len(languages))]
        vocabulary = new.get_vocab()
        both = self.old_ids | self.special
        start = start_vectors(
            word_vectors(self.network),
            len(vocabulary),
            shared={vocabulary[p]: i for p, i in both.items() if p in vocabulary},
            new_ids=np.concatenate([found.new_ids for found in linked]),
            old_ids=np.concatenate([found.old_ids for found in linked]),
            counts=np.concatenate([found.counts for found in linked]),
            rng=np.random.default_rng(SEED),
        )
        with_vocabulary(self.network, new, start.vectors).save(out)
        lines = {language: self.left_out(language) for language in languages}
        return Extended(
            asked=self.size,
            size=len(start.vectors),
            shared=start.shared,
            linked=start.linked,
            unlinked=start.unlinked,
            before={g: fertility(self.old, x, unknown=self.unknown) for g, x in lines.items()},
            after={g: fertility(new, x, unknown=self.unknown) for g, x in lines.items()},
        )

    def counted(self, language: str) -> Counter[str]:
        """Return how often each word of a language occurs."""
        path = self.parts / f"words.{language}.json.gz"
        if not path.exists():
            words = count_words(self.learnt(language), lowercase=self.lowercase)
            write_whole(path, json.dumps(words, ensure_ascii=False))
        return Counter(read_json(path))

    def tokenizer(self) -> Tokenizer:
        """Return the new tokenizer."""
        path = self.parts / f"tokenizer.{self.size}.json"
        if not path.exists():
            pieces = extended.chosen_pieces(
                {language: self.counted(language) for language in self.texts.languages},
                list(self.old_ids),
                known=self.texts.known,
                special=list(self.special),
                settings=extended.Settings(size=self.size),
                lowercase=self.lowercase,
            )
            made = skeleton(pieces, unknown=self.unknown, pad=self.pad, lowercase=self.lowercase)
            framed(made, **_templates(self.featurizer))
            made.add_special_tokens(list(self.special))
            with replacing(path) as beside:
                made.save(str(beside), pretty=False)
        return Tokenizer.from_file(str(path))

    def linked(self, language: str, new: Tokenizer) -> PieceLinks:
        """Return the links between the new pieces of a language and the old ones."""
        path = self.parts / f"links.{language}.{self.size}.npz"
        if not path.exists():
            if language in self.texts.known:
                unknown = _id(self.old, self.unknown)
                found = self_links(self.old, new, self.learnt(language), unknown=unknown)
            else:
                found = self.counted_links(language, new)
            with replacing(path) as beside, beside.open("wb") as file:
                np.savez(file, **found._asdict())
        with np.load(path) as arrays:
            return PieceLinks(**arrays)

    def counted_links(self, language: str, new: Tokenizer) -> PieceLinks:
        """Return the links of a language from dictionaries and bitext (IBM model 1)."""
        sources, targets, links = [], [], 0
        for known, other in self.texts.pairs(language):
            ids = [_ids(self.old, self.lead + known), _ids(new, other)]
            if all(0 < len(side) <= MOST_TOKENS for side in ids):
                sources.append(ids[0])
                targets.append(ids[1])
                links += len(ids[0]) * len(ids[1])
            if links > MOST_LINKS:
                break
        if not sources:
            none = np.zeros(0, np.int64)
            return PieceLinks(none, none, np.zeros(0, np.float32))
        sizes = self.old.get_vocab_size(), new.get_vocab_size()
        tables = estimate(sources, targets, source_size=sizes[0], target_size=sizes[1])
        seen = (tables.counts > LEAST_COUNT) & (tables.sources != _id(self.old, self.unknown))
        return PieceLinks(tables.targets[seen], tables.sources[seen], tables.counts[seen])

    def learnt(self, language: str) -> Iterator[str]:
        """Return the lines of a language to learn from."""
        return (line for n, line in enumerate(self.texts.lines(language)) if n % MEASURED)

    def left_out(self, language: str) -> list[str]:
        """Return some held-out lines of a language, to measure on."""
        lines = (x for n, x in enumerate(self.texts.lines(language)) if n % MEASURED == 0)
        return list(islice(lines, MOST_MEASURED))


def _templates(featurizer: "Featurizer") -> dict[str, str]:
    """Return the templates that the encoder's tokenizer applies to one text and to two."""
    frame = featurizer.frame

    def name(token: int) -> str:
        return str(featurizer.tokenizer.id_to_token(token))

    def typed(ids: list[int], types: list[int]) -> list[str]:
        return [f"{name(i)}:{kind}" for i, kind in zip(ids, types, strict=True)]

    before, after = ([name(i) for i in ids] for ids in featurizer.round_a_text)
    pair = [
        *typed(frame.prefix, frame.prefix_types),
        f"$A:{frame.question_type}",
        *typed(frame.middle, frame.middle_types),
        f"$B:{frame.context_type}",
        *typed(frame.suffix, frame.suffix_types),
    ]
    return {"single": " ".join([*before, "$A", *after]), "pair": " ".join(pair)}


def _id(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    assert found is not None
    return found


def _ids(tokenizer: Tokenizer, text: str) -> NDArray[np.int32]:
    return np.array(tokenizer.encode(text, add_special_tokens=False).ids, np.int32)


def _finished(out: Path, size: int) -> Extended:
    """Return the result of a job that is already finished."""
    found = read_json(out / RESULT)
    if found["asked"] != size:
        raise ConfigError(
            f"{out}: holds a vocabulary of {found['asked']} pieces, expected one of {size}; choose "
            "another folder"
        )
    print(f"{out}: this job is already finished", file=sys.stderr)
    cut = {
        key: {g: Fertility(**counts) for g, counts in found[key].items()}
        for key in ("before", "after")
    }
    return Extended(**{**found, **cut})
