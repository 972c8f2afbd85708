"""The pipeline behind Ray Serve: `python ray_service.py CHECKPOINT REPLICAS`."""

import logging
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "60")  # 5 are few on a busy machine
os.environ.setdefault("RAY_worker_niceness", "0")  # with 15, all others would take precedence

import ray
from answering_pipeline import free_port
from ray import serve

FOLDER = str(Path(__file__).parent)


@serve.deployment(max_ongoing_requests=16)
class Answering:
    def __init__(self, checkpoint, replicas):
        sys.path.insert(0, FOLDER)
        from answering_pipeline import made

        self.reader = made(checkpoint, replicas)

    async def __call__(self, request):
        from answering_pipeline import answers

        return answers(self.reader, [await request.json()])[0]


def main():
    checkpoint, replicas = sys.argv[1], int(sys.argv[2])
    address = sys.stdout
    sys.stdout = sys.stderr  # output of Ray goes to standard error
    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    share = {"num_cpus": 1 / replicas}
    bound = Answering.options(num_replicas=replicas, ray_actor_options=share).bind(
        checkpoint, replicas
    )
    serve.run(bound, route_prefix="/answer")
    print(f"http://127.0.0.1:{port}/", file=address, flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
