"""What a document brings to the graph, read from its fields and its text."""

import time

import pytest

from domain.entities import EntityKind, RelationKind
from domain.parsing import Block, BlockKind, ParsedDocument
from domain.recognition import extract


def document(text: str, **fields: object) -> ParsedDocument:
    given = {"title": "Note", "blocks": (), "media_type": "text/markdown", **fields}
    return ParsedDocument(text=text, **given)  # type: ignore[arg-type]


def certain(text: str, kind: EntityKind, **fields: object) -> set[str]:
    return {each.name for each in extract(document(text, **fields)).found if each.kind is kind and each.is_certain}


def stated(text: str, **fields: object) -> set[tuple[str, str, str]]:
    extraction = extract(document(text, **fields))
    return {
        (extraction.found[each.subject].name, each.kind.value, extraction.found[each.object].name)
        for each in extraction.relations
    }


@pytest.mark.parametrize(
    "text",
    [
        "Ask Lena before you start.",
        "The New York Office closes at six.",
        "Contact Support Team on Monday.",
        "Call Data Protection.",
        "Thanks Anna Street is closed.",
        "Great Barrier Reef and Golden Gate Bridge.",
        "Write to info@harbour.example.",
    ],
)
def test_capitals_alone_make_nobody(text: str) -> None:
    assert certain(text, EntityKind.PERSON) == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ask Anna Lindqvist before you start.", "Anna Lindqvist"),
        ("Yesterday Zofia Hrubá, our database engineer, left.", "Zofia Hrubá"),
        ("Deciders: Zofia Hrubá (chair), nobody else.", "Zofia Hrubá"),
        ("Thanks to Peter van der Berg.", "Peter van der Berg"),
        ("Owner: Zofia Hrubá. Last change in May.", "Zofia Hrubá"),
        ("It was Maria Kjær's idea.", "Maria Kjær"),
    ],
)
def test_a_person_is_named_with_a_reason(text: str, name: str) -> None:
    assert certain(text, EntityKind.PERSON) == {name}


def test_a_first_name_alone_is_the_person_whom_the_document_has_named_in_full() -> None:
    extraction = extract(document("Deciders: Zofia Hrubá.\n\nZofia leads. Ask Lena."))
    [zofia] = [each for each in extraction.found if each.kind is EntityKind.PERSON]
    assert len(zofia.spans) == 2


def test_a_mails_people_come_from_its_headers_with_their_addresses() -> None:
    headers = {"from": '"Hrubá, Zofia" <Zofia@harbour.example>', "to": "Tom Reed <tom@x.example>, all@x.example"}
    extraction = extract(document("Hello", media_type="message/rfc822", metadata=headers))
    people = {(each.email, each.role) for each in extraction.found if each.kind is EntityKind.PERSON}
    assert people == {("zofia@harbour.example", "author"), ("tom@x.example", "recipient")}


def test_who_speaks_in_a_chat_has_written_it() -> None:
    blocks = (Block(BlockKind.MESSAGE, 0, 2, label="Zofia Hrubá, 2026-01-02 10:00"),)
    assert ("Zofia Hrubá", "created", "Note") in stated("Hi", blocks=blocks)


def test_addresses_handles_and_repositories_are_identities_and_parts_of_words_are_not() -> None:
    text = "See @zofia-h, mail tom@x.example, code at https://github.com/harbour/ledger.git, not a@b or x@@y."
    found = extract(document(text)).found
    assert {each.handle for each in found if each.handle} == {"zofia-h"}
    assert {each.email for each in found if each.email} == {"tom@x.example"}
    assert certain(text, EntityKind.PROJECT) == {"harbour/ledger"}


def test_a_code_ownership_file_says_who_owns_what() -> None:
    text = "# owners\n/billing/ @zofia-h tom@x.example\n*.sql @harbour/data\n"
    extraction = extract(document(text), "repo/.github/CODEOWNERS")
    relations = {
        (extraction.found[each.subject].name, each.kind, extraction.found[each.object].name)
        for each in extraction.relations
    }
    assert relations == {
        ("@zofia-h", RelationKind.OWNS, "/billing/"),
        ("tom@x.example", RelationKind.OWNS, "/billing/"),
        ("harbour/data", RelationKind.OWNS, "*.sql"),
    }


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("Kafka depends on PostgreSQL.", ("Kafka", "depends_on", "PostgreSQL")),
        ("Kafka is maintained by Anna Lindqvist.", ("Anna Lindqvist", "maintains", "Kafka")),
        ("RabbitMQ was replaced by Kafka last year.", ("Kafka", "replaces", "RabbitMQ")),
        ("Anna Lindqvist reports to Peter Holm.", ("Anna Lindqvist", "reports_to", "Peter Holm")),
        ("Anna Lindqvist works with Peter Holm.", ("Anna Lindqvist", "works_with", "Peter Holm")),
        ("Turnstile uses Redis.", ("Turnstile", "uses", "Redis")),
        ("Reviewed by: Anna Lindqvist", ("Anna Lindqvist", "reviewed", "Note")),
        ("service: quay | owner: Zofia Hrubá | tier: 1", ("Zofia Hrubá", "owns", "quay")),
    ],
)
def test_a_sentence_or_a_field_states_a_relation(text: str, relation: tuple[str, str, str]) -> None:
    assert relation in stated(text)


@pytest.mark.parametrize(
    "text",
    ["Kafka does not depend on PostgreSQL.", "We use Kafka. PostgreSQL depends on nothing.", "Kafka, PostgreSQL."],
)
def test_what_is_denied_or_stands_in_two_sentences_is_no_relation(text: str) -> None:
    assert stated(text) == set()


def test_a_long_text_takes_no_longer_than_its_length_says() -> None:
    started = time.process_time()
    extract(document("Word Word word. a: b | c: d\n" * 15_000))
    assert time.process_time() - started < 5
