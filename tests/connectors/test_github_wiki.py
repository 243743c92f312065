"""GitHub's wikis, served by git's own program: by the last commit, deletions too; one out of reach is noted."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from domain.credentials import Grant
from domain.people import Viewer
from domain.syncs import Sync, SyncState
from domain.vault import Tools
from infra.store import Stores
from tests.connectors.peers import RepositoryFiles, github_environment, new_repository
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import Emulators
from tests.peers.git import GitServer, running_git


@pytest.fixture
def git() -> Iterator[GitServer]:
    with tempfile.TemporaryDirectory(prefix="git-") as folder, running_git(Path(folder), "gho_ana") as running:
        yield running


@pytest_asyncio.fixture
async def repository(emulators: Emulators) -> AsyncIterator[RepositoryFiles]:
    async with httpx.AsyncClient(base_url=emulators.github_url, headers={"Authorization": "Bearer gho_ana"}) as api:
        yield await new_repository(api)


@pytest_asyncio.fixture
async def vaulted(
    git: GitServer, repository: RepositoryFiles, stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators
) -> AsyncIterator[Vaulted]:
    environment = {**github_environment(emulators), "GITHUB_GIT_URL": git.url}
    settings = {"chosen": repository.name, "account": "ana"}
    async with connected(stores, viewer, tools, "github", environment, Grant("gho_ana"), settings) as vaulted:
        async with stores.open_vault(viewer) as vault:
            await vault.deletions.allow(vaulted.integration.id, None)
        yield vaulted


async def pages(vaulted: Vaulted) -> dict[str, str]:
    """The wiki as the vault holds it, text by path."""
    return {each.partition("/wiki/")[2]: text for each, text in (await vaulted.texts()).items() if "/wiki/" in each}


async def notes(vaulted: Vaulted) -> str:
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        return (await vault.integrations.get(vaulted.integration.id)).settings.get("notes", "")


def succeeded(done: Sync) -> None:
    assert (done.state, done.progress.failed, done.reason) == (SyncState.SUCCEEDED, 0, "")


async def test_a_wiki_is_mirrored_by_its_last_commit(
    vaulted: Vaulted, repository: RepositoryFiles, git: GitServer
) -> None:
    succeeded(await vaulted.sync())
    assert (await pages(vaulted), await notes(vaulted)) == ({}, ""), "nobody has written one yet"
    git.commit(
        repository.name, {"Home.md": "# Home\n\nWe move in May.", "ops/Backup.md": "Kept 35 days.", "a.png": "x"}
    )
    first = await vaulted.sync()
    succeeded(first)
    assert await pages(vaulted) == {"Home.md": "Home\n\nWe move in May.", "ops/Backup.md": "Kept 35 days."}
    git.asked.clear()
    unchanged = await vaulted.sync()
    assert (unchanged.progress.indexed, any("git-upload-pack" in each for each in git.asked)) == (0, True)
    assert len(git.asked) <= 2, "one question is enough to see that nothing changed"
    git.commit(repository.name, {"Home.md": None, "ops/Backup.md": "Kept 90 days."})
    second = await vaulted.sync()
    succeeded(second)
    assert (second.progress.indexed, second.progress.deleted) == (1, 1)
    assert await pages(vaulted) == {"ops/Backup.md": "Kept 90 days."}


async def test_a_wiki_out_of_reach_is_a_note_and_no_failure_and_its_pages_stay(
    vaulted: Vaulted, repository: RepositoryFiles, git: GitServer
) -> None:
    git.commit(repository.name, {"Home.md": "We move in May."})
    await repository.add("A file beside the wiki.")
    await vaulted.sync()
    git.status = 403
    git.commit(repository.name, {"Home.md": "We move in June."})
    await repository.add("Another file beside the wiki.")
    done = await vaulted.sync()
    succeeded(done)
    assert done.progress.indexed == 1
    assert await pages(vaulted) == {"Home.md": "We move in May."}
    assert f"The wiki of {repository.name} was not read" in await notes(vaulted)
    git.status = 0
    succeeded(await vaulted.sync())
    assert (await pages(vaulted), await notes(vaulted)) == ({"Home.md": "We move in June."}, "")


async def test_a_wiki_that_was_switched_off_leaves_the_vault(
    vaulted: Vaulted, repository: RepositoryFiles, git: GitServer
) -> None:
    git.commit(repository.name, {"Home.md": "We move in May."})
    await vaulted.sync()
    assert len(await pages(vaulted)) == 1
    done = await repository.api.patch(f"/repos/{repository.name}", json={"has_wiki": False})
    assert done.is_success, done.text
    succeeded(await vaulted.sync())
    assert await pages(vaulted) == {}
