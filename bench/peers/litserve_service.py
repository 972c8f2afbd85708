"""The pipeline behind LitServe: `python litserve_service.py CHECKPOINT WORKERS BATCH`."""

import sys

import litserve
from answering_pipeline import answers, free_port, made


class Answering(litserve.LitAPI):
    def __init__(self, checkpoint, workers, **options):
        super().__init__(api_path="/answer", **options)
        self.checkpoint, self.workers = checkpoint, workers

    def setup(self, device):
        self.reader = made(self.checkpoint, self.workers)

    def decode_request(self, request):
        return request

    def predict(self, asked):
        many = asked if isinstance(asked, list) else [asked]
        found = answers(self.reader, many)
        return found if isinstance(asked, list) else found[0]

    def encode_response(self, output):
        return output


def main():
    checkpoint, workers, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    options = {"max_batch_size": batch, "batch_timeout": 0.01} if batch > 1 else {}
    api = Answering(checkpoint, workers, **options)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=workers)
    port = free_port()
    print(f"http://127.0.0.1:{port}/", flush=True)
    server.run(host="127.0.0.1", port=port, log_level="error", generate_client_file=False)


if __name__ == "__main__":
    main()
