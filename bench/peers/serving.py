"""Run a contender as a process: tasks in, measurements out, one line of JSON each.

Uses only the standard library, so that it runs in every environment.
"""

import json
import os
import sys
import time
from pathlib import Path


def serve(one, many=None):
    """Answer tasks from standard input until it ends.

    A task is `{"questions": [[question, context], ...], "batch": size}`. The reply has wall-clock
    and CPU seconds, the seconds of each call, the answers, and peak memory so far.

    Args:
        one: function from a question and a context to the text of the answer.
        many: function from questions, contexts and a batch size to the texts of the answers.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries goes to standard error
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
    """Peak resident memory of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1024
