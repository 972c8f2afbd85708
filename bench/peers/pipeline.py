"""The question-answering pipeline of transformers 4: `python pipeline.py CHECKPOINT`."""

import sys

from serving import serve
from transformers import pipeline

LIMITS = {"max_seq_len": 384, "doc_stride": 128, "max_answer_len": 30, "align_to_words": False}


def main():
    answer = pipeline("question-answering", model=sys.argv[1], tokenizer=sys.argv[1], device=-1)

    def one(question, context):
        return answer(question=question, context=context, **LIMITS)["answer"]

    def many(questions, contexts, batch):
        found = answer(question=questions, context=contexts, batch_size=batch, **LIMITS)
        return [f["answer"] for f in found]

    serve(one, many)


if __name__ == "__main__":
    main()
