"""An OpenAI-compatible `/v1/embeddings` server that takes its time, and remembers what it was asked."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

N_DIMENSIONS = 384


class Asked(msgspec.Struct, frozen=True):
    input: list[str]


class RemoteEmbedder(ThreadingHTTPServer):
    """Answers each request after `latency_s`; several at once, as a server with many machines behind it would."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, latency_s: float) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.latency_s = latency_s
        self.asked: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle of its question is none of our business."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RemoteEmbedder

    def do_POST(self) -> None:
        began = time.perf_counter()
        texts = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])), type=Asked).input
        self.server.asked += texts
        rows = [{"index": place, "embedding": vector(text)} for place, text in enumerate(texts)]
        body = msgspec.json.encode({"data": rows})
        time.sleep(max(0.0, self.server.latency_s - (time.perf_counter() - began)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def vector(text: str) -> list[int]:
    """A bag of hashed words: texts that share words are near."""
    counts = [0] * N_DIMENSIONS
    counts[0] = 1
    for word in text.lower().split():
        counts[int.from_bytes(blake2b(word.encode(), digest_size=2).digest()) % N_DIMENSIONS] += 1
    return counts


@contextmanager
def remote_embedder(latency_s: float = 0.0) -> Iterator[RemoteEmbedder]:
    server = RemoteEmbedder(latency_s)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
