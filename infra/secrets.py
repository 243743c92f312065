"""Sealing of credentials and signing of states, under keys derived from SECRET_KEY; the key itself is never used.

The libraries are loaded with the first thing that is sealed, opened or signed: 9 MB that few pages need.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from domain.credentials import State
from domain.errors import Forbidden, Invalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
"""GCM's own size; a key seals far fewer than 2^32 messages, so random ones do not meet."""
KEY_ID_BYTES = 4
ALGORITHM = "HS256"
UNOPENED = "Access to this source cannot be opened with this server's key any more. Reconnect the integration."
FORGED = "This consent was not begun here, or was changed on its way. Begin again."


class Sealed(msgspec.Struct, frozen=True):
    """Something sealed, and the name of the key that opens it."""

    key_id: str
    content: bytes


class Sealer:
    """Seals with AES-256-GCM under a key of each tenant's own (HKDF-SHA256).

    `secret_keys` are SECRET_KEY and those before it: the first seals, all open, so a key can be changed without losing
    what was sealed. What is bound in `context` must be the same on opening: a row copied elsewhere stays shut.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._given = tuple(secret_keys)

    @cached_property
    def key_id(self) -> str:
        """The name of the key that seals."""
        return key_id_of(self._given[0])

    @cached_property
    def _secret_keys(self) -> dict[str, str]:
        return {key_id_of(each): each for each in reversed(self._given)}

    def seal(self, tenant_id: int, context: str, content: bytes) -> Sealed:
        """Return it sealed; each time differently."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher(self.key_id, tenant_id).encrypt(nonce, content, context.encode())
        return Sealed(self.key_id, nonce + sealed)

    def open(self, tenant_id: int, context: str, sealed: Sealed) -> bytes:
        """Return what was sealed. Raises: Forbidden when the key is gone, or anything was changed."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # see above

        if sealed.key_id not in self._secret_keys:
            raise Forbidden(UNOPENED)
        nonce, content = sealed.content[:NONCE_BYTES], sealed.content[NONCE_BYTES:]
        try:
            return self._cipher(sealed.key_id, tenant_id).decrypt(nonce, content, context.encode())
        except (InvalidTag, ValueError) as error:
            raise Forbidden(UNOPENED) from error

    def _cipher(self, key_id: str, tenant_id: int) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # see above

        return AESGCM(derived(self._secret_keys[key_id], f"credentials of tenant {tenant_id}"))


class StateSigner:
    """Signs states of consents as JSON Web Tokens (RFC 7519, HS256)."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    @cached_property
    def _key(self) -> bytes:
        return derived(self._secret_key, "oauth state")

    def sign(self, state: State) -> str:
        import jwt  # noqa: PLC0415  # see above

        claims = {
            "jti": state.nonce,
            "tenant": state.tenant_id,
            "sub": str(state.user_id),
            "aud": state.provider,
            "session": state.session,
            "exp": int(state.expires_at.timestamp()),
            "integration": state.integration_id,
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, signed: str) -> State:
        """Return a state; its age and audience are the caller's to judge, who has a clock and words for people."""
        import jwt  # noqa: PLC0415  # see above

        options = {"verify_exp": False, "verify_aud": False, "require": ["jti", "sub", "aud", "exp"]}
        try:
            claims = jwt.decode(signed, self._key, [ALGORITHM], options=options)  # type: ignore[arg-type]
            return State(
                nonce=claims["jti"],
                tenant_id=claims["tenant"],
                user_id=int(claims["sub"]),
                provider=claims["aud"],
                session=claims["session"],
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
                integration_id=claims["integration"],
            )
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise Invalid(FORGED) from error


def key_id_of(secret_key: str) -> str:
    """Return a name of a key that gives nothing of it away."""
    return derived(secret_key, "key id")[:KEY_ID_BYTES].hex()


def derived(secret_key: str, purpose: str) -> bytes:
    """Return a key for one purpose (HKDF, RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  # see above
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415  # see above

    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"knowledgevault: {purpose}".encode()).derive(secret_key.encode())
