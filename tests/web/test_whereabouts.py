"""Why can't I find this? Each station is named, and nobody learns of what is not theirs."""

import pytest

from domain.people import Viewer, user_principal
from domain.vault import Tools
from domain.whereabouts import Finding, Outcome, Station, addresses, explain
from infra.store import Stores
from tests import factories
from tests.factories import Source
from tests.web.browser import Browser


async def last(stores: Stores, viewer: Viewer, wanted: str) -> Finding:
    async with stores.open_vault(viewer) as vault:
        evidence = await vault.whereabouts.look(wanted)
        integrations, latest = await vault.integrations.all(), await vault.syncs.latest()
    return explain(wanted, evidence, integrations, list(latest.values()), None, viewer.is_admin)[-1]


async def test_each_station_says_that_it_stopped_there(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    nowhere = await last(stores, viewer, "anything")
    assert (nowhere.station, "Nothing is connected" in nowhere.words) == (Station.SOURCE, True)
    source.files = {"plan.md": "# Plan\n\nText.", "broken.pdf": b"%PDF-1.7 cut", "a/old.md": "# Old\n\nText."}
    folder = await factories.integration(stores, viewer)
    async with stores.open_vault(viewer) as vault:
        await vault.integrations.configure(folder.id, {"file_types": "md\npdf"})
    await factories.synced(stores, tools, viewer)
    source.files["notes.xyz"] = "x"
    del source.files["a/old.md"]
    await factories.synced(stores, tools, viewer)
    expected = {
        "Plan": (Station.RANK, Outcome.UNKNOWN),
        "broken.pdf": (Station.PARSE, Outcome.STOPPED),
        "notes.xyz": (Station.FILTER, Outcome.STOPPED),
        "b/other.docx": (Station.FILTER, Outcome.STOPPED),
        "a/old.md": (Station.SOURCE, Outcome.STOPPED),
        "nobody wrote this": (Station.SOURCE, Outcome.STOPPED),
    }
    found = {wanted: await last(stores, viewer, wanted) for wanted in expected}
    assert {wanted: (each.station, each.outcome) for wanted, each in found.items()} == expected


async def test_a_member_hears_the_same_of_what_is_hidden_and_of_what_does_not_exist_an_admin_more(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    boss = await factories.member(stores.engine, viewer.tenant_id)
    colleague = await factories.member(stores.engine, viewer.tenant_id)
    source.files = {"pay.md": "# Pay of the board\n\nText."}
    source.principals = {"pay.md": (user_principal(boss.user_id),)}
    await factories.synced(stores, tools, viewer)
    assert await last(stores, colleague, "Pay of the board") == await last(stores, colleague, "No such thing")
    seen = await last(stores, viewer, "pay of the BOARD")
    assert (seen.station, "1 person may read it" in seen.words) == (Station.PERMISSION, True)
    assert (await last(stores, viewer, "Pay of the")).station is Station.SOURCE, "a part of a title is not enough"
    assert (await last(stores, boss, "Pay of the board")).station is Station.RANK


async def test_the_page_shows_the_way_and_the_place_among_the_results(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: Source
) -> None:
    source.files = {"pump.md": "# Cooling pump\n\nReplace the impeller.", "bread.md": "# Bread\n\nFlour."}
    await factories.synced(stores, tools, admin_viewer)
    await admin.visit("/whereabouts?wanted=cooling+pump&words=impeller")
    assert "at place 1" in admin.words
    assert "You may read it, and nobody else." in admin.words
    assert (await admin.visit("/whereabouts")).status == 200
    assert (await admin.visit("/whereabouts?wanted=%00")).status == 422
    link = (await admin.visit("/search?q=zzzz")).page.css_first('a[href^="/whereabouts"]')
    assert link is not None


@pytest.mark.parametrize(
    ("pasted", "external_id"),
    [
        ("https://docs.google.com/document/d/1AbCdEfGhIjKlMnOp_q/edit?tab=t.0#heading=h.1", "1AbCdEfGhIjKlMnOp_q"),
        ("https://drive.google.com/open?id=1AbCdEfGhIjKlMnOp_q&usp=drive_fs", "1AbCdEfGhIjKlMnOp_q"),
        (f"https://www.notion.so/tide/Tide-gauges-{'1f' * 16}?pvs=4", "page/1f1f1f1f-1f1f-1f1f-1f1f-1f1f1f1f1f1f"),
        ("https://tide.slack.com/archives/C0123AB/p1700000000123456", "C0123AB/thread-1700000000.123456"),
        (
            "https://tide.slack.com/archives/C0123AB/p1700000009000000?thread_ts=1700000000.123456&cid=C0123AB",
            "C0123AB/thread-1700000000.123456",
        ),
    ],
)
async def test_an_address_as_the_browser_shows_it_leads_to_what_the_source_calls_otherwise(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source, pasted: str, external_id: str
) -> None:
    source.files = {external_id: "# Tide gauges\n\nText.", "other.md": "# Other\n\nText."}
    await factories.synced(stores, tools, viewer)
    assert external_id in addresses(pasted)
    async with stores.open_vault(viewer) as vault:
        [seen] = (await vault.whereabouts.look(pasted)).sightings
    assert seen.title != "Other"


@pytest.mark.parametrize("wanted", ["%", "\\", "'; drop table documents", "https://x.test/a?b=c#d", "🦊" * 300])
async def test_no_address_breaks_the_look(stores: Stores, viewer: Viewer, wanted: str) -> None:
    assert (await last(stores, viewer, wanted)).station is Station.SOURCE
