"""The pipeline behind FastAPI: `python fastapi_service.py CHECKPOINT SIDE_BY_SIDE`.

SIDE_BY_SIDE threads answer in parallel, each with its own pipeline: two threads must not share a
tokenizer of transformers ("Already borrowed").
"""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from answering_pipeline import answers, free_port, made
from fastapi import FastAPI
from pydantic import BaseModel


class Asked(BaseModel):
    question: str
    context: str


def main():
    checkpoint, side_by_side = sys.argv[1], int(sys.argv[2])
    own = threading.local()
    one_by_one = threading.Lock()  # otherwise one may stay without weights, on the device "meta"

    def load():
        with one_by_one:
            own.reader = made(checkpoint, side_by_side)

    threads = ThreadPoolExecutor(side_by_side, initializer=load)
    list(threads.map(lambda _: own.reader, range(side_by_side)))
    app = FastAPI()

    @app.post("/answer")
    async def answer(asked: Asked):
        one = lambda: answers(own.reader, [asked.model_dump()])[0]  # noqa: E731
        return await asyncio.get_running_loop().run_in_executor(threads, one)

    port = free_port()
    print(f"http://127.0.0.1:{port}/", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main()
