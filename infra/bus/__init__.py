"""The bus: facts from whichever process committed them to whichever process serves the people who watch."""

from infra.bus.bus import Bus

__all__ = ["Bus"]
