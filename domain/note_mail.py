"""What the mails say: the weekly note, and that somebody passed a question on; as text, and as plain markup."""

from collections.abc import Sequence
from datetime import date, datetime
from html import escape

from domain.notes import Links, Mail, NoteQuestion, link_for
from domain.people import Viewer

FOOT = "You get at most three questions a week. Your answer is read by whoever may read the document, by nobody else."
HOW = "Answer with the link below each question, or reply to this mail{numbers}."


def note_mail(
    viewer: Viewer, questions: Sequence[NoteQuestion], links: Links, base_url: str, week: date, now: datetime
) -> Mail:
    """Return the mail of a week's questions."""
    count = "One question" if len(questions) == 1 else f"{('Two', 'Three')[len(questions) - 2]} questions"
    numbers = "" if len(questions) == 1 else ", with the number before each answer"
    lead = f"{count} that you may be able to answer. {HOW.format(numbers=numbers)}"
    asked = [(each, _address(viewer, each.gap_id, links, base_url, week, now)) for each in questions]
    return Mail(
        to=viewer.email,
        subject=f"{count} for you from {viewer.tenant_name}",
        text="\n".join([_hello(viewer), "", lead, "", *(_text(each, path) for each, path in asked), FOOT, ""]),
        html=_page(viewer, lead, "".join(_markup(each, path) for each, path in asked)),
        token=links.sign(link_for(viewer, 0, week, now)),
    )


def ask_mail(
    viewer: Viewer, question: NoteQuestion, note: str, links: Links, base_url: str, week: date, now: datetime
) -> Mail:
    """Return the mail that tells somebody what was passed on to them; the reason says by whom."""
    lead = f"{question.why}. {HOW.format(numbers='')}" + (f"\n\n“{note}”" if note else "")
    path = _address(viewer, question.gap_id, links, base_url, week, now)
    return Mail(
        to=viewer.email,
        subject=f"A question for you from {viewer.tenant_name}",
        text="\n".join([_hello(viewer), "", lead, "", _text(question, path), ""]),
        html=_page(viewer, lead, _markup(question, path)),
        token=links.sign(link_for(viewer, question.gap_id, week, now)),
    )


def _address(viewer: Viewer, gap_id: int, links: Links, base_url: str, week: date, now: datetime) -> str:
    return f"{base_url}/questions/{links.sign(link_for(viewer, gap_id, week, now))}"


def _hello(viewer: Viewer) -> str:
    return f"Hello {viewer.name},"


def _text(question: NoteQuestion, path: str) -> str:
    return f"{question.place}. {question.question}\n   ({question.title}; {question.why})\n   {path}\n"


def _markup(question: NoteQuestion, path: str) -> str:
    where = escape(f"{question.title}; {question.why}")
    return (
        f"<p>{question.place}. <strong>{escape(question.question)}</strong><br><small>{where}</small><br>"
        f'<a href="{escape(path)}">Answer</a></p>'
    )


def _page(viewer: Viewer, lead: str, inner: str) -> str:
    return f"<p>{escape(_hello(viewer))}</p><p>{escape(lead)}</p>{inner}<p><small>{FOOT}</small></p>"
