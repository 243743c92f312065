"""The signature by which S3-compatible stores know who asks (AWS Signature Version 4, its form for S3)."""

import hashlib
import hmac
from collections.abc import Callable, Generator
from datetime import UTC, datetime

import httpx

SIGNED = "host;x-amz-content-sha256;x-amz-date"


class S3Signature(httpx.Auth):
    """Signs requests; their query must stand in the order of its names, and be encoded by RFC 3986."""

    requires_request_body = True

    def __init__(self, key: str, secret: str, region: str, now: Callable[[], datetime]) -> None:
        self._key = key
        self._secret = secret
        self._region = region
        self._now = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request as it stands."""
        moment = self._now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(request.content).hexdigest()
        request.headers["x-amz-date"] = moment
        request.headers["x-amz-content-sha256"] = digest
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        headers = f"host:{request.headers['host']}\nx-amz-content-sha256:{digest}\nx-amz-date:{moment}\n"
        canonical = "\n".join((request.method, path, query, headers, SIGNED, digest))
        scope = f"{moment[:8]}/{self._region}/s3/aws4_request"
        asked = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        signature = _signed(self._signing_key(moment[:8]), asked).hex()
        request.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._key}/{scope}, SignedHeaders={SIGNED}, Signature={signature}"
        )
        yield request

    def _signing_key(self, day: str) -> bytes:
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = _signed(key, part)
        return key


def _signed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
