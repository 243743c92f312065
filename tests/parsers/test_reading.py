"""Reading files of every family."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import Invalid
from domain.parsing import BlockKind, ParsedDocument, ParseSettings
from infra.parsers.reading import read
from tests.parsers import files

REAL = Path(__file__).parents[3] / "shared" / "data" / "files"
here_only = pytest.mark.skipif(not REAL.is_dir(), reason="the public sets are not here")


def parse(name: str, content: bytes | str, media_type: str = "") -> ParsedDocument:
    parsed = read(name, media_type, content.encode() if isinstance(content, str) else content, ParseSettings())
    assert_sound(parsed)
    return parsed


def assert_sound(parsed: ParsedDocument) -> None:
    end = 0
    for block in parsed.blocks:
        assert end <= block.start < block.end <= len(parsed.text)
        assert parsed.text[block.start : block.end].strip()
        end = block.end
    assert "\0" not in parsed.text and "\r" not in parsed.text and parsed.title


def told(parsed: ParsedDocument) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, parsed.text[block.start : block.end]) for block in parsed.blocks]


def refusal(name: str, content: bytes, media_type: str = "") -> str:
    with pytest.raises(Invalid) as refused:
        read(name, media_type, content, ParseSettings())
    return refused.value.message


def test_markdown_keeps_its_words_and_loses_its_marks() -> None:
    parsed = parse(
        "a.md",
        "---\ntitle: On call\nauthor: Ann Lee\ndate: 2026-03-04\n---\n"
        "# Rota *now*\n\nSee [the guide](https://x.org/a) and\n"
        "`kubectl`.\n\n- one\n  - two\n    \n    more\n1. first\n\n> Never on Friday.\n\n```sh\nmake run\n```\n\n"
        "| City | Limit |\n|---|---|\n| Oslo | **200** |\n",
    )
    assert told(parsed) == [
        ("heading", 1, "Rota now"),
        ("paragraph", 0, "See the guide and kubectl."),
        ("list_item", 0, "one"),
        ("list_item", 1, "two"),
        ("paragraph", 0, "more"),
        ("list_item", 0, "1. first"),
        ("quote", 0, "Never on Friday."),
        ("code", 0, "make run"),
        ("table_row", 0, "City | Limit"),
        ("table_row", 0, "Oslo | 200"),
    ]
    assert (parsed.title, parsed.author) == ("On call", "Ann Lee")
    assert parsed.created_at == datetime(2026, 3, 4, tzinfo=UTC)


def test_a_title_is_the_first_heading_or_else_the_file_name() -> None:
    assert parse("a.md", "# Rota\n\ntext").title == "Rota"
    assert parse("notes/2026 plan.txt", "just text").title == "2026 plan"


def test_plain_text_has_paragraphs_lists_and_underlined_headings() -> None:
    parsed = parse("a.txt", "Plan\n====\nWe go\nslowly.\n\nWhat:\n- one\n- two\n  goes on\n2) three\n")
    assert told(parsed) == [
        ("heading", 1, "Plan"),
        ("paragraph", 0, "We go\nslowly."),
        ("paragraph", 0, "What:"),
        ("list_item", 0, "one"),
        ("list_item", 0, "two\n  goes on"),
        ("list_item", 0, "2) three"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_letters_survive_whatever_the_character_set(encoding: str) -> None:
    text = "Die Prüfung der Maßnahmen wurde für nächsten Freitag verschoben, weil Jürgen krank ist. " * 5
    assert "Prüfung der Maßnahmen" in parse("a.txt", text.encode(encoding)).text


def test_html_is_its_main_part_without_menus_and_scripts() -> None:
    parsed = parse(
        "a.html",
        "<html><head><title>Rota - Acme</title><meta name=author content='Ann Lee'></head><body><nav>Home</nav>"
        "<script>var x</script><main><h1>Rota</h1><p>Ann &amp; <b>Ben</b><br>share.</p><ul><li>one<ul><li>two</ul>"
        "</ul><table><tr><th>City<th>Limit<tr><td>Oslo<td>200</table><blockquote>Never.</blockquote><pre>make</pre>"
        "loose</main><footer>(c)</footer></body></html>",
    )
    assert told(parsed) == [
        ("heading", 1, "Rota"),
        ("paragraph", 0, "Ann & Ben\nshare."),
        ("list_item", 0, "one"),
        ("list_item", 1, "two"),
        ("table_row", 0, "City | Limit"),
        ("table_row", 0, "Oslo | 200"),
        ("quote", 0, "Never."),
        ("code", 0, "make"),
        ("paragraph", 0, "loose"),
    ]
    assert (parsed.title, parsed.author) == ("Rota", "Ann Lee")


def test_a_pdf_has_headings_by_size_paragraphs_and_pages() -> None:
    parsed = parse(
        "a.pdf",
        files.pdf(
            [
                (20, "Incident 12"),
                (10, ""),
                (10, "The cache was ex-"),
                (10, "hausted at noon."),
                (10, ""),
                (10, "It is back."),
            ],
            [(14, "Causes"), (10, ""), (10, "Nobody knew the limit of the pool.")],
        ),
    )
    assert told(parsed) == [
        ("heading", 1, "Incident 12"),
        ("paragraph", 0, "The cache was exhausted at noon."),
        ("paragraph", 0, "It is back."),
        ("heading", 2, "Causes"),
        ("paragraph", 0, "Nobody knew the limit of the pool."),
    ]
    assert [block.page for block in parsed.blocks] == [1, 1, 1, 2, 2]


def test_page_numbers_and_running_heads_of_a_pdf_are_dropped() -> None:
    pages = [
        [(9, "Acme secret"), (10, ""), (10, f"Text {name}."), (10, ""), (9, f"Page {n}")]
        for n, name in enumerate("abcd")
    ]
    assert parse("a.pdf", files.pdf(*pages)).text == "Text a.\n\nText b.\n\nText c.\n\nText d."


def test_word_keeps_headings_lists_tables_and_its_author() -> None:
    parsed = parse("a.docx", files.word())
    assert told(parsed) == [
        ("heading", 1, "Travel policy"),
        ("paragraph", 0, "Book trains, not planes."),
        ("heading", 2, "Limits"),
        ("list_item", 0, "Hotels up to 150 EUR."),
        ("table_row", 0, "City | Limit"),
        ("table_row", 0, "Oslo | 200"),
        ("quote", 0, "As agreed."),
    ]
    assert (parsed.title, parsed.author) == ("Travel policy", "Ann Lee")


def test_slides_are_pages_with_their_notes() -> None:
    parsed = parse("a.pptx", files.slides())
    assert [(kind, text) for kind, _, text in told(parsed)] == [
        ("heading", "Roadmap"),
        ("list_item", "Ship search"),
        ("list_item", "Ship answers"),
        ("heading", "Risks"),
        ("paragraph", "One person knows billing"),
        ("paragraph", "Ask Ben to write it down."),
    ]
    assert [block.page for block in parsed.blocks] == [1, 1, 1, 2, 2, 2]
    assert parsed.blocks[-1].label == "Speaker notes"


def test_a_row_of_a_sheet_says_which_column_each_value_is_in() -> None:
    parsed = parse("a.xlsx", files.workbook())
    assert [text for _, _, text in told(parsed)] == [
        "People", "Name | Role | Since", "Name: Ann | Role: Lead | Since: 2024", "Name: Ben | Since: 2025.5",
        "Costs", "1 | 2",
    ]  # fmt: skip
    assert {block.page for block in parsed.blocks} == {1, 2}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_whatever_its_delimiter(delimiter: str) -> None:
    rows = (("Name", "Role"), ("Ann", '"Lead\nof ops"'))
    parsed = parse("a.csv", "\n".join(delimiter.join(row) for row in rows))
    assert [text for _, _, text in told(parsed)] == ["Name | Role", "Name: Ann | Role: Lead of ops"]


def test_json_reads_as_lines_with_the_names_that_lead_to_each_value() -> None:
    parsed = parse(
        "a.json", '{"title": "Deploy", "on": true, "hosts": [{"name": "a", "tags": ["x", "y"]}, {"name": "b"}]}'
    )
    assert parsed.title == "Deploy"
    assert "on: true" in parsed.text and "name: b" in parsed.text and "tags: x; y" in parsed.text


def test_json_lines_are_one_block_each() -> None:
    assert [text for _, _, text in told(parse("a.jsonl", '{"id": 1}\n{"id": 2}\n'))] == ["id: 1", "id: 2"]


def test_a_json_file_that_is_none_is_refused_with_the_line_that_is_wrong() -> None:
    assert "line 2" in refusal("a.json", b'{"a": 1,\n oops}')


MAIL = (
    b"From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <jm@acme.org>\r\nTo: ann@acme.org\r\n"
    b"Subject: =?utf-8?b?UsO8Y2tydWY=?=\r\n"
    b"Date: Wed, 4 Mar 2026 10:12:00 +0100\r\nMessage-ID: <1@acme.org>\r\nIn-Reply-To: <0@acme.org>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=B\r\n\r\n"
    b"--B\r\nContent-Type: text/html\r\n\r\n"
    b"<p>HTML</p>\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nYes, we do.\r\n\r\n"
    b"On Tue, 3 Mar 2026, Ann wrote:\r\n> Do we recall?\r\n>> The pump?\r\n\r\n--B--\r\n"
)


def test_a_mail_tells_who_wrote_what_when_and_which_part_is_quoted() -> None:
    parsed = parse("a.eml", MAIL)
    assert (parsed.title, parsed.author) == ("Rückruf", "Jürgen Müller")
    assert parsed.created_at == datetime(2026, 3, 4, 9, 12, tzinfo=UTC)
    assert parsed.metadata["from"] == "Jürgen Müller <jm@acme.org>"
    assert (parsed.metadata["message-id"], parsed.metadata["in-reply-to"]) == ("<1@acme.org>", "<0@acme.org>")
    assert told(parsed) == [
        ("paragraph", 0, "Yes, we do."),
        ("quote", 0, "On Tue, 3 Mar 2026, Ann wrote:"),
        ("quote", 1, "Do we recall?"),
        ("quote", 2, "The pump?"),
    ]


def test_a_mail_of_html_only_is_read_as_well() -> None:
    mail = b"From: a@b.c\nSubject: Hi\nContent-Type: text/html\n\n<h1>News</h1><p>All well.</p>"
    assert [text for _, _, text in told(parse("a.eml", mail))] == ["News", "All well."]


def test_everything_after_a_forwarded_original_is_quoted() -> None:
    mail = b"From: a@b.c\nSubject: Fwd\n\nSee below.\n\n-----Original Message-----\nFrom: x\n\nOld text."
    kinds = [block.kind for block in parse("a.eml", mail).blocks]
    assert kinds == [BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.QUOTE]


def test_the_content_counts_for_more_than_the_name() -> None:
    assert parse("report.txt", files.word()).title == "Travel policy"
    assert parse("no-ending", "<!doctype html><h1>Hi</h1>").media_type == "text/html"
    assert parse("no-ending", "# Hi", "text/markdown").media_type == "text/markdown"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.md", b"", "The file is empty."),
        ("a.txt", b" \n\n", "The file is empty."),
        ("a.bin", b"\x01\x00\x02rubbish" * 50, "not supported. Supported are: PDF"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "not supported. Supported are: PDF"),
        ("a.docx", b"not a zip at all", "not what its name says"),
        ("a.docx", files.word()[:3000], "damaged or was cut off"),
        ("a.pptx", files.slides()[:-200], "damaged or was cut off"),
        ("a.xlsx", files.workbook()[:2000], "damaged or was cut off"),
        ("a.pdf", files.pdf([(10, "x")])[:60], "damaged or was cut off"),
        ("a.pdf", files.pdf([]), "no text we can read"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password protected"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x01" * 600, "Save it as .docx"),
        ("a.docx", files.bomb(64 * 1024 * 1024), "unpacks to more than"),
        ("a.docx", files.lying_bomb(64 * 1024 * 1024), "damaged"),
        ("a.zip", files.zipped({"a.txt": b"text"}), "archive"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.md", b"---\ntitle: x\n---\n", "no text we can read"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(name: str, content: bytes, said: str) -> None:
    assert said in refusal(name, content)


def test_a_protected_pdf_is_refused_as_such() -> None:
    body = files.pdf([(10, "secret")])
    key = "<" + "00" * 32 + ">"
    encrypt = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O {key} /U {key} /P -4 >> /ID [<00> <00>] /Root".encode()
    assert "password protected" in refusal("a.pdf", body.replace(b"/Root", encrypt))


def test_more_text_than_is_allowed_is_refused() -> None:
    with pytest.raises(Invalid, match="more than 100 characters"):
        read("a.txt", "", b"word " * 100, ParseSettings(max_characters=100))


def test_deeply_nested_html_is_read_or_refused_but_does_no_harm() -> None:
    try:
        parse("a.html", "<div>" * 20_000 + "deep")
    except Invalid as refused:
        assert "nested too deeply" in refused.message


def test_text_with_half_a_character_can_still_be_stored() -> None:
    parse("a.json", rb'{"a": "x \ud83d y"}').text.encode()


@here_only
@pytest.mark.parametrize("kind", ["eml", "docx", "."])
def test_real_and_broken_files_are_read_or_refused_and_nothing_else(kind: str) -> None:
    n_read = 0
    for path in sorted(path for path in (REAL / kind).rglob("*") if path.is_file()):
        try:
            parsed = read(path.name, "", path.read_bytes(), ParseSettings())
        except Invalid as refused:
            assert refused.message
        else:
            assert_sound(parsed)
            n_read += 1
    assert n_read > 20
