"""A contender as a process that takes turns: a task in, what it took out, one JSON line each.

Only the standard library, so that it runs in every environment.
"""

import json
import os
import sys
import time
from pathlib import Path


def serve(one, many=None):
    """Answer the tasks that come on standard input until it ends.

    A task is `{"questions": [[question, context], ...], "batch": size}`. The reply has the wall and
    processor seconds it took, the seconds of each call, the answers, and the most memory so far.

    Args:
        one: the text of the answer to a question and a context.
        many: the texts of the answers to questions, contexts and a size of batches.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to standard error
    print(json.dumps({"MiB": peak_memory()}), file=replies, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        calls = []
        began, began_cpu = time.perf_counter(), time.process_time()
        if task["batch"] == 1:
            answers = [timed(one, pair, calls) for pair in task["questions"]]
        else:
            answers = many(*map(list, zip(*task["questions"], strict=True)), task["batch"])
        reply = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - began_cpu,
            "calls": calls,
            "answers": answers,
            "MiB": peak_memory(),
        }
        print(json.dumps(reply), file=replies, flush=True)


def timed(one, pair, calls):
    began = time.perf_counter()
    answer = one(*pair)
    calls.append(time.perf_counter() - began)
    return answer


def peak_memory():
    """The most memory that this process has held, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1024
