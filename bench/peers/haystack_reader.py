"""The extractive reader of Haystack: `python haystack_reader.py CHECKPOINT`.

It takes one question per call, about any number of documents, so there are no batches of questions.
"""

import sys

from haystack import Document
from haystack.utils import ComponentDevice
from haystack_integrations.components.readers.transformers import TransformersExtractiveReader
from serving import serve


def main():
    reader = TransformersExtractiveReader(
        model=sys.argv[1],
        device=ComponentDevice.from_str("cpu"),
        top_k=1,
        no_answer=False,
        max_seq_length=384,
        stride=128,
    )
    reader.warm_up()

    def one(question, context):
        found = reader.run(query=question, documents=[Document(content=context)])["answers"]
        return found[0].data if found else ""

    serve(one)


if __name__ == "__main__":
    main()
