"""The method of `run_qa.py`, the example of transformers, as a peer for `featurising.py`.

Reimplemented from the documented API: `datasets.map` with a fast tokenizer
(`truncation="only_second"`, a stride, overflowing tokens, offsets), and loops over the best starts
and ends of every window. All sizes are its defaults.
"""

import gzip
import json
import tempfile
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader
from transformers import default_data_collator

from datasets import Dataset, disable_progress_bars

MAX_LENGTH, STRIDE = 384, 128
N_BEST, MAX_ANSWER = 20, 30

disable_progress_bars()


def questions_of(path):
    """The questions of a file with their contexts, in the format of SQuAD on the hub."""
    raw = Path(path).read_bytes()
    document = json.loads(gzip.decompress(raw) if path.endswith(".gz") else raw)
    for article in document["data"]:
        for paragraph in article["paragraphs"]:
            for record in paragraph["qas"]:
                answers = record["answers"]
                yield {
                    "id": record["id"],
                    "context": paragraph["context"],
                    "question": record["question"],
                    "answers": {
                        "text": [a["text"] for a in answers],
                        "answer_start": [a["answer_start"] for a in answers],
                    },
                }


def load(path, folder):
    """Load the data set of a file; its cache and features go to a new folder in `folder`."""
    kept = tempfile.mkdtemp(dir=folder)
    return Dataset.from_generator(questions_of, gen_kwargs={"path": str(path)}, cache_dir=kept)


def features(dataset, prepare, tokenizer, *, pads=True):
    """Apply `prepare` (`to_learn` or `to_answer`) to a data set."""
    return dataset.map(
        partial(prepare, tokenizer=tokenizer, pads=pads),
        batched=True,
        remove_columns=dataset.column_names,
        load_from_cache_file=False,
    )


def to_learn(rows, tokenizer, pads):
    """Features with the first and last token of the answer; the first token of all if none."""
    found = _encoded(tokenizer, rows, pads=pads)
    owners, offsets = found.pop("overflow_to_sample_mapping"), found.pop("offset_mapping")
    labels = []
    for number, places in enumerate(offsets):
        nowhere = found["input_ids"][number].index(tokenizer.cls_token_id)
        parts = found.sequence_ids(number)
        first, last = parts.index(1), len(parts) - 1 - parts[::-1].index(1)
        answers = rows["answers"][owners[number]]
        start = answers["answer_start"][0]
        end = start + len(answers["text"][0])
        if places[first][0] > start or places[last][1] < end:
            labels.append((nowhere, nowhere))
            continue
        while first < len(places) and places[first][0] <= start:
            first += 1
        while places[last][1] >= end:
            last -= 1
        labels.append((first - 1, last + 1))
    found["start_positions"], found["end_positions"] = map(list, zip(*labels, strict=True))
    return found


def to_answer(rows, tokenizer, pads):
    """Features with the id of their question, and the characters of each context token."""
    found = _encoded(tokenizer, rows, pads=pads)
    owners = found.pop("overflow_to_sample_mapping")
    found["example_id"] = [rows["id"][owner] for owner in owners]
    found["offset_mapping"] = [
        [
            place if part == 1 else None
            for place, part in zip(places, found.sequence_ids(number), strict=True)
        ]
        for number, places in enumerate(found["offset_mapping"])
    ]
    return found


def _encoded(tokenizer, rows, *, pads):
    return tokenizer(
        [question.lstrip() for question in rows["question"]],
        rows["context"],
        truncation="only_second",
        max_length=MAX_LENGTH,
        stride=STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding="max_length" if pads else False,
    )


def batches(of_dataset, size):
    """The number of batches of tensors that Trainer's data loader makes from features."""
    loader = DataLoader(of_dataset, batch_size=size, collate_fn=default_data_collator)
    return sum(1 for _ in loader)


def answers(dataset, of_dataset, logits):
    """The answer to each question: the best of the n best spans of all its windows.

    Args:
        dataset: the questions.
        of_dataset: their features.
        logits: start and last logits of the feature of a number.
    """
    of_question = defaultdict(list)
    for number, feature in enumerate(of_dataset):
        of_question[feature["example_id"]].append(number)
    found = {}
    for question in dataset:
        spans = []
        for number in of_question[question["id"]]:
            spans += _spans(of_dataset[number]["offset_mapping"], *logits(number))
        best = sorted(spans, key=lambda span: span["score"], reverse=True)[:N_BEST]
        for span in best:
            start, end = span.pop("offsets")
            span["text"] = question["context"][start:end]
        best = best or [{"text": "empty", "score": 0.0}]
        scores = np.array([span["score"] for span in best])
        exps = np.exp(scores - scores.max())
        for span, probability in zip(best, exps / exps.sum(), strict=True):
            span["probability"] = probability
        found[question["id"]] = best[0]["text"]
    return found


def _spans(places, starts, lasts):
    found = []
    for start in np.argsort(starts)[-1 : -N_BEST - 1 : -1].tolist():
        for last in np.argsort(lasts)[-1 : -N_BEST - 1 : -1].tolist():
            if start >= len(places) or last >= len(places):
                continue
            if not places[start] or not places[last]:
                continue
            if last < start or last - start + 1 > MAX_ANSWER:
                continue
            found.append(
                {
                    "offsets": (places[start][0], places[last][1]),
                    "score": starts[start] + lasts[last],
                    "start_logit": starts[start],
                    "end_logit": lasts[last],
                }
            )
    return found
