"""Names that several people bear, and names that were learned after the documents that use them."""

from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories


def mail(who: str, text: str, name: str = "John Smith") -> str:
    return (
        f"From: {name} <{who}>\nTo: all@harbour.example\nSubject: Note\n"
        f"Date: Mon, 2 Mar 2026 09:00:00 +0000\n\n{text}\n"
    )


async def people(stores: Stores, viewer: Viewer, name: str) -> dict[str, tuple[int, frozenset[str]]]:
    """The people of a name: id and titles of documents, by their first key."""
    found = {}
    async with stores.open_vault(viewer) as vault:
        for entity in (await vault.entities.page("person", name, "", 50)).entities:
            keys = sorted(alias.key for alias in await vault.entities.aliases(entity.id))
            titles = frozenset(proof.title for proof in await vault.entities.timeline(entity.id, 50))
            found[keys[0]] = (entity.id, titles)
    return found


async def test_a_bare_name_of_several_people_goes_to_the_one_whose_company_it_keeps_or_to_none(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {
        "1.eml": mail("john.smith@one.example", "Tom Reed maintains Kafka."),
        "2.eml": mail("john.smith@two.example", "Elena Petrova maintains PostgreSQL."),
    }
    await factories.studied(stores, tools, viewer)
    source.files["plan.md"] = "# Plan\n\nReviewed by: John Smith\n\nTom Reed maintains Kafka.\n"
    source.files["lunch.md"] = "# Lunch\n\nReviewed by: John Smith\n\nSoup.\n"
    await factories.studied(stores, tools, viewer)
    found = await people(stores, viewer, "john smith")
    assert set(found) == {"a:john.smith@one.example", "a:john.smith@two.example", "n:john smith"}
    assert {key for key, (_, titles) in found.items() if "Plan" in titles} == {"a:john.smith@one.example"}
    assert {key for key, (_, titles) in found.items() if "Lunch" in titles} == {"n:john smith"}
    async with stores.open_vault(viewer) as vault:
        timeline = await vault.entities.timeline(found["a:john.smith@one.example"][0], 9)
        namesakes = await vault.entities.namesakes(found["n:john smith"][0])
    [reason] = [proof.reason for proof in timeline if proof.title == "Plan"]
    assert reason == "2 people bear this name; 2 other names here stood with john.smith@one.example before"
    assert {entity.id for entity in namesakes} == {entity_id for key, (entity_id, _) in found.items() if key[0] == "a"}


async def test_a_bare_name_is_taken_from_the_first_once_a_second_person_bears_it(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {"1.eml": mail("marta.vieira@harbour.example", "Hello.", "Marta Vieira")}
    source.files["a.md"] = "# A\n\nOwner: Marta Vieira\n"
    await factories.studied(stores, tools, viewer)
    assert len(await people(stores, viewer, "vieira")) == 1
    source.files["2.eml"] = mail("marta.vieira2@harbour.example", "Hello again.", "Marta Vieira")
    await factories.studied(stores, tools, viewer)
    found = await people(stores, viewer, "vieira")
    assert {key: titles for key, (_, titles) in found.items()} == {
        "a:marta.vieira@harbour.example": {"Note"},
        "a:marta.vieira2@harbour.example": {"Note"},
        "n:marta vieira": {"A"},
    }
    async with stores.open_vault(viewer) as vault:
        merges = await vault.entities.merges(found["a:marta.vieira@harbour.example"][0])
    assert {merge.undone_by for merge in merges} == {"KnowledgeVault, since several people bear this name"}


async def test_a_persons_name_learned_late_is_found_in_older_documents(
    stores: Stores, tools: Tools, viewer: Viewer, source: factories.Source
) -> None:
    source.files = {"old.md": "# Old\n\nWe asked Quillon Vexmoor about the pumps.\n"}
    await factories.studied(stores, tools, viewer)
    assert await people(stores, viewer, "vexmoor") == {}
    source.files["new.md"] = "# New\n\nOwner: Quillon Vexmoor\n"
    await factories.studied(stores, tools, viewer)
    assert {titles for _, titles in (await people(stores, viewer, "vexmoor")).values()} == {frozenset({"Old", "New"})}
