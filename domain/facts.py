"""What is announced, after its commit, to whoever watches: small facts, by tenant."""

import msgspec

from domain.syncs import Sync


class SyncChanged(msgspec.Struct, frozen=True, tag="sync_changed"):
    """A sync's row has changed; carries the row, so that watchers need no query."""

    sync: Sync


class DocumentsChanged(msgspec.Struct, frozen=True, tag="documents_changed"):
    """Documents came, changed or went."""

    integration_id: int


class IntegrationChanged(msgspec.Struct, frozen=True, tag="integration_changed"):
    """An integration's access has ended, will end soon, or works again."""

    integration_id: int


class AccessEnded(msgspec.Struct, frozen=True, tag="access_ended"):
    """A member was removed, or signed out everywhere: their streams end."""

    user_id: int
    session_id: int | None = None
    """Only this session, or all of the user's when None."""


class HandoverChanged(msgspec.Struct, frozen=True, tag="handover_changed"):
    """A question of a handover was answered."""

    handover_id: int


Fact = SyncChanged | DocumentsChanged | IntegrationChanged | AccessEnded | HandoverChanged


def channel(tenant_id: int) -> str:
    """Return the name under which a tenant's facts are published."""
    return f"vault.{tenant_id}"


def encode(fact: Fact) -> bytes:
    """Return the fact as JSON, with its tag."""
    return msgspec.json.encode(fact)


def decode(payload: bytes) -> Fact:
    """Return the fact behind a payload. Raises: msgspec.DecodeError, for payloads of a version not understood."""
    fact: Fact = msgspec.json.decode(payload, type=Fact)
    return fact
