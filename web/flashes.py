"""Notices that outlive one redirect: kept in a signed cookie for a minute, shown once."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import Cookie

from web.doors import WebSettings

FLASH_COOKIE = "kv_flash"
FLASH_LIFE_S = 60
SIGNATURE_BYTES = 32


class FlashKind(StrEnum):
    """How a notice sounds."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Flash(msgspec.Struct, frozen=True):
    """One notice."""

    kind: FlashKind
    text: str


def write_flash(flash: Flash, settings: WebSettings) -> Cookie:
    """Return the cookie that carries a notice to the next page."""
    payload = msgspec.json.encode(flash)
    value = urlsafe_b64encode(signature(payload, settings.secret_key) + payload).decode()
    return Cookie(
        FLASH_COOKIE, value=value, max_age=FLASH_LIFE_S, httponly=True, samesite="lax", secure=settings.is_production
    )


def read_flash(request: Request[Any, Any, Any], secret_key: str) -> Flash | None:
    """Return the notice a browser carries; None when there is none, or it was not written here."""
    try:
        sealed = urlsafe_b64decode(request.cookies.get(FLASH_COOKIE, ""))
        payload = sealed[SIGNATURE_BYTES:]
        if not hmac.compare_digest(sealed[:SIGNATURE_BYTES], signature(payload, secret_key)):
            return None
        return msgspec.json.decode(payload, type=Flash)
    except (ValueError, msgspec.DecodeError):
        return None


def signature(payload: bytes, secret_key: str) -> bytes:
    """Return the HMAC-SHA-256 of a notice."""
    return hmac.digest(secret_key.encode(), b"flash:" + payload, hashlib.sha256)
