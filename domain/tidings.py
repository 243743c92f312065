"""Tidings: what documents tell the whole vault, who left and what was replaced; and the port that keeps them."""

from typing import Protocol

from domain.surroundings import Surroundings


class Tidings(Protocol):
    """What detectors reckon with beyond the document they read; only what everybody may read counts."""

    async def surroundings(self) -> Surroundings:
        """Return what is reckoned with since the last renewal."""

    async def renew(self) -> bool:
        """Reckon with what documents tell by now, and return whether that is anything else than before.

        Documents that speak of what has changed are due again, whether it was told, taken back, deleted or hidden.
        """
