"""History: superseded versions, which the index does not hold, as far as they counted on a day gone by.

A version counts from its date at the source, or from when it came in where the source tells none, until the next one's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.parsing import Block


class PastVersion(msgspec.Struct, frozen=True):
    """A superseded version that was in force at some moment; `modified_at` is its own date."""

    document_id: int
    version_id: int
    title: str
    text: str
    blocks: tuple[Block, ...]
    integration_name: str
    media_type: str
    author: str
    url: str
    modified_at: datetime


class History(Protocol):
    """The superseded versions of one tenant's documents, as far as the viewer may read the documents today."""

    async def in_force(self, moment: datetime, words: Sequence[str], limit: int) -> list[PastVersion]:
        """Return the versions that counted at `moment` and no longer do; most of `words` first, ties by document."""
