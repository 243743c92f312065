"""A transcription server as OpenAI's, over real HTTP: it takes a recording that is one, and says what it was told."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WEBM = b"\x1a\x45\xdf\xa3"
"""How every WebM file begins (EBML, RFC 8794)."""


class Transcription(ThreadingHTTPServer):
    """Answers each recording with `text`; anything else is refused as the real one does."""

    text = "Zelda cleans the filter, each Monday."

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recordings: list[bytes] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Transcription

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        boundary = re.search(r"boundary=(\S+)", self.headers["Content-Type"] or "")
        parts = body.split(b"--" + boundary[1].encode()) if boundary else []
        files = [part.partition(b"\r\n\r\n")[2] for part in parts if b'name="file"' in part]
        is_asked_well = self.path == "/v1/audio/transcriptions" and any(b'name="model"' in part for part in parts)
        if not is_asked_well or not files or not files[0].startswith(WEBM):
            self._reply(400, {"error": {"message": "Invalid file format."}})
            return
        self.server.recordings.append(files[0])
        self._reply(200, {"text": self.server.text})

    def _reply(self, status: int, reply: dict[str, object]) -> None:
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name its base gives it)
        """Say nothing."""


@contextmanager
def transcription_server() -> Iterator[Transcription]:
    """Serve from a thread of its own."""
    server = Transcription()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
