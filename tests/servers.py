"""Postgres and Redis of the tests: the product's own, but for what only a loss of power would show."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from infra.embedded import POSTGRES_SETTINGS, Embedded, embedded

FORGETFUL = {**POSTGRES_SETTINGS, "fsync": "off", "full_page_writes": "off"}
"""A commit still outlives the end of any process, but does not wait for the disk."""


@contextmanager
def own_servers() -> Iterator[Embedded]:
    """Start servers nobody else uses; what they held is gone afterwards."""
    # Not pytest's own temporary folder: it is closed to all but its owner, and Postgres does not run as root.
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="vault-", ignore_cleanup_errors=True) as folder:
        warnings.simplefilter("ignore")
        with embedded(Path(folder), settings=FORGETFUL) as own:
            yield own


def ask(url: str, timeout_s: float = 2) -> httpx.Response:
    """Ask over plain HTTP, without the certificates of the world: they take forty times as long to read."""
    return httpx.get(url, timeout=timeout_s, verify=False)
