"""Check that answers through HTTP equal those of the answerer to the last bit, on XQuAD.

    python bench/served_answers.py [--languages en zh] [--questions 1190]

Each question is answered four times: through `POST /v1/batch` and by `Answerer.ask`, whose scores
are shares of all answers and "no answer", and through `POST /v1/pipeline` and by
`Answerer.predict`, whose scores are shares of answers only. Answer, span and score of each pair
must be equal; for the first pair, also the probability and the logit. For a text of several
windows, `ask` and `predict` may have different best answers (windows are compared by odds, or by
logits); the last column counts where they are the same. The service runs in a separate process.
With the default reader this takes about ten minutes on two cores.
"""

import argparse
import json
import sys
import time

from measured import report
from services import Client, line, questions, served

import babelspan


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--languages", nargs="+", default=["en", "zh"])
    parser.add_argument("--questions", type=int, default=1190, help="of each language, the first")
    wanted = parser.parse_args()
    answerer = babelspan.load_answerer()
    rows = []
    with served("--within", "600") as running:
        for language in wanted.languages:
            rows.append(compared(running.port, answerer, language, wanted.questions))
            print(rows[-1], flush=True)
    report("served-answers", rows, libraries=["onnxruntime", "starlette", "uvicorn"])
    asked = sum(row["questions"] for row in rows)
    equal = [sum(row[key] for row in rows) for key in ("batch as ask", "pipeline as predict")]
    if equal != [asked, asked]:
        sys.exit(f"of {asked} questions only {equal[0]} and {equal[1]} have equal answers")


def compared(port, answerer, language, count):
    """The number of equal answers in a language, by route."""
    began = time.perf_counter()
    asked = questions(language)[:count]
    through_batch, called = batch(port, asked), [asks(answerer, e) for e in asked]
    through_pipeline = pipeline(port, asked)
    predicted = [
        (best.text, best.span.start, best.span.end, best.score) for best in answerer.predict(asked)
    ]
    return {
        "XQuAD": language,
        "questions": len(asked),
        "batch as ask": alike(through_batch, called),
        "pipeline as predict": alike(through_pipeline, predicted),
        "batch and predict at one place": alike(
            [found[:3] for found in through_batch], [found[:3] for found in predicted]
        ),
        "seconds": time.perf_counter() - began,
    }


def batch(port, asked):
    """Answer, start, end, score, probability and logit of each question, from the service."""
    client = Client(port)
    body = "\n".join(line(example, id=n) for n, example in enumerate(asked))
    _, content, _ = client.post("/v1/batch", body, "application/x-ndjson")
    client.close()
    found = [json.loads(told) for told in content.splitlines()]
    assert [one["id"] for one in found] == list(range(len(asked)))
    return [answer_of(one["answers"][0]) for one in found]


def answer_of(found):
    place = found["place"]
    scores = found["score"], found["probability"], found["logit"]
    return found["answer"], place["start"], place["end"], *scores


def asks(answerer, example):
    (best,) = answerer.ask(example.question, [example.context])
    found = best.prediction
    scores = found.score, found.probability, found.logit
    return found.text, found.span.start, found.span.end, *scores


def pipeline(port, asked):
    """Answer, start, end and score of each question, from the service."""
    client = Client(port)
    told = []
    for example in asked:
        inputs = {"question": example.question, "context": example.context}
        body = {"inputs": inputs, "parameters": {"max_answer_len": 30}}
        found = json.loads(client.post("/v1/pipeline", json.dumps(body))[1])
        told.append(tuple(found[key] for key in ("answer", "start", "end", "score")))
    client.close()
    return told


def alike(some, others):
    return sum(one == other for one, other in zip(some, others, strict=True))


if __name__ == "__main__":
    main()
