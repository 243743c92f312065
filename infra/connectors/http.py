"""Reading a provider's API in somebody's name: time-outs, renewed tokens, rate limits, retries, pages."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx
import msgspec
import stamina

from domain.credentials import Grant
from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from domain.oauth import lost_access
from infra.connectors.paging import Paging

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
N_TRIES = 6
TRIED_FOR_S = 180.0
MAX_WAIT_S = 120.0
"""A rate limit that ends sooner is waited for; a later one ends the sync, which goes on from its cursor next time."""
SHUT_OUT = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})
"""Slack's words for an access that has ended."""
MAX_PAGES = 20_000
EMPTY_LIST = b"[]"
MAX_RESPONSE_BYTES = 160 * 1024 * 1024

Params = Mapping[str, str | Sequence[str]]
Token = Callable[[str], Awaitable[str]]
"""Gives an access token that is not the refused one ("" when none was). Raises: Forbidden, Unavailable."""


class Waiting(Exception):
    """The provider asks for a pause of so many seconds; None leaves its length to us."""

    def __init__(self, reason: str, wait_s: float | None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, however often it takes."""

    method: str
    url: httpx.URL
    params: Params | None
    form: Mapping[str, str] | None
    leads_out: bool = False
    """Whether a redirect to another server is followed, without our token."""


class Source:
    """One provider's API, as one account sees it; links and redirects that lead to another server are not followed.

    `files_url` is a second server of the provider, where files lie, which gets the token as well.
    """

    def __init__(self, client: httpx.AsyncClient, title: str, base_url: str, token: Token, files_url: str = "") -> None:
        self._client = client
        self._title = title
        self._base_url = httpx.URL(base_url)
        self._files_url = httpx.URL(files_url) if files_url else self._base_url
        self._token = token

    async def get(self, path: str, params: Params | None = None) -> httpx.Response:
        """Return a successful answer.

        Raises: Forbidden when our access has ended, NotFound, Invalid when this one thing is refused, Unavailable.
        """
        return await self._insist("GET", path, params, None)

    async def post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        """Return a successful answer to a form that only asks. Raises: what `get` does."""
        return await self._insist("POST", path, None, form)

    async def download(self, path: str) -> httpx.Response:
        """Return a file that the provider hands out elsewhere, at an address good for a while and without our token.

        Raises: what `get` does.
        """
        return await self._insist("GET", path, None, None, leads_out=True)

    async def _insist(
        self, method: str, path: str, params: Params | None, form: Mapping[str, str] | None, *, leads_out: bool = False
    ) -> httpx.Response:
        request = Request(method, self._url(path), params, form, leads_out)
        try:
            async for attempt in stamina.retry_context(
                on=_pause, attempts=N_TRIES, timeout=TRIED_FOR_S, wait_initial=0.5, wait_max=20.0
            ):
                with attempt:
                    return await self._once(request)
        except (Waiting, httpx.TransportError) as error:
            raise Unavailable(
                f"{self._title} does not answer ({error or type(error).__name__}). The next sync goes on from here."
            ) from error
        raise AssertionError("the last attempt returns or raises")

    async def pages(self, path: str, params: Params) -> AsyncIterator[httpx.Response]:
        """Yield an answer and those its `Link` header leads to (RFC 8288).

        Raises: Unavailable when the pages go in a circle or never end; what `get` raises.
        """
        paging = Paging(self._title)
        answer = await self.get(path, params)
        while True:
            yield answer
            following = answer.links.get("next", {}).get("url", "")
            if not following:
                return
            answer = await self.get(paging.turn(following, len(answer.content) - len(EMPTY_LIST)))

    async def _once(self, request: Request) -> httpx.Response:
        token = await self._token("")
        answer = await self._send(request, token)
        if _is_shut_out(answer):
            answer = await self._send(request, await self._token(token))
        self._refuse(answer)
        return answer

    async def _send(self, request: Request, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        url, params = request.url, request.params
        for _ in range(4):
            answer = await self._client.request(
                request.method, url, params=params, data=request.form, headers=headers, timeout=TIMEOUT
            )
            if not answer.has_redirect_location:
                break
            target = answer.url.join(answer.headers["Location"])
            if request.leads_out and target.scheme == "https" and not self._is_ours(target):
                return await self._client.get(target, timeout=TIMEOUT)
            url, params = self._url(str(target)), None
        return answer

    def _url(self, path: str) -> httpx.URL:
        """Where to ask: our token goes nowhere else. Raises: Unavailable."""
        url = httpx.URL(path) if "://" in path else httpx.URL(f"{self._base_url}{path}")
        if not self._is_ours(url):
            raise Unavailable(f"{self._title} led to another server ({url.host}), where we do not follow.")
        return url

    def _is_ours(self, url: httpx.URL) -> bool:
        return _server(url) in (_server(self._base_url), _server(self._files_url))

    def _refuse(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if _is_shut_out(answer):
            raise Forbidden(lost_access(self._title))
        if missing := _missing_scope(answer):
            raise Forbidden(f"{self._title} was allowed without {missing}. Reconnect it and leave everything ticked.")
        if status == 429 or (status == 403 and _is_limited(answer)):
            raise Waiting("it asks us to slow down", _asked_wait_s(answer))
        if status in (404, 410):
            raise NotFound(f"This is no longer at {self._title}, or was never ours to see.")
        if status >= 500:
            raise Waiting(f"status {status}", _asked_wait_s(answer))
        if status >= 400:
            raise Invalid(f"{self._title} does not let us read this: {_reason(answer)}")


def _pause(error: Exception) -> bool | float:
    """Whether to try again, and after how many seconds where the provider says."""
    if isinstance(error, Waiting):
        return error.wait_s is None or (error.wait_s if error.wait_s <= MAX_WAIT_S else False)
    return isinstance(error, httpx.TransportError)


class Refusal(msgspec.Struct, frozen=True):
    """How Slack says no, with status 200."""

    ok: bool = True
    error: str = ""
    needed: str = ""


def fixed_token(grant: Grant) -> Token:
    """Return the token of a grant that was just given, and so cannot be renewed."""

    async def token(refused: str) -> str:  # noqa: ARG001
        return grant.access_token

    return token


def refusal_of(answer: httpx.Response) -> Refusal:
    """Return what an answer says against us in its body, where it says it there."""
    if answer.request.method != "POST" or b'"ok"' not in answer.content[:200]:
        return Refusal()
    try:
        return msgspec.json.decode(answer.content, type=Refusal)
    except msgspec.MsgspecError:
        return Refusal()


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _is_shut_out(answer: httpx.Response) -> bool:
    return answer.status_code == 401 or refusal_of(answer).error in SHUT_OUT


def _missing_scope(answer: httpx.Response) -> str:
    """Return the scope that an answer finds missing, as Slack names it, or Google (AIP-193)."""
    refusal = refusal_of(answer)
    if refusal.error == "missing_scope":
        return refusal.needed or "a scope that is needed"
    is_short = answer.status_code == 403 and b"ACCESS_TOKEN_SCOPE_INSUFFICIENT" in answer.content[:5_000]
    return "a scope that is needed" if is_short else ""


def _is_limited(answer: httpx.Response) -> bool:
    """Whether a refusal only means later: GitHub says so in headers, Google by a reason."""
    return (
        "retry-after" in answer.headers
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or any(reason in answer.content[:5_000] for reason in (b"rateLimitExceeded", b"userRateLimitExceeded"))
    )


def _asked_wait_s(answer: httpx.Response) -> float | None:
    """How long to wait: `Retry-After` in seconds, or until the limit is reset."""
    try:
        if after := answer.headers.get("retry-after"):
            return max(0.0, float(after))
        if answer.headers.get("x-ratelimit-remaining") == "0":
            return max(1.0, float(answer.headers["x-ratelimit-reset"]) - time.time())
    except (KeyError, ValueError):
        return None
    return None


def _reason(answer: httpx.Response) -> str:
    try:
        said = answer.json()
        said = said.get("message") or said["error"]["message"]
    except (ValueError, KeyError, TypeError):
        said = ""
    return f"{said or f'status {answer.status_code}'}"[:300]
