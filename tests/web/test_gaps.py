"""The gaps page."""

from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser

LOST = "Somebody should clean the filter of the press."


async def test_a_vault_without_gaps_says_when_they_appear(admin: Browser) -> None:
    await admin.visit("/gaps")
    assert "No gaps found" in admin.words
    await admin.visit("/gaps?show=dismissed&kind=nonsense&after=x")
    assert "Nothing dismissed" in admin.words


async def test_a_gap_is_asked_shown_in_its_text_dismissed_and_opened_again(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source, statements: list[str]
) -> None:
    source.files = {
        "press.md": f"# Press\n\nIt is loud.\n\n{LOST}\n",
        "wait.md": "We are still waiting for their answer.",
    }
    await factories.studied(stores, tools, admin_viewer)
    statements.clear()
    await admin.visit("/gaps")
    assert len(statements) <= 4, "one of them asks whose session it is"
    assert "2 gaps" in admin.words
    assert admin.words.index("filter of the press") < admin.words.index("waiting for their answer")
    await admin.visit("/gaps?kind=missing_actor")
    question = admin.page.css_first("a.list__title")
    assert question is not None
    assert f"“{LOST}”" in question.text()
    action = admin.page.css_first('form[action$="/dismissal"]')
    assert action is not None
    await admin.submit(action.attributes["action"] or "", reason="The press is sold.")
    assert "This will not be asked again" in admin.words
    assert "1 gap" in admin.words
    await admin.visit(question.attributes["href"] or "")
    marked = admin.page.css_first("mark")
    assert marked is not None
    assert marked.text() == LOST
    await admin.visit("/gaps?show=dismissed")
    assert "The press is sold." in admin.words
    action = admin.page.css_first('form[action$="/opening"]')
    assert action is not None
    await admin.submit(action.attributes["action"] or "")
    await admin.visit("/gaps")
    assert "2 gaps" in admin.words


async def test_a_gap_that_is_not_there_is_not_found(admin: Browser) -> None:
    await admin.visit("/gaps")
    await admin.post("/gaps/999999/dismissal", csrf_token=admin.csrf_token())
    assert admin.status == 404


async def test_a_kind_that_people_keep_dismissing_is_muted_and_can_be_shown_again(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> None:
    things = ("press", "pump", "valve", "boiler", "fan", "lamp", "door", "roof", "gate", "pipe", "tank")
    source.files = {f"{n}.md": f"Somebody should clean the {each} of hall {n}." for n, each in enumerate(things)}
    source.files["wait.md"] = "We are still waiting for their answer."
    await factories.studied(stores, tools, admin_viewer)
    await admin.visit("/gaps")
    assert "12 gaps" in admin.words
    assert "Why we ask: Something is to be done and nobody is named, so it may never be." in admin.words
    for _ in range(10):
        await admin.visit("/gaps?kind=missing_actor")
        form = admin.page.css_first('form[action$="/dismissal"]')
        assert form is not None
        await admin.submit(form.attributes["action"] or "")
    await admin.visit("/gaps")
    assert "You dismissed 10 of 10 of “Nobody named”: muted." in admin.words
    assert "1 gap" in admin.words
    await admin.visit("/gaps?kind=missing_actor")
    assert "Somebody should clean" in admin.words
    form = admin.page.css_first('form[action$="/appraisal"]')
    assert form is not None
    await admin.submit(form.attributes["action"] or "")
    await admin.visit("/gaps")
    await admin.submit("/gap-kinds/missing_actor/hearing")
    assert "muted" not in admin.words
    assert "2 gaps" in admin.words
    await admin.post("/gap-kinds/nonsense/hearing", csrf_token=admin.csrf_token())
    assert admin.status == 404
