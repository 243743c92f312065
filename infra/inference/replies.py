"""How the clients of inference servers take a bad answer: what is tried again, when, and what the person is told."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import httpx
import stamina

from domain.errors import Unavailable

N_TRIES = 3
LONGEST_WAIT_S = 30.0
"""A server that asks for more patience than this is told to the person instead."""

T = TypeVar("T")


class Busy(Unavailable):
    """The server may answer if asked again; `retry_after_s` is its own wish, where it gave one."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def wait_before_retry(error: Exception) -> bool | timedelta:
    """Return whether to try again, or how long to wait before."""
    if not isinstance(error, Busy):
        return False
    if error.retry_after_s is None:
        return True
    return timedelta(seconds=error.retry_after_s) if error.retry_after_s <= LONGEST_WAIT_S else False


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Return what the call returns, trying up to three times while the server is Busy.

    Raises: Unavailable, the last one.
    """
    async for attempt in stamina.retry_context(
        on=wait_before_retry, attempts=N_TRIES, wait_initial=0.2, wait_max=5.0, timeout=None
    ):
        with attempt:
            return await call()
    raise AssertionError("stamina returns or raises")


def require_success(response: httpx.Response, server: str) -> None:
    """Pass an answer that is a success. Raises: Busy for 429 and 5xx, Unavailable for other refusals."""
    if response.is_success:
        return
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error:
        raise Busy(f"The {server} is busy or out of order (it answered {status}). Try again later.", _wish(response))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise Unavailable(f"The {server} refused the key (it answered {status}). Check the API key in the settings.")
    raise Unavailable(f"The {server} refused the request (it answered {status}). Check its address and model name.")


def _wish(response: httpx.Response) -> float | None:
    """Return Retry-After in seconds; its other form, a date, is rare here and treated as absent."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
