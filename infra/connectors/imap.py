"""Mailboxes on any mail server (IMAP): each mail is a document, and so is each file attached to one.

External ids are `FOLDER;VALIDITY/UID`, and for what is attached `#attachment/PART-NAME` behind it. A folder that stands
as it stood costs one question. In one that does not, new mails are those with higher numbers; what is gone the server
tells by itself where it can (QRESYNC, RFC 7162), else its list is compared with ours.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import msgspec

from domain.errors import Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page
from domain.kinds import FieldType, Kind, SourceField
from domain.people import Viewer
from domain.scope import Scope
from domain.vault import OpenVault
from infra.connectors.attachments import MARK
from infra.connectors.imap_account import SECURITIES, Account, Door, Folder, Span
from infra.connectors.imap_consent import (
    GOOGLE,
    GOOGLE_TERMS,
    MICROSOFT,
    MICROSOFT_TERMS,
    door_at,
    guard_at,
)
from infra.connectors.imap_mail import BARE, FULL, content_of, mail_entries
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.members import short_id
from infra.connectors.worth import chosen_readers, readers_field

PAGE_MAILS = 100
WHOLE = "0"
"""The number of the part that is the whole mail."""
GONE = "This mail is no longer in its folder."
PLACE = re.compile(r"^(?P<folder>.*);(?P<validity>\d+)/(?P<uid>\d+)(?P<file>#.*)?$", re.DOTALL)


class Cursor(msgspec.Struct, frozen=True):
    """How far each folder has been read, and for whom; for other readers all are listed anew."""

    readers: tuple[str, ...] = ()
    marks: dict[str, "Mark"] = {}


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a folder has been read."""

    validity: int
    last_uid: int = 0
    stood: tuple[int, int] = (0, 0)
    """The next number and the count of mails when it was last read whole."""
    mod_sequence: int = 0


@dataclass(slots=True)
class Reading:
    """Where a run stands."""

    readers: tuple[str, ...]
    marks: dict[str, Mark]
    n_listed: int = 0
    n_left: int | None = None
    """Mails not listed yet; known on the first reading only."""

    def page(self, entries: Iterable[Entry], n_mails: int = 0) -> Page:
        """Return a page whose cursor is the marks as they are now."""
        listed = tuple(entries)
        self.n_listed += sum(not isinstance(entry, Gone) for entry in listed)
        if self.n_left is not None:
            self.n_left = max(0, self.n_left - n_mails)
        total = None if self.n_left is None else self.n_listed + self.n_left
        return Page(listed, msgspec.json.encode(Cursor(self.readers, self.marks)).decode(), total)


