"""An addon of mitmproxy: faults that a test asks for by POST /__faults, taken one for each request that fits.

A fault is {"match": part of a path, "after": so many that pass first, "times": how often, "kind": what, "status": 429,
"headers": {}}. "status" answers so, "cut" ends the connection without an answer, "expire" answers 401 to a token until
another one comes. What was asked for before and did not happen is the answer.

A peer that knows one token alone is handed PASS_AS for every token that is good here; RENAMED, two parts of paths with
a blank between them, puts the second in the place of the first.
"""

import json
import os

from mitmproxy import http

CONTROL = "/__faults"


class Faults:
    """Keeps the faults that are still to come."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, object]] = []
        self.expired: set[str] = set()
        self.pass_as = os.environ.get("PASS_AS", "")
        self.renamed = os.environ.get("RENAMED", "").split()

    def request(self, flow: http.HTTPFlow) -> None:
        """Answer in the place of the server where a fault is due."""
        if flow.request.path == CONTROL:
            left, self.waiting = self.waiting, json.loads(flow.request.get_text() or "[]")
            self.expired = set()
            flow.response = http.Response.make(200, json.dumps(left), {"Content-Type": "application/json"})
            return
        token = flow.request.headers.get("authorization", "")
        fault = self._due(flow.request.path)
        if fault is None:
            if token and token in self.expired:
                flow.response = http.Response.make(401, b"{}", {"Content-Type": "application/json"})
            self._translate(flow)
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
            if str(fault["match"]) not in path or int(fault["times"]) == 0:
                continue
            if int(fault.get("after", 0)):
                fault["after"] = int(fault["after"]) - 1
                continue
            fault["times"] = int(fault["times"]) - 1
            return fault
        return None

    def _translate(self, flow: http.HTTPFlow) -> None:
        if self.pass_as and "authorization" in flow.request.headers:
            flow.request.headers["authorization"] = f"Bearer {self.pass_as}"
        if self.renamed:
            flow.request.path = flow.request.path.replace(*self.renamed)


addons = [Faults()]
