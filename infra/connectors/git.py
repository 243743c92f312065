"""A git repository over smart HTTP, as far as we need one: its last commit, and the files of that.

Dulwich is git in Python alone, so no program has to be installed. It is a blocking library: everything runs in threads.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any, TypeVar

import httpx
import msgspec
import urllib3
from dulwich.client import HttpGitClient, HTTPUnauthorized, default_user_agent_string
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.object_store import MemoryObjectStore, ObjectStoreGraphWalker, iter_tree_contents
from dulwich.objects import Blob, Commit

from domain.errors import Invalid, NotFound, Unavailable
from infra.connectors.http import Token

MAX_BYTES = 64 * 1024 * 1024
"""Of a pack, which is held in memory."""
Said = TypeVar("Said")
TIMEOUT = urllib3.Timeout(connect=10.0, read=60.0)
TRIES = urllib3.Retry(total=3, redirect=3, backoff_factor=0.5)


class File(msgspec.Struct, frozen=True):
    """A file of a commit; its hash changes with its content."""

    path: str
    sha: str
    mode: str
    content: bytes


class Repository:
    """One repository. Raises everywhere: NotFound when it is not there, or not for us, Invalid, Unavailable."""

    def __init__(self, base_url: str, path: str, token: Token) -> None:
        self._base_url = base_url.rstrip("/") + "/"
        self._path = path
        self._token = token

    async def head(self) -> str:
        """Return the id of the last commit; "" when there is none yet."""
        return await self._ask(lambda client: _head(client.get_refs(self._path).refs))

    async def files(self) -> Sequence[File]:
        """Return the files of the last commit, by path; its history is not fetched."""
        return await self._ask(lambda client: _files(client, self._path))

    async def _ask(self, question: Callable[[HttpGitClient], Said]) -> Said:
        token = await self._token("")
        try:
            return await asyncio.to_thread(_opened, self._base_url, token, question)
        except NotGitRepository as error:
            raise NotFound("It is not there, or not for us.") from error
        except HTTPUnauthorized as error:
            raise Invalid("the server does not let us in with this access.") from error
        except (GitProtocolError, HangupException, urllib3.exceptions.HTTPError) as error:
            raise Unavailable(f"the server does not answer as git does ({str(error)[:200]}).") from error


def _opened(base_url: str, token: str, question: Callable[[HttpGitClient], Said]) -> Said:
    agent = {"User-Agent": default_user_agent_string()}
    with urllib3.PoolManager(
        headers=agent, timeout=TIMEOUT, retries=TRIES, ssl_context=httpx.create_ssl_context()
    ) as pool:
        return question(HttpGitClient(base_url, pool_manager=pool, username="x-access-token", password=token))


def _head(refs: Mapping[Any, Any]) -> str:
    return str((refs.get(b"HEAD") or b"").decode())


def _files(client: HttpGitClient, path: str) -> list[File]:
    pack = BytesIO()

    def take(part: bytes) -> int:
        if pack.tell() + len(part) > MAX_BYTES:
            raise Invalid(f"it is larger than {MAX_BYTES // 2**20} MB.")
        return pack.write(part)

    def wants(refs: Mapping[Any, Any], depth: int | None = None) -> list[Any]:  # noqa: ARG001 (as it is called)
        return [refs[b"HEAD"]] if b"HEAD" in refs else []

    fetched = client.fetch_pack(path, wants, ObjectStoreGraphWalker([], lambda _commit: []), take, depth=1)
    head = fetched.refs.get(b"HEAD")  # type: ignore[call-overload]
    if head is None:
        return []
    pack.seek(0)
    store = MemoryObjectStore()
    store.add_thin_pack(pack.read, None)
    commit = store[head]
    if not isinstance(commit, Commit):
        raise Invalid("its newest version is none.")
    found = [(entry, store[entry.sha]) for entry in iter_tree_contents(store, commit.tree) if entry.sha in store]
    return [
        File(entry.path.decode("utf-8", "replace"), entry.sha.decode(), f"{entry.mode:o}", blob.data)
        for entry, blob in found
        if isinstance(blob, Blob)
    ]