class ImapConnector:
    """Reads one mailbox."""

    is_snapshot = False

    def __init__(
        self,
        account: Account,
        integration: Integration,
        viewer: Viewer,
        open_vault: OpenVault,
    ) -> None:
        self._account = account
        self._integration = integration
        self._viewer = viewer
        self._open_vault = open_vault
        self._folders: dict[str, str] = {}
        """Names of folders, by how they stand in external ids."""

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has come and gone, folder by folder."""
        readers = chosen_readers(self._integration)
        before = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
        reading = Reading(readers, before.marks if before.readers == readers else {})
        try:
            folders = await self._stands()
            async for page in self._drop_unread(reading):
                yield page
            if not reading.marks:
                reading.n_left = sum(folder.n_mails for folder in folders)
            for folder in folders:
                async for page in self._changes(reading, folder):
                    yield page
        finally:
            await self._account.close()

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more, with what is attached to the same mails."""
        by_folder: dict[tuple[str, int], dict[int, list[str]]] = {}
        for external_id in external_ids:
            if found := PLACE.match(external_id):
                place = found["folder"], int(found["validity"])
                by_folder.setdefault(place, {}).setdefault(int(found["uid"]), []).append(external_id)
        try:
            names = {short_id(folder.name): folder for folder in await self._stands()} if by_folder else {}
            for (name, validity), wanted in by_folder.items():
                asked = [each for ids in wanted.values() for each in ids]
                listed: list[Entry] = []
                if name in names and names[name].validity == validity:
                    listed = await self._entries(names[name], sorted(wanted))
                there = {entry.external_id for entry in listed}
                yield Page((*listed, *(Gone(each) for each in asked if each not in there)), "")
        finally:
            await self._account.close()

    async def fetch(self, item: Item) -> bytes:
        """Return a mail, or a file attached to one. Raises: NotFound when it is gone."""
        found = PLACE.match(item.external_id)
        if found is None:
            raise NotFound(GONE)
        folder, uid, file = await self._folder_named(found["folder"]), int(found["uid"]), found["file"] or ""
        part = file.removeprefix(MARK).partition("-")[0]
        if not file or part == WHOLE:
            mail = await self._read(folder, uid, "BODY[]")
            return content_of(mail) if file else mail
        head = await self._read(folder, uid, f"BODY[{part}.MIME]")
        return content_of(head.strip() + b"\r\n\r\n" + await self._read(folder, uid, f"BODY[{part}]"))

    async def totals(self, scope: Scope) -> AsyncIterator[int]:
        """See `domain.surveys.TellsTotals`: one question a folder."""
        try:
            for folder in await self._stands():
                has_days = scope.since or scope.until
                yield await self._account.n_sent(folder.name, scope.since, scope.until) if has_days else folder.n_mails
        finally:
            await self._account.close()

    async def _read(self, folder: str, uid: int, section: str) -> bytes:
        said = (await self._account.about(folder, [uid], [section.replace("BODY[", "BODY.PEEK[")])).get(uid, {})
        content = said.get(section.encode())
        if not isinstance(content, bytes):
            raise NotFound(GONE)
        return content

    async def _stands(self) -> list[Folder]:
        """How the folders stand that are to be read; one that does not answer now is passed over this time."""
        settings = self._integration.settings
        wanted = settings.get("folders") or settings.get("chosen", "")
        chosen = [line.strip() for line in wanted.splitlines() if line.strip()]
        names = [name for name in await self._account.folders() if not chosen or _is_in(name, chosen)]
        if not names:
            raise Invalid("None of the folders to read is in this mailbox. Correct their names, then sync again.")
        self._folders = {short_id(name): name for name in names}
        found: list[Folder] = []
        for name in names:
            with suppress(NotFound):
                found.append(await self._account.stands(name))
        return found

    async def _drop_unread(self, reading: Reading) -> AsyncIterator[Page]:
        """Let go what was read of folders that are gone, or no longer chosen."""
        for key in sorted(reading.marks.keys() - self._folders.keys()):
            del reading.marks[key]
            yield reading.page([Gone(each) for each in await self._held(f"{key};")])

    async def _changes(self, reading: Reading, folder: Folder) -> AsyncIterator[Page]:
        key, stood = short_id(folder.name), (folder.next_uid, folder.n_mails)
        mark = reading.marks.get(key, Mark(folder.validity))
        if mark.validity != folder.validity:
            mark = Mark(folder.validity)
        if mark.stood == stood:
            return
        gone = await self._gone(folder, mark) if mark.last_uid else []
        if gone:
            yield reading.page(gone)
        uids = iter(await self._account.uids_after(folder.name, mark.last_uid))
        while batch := list(islice(uids, PAGE_MAILS)):
            entries = await self._entries(folder, batch)
            mark = msgspec.structs.replace(mark, last_uid=batch[-1], stood=(0, 0))
            reading.marks[key] = mark
            yield reading.page(entries, len(batch))
        # what bears older numbers goes last: its texts need not be embedded again under the new ones
        here = f"{key};{folder.validity}/"
        old = [Gone(each) for each in await self._held(f"{key};") if not each.startswith(here)]
        reading.marks[key] = Mark(folder.validity, max(mark.last_uid, folder.next_uid - 1), stood, folder.mod_sequence)
        yield reading.page(old)

    async def _gone(self, folder: Folder, mark: Mark) -> list[Gone]:
        """What we hold of a folder, and the server no longer does."""
        spans = await self._account.vanished(folder.name, mark.mod_sequence) if mark.mod_sequence else None
        there = set(await self._account.uids_after(folder.name, 0)) if spans is None else set()
        held = await self._held(f"{short_id(folder.name)};{folder.validity}/")
        return [Gone(each) for each in held if _is_gone(_uid(each), spans, there)]

    async def _entries(self, folder: Folder, uids: Sequence[int]) -> list[Entry]:
        try:
            said = await self._account.about(folder.name, uids, FULL)
        except (NotFound, ValueError, TypeError, IndexError):
            said = await self._account.about(folder.name, uids, BARE)
        here, principals = f"{short_id(folder.name)};{folder.validity}/", chosen_readers(self._integration)
        return [entry for uid in said for entry in mail_entries(f"{here}{uid}", said[uid], principals)]

    async def _held(self, prefix: str) -> list[str]:
        async with self._open_vault(self._viewer) as vault:
            return await vault.documents.listed(self._integration.id, prefix)

    async def _folder_named(self, key: str) -> str:
        if key not in self._folders:
            await self._stands()
        if key not in self._folders:
            raise NotFound(GONE)
        return self._folders[key]


