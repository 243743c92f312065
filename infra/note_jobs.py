"""The job of the weekly notes: chosen for each member, mailed where there is a mail server; any number may run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import structlog
from procrastinate import App
from sqlalchemy.exc import DBAPIError

from domain.errors import NotFound, Unavailable, VaultError
from domain.note_mail import ask_mail, note_mail
from domain.notes import Ask, Links, Mail, Mailer, NoteQuestion, week_of
from domain.people import Viewer, system_viewer
from domain.vault import OpenLobby, OpenVault, Tools
from infra.queue import CHORE_PRIORITY, CHORES

ASKS_A_ROUND = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NoteWriter:
    """Everything that notes are written with."""

    open_lobby: OpenLobby
    open_vault: OpenVault
    tools: Tools
    links: Links
    base_url: str
    mailer: Mailer | None = None
    """None: notes stand in the app only."""

    async def write_all(self) -> None:
        """Choose and mail what is due in every tenant, each by itself."""
        async with self.open_lobby() as lobby:
            tenant_ids = await lobby.tenant_ids()
        for tenant_id in tenant_ids:
            try:
                await self.write(tenant_id)
            except (VaultError, DBAPIError):  # the others are not to wait for one that cannot be served
                log.exception("notes_failed", tenant=tenant_id)

    async def write(self, tenant_id: int) -> None:
        """Choose and mail the notes of one tenant, a transaction a person; none is open while a mail is sent."""
        week = week_of(self.tools.now())
        async with self.open_vault(system_viewer(tenant_id)) as vault:
            due = await vault.notes.due_members(week)
        for user_id in due:
            if viewer := await self._viewer(tenant_id, user_id):
                async with self.open_vault(viewer) as vault:
                    await vault.notes.choose(week, await vault.ranking.lessons())
        if self.mailer:
            await self._mail_notes(tenant_id, self.mailer)
            await self._mail_asks(tenant_id, self.mailer)

    async def _mail_notes(self, tenant_id: int, mailer: Mailer) -> None:
        now = self.tools.now()
        week = week_of(now)
        async with self.open_vault(system_viewer(tenant_id)) as vault:
            unmailed = await vault.notes.unmailed(week)
        for user_id in unmailed:
            viewer = await self._viewer(tenant_id, user_id)
            if viewer is None:
                continue
            async with self.open_vault(viewer) as vault:
                questions = await vault.notes.questions(week) if await vault.notes.take_mail(week) else []
            if not questions:
                continue
            mail = note_mail(viewer, questions, self.links, self.base_url, week, now)
            if not await _sent(mailer, mail):
                async with self.open_vault(viewer) as vault:
                    await vault.notes.give_back_mail(week)

    async def _mail_asks(self, tenant_id: int, mailer: Mailer) -> None:
        async with self.open_vault(system_viewer(tenant_id)) as vault:
            asks = await vault.notes.take_asks(ASKS_A_ROUND)
        for ask in asks:
            viewer = await self._viewer(tenant_id, ask.user_id)
            mail = await self._ask_mail(viewer, ask) if viewer else None
            if mail and not await _sent(mailer, mail):
                async with self.open_vault(system_viewer(tenant_id)) as vault:
                    await vault.notes.give_back_ask(ask)

    async def _ask_mail(self, viewer: Viewer, ask: Ask) -> Mail | None:
        now = self.tools.now()
        try:
            async with self.open_vault(viewer) as vault:
                gap = await vault.gap_answers.gap(ask.gap_id)
        except NotFound:
            return None
        why = f"{ask.asked_by} says that you know"
        question = NoteQuestion(1, gap.id, gap.kind, gap.question, gap.document_id, gap.title, why)
        return ask_mail(viewer, question, ask.note, self.links, self.base_url, week_of(now), now)

    async def _viewer(self, tenant_id: int, user_id: int) -> Viewer | None:
        try:
            async with self.open_lobby() as lobby:
                return msgspec.structs.replace(await lobby.viewer(tenant_id, user_id), session_id=None)
        except NotFound:
            return None


async def _sent(mailer: Mailer, mail: Mail) -> bool:
    try:
        await mailer.send(mail)
    except Unavailable as error:
        log.warning("mail_not_sent", reason=error.message)
        return False
    return True


def register_notes(queue: App, write_notes: Callable[[], Awaitable[object]]) -> None:
    """Let this worker write notes, whenever it is its turn among all workers."""

    @queue.periodic(cron="*/10 * * * *")
    @queue.task(name="write_notes", queue=CHORES, priority=CHORE_PRIORITY, queueing_lock="write_notes")
    async def write(timestamp: int) -> None:  # noqa: ARG001  # the queue passes the time it was due
        await write_notes()
