"""Phrases, exclusions, identifiers, spelling and the glossary, against the real index."""

import pytest

from domain.people import Viewer
from domain.retrieval import Results, find_stretches, search
from domain.search import SearchFilter
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.factories import Source

FILES = {
    "pumps.md": "# Pumps\n\nThe blue pump has a handle. Ticket KV-1042 asks for E_SEAL_17,"
    " so write to rosa@tidewater.example.",
    "paint.md": "# Paint\n\nThe pump is painted, and its door is blue. Draft of the painters.",
    "glossary.md": "# Words\n\nThe Northern Pumping Station (NPS) lies at the fjord.",
    "station.md": "# Rota\n\nAt the northern pumping station somebody watches day and night.",
    "secret.md": "# Secret\n\nOperation Yellow Otter (OYO) begins in autumn.",
}


@pytest.fixture
async def library(stores: Stores, tools: Tools, viewer: Viewer, source: Source) -> Viewer:
    source.files = dict(FILES)
    source.principals = {"secret.md": ("user:0",)}
    await factories.synced(stores, tools, viewer)
    return viewer


async def found(stores: Stores, tools: Tools, viewer: Viewer, question: str) -> Results:
    async with stores.open_vault(viewer) as vault:
        return await search(vault, tools, question, SearchFilter())


def titles(results: Results) -> list[str]:
    return [hit.title for hit in results.hits]


async def test_quoted_words_must_stand_as_they_are_and_excluded_ones_must_not(
    stores: Stores, tools: Tools, library: Viewer
) -> None:
    assert {"Pumps", "Paint"} <= set(titles(await found(stores, tools, library, "blue pump")))
    assert titles(await found(stores, tools, library, '"Blue  pump"')) == ["Pumps"]
    assert "Paint" not in titles(await found(stores, tools, library, "blue pump -draft"))
    assert titles(await found(stores, tools, library, '"pump (a+b)* \\\\ [x"')) == []


@pytest.mark.parametrize(
    "phrase", ["1042 asks for", "a handle. Ticket KV", "tidewater.example", "to rosa", "for E_SEAL_17,", "Pumps", "so"]
)
async def test_a_phrase_may_cut_an_identifier_or_stand_in_the_title(
    stores: Stores, tools: Tools, library: Viewer, phrase: str
) -> None:
    assert "Pumps" in titles(await found(stores, tools, library, f'"{phrase}"'))


@pytest.mark.parametrize("identifier", ["KV-1042", "kv-1042", "E_SEAL_17", "rosa@tidewater.example"])
async def test_an_identifier_is_found_exactly(stores: Stores, tools: Tools, library: Viewer, identifier: str) -> None:
    assert titles(await found(stores, tools, library, identifier))[0] == "Pumps"


async def test_a_misspelt_word_is_mended_and_owned_up_to(stores: Stores, tools: Tools, library: Viewer) -> None:
    results = await found(stores, tools, library, "hanlde")
    assert titles(results)[0] == "Pumps"
    assert results.corrections == (("hanlde", "handle"),)
    assert (await found(stores, tools, library, "handle")).corrections == ()


async def test_an_abbreviation_finds_what_it_stands_for_and_the_other_way_round(
    stores: Stores, tools: Tools, library: Viewer
) -> None:
    results = await found(stores, tools, library, "NPS rota")
    assert titles(results)[0] == "Rota"
    assert [(each.short, each.long) for each in results.expansions] == [("NPS", "Northern Pumping Station")]
    assert titles(await found(stores, tools, library, "northern pumping station"))[0] in {"Rota", "Words"}


async def test_a_document_one_may_not_read_explains_nothing(stores: Stores, tools: Tools, library: Viewer) -> None:
    assert (await found(stores, tools, library, "OYO")).expansions == ()


async def test_an_explanation_goes_with_its_document(
    stores: Stores, tools: Tools, library: Viewer, source: Source
) -> None:
    source.files["glossary.md"] = "# Words\n\nNothing is explained any more."
    await factories.synced(stores, tools, library)
    assert (await found(stores, tools, library, "NPS rota")).expansions == ()


async def test_neighbouring_chunks_are_read_as_one_stretch_of_the_text(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    paragraph = "The valve of the boiler is oiled by the engineer of the watch every single day. " * 9
    source.files = {"long.md": f"# Boiler\n\n{paragraph}\n\n{paragraph}\n\n{paragraph}", "other.md": "# Lunch\n\nSoup."}
    await factories.synced(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        passages = await find_stretches(vault, tools, "who oils the boiler valve", SearchFilter(), 5)
        text = (await vault.documents.version(passages[0].document_id)).text
    best = passages[0]
    assert best.title == "Boiler"
    assert best.text == text[best.start : best.end]
    assert len(best.text) > 1500


async def test_who_asks_for_the_latest_gets_the_newest_of_equals(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {
        f"{day}-prices.md": f"# Price list\n\nGateways cost {price} crowns."
        for day, price in (("2029-05-01", 310), ("2027-05-01", 290), ("2028-05-01", 300))
    }
    await factories.synced(stores, tools, viewer)
    newest = (await found(stores, tools, viewer, "latest price list of gateways")).hits[0]
    assert newest.modified_at is not None
    assert newest.modified_at.year == 2029
