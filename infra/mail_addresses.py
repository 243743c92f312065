"""The addresses at which forwarded mail comes in: each says whose it is, and carries a token that proves it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence

LOCAL_PART = re.compile(r"^in-(\d{1,18})-(\d{1,18})-([a-z2-7]{26})$", re.ASCII)


class SignedAddresses:
    """Addresses whose token only this deployment can make; those of earlier keys stay good."""

    def __init__(self, domain: str, keys: Sequence[str]) -> None:
        self._domain = domain.lower()
        self._keys = tuple(keys)

    def address_of(self, tenant_id: int, integration_id: int) -> str:
        token = _token(self._keys[0], tenant_id, integration_id)
        return f"in-{tenant_id}-{integration_id}-{token}@{self._domain}"

    def read(self, address: str) -> tuple[int, int] | None:
        local, _, domain = address.lower().rpartition("@")
        match = LOCAL_PART.match(local)
        if match is None or domain != self._domain:
            return None
        tenant_id, integration_id = int(match[1]), int(match[2])
        tokens = [_token(key, tenant_id, integration_id) for key in self._keys]
        is_ours = any(hmac.compare_digest(each, match[3]) for each in tokens)
        return (tenant_id, integration_id) if is_ours else None


def _token(key: str, tenant_id: int, integration_id: int) -> str:
    """130 bits that nobody without the key can guess."""
    digest = hmac.new(key.encode(), f"mail address {tenant_id}/{integration_id}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:26].lower()
