"""Outlook by Microsoft Graph: each mail of a mailbox is one document, and so is each of its attachments.

External ids are `FOLDER/MAIL`, an attachment's follows behind "#". Each folder has a delta of its own, in which a mail
that was moved is gone from one folder and new in another; so a move costs one request, and never the mail. A mail's
content does not change, so it is fetched once, as it was sent (RFC 5322). Where a delta is too old, the folder is
listed again and compared with the vault.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from domain.errors import Forbidden, Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page, Unreadable, readers_of
from domain.kinds import Kind, Proof
from domain.people import Viewer
from domain.scope import Scope, is_within_days, scope_of
from domain.vault import OpenVault
from infra.connectors.attachments import MailAttachments, mail_name
from infra.connectors.batches import batched
from infra.connectors.http import Source
from infra.connectors.kinds import Access, ConnectorKind
from infra.connectors.outlook_consent import NOT_READ, OUTLOOK, TERMS, Folder, folders_of
from infra.connectors.paging import Paging

ME = "/v1.0/me"
PAGE_SIZE = 20
"""Mails whose bytes are held at once, while they and their attachments are read."""
HELD_BYTES = 32 * 1024 * 1024
LISTED_AT_ONCE = 200
NEVER_CHANGES = "1"
MAIL_TYPE = "message/rfc822"


class Mail(msgspec.Struct, frozen=True, rename="camel"):
    """A mail in a folder's delta, or its going."""

    id: str
    web_link: str = ""
    is_draft: bool = False
    received_date_time: datetime | None = None
    removed: dict[str, str] | None = msgspec.field(default=None, name="@removed")


class Delta(msgspec.Struct, frozen=True):
    """A page of what changed in a folder, and how it goes on."""

    value: tuple[Mail, ...] = ()
    next_link: str = msgspec.field(default="", name="@odata.nextLink")
    delta_link: str = msgspec.field(default="", name="@odata.deltaLink")


class Counted(msgspec.Struct, frozen=True):
    """How many mails a folder holds."""

    n_mails: int = msgspec.field(default=0, name="@odata.count")


