"""The page of a gap: evidence in context, answering, passing on; and what an answer becomes."""

import httpx
import pytest
import sqlalchemy as sa

from domain.people import EVERYONE, Viewer, user_principal
from domain.vault import Tools
from infra.database import tenant_transaction
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser
from tests.web.knowing import ANSWER, LOST, Knowing

PRESS = f"# Press\n\nIt is loud. It stands in hall 2. {LOST} It was bought in 2019.\n\n## Oven\n\nIt is hot.\n"


@pytest.fixture
def knowing(stores: Stores, tools: Tools, admin_viewer: Viewer) -> Knowing:
    return Knowing(stores, tools, admin_viewer)


async def test_a_gap_is_shown_in_context_answered_and_the_answer_is_a_cited_document(
    admin: Browser, member_viewer: Viewer, knowing: Knowing, source: factories.Source, statements: list[str]
) -> None:
    source.files = {"press.md": PRESS}
    await knowing.synced()
    [gap] = await knowing.gaps()
    statements.clear()
    await admin.visit(f"/gaps/{gap.id}")
    assert len(statements) <= 9, "one of them asks whose session it is"
    figure = admin.page.css_first("figure")
    assert figure is not None
    assert "Press" in figure.text()
    assert f"It stands in hall 2. {LOST} It was bought in 2019." in " ".join(figure.text().split())
    assert "It is hot" not in figure.text()
    assert "Something is to be done and nobody is named" in admin.words
    action = f"/gaps/{gap.id}/answers"
    await admin.submit(action, text=" ")
    assert (admin.status, "a sentence will do" in admin.error_at("text")) == (422, True)
    await admin.visit(f"/gaps/{gap.id}")
    await admin.submit(action, text=f"{ANSWER}\n\n<script>alert(1)</script>", reviewer=str(member_viewer.user_id))
    assert "Thank you" in admin.words
    assert "<strong>Monday</strong>" in admin.response.text
    assert "<script>alert" not in admin.response.text
    assert "Waits for Mia Lund" in admin.words
    await knowing.read_answers()
    await admin.visit("/search?q=Zelda+sieve")
    assert "Zelda Quist" in admin.words
    assert await knowing.gaps() == [], "an answered gap is asked no more, and its answer leaves none"
    await admin.visit(f"/documents/{gap.document_id}")
    assert "Completed by" in admin.words
    link = admin.page.css_first("#completions a")
    assert link is not None
    await admin.visit(link.attributes["href"] or "")
    assert "Ada Byron was asked about" in admin.words


async def test_what_is_asked_as_one_is_answered_as_one(
    admin: Browser, knowing: Knowing, source: factories.Source
) -> None:
    source.files = {
        "c.md": "Somebody should clean the filter of our press.",
        "d.md": "Somebody should really clean the filter of our press.",
    }
    await knowing.synced()
    [gap] = await knowing.gaps()
    assert gap.n_alike == 2
    await admin.visit(f"/gaps/{gap.id}")
    await admin.submit(f"/gaps/{gap.id}/answers", text=ANSWER)
    assert await knowing.gaps() == []
    async with tenant_transaction(knowing.stores.engine, knowing.viewer.tenant_id) as connection:
        await connection.execute(sa.text("update detections set detector = 'an older one'"))
        twin_id = (
            await connection.execute(sa.text("select id from gaps where id <> :id"), {"id": gap.id})
        ).scalar_one()
    await knowing.read_answers()
    assert await knowing.gaps() == [], "read again, neither is asked again"
    await admin.visit(f"/gaps/{twin_id}")
    assert "1 answer" in admin.words
    await admin.visit("/gaps?show=answered")
    assert "1 gap" in admin.words
    assert "Answered by Ada Byron" in admin.words


async def test_the_page_of_a_gap_asks_whom_the_list_names(
    admin: Browser, member_viewer: Viewer, knowing: Knowing, source: factories.Source
) -> None:
    source.files = {"press.md": f"---\nauthor: Ada Byron\n---\n\n{LOST}"}
    await knowing.synced()
    [gap] = await knowing.gaps()
    async with tenant_transaction(knowing.stores.engine, knowing.viewer.tenant_id) as connection:
        statement = "update gap_evidence set addressee = :who, addressee_reason = 'knows most about the press'"
        await connection.execute(sa.text(statement), {"who": member_viewer.name})
    for path in ("/gaps", f"/gaps/{gap.id}"):
        await admin.visit(path)
        assert "knows most about the press" in admin.words
    asked = [each.text() for each in admin.page.css("aside strong")]
    assert asked == [member_viewer.name, "Ada Byron"]


