"""Gmail: each mail of a mailbox is one document, and so is each of its attachments; only its owner sees them.

External ids are `THREAD/MESSAGE`, an attachment's follows behind "#". A mail's content never changes, so it is fetched
once, whole (RFC 5322, with its attachments), which makes one request for each new mail. What came, went or moved since
is read from Gmail's history; where that no longer reaches back, all ids are listed again and compared with the vault,
which is how the first sync works as well: whatever interrupts it, what is held is not fetched again.
"""

import base64
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

import msgspec

from domain.errors import Forbidden, Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page, Unreadable, readers_of
from domain.kinds import Kind
from domain.people import Viewer
from domain.scope import Scope, scope_of
from domain.vault import OpenVault
from infra.connectors.attachments import MailAttachments, mail_name
from infra.connectors.batches import batched
from infra.connectors.gmail_consent import GMAIL, TERMS
from infra.connectors.gmail_history import HIDDEN, History, Touched, labels_that_matter, touched_by
from infra.connectors.http import Source
from infra.connectors.kinds import Access, ConnectorKind
from infra.connectors.paging import Paging

ME = "/gmail/v1/users/me"
PAGE_SIZE = 20
"""Mails whose bytes are held at once, while they and their attachments are read."""
HELD_BYTES = 32 * 1024 * 1024
"""Mails beyond so many bytes are fetched a second time instead."""
LISTED_AT_ONCE = "500"
NEVER_CHANGES = "1"
"""The revision of a mail, and of what is attached to it."""
MAIL_TYPE = "message/rfc822"


class Ref(msgspec.Struct, frozen=True, rename="camel"):
    """A mail in a list."""

    id: str
    thread_id: str

    @property
    def external_id(self) -> str:
        """Threads come first, so that mails of one stand together."""
        return f"{self.thread_id}/{self.id}"


class Listing(msgspec.Struct, frozen=True, rename="camel"):
    """A page of a list of mails."""

    messages: tuple[Ref, ...] = ()
    next_page_token: str = ""


class Mail(msgspec.Struct, frozen=True, rename="camel"):
    """A mail: its labels, and where the format asks for it its bytes in base64url."""

    id: str
    thread_id: str
    history_id: str
    label_ids: tuple[str, ...] = ()
    internal_date: str = ""
    """When it came, in milliseconds."""
    raw: str | None = None

    @property
    def came_at(self) -> datetime | None:
        """When it came, as far as Gmail says."""
        return datetime.fromtimestamp(int(self.internal_date) / 1000, UTC) if self.internal_date.isdecimal() else None


class Profile(msgspec.Struct, frozen=True, rename="camel"):
    """A mailbox as a whole."""

    history_id: str


