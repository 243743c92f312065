"""Vaults with something in them, for those who search and ask."""

from collections.abc import Mapping

from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories

HANDBOOK = """# Operations handbook

## Backups

Nightly backups are kept for 35 days. Monthly backups are kept for two years.
The machine in the cellar writes them to tape, and the porter carries the tapes to the bank every Thursday morning.

## Releases

Releases go out on Tuesday. Nobody releases on a Friday.
Whoever pressed the button stays in the office until the charts have been calm for one hour, and writes the log.
"""
MINUTES = """# Minutes of the storage round

The storage round chose turbine oil for the northern pumps.
"""
LIBRARY = {"handbook.md": HANDBOOK, "minutes.md": MINUTES}


async def bring_in(
    stores: Stores, tools: Tools, source: factories.Source, viewer: Viewer, files: Mapping[str, str]
) -> None:
    """Put these files at the source and sync it; what stood there before is gone."""
    source.files = dict(files)
    sync = await factories.synced(stores, tools, viewer)
    assert not sync.progress.failed
