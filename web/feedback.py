"""Feedback on answers: up or down, and why; an approved answer becomes a golden question."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from domain.conversations import Message, MessageRole
from domain.errors import Invalid
from domain.feedback import MAX_REASON_CHARACTERS, Verdict
from domain.followups import standalone
from domain.golden import Expects, Origin
from domain.retrieval import checked_question
from domain.vault import Vault
from web.answers import citations_of
from web.forms import Form
from web.messages import read_answer_message
from web.rendering import page, see_other, wants_region

NO_VERDICT = "Say whether the answer was right or not."


@post("/messages/{message_id:int}/feedback", include_in_schema=False)
async def give(request: Request[Any, Any, Any], vault: Vault, message_id: FromPath[int], form: Form) -> Response[Any]:
    """Keep what a person says of an answer; HTMX gets the region, others the conversation."""
    message = await read_answer_message(vault, message_id)
    verdict, reason = read_verdict(form)
    answer = message.answer
    document_ids = sorted({one.document_id for one in citations_of(answer)}) if answer else []
    await vault.feedback.give(message_id, verdict, reason, document_ids)
    if verdict is Verdict.UP:
        await approve(vault, message)
    if not wants_region(request):
        return see_other(f"/conversations/{message.conversation_id}#answer-{message_id}", "Thank you, that is kept.")
    given = (await vault.feedback.given([message_id])).get(message_id)
    region = "conversations/_feedback.html"
    return page(region, region, message=message, feedback=given)


async def approve(vault: Vault, message: Message) -> None:
    """Make a golden question of an approved answer, with the documents it rests on; of a refusal, one to refuse."""
    if message.answer is None or message.as_of is not None:
        return
    thread = await vault.conversations.messages(message.conversation_id)
    asked = [each.text for each in thread if each.role is MessageRole.QUESTION and each.id < message.id]
    expects = Expects.REFUSAL if message.answer.is_abstained else Expects.ANSWER
    quotes = {one.document_id: one.quote for one in reversed(citations_of(message.answer))}
    question = checked_question(standalone(asked[-1], asked[:-1]))
    try:
        await vault.golden.add(question, expects, Origin.APPROVED, list(quotes.items()))
    except Invalid:
        return  # the list is full; the verdict itself is kept


def read_verdict(form: Form) -> tuple[Verdict, str]:
    """Return what a form says. Raises: Invalid when it says neither."""
    try:
        verdict = Verdict(form.value("verdict"))
    except ValueError as error:
        raise Invalid(NO_VERDICT, {"verdict": NO_VERDICT}) from error
    return verdict, form.value("reason")[:MAX_REASON_CHARACTERS]


routes = [give]
