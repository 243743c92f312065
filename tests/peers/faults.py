"""An addon of mitmproxy: faults that a test asks for by POST /__faults, taken one for each request that fits.

A fault is {"match": part of a path, "times": how often, "kind": what, "status": 429, "headers": {}}. "status" answers
so, "cut" ends the connection without an answer, "expire" answers 401 to a token until another one comes.
"""

import json

from mitmproxy import http

CONTROL = "/__faults"


class Faults:
    """Keeps the faults that are still to come."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, object]] = []
        self.expired: set[str] = set()

    def request(self, flow: http.HTTPFlow) -> None:
        """Answer in the place of the server where a fault is due."""
        if flow.request.path == CONTROL:
            self.waiting = json.loads(flow.request.get_text() or "[]")
            self.expired = set()
            flow.response = http.Response.make(204)
            return
        token = flow.request.headers.get("authorization", "")
        fault = self._due(flow.request.path)
        if fault is None:
            if token and token in self.expired:
                flow.response = http.Response.make(401, b"{}", {"Content-Type": "application/json"})
            return
        match fault["kind"]:
            case "cut":
                flow.kill()
            case "expire":
                self.expired.add(token)
                flow.response = http.Response.make(401, b"{}", {"Content-Type": "application/json"})
            case _:
                headers = {"Content-Type": "application/json", **fault.get("headers", {})}
                flow.response = http.Response.make(int(fault["status"]), b"{}", headers)

    def _due(self, path: str) -> dict[str, object] | None:
        for fault in self.waiting:
            if str(fault["match"]) in path and int(fault["times"]) > 0:
                fault["times"] = int(fault["times"]) - 1
                return fault
        return None


addons = [Faults()]
