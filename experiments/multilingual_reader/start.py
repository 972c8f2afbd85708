"""The reader before any training: the English reader with the new vocabulary.

    python experiments/multilingual_reader/start.py --data DATA --english FOLDER --out FOLDER

Reads `<out>/tokenizer.json` and `<out>/pieces/*.npz`, writes a transformers checkpoint to `<out>`.
"""

import argparse
import json
from pathlib import Path

import corpora
import links
import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering, PreTrainedTokenizerFast

from babelspan.vocabulary.links import self_links
from babelspan.vocabulary.skeleton import as_piece
from babelspan.vocabulary.vectors import Start, start_vectors
from vocabulary import SPECIAL, english_pieces

SEED = 1


def shared_ids(old: Tokenizer, new: Tokenizer, english: Path) -> dict[int, int]:
    """New id -> old id of the pieces in both vocabularies."""
    by_piece = {as_piece(p): i for p, i in old.get_vocab().items() if not p.startswith("[")}
    found = {new.token_to_id(p): by_piece[p] for p in english_pieces(english / "tokenizer.json")}
    found |= {new.token_to_id(name): old.token_to_id(name) for name in SPECIAL}
    return {a: b for a, b in found.items() if a is not None and b is not None}


def linked_ids(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """New id, old id and expected count of the links of all languages."""
    new_ids, old_ids, counts = [], [], []
    for path in sorted(folder.glob("*.npz")):
        tables = links.load(path)
        seen = tables.counts > 0.02
        new_ids.append(tables.targets[seen])
        old_ids.append(tables.sources[seen])
        counts.append(tables.counts[seen])
    return np.concatenate(new_ids), np.concatenate(old_ids), np.concatenate(counts)


def english_texts(data: Path) -> list[str]:
    """English training texts and questions of the reader, and plain text."""
    found = {t: None for t in corpora.plain_texts(data, "en")}
    for example in corpora.questions(data, dev=False):
        if example.context_language == "en":
            found |= {example.context: None, example.question: None}
    return list(found)


def main(data: Path, english: Path, out: Path) -> None:
    """Write the checkpoint, and print the origins of its vectors."""
    model = AutoModelForQuestionAnswering.from_pretrained(english)
    old = Tokenizer.from_file(str(english / "tokenizer.json"))
    new = Tokenizer.from_file(str(out / "tokenizer.json"))
    old.no_truncation()
    old.no_padding()
    parts = linked_ids(out / "pieces"), self_links(old, new, english_texts(data), unknown=-1)
    new_ids, old_ids, counts = (np.concatenate(both) for both in zip(*parts, strict=True))
    start: Start = start_vectors(
        model.get_input_embeddings().weight.detach().numpy(),
        new.get_vocab_size(),
        shared=shared_ids(old, new, english),
        new_ids=new_ids,
        old_ids=old_ids,
        counts=counts,
        rng=np.random.default_rng(SEED),
    )
    model.resize_token_embeddings(len(start.vectors), mean_resizing=False)
    model.get_input_embeddings().weight.data = torch.from_numpy(start.vectors)
    model.config.pad_token_id = new.token_to_id("[PAD]")
    model.save_pretrained(out)
    PreTrainedTokenizerFast(
        tokenizer_object=new,
        model_max_length=model.config.max_position_embeddings,
        **{f"{n.strip('[]').lower()}_token": n for n in SPECIAL},
    ).save_pretrained(out)
    told = {"shared": start.shared, "linked": start.linked, "unlinked": start.unlinked}
    (out / "start.json").write_text(json.dumps(told))
    print(told)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "english", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.data, given.english, given.out)
