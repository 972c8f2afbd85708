"""Shared code of the peer services: the pipeline of transformers 4, threads, a free port."""

import os
import socket

import torch
from transformers import pipeline

LIMITS = {"max_seq_len": 384, "doc_stride": 128, "max_answer_len": 30, "align_to_words": False}


def made(checkpoint, side_by_side):
    """The pipeline, with its share of the cores if `side_by_side` of them run in parallel."""
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // side_by_side))
    return pipeline("question-answering", model=checkpoint, tokenizer=checkpoint, device=-1)


def answers(reader, asked):
    """Answers to a list of {"question", "context"}, read as one batch."""
    questions, contexts = [one["question"] for one in asked], [one["context"] for one in asked]
    found = reader(question=questions, context=contexts, batch_size=len(asked), **LIMITS)
    return found if isinstance(found, list) else [found]


def free_port():
    """A free port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