def _uid(external_id: str) -> int:
    found = PLACE.match(external_id)
    return int(found["uid"]) if found else 0


def _is_gone(uid: int, spans: Sequence[Span] | None, there: set[int]) -> bool:
    return uid not in there if spans is None else any(first <= uid <= last for first, last in spans)


def _is_in(name: str, chosen: Sequence[str]) -> bool:
    """Whether a folder is chosen, or lies in one that is."""
    return any(name == each or name.startswith((f"{each}/", f"{each}.")) for each in chosen)


async def _door(reach: Reach) -> Door:
    settings, secrets = reach.settings, await reach.secrets()
    port = settings.get("port") or ("993" if settings.get("security") == "tls" else "143")
    if not 0 < int(port) < 65_536:
        raise Invalid("There is no such port.", {"port": "Enter a port between 1 and 65535, or leave it empty."})
    return Door(settings["host"], int(port), settings["security"], settings["user"], secrets["password"])


def _connect(access: Access) -> Connector:
    reach = access.reach
    account = Account(reach.way_out.guard, lambda _refused: _door(reach), reach.n_tries)
    return ImapConnector(account, access.integration, access.viewer, access.open_vault)


def _connect_by_consent(access: Access) -> Connector:
    token = access.token
    if token is None:
        raise Invalid("This mailbox has no consent. Reconnect it on the integration's page.")

    async def door(refused: str) -> Door:
        user = access.integration.settings["account"]
        return door_at(access.api_url, user, await token(refused), access.title)

    account = Account(guard_at(access.api_url), door, access.reach.n_tries)
    return ImapConnector(account, access.integration, access.viewer, access.open_vault)


async def _check(reach: Reach) -> str:
    account = Account(reach.way_out.guard, lambda _refused: _door(reach), reach.n_tries)
    try:
        await account.folders()
    finally:
        await account.close()
    return reach.settings["user"]


KIND = ConnectorKind(
    Kind(
        "imap",
        "Mailbox (IMAP)",
        "mail",
        "Reads every mail and what is attached to it, from any mail server. Nothing is changed there, not even what "
        "counts as read.",
        (
            SourceField("host", "Mail server", hint="For example imap.company.com."),
            SourceField("security", "Encryption", FieldType.CHOICE, default="tls", options=SECURITIES),
            SourceField("port", "Port", FieldType.NUMBER, "Leave it empty for the usual one.", is_required=False),
            SourceField("user", "User name", hint="Often the whole e-mail address."),
            SourceField(
                "password", "Password", FieldType.SECRET, "Where the provider offers app passwords, one of those."
            ),
            SourceField(
                "folders",
                "Folders to read",
                FieldType.AREA,
                "One a line, with what lies in them. Leave it empty for all but drafts, spam and trash.",
                is_required=False,
            ),
            readers_field("owner"),
        ),
        is_personal=True,
    ),
    _connect,
    _check,
)
GOOGLE_KIND = ConnectorKind(
    Kind(
        GOOGLE,
        GOOGLE_TERMS.title,
        "mail",
        "Reads every mail and what is attached to it, by IMAP. Google has no read-only permission for IMAP: its "
        "consent page asks for all of your mail, deleting and sending included. Nothing but reading is ever done; "
        "“Gmail” asks for reading alone, so connect that where you can.",
        is_personal=True,
        entered_as="imap",
    ),
    _connect_by_consent,
    consent=GOOGLE_TERMS,
)
MICROSOFT_KIND = ConnectorKind(
    Kind(
        MICROSOFT,
        MICROSOFT_TERMS.title,
        "mail",
        "Reads every mail and what is attached to it, by IMAP. Microsoft has no read-only permission for IMAP; nothing "
        "but reading is ever done.",
        is_personal=True,
        entered_as="imap",
    ),
    _connect_by_consent,
    consent=MICROSOFT_TERMS,
)
