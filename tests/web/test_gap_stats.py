"""The statistics of gaps: what is counted, for whom, and where the bars lead."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.gap_stats import N_WEEKS, last_weeks
from domain.people import Viewer, user_principal
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.knowing import Knowing

CLEAN = "Somebody should clean the {} of hall {}."
HEAD = "The order of the pumps is in Marta's head."


@pytest.fixture
def knowing(stores: Stores, tools: Tools, admin_viewer: Viewer) -> Knowing:
    return Knowing(stores, tools, admin_viewer)


async def test_a_vault_without_gaps_has_nothing_to_count(admin: Browser, statements: list[str]) -> None:
    statements.clear()
    await admin.visit("/gaps/stats")
    assert len(statements) <= 4, "one of them asks whose session it is"
    assert "Nothing to count yet" in admin.words


async def test_gaps_are_counted_by_kind_by_week_and_by_who_answers(
    admin: Browser, knowing: Knowing, source: factories.Source, statements: list[str]
) -> None:
    things = ("press", "boiler", "lamp", "roof")
    source.files = {f"{each}.md": CLEAN.format(each, n) for n, each in enumerate(things)} | {"h.md": HEAD}
    await knowing.synced()
    gaps = {each.title.removesuffix(".md"): each for each in await knowing.gaps()}
    async with tenant_transaction(knowing.stores.engine, knowing.viewer.tenant_id) as connection:
        await connection.execute(sa.text("update gaps set created_at = now() - interval '21 days'"))
    await admin.visit(f"/gaps/{gaps['press'].id}")
    await admin.submit(f"/gaps/{gaps['press'].id}/answers", text="Otto cleans it on Fridays.")
    await admin.visit(f"/gaps/{gaps['lamp'].id}")
    await admin.submit(f"/gaps/{gaps['lamp'].id}/dismissal", reason="There is no lamp.")
    statements.clear()
    await admin.visit("/gaps/stats")
    assert len(statements) <= 4, "one of them asks whose session it is"
    figures = [each.text() for each in admin.page.css(".stat__value")]
    assert figures == ["3", "1", "20 %", "21 days"]
    bars = [(each.attributes["href"], " ".join(each.text().split())) for each in admin.page.css(".bars__row")]
    assert bars == [
        ("/gaps?kind=missing_actor", "Nobody named 2 open"),
        ("/gaps?kind=knowledge_in_a_head", "In one head 1 open"),
    ]
    tables = [
        [[cell.text() for cell in row.css("th, td")] for row in each.css("tbody tr")]
        for each in admin.page.css("table")
    ]
    assert tables[0] == [["Nobody named", "2", "1", "1"], ["In one head", "1", "0", "0"]]
    weeks = [row[1:] for row in tables[1]]
    assert len(weeks) == N_WEEKS
    assert (weeks[-4], weeks[-1]) == (["5", "0", "0"], ["0", "1", "1"])
    assert tables[2][0][:3] == ["Ada Byron", "1", "0"]
    drawing = admin.page.css_first("svg.chart__drawing")
    assert drawing is not None
    assert drawing.attributes["aria-label"] == "The last 12 weeks: 5 gaps found, 1 answered, 1 dismissed."
    await admin.visit(bars[0][0] or "")
    assert "2 gaps" in admin.words, "a bar leads to the gaps that it counts"


async def test_nobody_sees_the_counts_of_what_they_may_not_read(
    admin: Browser, member: Browser, admin_viewer: Viewer, knowing: Knowing, source: factories.Source
) -> None:
    source.files = {"press.md": CLEAN.format("press", 2), "h.md": HEAD}
    source.principals = {each: (user_principal(admin_viewer.user_id),) for each in source.files}
    await knowing.synced()
    gap = (await knowing.gaps())[0]
    await admin.visit(f"/gaps/{gap.id}")
    await admin.submit(f"/gaps/{gap.id}/answers", text="Otto does it.")
    await admin.visit("/gaps/stats")
    assert "Ada Byron" in admin.words
    await member.visit("/gaps/stats")
    assert "Nothing to count yet" in member.words


async def test_an_answer_counts_though_its_text_was_mended_since(
    knowing: Knowing, admin: Browser, source: factories.Source
) -> None:
    source.files = {"press.md": CLEAN.format("press", 2)}
    await knowing.synced()
    [gap] = await knowing.gaps()
    await admin.visit(f"/gaps/{gap.id}")
    await admin.submit(f"/gaps/{gap.id}/answers", text="Otto does it.")
    source.files = {"press.md": "Otto cleans the press of hall 2 each Friday, says the rota."}
    await knowing.synced()
    async with knowing.stores.open_vault(knowing.viewer) as vault:
        stats = await vault.gap_stats.read(knowing.tools.now())
    assert (stats.n_open, stats.n_answered, stats.n_all) == (0, 1, 1)
    assert stats.median_time is not None
    assert stats.median_time < timedelta(hours=1)
    assert stats.weeks[-1].week == last_weeks(knowing.tools.now())[-1]
