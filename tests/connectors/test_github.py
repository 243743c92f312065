"""GitHub, read through an emulator that others wrote: after every sync the vault equals the source."""

import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.credentials import Grant
from domain.people import Role, Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.connectors import Connectors, make_oauth
from infra.secrets import StateSigner
from infra.settings import read_settings
from infra.store import Stores
from tests import factories
from tests.connectors.peers import github_environment
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import CLIENT_ID, CLIENT_SECRET, Emulators


@dataclass
class Repository:
    """A repository of the emulator, as its owner changes it."""

    api: httpx.AsyncClient
    name: str

    async def write(self, path: str, text: str) -> None:
        held = await self.api.get(f"/repos/{self.name}/contents/{path}")
        sha = {"sha": held.json()["sha"]} if held.is_success else {}
        content = base64.b64encode(text.encode()).decode()
        done = await self.api.put(
            f"/repos/{self.name}/contents/{path}", json={"message": path, "content": content, **sha}
        )
        assert done.is_success, done.text

    async def delete(self, path: str) -> None:
        held = (await self.api.get(f"/repos/{self.name}/contents/{path}")).json()
        done = await self.api.request(
            "DELETE", f"/repos/{self.name}/contents/{path}", json={"message": path, "sha": held["sha"]}
        )
        assert done.is_success, done.text

    async def open_issue(self, title: str, body: str) -> int:
        done = await self.api.post(f"/repos/{self.name}/issues", json={"title": title, "body": body})
        assert done.is_success, done.text
        return int(done.json()["number"])

    async def comment(self, number: int, body: str) -> None:
        done = await self.api.post(f"/repos/{self.name}/issues/{number}/comments", json={"body": body})
        assert done.is_success, done.text


@pytest_asyncio.fixture
async def ana(emulators: Emulators) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=emulators.github_url, headers={"Authorization": "Bearer gho_ana"}) as api:
        yield api


async def new_repository(ana: httpx.AsyncClient, is_private: bool = False) -> Repository:
    name = f"r{uuid.uuid4().hex[:10]}"
    done = await ana.post("/user/repos", json={"name": name, "private": is_private, "auto_init": True})
    assert done.is_success, done.text
    return Repository(ana, f"ana/{name}")


@pytest_asyncio.fixture
async def repository(ana: httpx.AsyncClient) -> Repository:
    return await new_repository(ana)


@pytest_asyncio.fixture
async def vaulted(
    repository: Repository, stores: Stores, viewer: Viewer, tools: Tools, emulators: Emulators
) -> AsyncIterator[Vaulted]:
    environment = {
        "GITHUB_CLIENT_ID": CLIENT_ID,
        "GITHUB_CLIENT_SECRET": CLIENT_SECRET,
        "GITHUB_URL": emulators.github_url,
        "GITHUB_API_URL": emulators.github_url,
    }
    settings = {"chosen": repository.name, "account": "ana"}
    async with connected(stores, viewer, tools, "github", environment, Grant("gho_ana"), settings) as vaulted:
        yield vaulted


async def test_files_issues_and_comments_come_in_and_changes_follow(vaulted: Vaulted, repository: Repository) -> None:
    await repository.write("docs/backup.md", "# Backups\n\nKept for 35 days.")
    await repository.write("src/run.py", "print('hello')")
    await repository.write("logo.png", "not really")
    number = await repository.open_issue("Restore is slow", "It took nine hours.")
    await repository.comment(number, "The index was missing.")
    first = await vaulted.sync()
    assert (first.state, first.progress.failed) == (SyncState.SUCCEEDED, 0)
    name, texts = repository.name, await vaulted.texts()
    issue = f"{name}/issues/{number}"
    assert set(texts) == {f"{name}/blob/README.md", f"{name}/blob/docs/backup.md", f"{name}/blob/src/run.py", issue}
    assert "35 days" in texts[f"{name}/blob/docs/backup.md"]
    assert "nine hours" in texts[issue]
    assert "The index was missing." in texts[issue]

    await repository.write("docs/backup.md", "# Backups\n\nKept for 90 days.")
    await repository.delete("src/run.py")
    await repository.comment(number, "Fixed by the new index.")
    second = await vaulted.sync()
    texts = await vaulted.texts()
    assert set(texts) == {f"{name}/blob/README.md", f"{name}/blob/docs/backup.md", issue}
    assert "90 days" in texts[f"{name}/blob/docs/backup.md"]
    assert "Fixed by the new index." in texts[issue]
    assert (second.progress.indexed, second.progress.deleted) == (2, 1)


async def test_a_sync_without_changes_asks_little_and_embeds_nothing(vaulted: Vaulted, repository: Repository) -> None:
    for number in range(8):
        await repository.write(f"notes/{number}.md", f"Note {number} on the archive.")
    await vaulted.sync()
    again = await vaulted.sync()
    assert (again.progress.indexed, again.progress.n_embedded) == (0, 0)
    assert len(vaulted.asked) <= 6, vaulted.asked


async def test_only_changed_files_are_fetched(vaulted: Vaulted, repository: Repository) -> None:
    for number in range(8):
        await repository.write(f"notes/{number}.md", f"Note {number} on the archive.")
    await vaulted.sync()
    await repository.write("notes/3.md", "Note 3, corrected.")
    await vaulted.sync()
    assert sum("/git/blobs/" in each for each in vaulted.asked) == 1


