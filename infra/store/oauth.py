"""Tickets of consents under way, in Postgres: a row that `delete ... returning` gives to one taker only.

They are not in Redis: docs/decisions/0004 says why.
"""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import Viewer


class NonceStore:
    """The tickets of one viewer in one tenant; only their hash is kept, so a copy of the table opens nothing."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        self._connection = connection
        self._viewer = viewer

    async def put(self, nonce: str, verifier: str, expires_at: datetime) -> None:
        await self._connection.execute(
            sa.text(
                "with over as (delete from oauth_nonces where nonce_hash in"
                " (select nonce_hash from oauth_nonces where expires_at < now() for update skip locked))"
                " insert into oauth_nonces (tenant_id, user_id, nonce_hash, verifier, expires_at)"
                " values (:tenant, :user, :nonce_hash, :verifier, :expires_at)"
            ),
            {
                "tenant": self._viewer.tenant_id,
                "user": self._viewer.user_id,
                "nonce_hash": _hash(nonce),
                "verifier": verifier,
                "expires_at": expires_at,
            },
        )

    async def take(self, nonce: str) -> str | None:
        rows = await self._connection.execute(
            sa.text("delete from oauth_nonces where nonce_hash = :nonce_hash and user_id = :user returning verifier"),
            {"nonce_hash": _hash(nonce), "user": self._viewer.user_id},
        )
        verifier: str | None = rows.scalar_one_or_none()
        return verifier


def _hash(nonce: str) -> bytes:
    return hashlib.sha256(nonce.encode()).digest()
