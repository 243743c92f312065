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
    await admin.visit("/gaps?show=dismissed&kind=nonsense&sort=nonsense")
    assert "Nothing dismissed" in admin.words
    await admin.visit("/gaps?show=answered")
    assert "Nothing answered yet" in admin.words
    await admin.visit("/gaps?after=x")
    assert admin.status == 422
    assert "Start again from the first page" in admin.words


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
    assert "Nothing fits" in admin.words, "one comes back to the list one was on"
    await admin.visit("/gaps")
    assert "1 gap" in admin.words
    await admin.visit(question.attributes["href"] or "")
    marked = admin.page.css_first("mark")
    assert marked is not None
    assert marked.text() == LOST
    await admin.visit("/gaps?show=dismissed")
    assert "Dismissed by Ada Byron" in admin.words
    assert "The press is sold." in admin.words
    action = admin.page.css_first('form[action$="/opening"]')
    assert action is not None
    await admin.submit(action.attributes["action"] or "")
    await admin.visit("/gaps")
    assert "2 gaps" in admin.words


async def test_gaps_come_in_the_order_asked_for_page_by_page_without_losing_the_filter_or_the_tab(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source, statements: list[str]
) -> None:
    source.files = {
        f"{each}.md": f"Author: Mia Lund\n\nSomebody should clean the {each} of hall 2 before winter comes.\n\n"
        f"Nobody else knows how the {each} is wired; ask Marta about the {each}."
        for each in (f"{letter}-{n}" for n in range(6) for letter in ("pump", "valve", "boiler", "lamp"))
    }
    await factories.studied(stores, tools, admin_viewer)
    await admin.visit("/gaps?sort=document&kind=missing_actor&person=ada+byron")
    assert "Nothing fits" in admin.words
    await admin.visit("/gaps?sort=document")
    titles: list[str] = []
    n_pages = 0
    while True:
        n_pages += 1
        titles += [each.css("span")[0].text() for each in admin.page.css(".list__row .list__meta")]
        if not (following := admin.page.css_first('a[rel="next"]')):
            break
        assert "sort=document" in (following.attributes["href"] or "")
        statements.clear()
        await admin.visit(following.attributes["href"] or "")
        assert len(statements) <= 4, "one of them asks whose session it is"
    assert n_pages >= 2
    assert titles == sorted(titles, key=str.casefold)
    tabs = [each.attributes["href"] for each in admin.page.css('nav[aria-label="State"] a')]
    assert tabs == ["/gaps?sort=document", "/gaps?show=answered&sort=document", "/gaps?show=dismissed&sort=document"]
    form = admin.page.css_first('form[action$="/dismissal"]')
    assert form is not None
    await admin.submit(form.attributes["action"] or "")
    chosen = admin.page.css_first("#sort option[selected]")
    assert chosen is not None
    assert chosen.text() == "By document", "closing a gap leads back to the page one was on"


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
