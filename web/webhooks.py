"""What providers tell us: a webhook proves by its signature who sent it, and then only requests a sync.

GitHub's webhook belongs to one integration, whose secret is derived from ours, so that nothing is stored; Slack's
belongs to the app of this deployment, and names the workspace. Nothing a webhook says is believed beyond "look again".
"""

import hashlib
import hmac
from contextlib import suppress
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath

from domain.errors import Forbidden, Invalid, NotFound
from domain.integrations import IntegrationKind
from domain.people import system_viewer
from domain.vault import Tools
from web.doors import Doors, WebSettings

AnyRequest = Request[Any, Any, Any]
MAX_BODY_BYTES = 5_000_000
SLACK_MAX_AGE_S = 300
"""Slack's own advice against replays; a redelivery is signed anew."""
SIGNED_ELSEWHERE = {"is_signed_by_provider": True}
"""These requests come from no page of ours, so they carry a signature in place of a page's token."""
NO_SIGNATURE = "The signature does not fit. Compare the secret at the provider with the one on the integration's page."
NOWHERE = "No integration listens here. Copy the address from the integration's page again."


class SlackEvent(msgspec.Struct, frozen=True):
    """The part of a delivery of Slack's Events API that is used."""

    type: str
    challenge: str = ""
    team_id: str = ""
    event_id: str = ""


def github_secret(secret_key: str, tenant_id: int, integration_id: int) -> str:
    """Return the secret that GitHub signs with for one integration; the same as long as our key is."""
    return hmac.digest(secret_key.encode(), f"webhook:{tenant_id}:{integration_id}".encode(), hashlib.sha256).hex()


def github_address(base_url: str, tenant_id: int, integration_id: int) -> str:
    """Return where GitHub is to send its events for one integration."""
    return f"{base_url}/webhooks/github/{tenant_id}/{integration_id}"


@post(
    "/webhooks/github/{tenant_id:int}/{integration_id:int}",
    include_in_schema=False,
    status_code=202,
    opt=SIGNED_ELSEWHERE,
    request_max_body_size=MAX_BODY_BYTES,
)
async def hear_github(
    request: AnyRequest, doors: Doors, settings: WebSettings, tenant_id: FromPath[int], integration_id: FromPath[int]
) -> Response[str]:
    """Request a sync because something changed at GitHub. Raises: Forbidden for a wrong signature, NotFound."""
    secret = github_secret(settings.secret_key, tenant_id, integration_id)
    expected = "sha256=" + hmac.digest(secret.encode(), await request.body(), hashlib.sha256).hex()
    if not hmac.compare_digest(expected.encode(), request.headers.get("X-Hub-Signature-256", "").encode()):
        raise Forbidden(NO_SIGNATURE)
    delivery = request.headers.get("X-GitHub-Delivery", "")
    if request.headers.get("X-GitHub-Event") == "ping":
        return _heard("We are listening.", 200)
    if not await _is_news(doors, "github", f"{tenant_id}/{integration_id}/{delivery}" if delivery else ""):
        return _heard("We have heard this already.", 200)
    await _ring(doors, tenant_id, integration_id, IntegrationKind.GITHUB)
    return _heard("A sync is on its way.", 202)


@post("/webhooks/slack", include_in_schema=False, opt=SIGNED_ELSEWHERE, request_max_body_size=MAX_BODY_BYTES)
async def hear_slack(request: AnyRequest, doors: Doors, tools: Tools, settings: WebSettings) -> Response[str]:
    """Request syncs of a workspace because something changed in it. Raises: Forbidden, Invalid."""
    body = await request.body()
    _check_slack(request, body, settings.slack_signing_secret, tools.now().timestamp())
    try:
        event = msgspec.json.decode(body, type=SlackEvent)
    except msgspec.DecodeError as error:
        raise Invalid("This is not an event of Slack.") from error
    if event.type == "url_verification":
        return Response(event.challenge, status_code=200, media_type="text/plain")
    if not await _is_news(doors, "slack", event.event_id) or doors.wakes is None:
        return _heard("We have heard this already.", 200)
    for tenant_id, integration_id in await doors.wakes.readers_of("slack", event.team_id):
        with suppress(NotFound):  # one that is being removed keeps the event from nobody else
            await _ring(doors, tenant_id, integration_id, None, event.team_id)
    return _heard("Heard.", 200)


def _check_slack(request: AnyRequest, body: bytes, secret: str, now_s: float) -> None:
    sent_at = request.headers.get("X-Slack-Request-Timestamp", "")
    is_recent = sent_at.isascii() and sent_at.isdigit() and abs(now_s - int(sent_at[:12])) <= SLACK_MAX_AGE_S
    expected = "v0=" + hmac.digest(secret.encode(), b"v0:%s:%s" % (sent_at.encode(), body), hashlib.sha256).hex()
    given = request.headers.get("X-Slack-Signature", "")
    if not secret or not is_recent or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Forbidden("The signature does not fit. Compare SLACK_SIGNING_SECRET with the secret of the Slack app.")


async def _is_news(doors: Doors, provider: str, delivery: str) -> bool:
    """Whether an event comes for the first time; one without an id cannot be told apart from a replay."""
    if not delivery or doors.wakes is None:
        return False
    return await doors.wakes.is_first(provider, delivery[:200])


async def _ring(
    doors: Doors, tenant_id: int, integration_id: int, kind: IntegrationKind | None, workspace: str = ""
) -> None:
    """Request a sync; of a workspace's event, only for an integration whose own account is in that workspace."""
    async with doors.open_vault(system_viewer(tenant_id)) as vault:
        integration = await vault.integrations.get(integration_id)
        if kind is not None and integration.kind != kind:
            raise NotFound(NOWHERE)
        if workspace and integration.settings.get("account_id", "").partition("/")[0] != workspace:
            return
        await vault.schedules.ring(integration_id)


def _heard(words: str, status: int) -> Response[str]:
    return Response(words, status_code=status, media_type="text/plain")


routes = [hear_github, hear_slack]
