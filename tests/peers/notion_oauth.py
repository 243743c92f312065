"""The consent of our own Notion; Notion's own client for JavaScript, and the types it publishes, judge its answers."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

Object = dict[str, Any]
CLIENT_ID, CLIENT_SECRET = "1f8d872b-594c-80a4-b2f4-00370af2b13f", "secret_of_the_tests"
WORKSPACE_ID, BOT_ID, ANA = (str(uuid.UUID(int=number)) for number in (1, 2, 3))


@dataclass
class Consents:
    """What was allowed; codes and refresh tokens are good once."""

    codes: dict[str, str] = field(default_factory=dict)
    """Addresses to which each was sent."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Refresh tokens, by the access token they came with."""
    refreshes: bool = False
    """Whether refresh tokens are given, as newer connections get them."""
    n_given: int = 0

    def allow(self, query: str) -> str:
        """Return where the browser is sent once a person has allowed. Raises: AssertionError for a wrong request."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        assert set(asked) == {"client_id", "redirect_uri", "response_type", "owner", "state"}, asked
        assert (asked["client_id"], asked["response_type"], asked["owner"]) == (CLIENT_ID, "code", "user")
        code = str(uuid.uuid4())
        self.codes[code] = asked["redirect_uri"]
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def answer(self, path: str, headers: Mapping[str, str], asked: Object) -> tuple[int, Object]:
        """Answer a request of an application."""
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if headers.get("Authorization") != f"Basic {known}":
            return 401, refused("invalid_client")
        if not headers.get("Notion-Version") or headers.get("Content-Type") != "application/json":
            return 400, refused("invalid_request")
        if path.endswith("/revoke"):
            self.tokens.pop(asked["token"], None)
            return 200, {"request_id": str(uuid.uuid4())}
        return (200, self._give()) if self._is_good(asked) else (400, refused("invalid_grant"))

    def _is_good(self, asked: Object) -> bool:
        """Whether a code, or a refresh token, is good; it is so once."""
        if asked["grant_type"] == "authorization_code":
            return self.codes.pop(asked["code"], None) == asked.get("redirect_uri")
        before = next((each for each, given in self.tokens.items() if given == asked["refresh_token"]), "")
        return self.tokens.pop(before, None) is not None

    def _give(self) -> Object:
        self.n_given += 1
        token, refresh = f"ntn_{self.n_given}", f"nrt_{self.n_given}" if self.refreshes else None
        self.tokens[token] = refresh or ""
        person = {"type": "person", "person": {"email": "ana@tidewater.example"}, "name": "Ana Ruiz"}
        return {
            "access_token": token,
            "token_type": "bearer",
            "refresh_token": refresh,
            "bot_id": BOT_ID,
            "workspace_icon": None,
            "workspace_name": "Tidewater",
            "workspace_id": WORKSPACE_ID,
            "owner": {"type": "user", "user": person | {"avatar_url": None, "id": ANA, "object": "user"}},
            "duplicated_template_id": None,
            "request_id": str(uuid.uuid4()),
        }


def refused(error: str) -> Object:
    """A refusal as RFC 6749 has it."""
    return {"error": error, "request_id": str(uuid.uuid4())}