class GmailConnector:
    """Reads one mailbox; the cursor is the id of the history up to which it has been read."""

    is_snapshot = False

    def __init__(self, integration: Integration, source: Source, viewer: Viewer, open_vault: OpenVault) -> None:
        self._integration = integration
        self._source = source
        self._viewer = viewer
        self._open_vault = open_vault
        self._chosen = tuple(integration.settings.get("chosen", "").split())
        self._scope = scope_of(integration.settings)
        self._held: dict[str, bytes] = {}

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what has changed; everything once more when other labels are chosen, or history is too old.

        Raises: Forbidden when our access has ended, Unavailable.
        """
        known, _, labels = cursor.partition(" ")
        if known and labels == ",".join(self._chosen):
            try:
                async for page in self._since(known):
                    yield page
                return
            except NotFound:
                pass
        async for page in self._everything():
            yield page

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these mails once more, with their attachments."""
        refs = {each.partition("#")[0] for each in external_ids}
        for batch in batched(sorted(refs), PAGE_SIZE):
            self._held.clear()
            entries = [entry for ref in batch for entry in await self._mail(ref)]
            found = {entry.external_id for entry in entries}
            gone = [Gone(each) for each in external_ids if each.partition("#")[0] in batch and each not in found]
            yield Page((*entries, *gone), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a mail as it was sent, or the bytes of what is attached to it."""
        ref, mark, attachment = item.external_id.partition("#")
        content = self._held.get(ref) or (await self._raw(ref.partition("/")[2]))[1]
        return MailAttachments(content).read(f"#{attachment}") if mark else content

    async def totals(self, scope: Scope) -> AsyncIterator[int]:
        """See `domain.surveys.TellsTotals`: ids are listed by the hundred, each mail once, whatever labels it has."""
        self._scope = scope
        async for _ in self._refs():
            yield 1

    async def _everything(self) -> AsyncIterator[Page]:
        """List all ids, drop what is not among them, and fetch what is not held."""
        cursor = f"{await self._newest_history()} {','.join(self._chosen)}"
        refs = [ref async for ref in self._refs()]
        listed = {ref.external_id for ref in refs}
        async with self._open_vault(self._viewer) as vault:
            held = await vault.documents.listed(self._integration.id, "")
        if gone := [Gone(each) for each in held if each.partition("#")[0] not in listed]:
            yield Page(tuple(gone), "", len(listed))
        there = {each.partition("#")[0] for each in held}
        unchanged = [self._item(each) for each in held if each in listed]
        total = len(listed - there) + len(unchanged)
        for part in batched(unchanged, 500):
            yield Page(part, "", total)
        n_extra = 0
        for batch in batched((each for each in refs if each.external_id not in there), PAGE_SIZE):
            entries = await self._mails(ref.external_id for ref in batch)
            n_extra += max(0, len(entries) - len(batch))
            yield Page(tuple(entries), "", total + n_extra)
        yield Page((), cursor if cursor.strip() else "", total + n_extra)

    async def _since(self, history_id: str) -> AsyncIterator[Page]:
        """Raises: NotFound when history does not reach back so far."""
        params = {"startHistoryId": history_id, "maxResults": LISTED_AT_ONCE}
        matter, last = labels_that_matter(self._chosen), history_id
        paging = Paging("Gmail")
        while True:
            answer = await self._source.get(f"{ME}/history", params)
            history = msgspec.json.decode(answer.content, type=History)
            last = history.history_id or last
            touched = touched_by(history, matter)
            for batch in batched(touched, PAGE_SIZE):
                yield Page(tuple(await self._changes(batch)), f"{history_id} {','.join(self._chosen)}")
            token = history.next_page_token
            if not token:
                break
            params["pageToken"] = paging.turn(token, len(history.history))
        yield Page((), f"{last} {','.join(self._chosen)}")

    async def _changes(self, batch: Sequence[Touched]) -> list[Entry]:
        async with self._open_vault(self._viewer) as vault:
            held = {
                each.external_id: await vault.documents.listed(self._integration.id, each.external_id) for each in batch
            }
        came = [each.external_id for each in batch if not each.is_gone and not held[each.external_id]]
        judged = [
            each.external_id for each in batch if each.is_relabelled and not each.is_gone and held[each.external_id]
        ]
        gone = [each.external_id for each in batch if each.is_gone]
        gone += [each for each in judged if not await self._is_still_wanted(each)]
        return [*await self._mails(came), *(Gone(each) for ref in gone for each in held[ref])]

    async def _is_still_wanted(self, ref: str) -> bool:
        """Whether a mail that is held, and whose labels changed, is still one of those that are read."""
        try:
            answer = await self._source.get(f"{ME}/messages/{ref.partition('/')[2]}", {"format": "minimal"})
        except NotFound:
            return False
        return self._is_wanted(msgspec.json.decode(answer.content, type=Mail).label_ids)

    def _is_wanted(self, labels: Sequence[str]) -> bool:
        is_chosen = not self._chosen or not set(self._chosen).isdisjoint(labels)
        return is_chosen and HIDDEN.isdisjoint(labels)

    async def _refs(self) -> AsyncIterator[Ref]:
        """Yield every mail that is read, each once. Raises: Unavailable when the list goes in a circle."""
        met: set[str] = set()
        for label in self._chosen or ("",):
            params = {"maxResults": LISTED_AT_ONCE, **({"labelIds": label} if label else {}), **_days(self._scope)}
            paging = Paging("Gmail")
            while True:
                listing = await self._listing(params)
                for ref in listing.messages:
                    if ref.id not in met:
                        met.add(ref.id)
                        yield ref
                if not listing.next_page_token:
                    break
                params["pageToken"] = paging.turn(listing.next_page_token, len(listing.messages))

    async def _listing(self, params: dict[str, str]) -> Listing:
        answer = await self._source.get(f"{ME}/messages", params)
        return msgspec.json.decode(answer.content, type=Listing)

    async def _newest_history(self) -> str:
        """Return a place in history from which nothing that follows is missed; "" for an empty mailbox."""
        try:
            profile = await self._source.get(f"{ME}/profile")
            return msgspec.json.decode(profile.content, type=Profile).history_id
        except NotFound:
            pass
        newest = (await self._listing({"maxResults": "1", "includeSpamTrash": "true"})).messages
        if not newest:
            return ""
        answer = await self._source.get(f"{ME}/messages/{newest[0].id}", {"format": "minimal"})
        return msgspec.json.decode(answer.content, type=Mail).history_id

    async def _mails(self, refs: Iterable[str]) -> list[Entry]:
        self._held.clear()
        return [entry for ref in refs for entry in await self._mail(ref)]

    async def _mail(self, ref: str) -> list[Entry]:
        """Fetch one mail; return it with what is attached, or nothing when it is hidden or gone by now."""
        try:
            mail, content = await self._raw(ref.partition("/")[2])
        except NotFound:
            return []
        except Invalid as error:
            return [Unreadable(ref, "Mail", error.message)]
        if not self._is_wanted(mail.label_ids):
            return []
        if sum(map(len, self._held.values())) < HELD_BYTES:
            self._held[ref] = content
        whole = self._item(ref, len(content))
        whole = msgspec.structs.replace(whole, name=mail_name(content), created_at=mail.came_at)
        found: list[Entry] = [whole]
        for member in MailAttachments(content).members():
            external_id = f"{ref}{member.id}"
            if member.reason:
                found.append(Unreadable(external_id, member.name, member.reason))
            else:
                found.append(
                    msgspec.structs.replace(
                        whole,
                        external_id=external_id,
                        size_bytes=member.size_bytes,
                        name=member.name,
                        media_type=member.media_type,
                    )
                )
        return found

    async def _raw(self, message_id: str) -> tuple[Mail, bytes]:
        answer = await self._source.get(f"{ME}/messages/{message_id}", {"format": "raw"})
        mail = msgspec.json.decode(answer.content, type=Mail)
        if mail.raw is None:
            raise Invalid("Gmail did not give the text of this mail. Try again later.")
        return mail, base64.urlsafe_b64decode(mail.raw + "=" * (-len(mail.raw) % 4))

    def _item(self, external_id: str, size_bytes: int | None = None) -> Item:
        thread = external_id.partition("/")[0]
        account = quote(self._integration.settings.get("account", ""))
        return Item(
            external_id=external_id,
            name="Mail.eml",
            revision=NEVER_CHANGES,
            size_bytes=size_bytes,
            media_type=MAIL_TYPE,
            url=f"https://mail.google.com/mail/u/?authuser={account}#all/{thread}",
            principals=readers_of(self._integration),
        )


def _days(scope: Scope) -> dict[str, str]:
    """Return the days of a scope as Gmail searches for them: in seconds since 1970, which no time zone moves."""
    since = [f"after:{_seconds(scope.since) - 1}"] if scope.since else []
    until = [f"before:{_seconds(scope.until + timedelta(days=1))}"] if scope.until else []
    return {"q": " ".join((*since, *until))} if since or until else {}


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _connect(access: Access) -> Connector:
    if access.integration.owner_id is None:
        raise Forbidden("A mailbox belongs to a person. Remove this integration, and let its owner connect it.")
    return GmailConnector(access.integration, access.source(), access.viewer, access.open_vault)


KIND = ConnectorKind(
    Kind(GMAIL, "Gmail", "mail", "Your mails and their attachments. Nobody but you will see them.", is_personal=True),
    _connect,
    consent=TERMS,
)