async def test_a_pull_request_is_one_document_with_its_comments(vaulted: Vaulted, repository: Repository) -> None:
    api, name = repository.api, repository.name
    main = (await api.get(f"/repos/{name}/git/ref/heads/main")).json()["object"]["sha"]
    assert (await api.post(f"/repos/{name}/git/refs", json={"ref": "refs/heads/faster", "sha": main})).is_success
    content = base64.b64encode(b"faster").decode()
    change = {"message": "m", "content": content, "branch": "faster"}
    assert (await api.put(f"/repos/{name}/contents/faster.md", json=change)).is_success
    wanted = {"title": "Faster restore", "head": "faster", "base": "main", "body": "Adds an index."}
    done = await api.post(f"/repos/{name}/pulls", json=wanted)
    assert done.is_success, done.text
    number = done.json()["number"]
    await repository.comment(number, "Measured: nine hours became one.")
    await vaulted.sync()
    text = (await vaulted.texts())[f"{name}/pull/{number}"]
    assert "Adds an index." in text
    assert "nine hours became one" in text


async def test_an_issue_that_was_deleted_goes_with_the_next_sync_though_another_came(
    vaulted: Vaulted, repository: Repository, emulators: Emulators
) -> None:
    kept, gone = (
        await repository.open_issue("Kept", "Still here."),
        await repository.open_issue("Gone", "Not for long."),
    )
    await vaulted.sync()
    late = await repository.open_issue("Late", "It came meanwhile.")
    async with without(repository, gone) as client:
        vaulted.tools = replace(vaulted.tools, connect=connectors_over(client, emulators).connect)
        done = await vaulted.sync()
    assert (done.state, done.progress.deleted) == (SyncState.SUCCEEDED, 1)
    issues = {each for each in await vaulted.texts() if "/issues/" in each}
    assert issues == {f"{repository.name}/issues/{number}" for number in (kept, late)}


def connectors_over(client: httpx.AsyncClient, emulators: Emulators) -> Connectors:
    read = read_settings(github_environment(emulators))
    oauth = make_oauth(client, read.providers, read.base_url, StateSigner("a key"))
    return Connectors(client, oauth, read.providers, lambda: datetime.now(UTC))


@asynccontextmanager
async def without(repository: Repository, number: int) -> AsyncIterator[httpx.AsyncClient]:
    """The emulator, which deletes no issues, as if one had been; with one on a page it tells how many there are."""

    async def answer(request: httpx.Request) -> httpx.Response:
        found = await repository.api.get(request.url)
        if not request.url.path.endswith("/issues"):
            return httpx.Response(found.status_code, content=found.content)
        left = [each for each in found.json() if each["number"] != number]
        if request.url.params["per_page"] != "1":
            return httpx.Response(200, json=left)
        everything = (await repository.api.get(request.url.copy_set_param("per_page", "100"))).json()
        pages = f'<{request.url}&page=2>; rel="next", <{request.url}&page={len(everything) - 1}>; rel="last"'
        return httpx.Response(200, json=left[:1], headers={"Link": pages})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        yield client


async def test_a_private_repository_is_for_the_one_who_connected_it_until_an_admin_shares_it(
    vaulted: Vaulted, ana: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    private = await new_repository(ana, is_private=True)
    colleague = await factories.member(engine, vaulted.viewer.tenant_id, Role.ADMIN)
    await vaulted.configure(chosen=private.name)
    await vaulted.sync()
    assert len(await vaulted.texts()) == 1
    assert await vaulted.texts(colleague) == {}
    await vaulted.configure(is_shared="yes")
    await vaulted.sync()
    assert len(await vaulted.texts(colleague)) == 1
    await vaulted.configure(is_shared="")
    await vaulted.sync()
    assert await vaulted.texts(colleague) == {}


async def test_a_public_repository_is_for_everyone_until_it_is_made_private(
    vaulted: Vaulted, repository: Repository, engine: AsyncEngine
) -> None:
    colleague = await factories.member(engine, vaulted.viewer.tenant_id)
    await vaulted.sync()
    assert len(await vaulted.texts(colleague)) == 1
    assert (await repository.api.patch(f"/repos/{repository.name}", json={"private": True})).is_success
    await vaulted.sync()
    assert await vaulted.texts(colleague) == {}


async def test_what_is_no_longer_chosen_and_what_is_gone_at_the_source_leaves_the_vault(
    vaulted: Vaulted, repository: Repository, ana: httpx.AsyncClient
) -> None:
    other = await new_repository(ana)
    await vaulted.configure(chosen=f"{repository.name}\n{other.name}")
    await vaulted.sync()
    assert set(await vaulted.texts()) == {f"{each.name}/blob/README.md" for each in (repository, other)}
    await vaulted.configure(chosen=other.name)
    await vaulted.sync()
    assert set(await vaulted.texts()) == {f"{other.name}/blob/README.md"}
    assert (await ana.delete(f"/repos/{other.name}")).is_success
    await vaulted.sync()
    assert await vaulted.texts() == {}


async def test_ended_access_fails_the_sync_with_the_way_out_and_keeps_the_documents(vaulted: Vaulted) -> None:
    await vaulted.sync()
    async with vaulted.stores.open_vault(vaulted.viewer) as vault:
        await vault.credentials.save(vaulted.integration.id, Grant("gho_revoked"))
    ended = await vaulted.sync()
    assert ended.state is SyncState.FAILED
    assert "GitHub no longer accepts our access. Reconnect" in ended.reason
    assert len(await vaulted.texts()) == 1


async def test_nothing_chosen_is_said(vaulted: Vaulted) -> None:
    await vaulted.configure(chosen="")
    assert "Choose some" in (await vaulted.sync()).reason
