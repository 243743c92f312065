"""Notion by consent: refused tokens are renewed where they can be; Notion's own client judges our stand-in."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from domain.credentials import Grant
from domain.people import Viewer
from domain.syncs import SyncState
from domain.vault import Tools
from infra.store import Stores
from tests.connectors.vaulted import Vaulted, connected
from tests.peers.emulate import installed
from tests.peers.notion import Workspace, paragraph, running_notion
from tests.peers.notion_oauth import CLIENT_ID, CLIENT_SECRET

CLIENT = "@notionhq/client/build/src/index.js"
THEIR_CLIENT = """
const { Client } = require(process.argv[1])
const [, , url, client_id, client_secret, code, redirect_uri] = process.argv
const notion = new Client({ baseUrl: url }), app = { client_id, client_secret }
;(async () => {
  const first = await notion.oauth.token({ ...app, grant_type: "authorization_code", code, redirect_uri })
  const { refresh_token } = first
  const second = await notion.oauth.token({ ...app, grant_type: "refresh_token", refresh_token })
  await notion.oauth.revoke({ ...app, token: second.access_token })
  console.log(JSON.stringify(first))
})()
"""


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with running_notion() as running:
        running.put("Start", [paragraph("We start in May.")])
        running.consents.tokens["ntn_0"] = ""
        yield running


@pytest_asyncio.fixture
async def notion(workspace: Workspace, stores: Stores, viewer: Viewer, tools: Tools) -> AsyncIterator[Vaulted]:
    environment = {"NOTION_CLIENT_ID": CLIENT_ID, "NOTION_CLIENT_SECRET": CLIENT_SECRET, "NOTION_URL": workspace.url}
    settings = {"account_id": "w/u"}
    async with connected(stores, viewer, tools, "notion", environment, Grant("ntn_0", "nrt_0"), settings) as vaulted:
        yield vaulted


async def test_a_token_that_ends_is_renewed_once_and_the_new_refresh_token_is_kept(
    notion: Vaulted, workspace: Workspace
) -> None:
    workspace.consents.tokens = {"ntn_before": "nrt_0"}
    workspace.consents.refreshes = True
    done = await notion.sync()
    assert (done.state, list((await notion.texts()).values())) == (SyncState.SUCCEEDED, ["Start\n\nWe start in May."])
    async with notion.stores.open_vault(notion.viewer) as vault:
        grant = await vault.credentials.get(notion.integration.id)
    assert (grant.access_token, grant.refresh_token) == ("ntn_1", "nrt_1")
    assert sum("oauth/token" in each for each in notion.asked) == 1


async def test_a_token_that_was_revoked_asks_to_reconnect_and_keeps_the_documents(
    notion: Vaulted, workspace: Workspace
) -> None:
    await notion.sync()
    workspace.consents.tokens.clear()
    done = await notion.sync()
    assert (done.state, "Reconnect it on the integration's page" in done.reason) == (SyncState.FAILED, True)
    assert len(await notion.texts()) == 1
    async with notion.stores.open_vault(notion.viewer) as vault:
        assert "Reconnect it" in (await vault.integrations.get(notion.integration.id)).access_problem


def test_notions_own_client_gets_a_token_of_the_stand_in_in_the_shape_that_notion_publishes(
    workspace: Workspace,
) -> None:
    node, client = installed(CLIENT)
    workspace.consents.refreshes = True
    asked = f"client_id={CLIENT_ID}&redirect_uri=http://vault.test/c&response_type=code&owner=user&state=s"
    code = re.findall(r"code=([^&]+)", workspace.consents.allow(asked))[0]
    arguments = [workspace.url, CLIENT_ID, CLIENT_SECRET, code, "http://vault.test/c"]
    done = subprocess.run(
        [node, "-e", THEIR_CLIENT, client, *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    types = (Path(client).parent / "api-endpoints" / "oauth.d.ts").read_text()
    declared = types.partition("export type OauthTokenResponse = {\n")[2].partition("\n};")[0]
    published = dict(re.findall(r"^    (\w+)\??: (.*)$", declared, re.MULTILINE))
    assert set(said) == set(published)
    for name, value in said.items():
        assert {str: "string", type(None): "null", dict: "{"}[type(value)] in published[name].replace(
            '"bearer"', "string"
        )
    person = set(re.findall(r"^            (\w+): ", declared, re.MULTILINE))
    assert set(said["owner"]["user"]) == person
    assert set(workspace.consents.tokens) == {"ntn_0"}, "what was renewed or revoked is gone"
