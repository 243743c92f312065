"""Connecting a source by entering its address and its password: tried first, then kept, the password sealed."""

from dataclasses import dataclass, field, replace

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import Forbidden, Invalid, VaultError
from domain.integrations import Integration
from domain.kinds import Entered, FieldType, Kind, Kinds, Proof, SourceField
from domain.people import Viewer
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests.web.browser import Browser

FIELDS = (
    SourceField("url", "Address", FieldType.URL, "Where the wiki answers."),
    SourceField("user", "User", default="reader"),
    SourceField("password", "Password", FieldType.SECRET, "An app password is best."),
    SourceField("days", "Days", FieldType.NUMBER, is_required=False),
    SourceField(
        "depth", "Depth", FieldType.CHOICE, default="all", options=(("all", "Everything"), ("top", "Top only"))
    ),
)
WIKI = Kind("wiki", "Team wiki", lead="Reads every page.", fields=FIELDS, proof=Proof.NONE)
BOX = Kind("letterbox", "Letterbox", "mail", "Reads your letters.", FIELDS[1:3], is_personal=True)
ENTERED = {"url": "https://wiki.example", "user": "ana", "password": "s3cret words", "days": "30", "depth": "top"}


@dataclass
class Trial:
    """The source behind the form: what it was tried with, and what it has against it."""

    tried: list[Entered] = field(default_factory=list)
    objection: VaultError | None = None

    async def check(self, kind: str, entered: Entered) -> str:
        self.tried.append(entered)
        if self.objection:
            raise self.objection
        return f"The {kind} of Tidewater"


@pytest.fixture
def trial() -> Trial:
    return Trial()


@pytest.fixture
def tools(tools: Tools, trial: Trial) -> Tools:
    return replace(tools, kinds=Kinds((WIKI, BOX), trial.check))


async def integrations(stores: Stores, viewer: Viewer) -> list[Integration]:
    async with stores.open_vault(viewer) as vault:
        return await vault.integrations.all()


async def opened(browser: Browser, kind: str = "wiki") -> Browser:
    return await browser.visit(f"/kinds/{kind}/integrations/new")


async def test_the_form_is_made_of_the_kinds_fields(admin: Browser) -> None:
    await admin.visit("/integrations/new")
    assert "Connect Team wiki" in admin.words
    assert "Unproven" in admin.words
    await opened(admin)
    assert admin.heading == "Connect Team wiki"
    assert [node.text(strip=True) for node in admin.page.css("form .field__label")][:3] == [
        "Address",
        "User",
        "Password",
    ]
    assert "An app password is best." in admin.words
    assert "Days (optional)" in admin.words
    password = admin.page.css_first("#password")
    assert password is not None
    assert password.attributes["type"] == "password"


async def test_what_was_tried_is_kept_with_its_password_sealed_and_the_first_sync_begins(
    admin: Browser, admin_viewer: Viewer, stores: Stores, engine: AsyncEngine, trial: Trial
) -> None:
    await opened(admin)
    await admin.submit("/kinds/wiki/integrations", **ENTERED)
    assert admin.path.startswith("/syncs/")
    [integration] = await integrations(stores, admin_viewer)
    assert (integration.kind, integration.name, integration.owner_id) == ("wiki", "The wiki of Tidewater", None)
    assert integration.settings["url"] == "https://wiki.example"
    assert trial.tried[0].secrets == {"password": "s3cret words"}
    async with tenant_transaction(engine, admin_viewer.tenant_id) as connection:
        [row] = await connection.execute(sa.text("select sealed from credentials"))
        settings = (await connection.execute(sa.text("select settings::text from integrations"))).scalar_one()
    assert b"s3cret" not in bytes(row.sealed)
    assert "s3cret" not in settings
    async with stores.open_vault(admin_viewer) as vault:
        assert (await vault.credentials.secrets(integration.id)).values == {"password": "s3cret words"}


@pytest.mark.parametrize(
    ("name", "entered", "words"),
    [
        ("url", "wiki.example", "whole address"),
        ("url", "", "Enter: Address"),
        ("password", "", "Enter: Password"),
        ("days", "many", "whole number"),
        ("depth", "deep", "Choose one"),
        ("name", "n" * 201, "longer than 200"),
        ("user", "u" * 5000, "longer than 4,000"),
    ],
)
async def test_what_cannot_be_used_is_said_at_its_field(admin: Browser, name: str, entered: str, words: str) -> None:
    await opened(admin)
    await admin.submit("/kinds/wiki/integrations", **{**ENTERED, name: entered})
    assert (admin.status, words in admin.error_at(name)) == (422, True)


@pytest.mark.parametrize(
    ("objection", "words"),
    [
        (Forbidden("The wiki does not accept this user and password."), "does not accept this user"),
        (Invalid("Please look at the marked fields.", {"user": "Nobody is called this there."}), "Nobody is called"),
    ],
)
async def test_what_the_source_has_against_it_is_shown_and_nothing_is_kept(
    admin: Browser, admin_viewer: Viewer, stores: Stores, trial: Trial, objection: VaultError, words: str
) -> None:
    trial.objection = objection
    await opened(admin)
    await admin.submit("/kinds/wiki/integrations", **ENTERED)
    assert (admin.status, words in admin.words) == (422, True)
    assert "s3cret" not in admin.response.text
    assert await integrations(stores, admin_viewer) == []


async def test_access_is_changed_keeping_a_password_that_was_left_empty(
    admin: Browser, admin_viewer: Viewer, stores: Stores, trial: Trial
) -> None:
    await opened(admin)
    await admin.submit("/kinds/wiki/integrations", **ENTERED)
    [integration] = await integrations(stores, admin_viewer)
    await admin.visit(f"/integrations/{integration.id}/access/edit")
    assert "s3cret" not in admin.response.text
    await admin.submit(f"/integrations/{integration.id}/access", user="tom", depth="all")
    assert admin.path == f"/integrations/{integration.id}"
    assert trial.tried[-1].secrets == {"password": "s3cret words"}
    [changed] = await integrations(stores, admin_viewer)
    assert (changed.settings["user"], changed.settings["url"]) == ("tom", "https://wiki.example")


async def test_members_connect_what_is_their_own_and_nobody_else_sees_it(
    admin: Browser, admin_viewer: Viewer, member: Browser, member_viewer: Viewer, stores: Stores
) -> None:
    await member.visit("/integrations/new")
    assert "Connect Letterbox" in member.words
    assert "Connect Team wiki" not in member.words
    assert (await opened(member, "wiki")).status == 403
    await opened(member, "letterbox")
    await member.submit("/kinds/letterbox/integrations", user="mia", password="words")
    [mine] = await integrations(stores, member_viewer)
    assert mine.owner_id == member_viewer.user_id
    assert await integrations(stores, admin_viewer) == []
    assert (await admin.visit(f"/integrations/{mine.id}/access/edit")).status == 404
    await member.visit(f"/integrations/{mine.id}/removal/new")
    await member.submit(f"/integrations/{mine.id}/removal")
    assert await integrations(stores, member_viewer) == []


async def test_a_kind_that_nobody_knows_is_not_found(admin: Browser) -> None:
    assert (await opened(admin, "telegraph")).status == 404
