"""The graph in a search: other names of what a question names, and documents of what is related; nothing foreign."""

from domain.people import Viewer
from domain.ranking import ALIAS_WEIGHT, ask, follow_entities
from domain.search import SearchFilter
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.factories import Source

MAIL = (
    "From: Lena Okafor <lena.okafor@harbour.example>\nTo: team@harbour.example\nSubject: Kafka\n"
    "Date: Mon, 2 Mar 2026 09:00:00 +0000\n\nI decided to use Kafka for the ledger.\n"
)
NOTE = "# Ledger\n\nOwner: Lena Okafor\n\nKafka depends on PostgreSQL.\n"


async def test_a_name_in_a_question_brings_the_persons_other_names_and_documents(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.eml": MAIL, "b.md": NOTE}
    await factories.studied(stores, tools, viewer)
    async with stores.open_vault(viewer) as vault:
        plain = await ask(tools, "What has Lena decided?")
        widened = await follow_entities(vault, tools, plain)
        unnamed = await ask(tools, "what is for lunch")
        assert await follow_entities(vault, tools, unnamed) is unnamed
        related = await vault.documents.get_many(widened.related)
    added = {lexeme: weight for lexeme, weight in widened.words.items() if lexeme not in plain.words}
    assert added
    assert set(added.values()) == {ALIAS_WEIGHT}
    assert widened.vector is plain.vector, "the meaning of the question stays its own"
    assert {document.external_id for document in related} == {"a.eml", "b.md"}


async def test_chunks_of_related_documents_join_the_candidates_where_they_may_be_read_and_fit_the_filter(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"near.md": "# Near\n\nThe pump leaks.", "far.md": "# Far\n\nNobody has lunch at noon."}
    source.principals = {"far.md": (f"user:{viewer.user_id}",)}
    await factories.studied(stores, tools, viewer)
    colleague = await factories.member(stores.engine, viewer.tenant_id)
    asked = await ask(tools, "pump leaks")
    async with stores.open_vault(viewer) as vault:
        [far] = [each.id for each in await factories.library(vault) if each.title == "Far"]
        alone = await vault.passages.propose(asked.words, asked.vector, SearchFilter(), 1)
        joined = await vault.passages.propose(asked.words, asked.vector, SearchFilter(), 1, [far])
        elsewhere = await vault.passages.propose(asked.words, asked.vector, SearchFilter(author="Ada"), 1, [far])
    async with stores.open_vault(colleague) as vault:
        closed = await vault.passages.propose(asked.words, asked.vector, SearchFilter(), 1, [far])
    assert far not in alone.document_ids
    assert far in joined.document_ids
    assert elsewhere.document_ids == ()
    assert closed.document_ids == alone.document_ids
