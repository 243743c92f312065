"""Token introspection (RFC 7662), as mail servers ask for it, answered by a provider's own userinfo."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx


@contextmanager
def introspecting(userinfo_url: str) -> Iterator[str]:
    """Serve at an address; a token is active when the provider says whose it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            token = asked.get("token", [""])[0]
            said = httpx.get(userinfo_url, headers={"Authorization": f"Bearer {token}"})
            email = said.json()["email"] if said.is_success else "nobody"
            content = json.dumps({"active": "true" if said.is_success else "false", "email": email}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