async def test_a_better_answer_is_a_new_version_of_its_document(
    admin: Browser, knowing: Knowing, source: factories.Source
) -> None:
    source.files = {"press.md": PRESS}
    await knowing.synced()
    [gap] = await knowing.gaps()
    for text in (ANSWER, "Otto Brand does it on Fridays now."):
        await admin.visit(f"/gaps/{gap.id}")
        await admin.submit(f"/gaps/{gap.id}/answers", text=text)
        await knowing.read_answers()
    async with knowing.stores.open_vault(knowing.viewer) as vault:
        [answer] = await vault.gap_answers.of_gap(gap.id)
        assert [each.ordinal for each in await vault.gap_answers.versions(answer.id)] == [2, 1]
        document = await vault.documents.get(answer.document_id or 0)
    assert (document.version_ordinal, document.author, answer.text[:4]) == (2, "Ada Byron", "Otto")


async def test_an_answer_and_its_files_are_read_by_whoever_may_read_the_evidence_and_by_nobody_else(
    admin: Browser, admin_viewer: Viewer, member_viewer: Viewer, knowing: Knowing, source: factories.Source
) -> None:
    mine = user_principal(admin_viewer.user_id)
    source.files, source.principals = {"press.md": PRESS}, {"press.md": (mine,)}
    await knowing.synced()
    [gap] = await knowing.gaps()
    await admin.visit(f"/gaps/{gap.id}")
    response = await admin.client.post(
        f"/gaps/{gap.id}/answers",
        data={"csrf_token": admin.csrf_token(), "text": ANSWER},
        files={"files": ("rota.txt", b"The rota of the sieve.")},
    )
    assert response.status_code == httpx.codes.OK
    assert "rota.txt" in response.text
    await knowing.read_answers()
    await knowing.read_uploads()

    async def seen() -> int:
        async with knowing.stores.open_vault(member_viewer) as vault:
            return await vault.documents.count()

    assert await seen() == 0
    source.principals = {"press.md": (EVERYONE,)}
    await knowing.synced()
    assert await seen() == 3
    source.principals = {"press.md": (mine,)}
    await knowing.synced()
    assert await seen() == 0
    async with tenant_transaction(knowing.stores.engine, admin_viewer.tenant_id) as connection:
        await connection.execute(
            sa.text("insert into document_access select tenant_id, id, 'tenant' from documents where title like '%?%'")
        )
    assert await seen() == 0, "not even who writes rows by hand opens an answer further than its evidence"


async def test_when_the_answered_text_changes_the_gap_is_examined_again(
    admin: Browser, admin_viewer: Viewer, knowing: Knowing, source: factories.Source
) -> None:
    source.files = {"press.md": PRESS, "more.md": "Nothing else."}
    await knowing.synced()
    [gap] = await knowing.gaps()
    await admin.visit(f"/gaps/{gap.id}")
    await admin.submit(f"/gaps/{gap.id}/answers", text=ANSWER)
    await knowing.read_answers()
    source.files["press.md"] = f"{PRESS}\nA line more.\n"
    await knowing.synced()
    assert await knowing.gaps() == [], "the sentence stands as it did, and so does its answer"
    source.files["press.md"] = PRESS.replace(LOST, "The filter cleans itself.")
    await knowing.synced()
    await admin.visit(f"/documents/{gap.document_id}")
    assert "the text has changed since" in admin.words
    await admin.visit("/verifications")
    assert gap.question in admin.words, "who answered is asked whether it still holds"
    source.files["press.md"] = PRESS
    await knowing.synced()
    assert [each.id for each in await knowing.gaps()] == [gap.id]


async def test_a_question_is_passed_on_to_a_member_who_may_read_the_document(
    admin: Browser,
    member: Browser,
    admin_viewer: Viewer,
    member_viewer: Viewer,
    knowing: Knowing,
    source: factories.Source,
) -> None:
    source.files = {"press.md": PRESS, "secret.md": "We are still waiting for their answer."}
    source.principals = {"secret.md": (user_principal(admin_viewer.user_id),)}
    await knowing.synced()
    gaps = {each.title: each for each in await knowing.gaps()}
    press, secret = gaps["Press"], next(each for title, each in gaps.items() if title != "Press")
    await admin.visit(f"/gaps/{press.id}")
    await admin.submit(f"/gaps/{press.id}/requests")
    assert (admin.status, "Choose who may know" in admin.words) == (422, True)
    await admin.submit(f"/gaps/{press.id}/requests", person=str(member_viewer.user_id), note="You built it.")
    assert "Mia Lund is asked now" in admin.words
    await member.visit(f"/gaps/{press.id}")
    assert "Ada Byron says that Mia Lund knows" in member.words
    assert "You built it." in member.words
    await member.visit(f"/gaps/{secret.id}")
    assert member.status == httpx.codes.NOT_FOUND
    await admin.visit(f"/gaps/{secret.id}")
    await admin.post(f"/gaps/{secret.id}/requests", csrf_token=admin.csrf_token(), person=str(member_viewer.user_id))
    assert admin.status == 422
