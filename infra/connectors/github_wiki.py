"""Wikis of GitHub, which its API does not know: each is a git repository beside the one it belongs to.

External ids are `owner/name/wiki/PATH`. The id of its last commit tells whether anything changed.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from domain.errors import NotFound
from domain.integrations import Entry
from infra.connectors.github_files import BlobEntry, file_entry
from infra.connectors.http import Token
from infra.connectors.members import short_id

if TYPE_CHECKING:
    from infra.connectors.git import File, Repository

GONE = "This page is no longer in the wiki."


class Wikis:
    """The wikis of one account's repositories; the contents of the one that was listed last are held."""

    def __init__(self, git_url: str, token: Token) -> None:
        self._git_url = git_url
        self._token = token
        self._contents: dict[str, bytes] = {}

    async def head(self, name: str) -> str:
        """Return the id of a wiki's last commit; "" when it has no page. Raises: Invalid, Unavailable."""
        try:
            return await self._repository(name).head()
        except NotFound:  # so GitHub answers as long as nobody has written one
            return ""

    async def entries(self, name: str, html_url: str, principals: tuple[str, ...]) -> Sequence[Entry]:
        """Return the pages of a wiki, and other files in it that hold words. Raises: NotFound, Invalid, Unavailable."""
        files = await self._repository(name).files()
        self._contents = {file.sha: file.content for file in files}
        return [entry for file in files if (entry := _entry(name, file, html_url, principals))]

    async def read(self, name: str, sha: str) -> bytes:
        """Return a file by its git hash. Raises: NotFound, Invalid, Unavailable."""
        if sha not in self._contents:
            self._contents = {file.sha: file.content for file in await self._repository(name).files()}
        if sha not in self._contents:
            raise NotFound(GONE)
        return self._contents[sha]

    def _repository(self, name: str) -> "Repository":
        from infra.connectors.git import Repository  # noqa: PLC0415 -- git is for whoever reads a wiki

        return Repository(self._git_url, f"{name}.wiki.git", self._token)


def _entry(name: str, file: "File", html_url: str, principals: tuple[str, ...]) -> Entry | None:
    page = file.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    blob = BlobEntry(file.path, "blob", file.sha, file.mode, len(file.content))
    entry = file_entry(name, blob, f"{html_url}/wiki/{page}", principals)
    return msgspec.structs.replace(entry, external_id=short_id(f"{name}/wiki/{file.path}")) if entry else None