class OutlookConnector:
    """Reads one mailbox; the cursor is the delta of each of its folders."""

    is_snapshot = False

    def __init__(self, integration: Integration, source: Source, viewer: Viewer, open_vault: OpenVault) -> None:
        self._integration = integration
        self._source = source
        self._viewer = viewer
        self._open_vault = open_vault
        self._chosen = frozenset(integration.settings.get("chosen", "").split())
        self._scope = scope_of(integration.settings)
        self._held: dict[str, bytes] = {}

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed, folder by folder. Raises: Forbidden when our access has ended, Unavailable."""
        deltas = msgspec.json.decode(cursor, type=dict[str, str]) if cursor else {}
        folders = await self._folders()
        kept = {each.id for each in folders}
        for gone in [each for each in deltas if each not in kept]:
            del deltas[gone]
            yield self._page([Gone(each) for each in await self._of(f"{gone}/")], deltas)
        for folder in folders:
            try:
                start = deltas.get(folder.id, "")
                async for page in self._changed(folder, start, deltas) if start else self._listed(folder, deltas):
                    yield page
            except NotFound:
                deltas.pop(folder.id, None)
                async for page in self._listed(folder, deltas):
                    yield page
        yield self._page([], deltas)

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these mails once more, with their attachments."""
        names = {each.id: each for each in await self._folders()}
        for batch in batched(sorted({each.partition("#")[0] for each in external_ids}), PAGE_SIZE):
            self._held.clear()
            entries: list[Entry] = []
            for ref in batch:
                folder, _, mail = ref.partition("/")
                there = await self._mail(names.get(folder, Folder(folder)), Mail(mail))
                entries += there or [Gone(each) for each in {ref, *await self._of(ref)}]
            yield Page(tuple(entries), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a mail as it was sent, or the bytes of what is attached to it."""
        ref, mark, attachment = item.external_id.partition("#")
        content = self._held.get(ref) or await self._sent(ref.partition("/")[2])
        return MailAttachments(content).read(f"#{attachment}") if mark else content

    async def totals(self, scope: Scope) -> AsyncIterator[int]:
        """See `domain.surveys.TellsTotals`: one question a folder."""
        for folder in await self._folders():
            path = f"{ME}/mailFolders/{quote(folder.id, safe='')}/messages"
            params = {"$count": "true", "$top": "1", "$select": "id", **_days(scope)}
            yield msgspec.json.decode((await self._source.get(path, params)).content, type=Counted).n_mails

    async def _folders(self) -> list[Folder]:
        """Return the folders that are read: those chosen with what lies in them, and never drafts, spam and trash."""
        hidden = set[str]()
        for name in NOT_READ:
            try:
                answer = await self._source.get(f"{ME}/mailFolders/{name}", {"$select": "id"})
                hidden.add(msgspec.json.decode(answer.content, type=Folder).id)
            except NotFound:
                continue
        folders = {each.id: each for each in await folders_of(self._source)}
        return [each for each in folders.values() if self._is_read(each, folders, hidden)]

    def _is_read(self, folder: Folder, folders: dict[str, Folder], hidden: set[str]) -> bool:
        path: list[str] = []
        above: Folder | None = folder
        while above and above.id not in path:
            path.append(above.id)
            above = folders.get(above.parent_folder_id or "")
        return hidden.isdisjoint(path) and (not self._chosen or not self._chosen.isdisjoint(path))

    def _is_wanted(self, mail: Mail) -> bool:
        return not mail.is_draft and is_within_days(mail.received_date_time, self._scope)

    async def _listed(self, folder: Folder, deltas: dict[str, str]) -> AsyncIterator[Page]:
        """List a folder; drop what is not in it any more, and fetch what is not held."""
        held = await self._of(f"{folder.id}/")
        there, listed = {each.partition("#")[0] for each in held}, set[str]()
        async for delta in self._deltas(_start(folder)):
            mails = [each for each in delta.value if each.removed is None and self._is_wanted(each)]
            listed |= {_ref(folder, each) for each in mails}
            for batch in batched([each for each in mails if _ref(folder, each) not in there], PAGE_SIZE):
                yield self._page(await self._mails(folder, batch), deltas)
            if delta.delta_link:
                gone = [Gone(each) for each in held if each.partition("#")[0] not in listed]
                deltas[folder.id] = delta.delta_link
                if gone:
                    yield self._page(gone, deltas)

    async def _changed(self, folder: Folder, start: str, deltas: dict[str, str]) -> AsyncIterator[Page]:
        async for delta in self._deltas(start):
            latest = {each.id: each for each in delta.value}
            held = {name: await self._of(f"{folder.id}/{name}") for name in latest}
            went = [name for name, mail in latest.items() if mail.removed is not None]
            gone = [Gone(each) for name in went for each in {f"{folder.id}/{name}", *held[name]}]
            came = [
                each
                for name, each in latest.items()
                if each.removed is None and self._is_wanted(each) and not held[name]
            ]
            for batch in batched(came, PAGE_SIZE):
                yield self._page(await self._mails(folder, batch), deltas)
            deltas[folder.id] = delta.next_link or delta.delta_link or start
            if gone:  # quiet folders are many; where they stand is kept with the last page
                yield self._page(gone, deltas)

    async def _deltas(self, address: str) -> AsyncIterator[Delta]:
        """Yield pages until one says where to begin next time. Raises: NotFound when the address is too old."""
        paging = Paging("Microsoft")
        while address:
            page = msgspec.json.decode((await self._source.get(address)).content, type=Delta)
            yield page
            address = page.next_link and paging.turn(page.next_link, len(page.value))

    async def _of(self, prefix: str) -> list[str]:
        async with self._open_vault(self._viewer) as vault:
            return list(await vault.documents.listed(self._integration.id, prefix))

    async def _mails(self, folder: Folder, mails: Iterable[Mail]) -> list[Entry]:
        self._held.clear()
        return [entry for mail in mails for entry in await self._mail(folder, mail)]

    async def _mail(self, folder: Folder, mail: Mail) -> list[Entry]:
        """Fetch one mail; return it with what is attached, or nothing when it is gone by now."""
        ref = _ref(folder, mail)
        try:
            content = await self._sent(mail.id)
        except NotFound:
            return []
        except Invalid as error:
            return [Unreadable(ref, "Mail", error.message)]
        if sum(map(len, self._held.values())) < HELD_BYTES:
            self._held[ref] = content
        whole = msgspec.structs.replace(self._item(ref, folder, mail, len(content)), name=mail_name(content))
        found: list[Entry] = [whole]
        for member in MailAttachments(content).members():
            external_id = f"{ref}{member.id}"
            if member.reason:
                found.append(Unreadable(external_id, member.name, member.reason))
                continue
            found.append(
                msgspec.structs.replace(
                    whole,
                    external_id=external_id,
                    name=member.name,
                    media_type=member.media_type,
                    size_bytes=member.size_bytes,
                )
            )
        return found

    async def _sent(self, mail: str) -> bytes:
        return (await self._source.download(f"{ME}/messages/{quote(mail, safe='')}/$value")).content

    def _item(self, ref: str, folder: Folder, mail: Mail, size_bytes: int) -> Item:
        return Item(
            external_id=ref,
            name="Mail.eml",
            revision=NEVER_CHANGES,
            size_bytes=size_bytes,
            media_type=MAIL_TYPE,
            url=mail.web_link,
            created_at=mail.received_date_time,
            principals=readers_of(self._integration),
            labels=(folder.display_name,) if folder.display_name else (),
        )

    def _page(self, entries: Sequence[Entry], deltas: dict[str, str]) -> Page:
        return Page(tuple(entries), msgspec.json.encode(deltas).decode())


def _start(folder: Folder) -> str:
    asked = f"$select=webLink,isDraft,receivedDateTime&$top={LISTED_AT_ONCE}"
    return f"{ME}/mailFolders/{quote(folder.id, safe='')}/messages/delta?{asked}"


def _days(scope: Scope) -> dict[str, str]:
    since = [f"receivedDateTime ge {scope.since}T00:00:00Z"] if scope.since else []
    until = [f"receivedDateTime lt {scope.until + timedelta(days=1)}T00:00:00Z"] if scope.until else []
    return {"$filter": " and ".join((*since, *until))} if since or until else {}


def _ref(folder: Folder, mail: Mail) -> str:
    return f"{folder.id}/{mail.id}"


def _connect(access: Access) -> Connector:
    if access.integration.owner_id is None:
        raise Forbidden("A mailbox belongs to a person. Remove this integration, and let its owner connect it.")
    return OutlookConnector(access.integration, access.source(), access.viewer, access.open_vault)


KIND = ConnectorKind(
    Kind(
        OUTLOOK,
        "Outlook",
        "mail",
        "Your mails and their attachments. Nobody but you will see them.",
        is_personal=True,
        proof=Proof.SCHEMA,
    ),
    _connect,
    consent=TERMS,
)
