"""The pages of entities, of who knows what, and of the graph."""

import json
from xml.etree import ElementTree

import pytest
import pytest_asyncio

from domain.people import Viewer
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.web.browser import Browser

FILES = {
    "kafka.md": "# Kafka at Harbour\n\nOwner: Lena Okafor\n\nKafka depends on ZooKeeper. Tom Reed maintains Kafka.\n",
    "ledger.md": "# Ledger\n\nOwner: Lena Okafor\nReviewed by: Tom Reed\n\nKafka uses PostgreSQL.\n",
    "old.md": "# Old\n\nOwner: Helena Brandt\n\nPostgreSQL replaces MySQL.\n",
}


@pytest_asyncio.fixture
async def harbour(
    admin: Browser, admin_viewer: Viewer, stores: Stores, tools: Tools, source: factories.Source
) -> Browser:
    """The browser of somebody whose vault holds three documents."""
    source.files = dict(FILES)
    await factories.studied(stores, tools, admin_viewer)
    return admin


async def open_entity(browser: Browser, name: str) -> Browser:
    await browser.visit(f"/entities?text={name}")
    [link] = [node for node in browser.page.css("a.list__title") if node.text() == name]
    return await browser.visit(link.attributes["href"] or "")


async def test_empty_pages_say_how_to_fill_them(admin: Browser) -> None:
    assert "Nothing here yet" in (await admin.visit("/entities")).words
    assert "Nobody is known for anything yet" in (await admin.visit("/knowledge")).words
    assert "Nothing to show" in (await admin.visit("/graph")).words
    assert "Nothing matches" in (await admin.visit("/entities?text=nowhere")).words


async def test_an_entity_shows_its_relations_each_with_its_proofs_and_who_knows_it(harbour: Browser) -> None:
    await open_entity(harbour, "Kafka")
    for words in ("Kafka depends on", "ZooKeeper", "is maintained by", "Tom Reed", "Who knows it", "Timeline"):
        assert words in harbour.words, words
    [proof] = [node for node in harbour.page.css("a") if node.attributes.get("aria-label") == "1 proof: ZooKeeper"]
    await harbour.visit(proof.attributes["href"] or "")
    assert "Kafka depends on ZooKeeper" in harbour.words
    await harbour.visit(harbour.page.css("ol a.list__title")[0].attributes["href"] or "")
    assert harbour.page.css_first("mark a.entity-link") is not None
    assert {node.text() for node in harbour.page.css("a.entity-link")} >= {"Kafka", "ZooKeeper", "Lena Okafor"}


async def test_a_person_shows_what_they_know_and_what_they_alone_know(harbour: Browser) -> None:
    await open_entity(harbour, "Helena Brandt")
    assert "Knows it alone" in harbour.words
    await open_entity(harbour, "Tom Reed")
    assert "What Tom Reed knows" in harbour.words


async def test_two_entities_are_merged_and_taken_apart_again(harbour: Browser) -> None:
    await open_entity(harbour, "Lena Okafor")
    here = harbour.path
    await harbour.submit(f"{here}/merges", other="Nobody At All")
    assert (harbour.status, "exactly one other" in harbour.words) == (422, True)
    await harbour.submit(f"{here}/merges", other="Helena Brandt", reason="She married.")
    assert "She married." in harbour.words
    [undo] = [form for form in harbour.page.css("form") if "/reversal" in (form.attributes.get("action") or "")]
    await harbour.submit(undo.attributes["action"] or "")
    assert "taken back by" in harbour.words
    assert "Helena Brandt" in (await open_entity(harbour, "Helena Brandt")).heading


async def test_an_entity_is_added_by_hand_and_a_bad_one_is_refused(harbour: Browser) -> None:
    await harbour.visit("/entities")
    await harbour.post("/entities", csrf_token=harbour.csrf_token(), name=" ", kind="system")
    assert (harbour.status, harbour.error_at("name")) == (422, "Enter a name.")
    await harbour.post("/entities", csrf_token=harbour.csrf_token(), name="Turnstile", kind="system")
    assert (harbour.heading, "added by hand" in harbour.words) == ("Turnstile", True)


async def test_who_could_answer_is_found_by_what_the_question_names(harbour: Browser) -> None:
    await harbour.visit("/knowledge?q=Why+does+Kafka+stop")
    experts = [node.text() for node in harbour.page.css("ol a.list__title")]
    assert set(experts) == {"Lena Okafor", "Tom Reed"}
    assert "Topics that hang on few" in harbour.words
    await harbour.visit("/knowledge?q=Lunch")
    assert "Nobody is known" in harbour.words


async def test_a_topic_has_a_page_of_its_own_with_its_experts_and_documents(
    harbour: Browser, stranger: Browser, statements: list[str]
) -> None:
    await harbour.visit("/knowledge")
    [link] = [
        node
        for node in harbour.page.css("tbody a")
        if (node.attributes["href"] or "").startswith("/topics/") and node.text() == "ZooKeeper"
    ]
    statements.clear()
    await harbour.visit(link.attributes["href"] or "")
    assert (harbour.heading, len(statements) <= 12) == ("ZooKeeper", True), statements
    people = {row.css("td")[0].text(): row.css("td")[2].text() for row in harbour.page.css("tbody tr")}
    assert people["Lena Okafor"]
    assert "person holds half" in harbour.words or "people hold half" in harbour.words
    assert {"Kafka at Harbour"} <= {node.text() for node in harbour.page.css("ol a.list__title")}
    assert (await stranger.visit(harbour.path)).status == 404


async def test_the_graph_is_a_table_a_drawing_and_two_files_that_agree(harbour: Browser) -> None:
    await harbour.visit("/graph?q=Kafka")
    rows = {" ".join(row.text(separator=" ").split())[:40] for row in harbour.page.css("tbody tr")}
    assert any(row.startswith("Kafka depends on ZooKeeper") for row in rows)
    drawing = json.loads((await harbour.visit("/graph/drawing?q=Kafka")).response.text)
    graphml = ElementTree.fromstring((await harbour.visit("/graph/graphml?q=Kafka")).response.content)
    linked = json.loads((await harbour.visit("/graph/json-ld?q=Kafka")).response.text)
    n_nodes = len(graphml.findall(".//{*}node"))
    assert len(drawing["nodes"]) == n_nodes == len(linked["@graph"]) > 3
    assert len(drawing["lines"]) == len(graphml.findall(".//{*}edge")) == len(rows)
    people = await harbour.visit("/graph/drawing?q=Kafka&kind=person")
    assert {node["kind"] for node in json.loads(people.response.text)["nodes"]} == {"system", "person"}


@pytest.mark.parametrize("path", ["/graph?since=soon", "/entities?key=made-up"])
async def test_an_address_that_makes_no_sense_is_refused_in_words(admin: Browser, path: str) -> None:
    assert (await admin.visit(path)).status == 422


async def test_another_vaults_entity_does_not_exist(harbour: Browser, stranger: Browser) -> None:
    await open_entity(harbour, "Kafka")
    for path in (harbour.path, f"{harbour.path}/proofs?kind=uses&other=1", f"/graph?entity={harbour.path[10:]}"):
        assert (await stranger.visit(path)).status == 404


@pytest.mark.parametrize(("path", "most"), [("/entities", 3), ("/knowledge", 9), ("/graph", 7)])
async def test_a_list_asks_a_fixed_number_of_questions(
    harbour: Browser, statements: list[str], path: str, most: int
) -> None:
    statements.clear()
    await harbour.visit(path)
    assert len(statements) <= most + 2, statements
