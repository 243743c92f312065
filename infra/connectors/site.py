"""Reading a server at an address that a person entered: limits of size, retries, redirects that stay where they may."""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import httpx
import msgspec
import stamina

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.addresses import AddressGuard
from infra.connectors.http import MAX_WAIT_S, N_TRIES, TRIED_FOR_S, Waiting

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
MAX_REDIRECTS = 5
MEBIBYTE = 1024 * 1024
MAX_LISTING_BYTES = 32 * MEBIBYTE
"""Of one answer that lists things; a file may be as large as any file."""

MayFollow = Callable[[httpx.URL], bool]
IsWanted = Callable[[Mapping[str, str]], bool]


class Answer(msgspec.Struct, frozen=True):
    """What a server said, read whole."""

    url: str
    """Where it came from, after redirects."""
    status: int
    headers: httpx.Headers
    content: bytes


class Site:
    """One server, with what opens it. `wrong_password` says what to do when that is not accepted any more."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        title: str,
        wrong_password: str,
        auth: httpx.Auth | None = None,
        n_tries: int = N_TRIES,
    ) -> None:
        self._client = client
        self._title = title
        self._wrong_password = wrong_password
        self._auth = auth
        self._n_tries = n_tries

    async def ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        max_bytes: int = MAX_LISTING_BYTES,
        may_follow: MayFollow | None = None,
        is_wanted: IsWanted | None = None,
    ) -> Answer:
        """Return a successful answer; without `may_follow`, redirects are followed within the same server only.

        What `is_wanted` declines by its headers is not read, and comes without content.

        Raises: Forbidden when we are not let in, NotFound, Invalid when this one thing cannot be had, Unavailable.
        """
        request = self._client.build_request(
            method, url, params=params, headers=headers, content=content, timeout=TIMEOUT
        )
        follows = may_follow or _within(request.url)
        try:
            async for attempt in stamina.retry_context(
                on=_pause, attempts=self._n_tries, timeout=TRIED_FOR_S, wait_initial=0.5, wait_max=20.0
            ):
                with attempt:
                    return await self._once(request, max_bytes, follows, is_wanted)
        except (Waiting, httpx.TransportError, httpx.DecodingError) as error:
            after = (
                "The next sync goes on from here." if self._n_tries > 1 else "Check its address, or try again later."
            )
            reason = str(error) or type(error).__name__
            raise Unavailable(f"{self._title} does not answer ({reason}). {after}") from error
        raise AssertionError("the last attempt returns or raises")

    async def _once(
        self, request: httpx.Request, max_bytes: int, may_follow: MayFollow, is_wanted: IsWanted | None
    ) -> Answer:
        for _ in range(MAX_REDIRECTS):
            answer = await self._client.send(request, auth=self._auth, stream=True)
            try:
                if not answer.has_redirect_location:
                    return await self._read(answer, max_bytes, is_wanted)
                url = answer.url.join(answer.headers["Location"])
            finally:
                await answer.aclose()
            if url.scheme not in ("http", "https") or not may_follow(url):
                raise Invalid(f"{self._title} leads on to {url.host or url.scheme}, where we do not follow.")
            method = "GET" if answer.status_code == 303 else request.method
            request = self._client.build_request(method, url, headers=_without_host(request), timeout=TIMEOUT)
        raise Invalid(f"{self._title} leads from one address to the next without end.")

    async def _read(self, answer: httpx.Response, max_bytes: int, is_wanted: IsWanted | None) -> Answer:
        self._refuse(answer)
        if is_wanted and not is_wanted(answer.headers):
            return Answer(str(answer.url), answer.status_code, answer.headers, b"")
        announced = answer.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > max_bytes:
            raise Invalid(too_large(int(announced), max_bytes))
        content = bytearray()
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > max_bytes:
                raise Invalid(too_large(len(content), max_bytes))
        return Answer(str(answer.url), answer.status_code, answer.headers, bytes(content))

    def _refuse(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status == 401:
            raise Forbidden(self._wrong_password)
        if status in (429, 503) or (status == 403 and "retry-after" in answer.headers):
            raise Waiting("it asks us to slow down" if status != 503 else "status 503", _asked_wait_s(answer))
        if status in (404, 410):
            raise NotFound(f"This is no longer at {self._title}.")
        if status >= 500:
            raise Waiting(f"status {status}", None)
        if status >= 400:
            raise Invalid(f"{self._title} does not let us read this (status {status}).")


def require_encryption(guard: AddressGuard, url: str) -> None:
    """Raises: Invalid for an address where a password could be read on its way; servers the operator trusts may be."""
    where = httpx.URL(url)
    if where.scheme != "https" and not guard.allows(where.host):
        raise Invalid(
            "Without encryption your password could be read on its way. Enter an address that begins with https://.",
            {"url": "Enter an address that begins with https://."},
        )


def too_large(size_bytes: int, limit_bytes: int = MAX_FILE_BYTES) -> str:
    """Return why something of this size is not read."""
    size, limit = size_bytes / MEBIBYTE, limit_bytes // MEBIBYTE
    return f"It is {size:,.0f} MB large; files over {limit} MB are not read. Split it, then sync again."


def _within(start: httpx.URL) -> MayFollow:
    """The same server; from http to https of the same name is a step up, and taken."""

    def may_follow(url: httpx.URL) -> bool:
        is_same = (url.scheme, url.host, url.port) == (start.scheme, start.host, start.port)
        is_safer = (start.scheme, url.scheme) == ("http", "https") and url.host == start.host and url.port is None
        return is_same or is_safer

    return may_follow


def _without_host(request: httpx.Request) -> dict[str, str]:
    dropped = ("host", "authorization", "cookie", "content-length", "transfer-encoding")
    return {name: value for name, value in request.headers.items() if name not in dropped}


def _pause(error: Exception) -> bool | float:
    if isinstance(error, Waiting):
        return error.wait_s is None or (error.wait_s if error.wait_s <= MAX_WAIT_S else False)
    return isinstance(error, httpx.TransportError)


def _asked_wait_s(answer: httpx.Response) -> float | None:
    """`Retry-After`, in seconds or as a date."""
    after = answer.headers.get("retry-after", "")
    try:
        return max(0.0, float(after) if after.isdecimal() else parsedate_to_datetime(after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
