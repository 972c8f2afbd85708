"""Babelspan: `python ours.py EXPORTED_READER WORKERS`.

One worker uses all cores for each window, which has the lowest latency; without WORKERS, each
window gets one core, which has the highest throughput.
"""

import sys

from serving import serve

import babelspan


def main():
    answer = babelspan.load_answerer(sys.argv[1], workers=int(sys.argv[2]))

    def one(question, context):
        return answer(question, context, max_answer_len=30)["answer"]

    def many(questions, contexts, _batch):
        return [found["answer"] for found in answer(questions, contexts, max_answer_len=30)]

    serve(one, many)


if __name__ == "__main__":
    main()
