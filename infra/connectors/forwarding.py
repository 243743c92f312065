"""Forwarded mail: each mail that came in at a vault's own address is a document, and so is each of its attachments.

External ids are the numbers under which mails are kept, an attachment's follows behind "#". They are kept here and not
at a source, so nothing of it is ever deleted elsewhere; it goes with the integration.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec

from domain.errors import NotFound
from domain.integrations import Connector, Entry, Gone, Integration, Item, Page, Unreadable
from domain.kinds import FieldType, Kind, SourceField
from domain.people import Viewer
from domain.received import FORWARDING, ReceivedMail
from domain.vault import OpenVault
from infra.connectors.attachments import MailAttachments
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.worth import chosen_readers, readers_field

PAGE_SIZE = 20
NEVER_CHANGES = "1"
MAIL_TYPE = "message/rfc822"


class ForwardingConnector:
    """Reads the mails of one address; the cursor is the last one read, and for whom."""

    is_snapshot = False

    def __init__(self, integration: Integration, viewer: Viewer, open_vault: OpenVault) -> None:
        self._integration = integration
        self._viewer = viewer
        self._open_vault = open_vault
        self._principals = chosen_readers(integration)

    async def pages(self, cursor: str) -> AsyncIterator[Page]:
        """Yield what came in since; all of it where others may read it now."""
        last, _, readers = cursor.partition(" ")
        read_for = ",".join(self._principals)
        start = int(last) if last and readers == read_for else 0
        while True:
            async with self._open_vault(self._viewer) as vault:
                mails = await vault.received.after(self._integration.id, start, PAGE_SIZE)
            if not mails:
                return
            start = mails[-1].id
            yield Page(tuple([entry for mail in mails for entry in await self._entries(mail)]), f"{start} {read_for}")

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these mails once more, with their attachments."""
        wanted = sorted({int(each.partition("#")[0]) for each in external_ids})
        async with self._open_vault(self._viewer) as vault:
            mails = await vault.received.get_many(self._integration.id, wanted)
        kept = {mail.id for mail in mails}
        yield Page(tuple(Gone(each) for each in external_ids if int(each.partition("#")[0]) not in kept), "")
        for mail in mails:
            yield Page(tuple(await self._entries(mail)), "")

    async def fetch(self, item: Item) -> bytes:
        """Return a mail as it came in, or the bytes of what is attached to it."""
        number, mark, attachment = item.external_id.partition("#")
        content = await self._content(int(number))
        return MailAttachments(content).read(f"#{attachment}") if mark else content

    async def _content(self, mail_id: int) -> bytes:
        async with self._open_vault(self._viewer) as vault:
            return await vault.received.content(mail_id)

    async def _entries(self, mail: ReceivedMail) -> list[Entry]:
        whole = Item(
            external_id=str(mail.id),
            name="Mail.eml",
            revision=NEVER_CHANGES,
            size_bytes=mail.size_bytes,
            media_type=MAIL_TYPE,
            author=mail.sender,
            modified_at=mail.received_at,
            principals=self._principals,
        )
        found: list[Entry] = [whole]
        try:
            content = await self._content(mail.id)
        except NotFound:
            return []
        for member in MailAttachments(content).members():
            external_id = f"{mail.id}{member.id}"
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


def _connect(access: Access) -> Connector:
    return ForwardingConnector(access.integration, access.viewer, access.open_vault)


async def _check(reach: Reach) -> str:  # noqa: ARG001 (nothing lies outside)
    return "Forwarded mail"


KIND = ConnectorKind(
    Kind(
        FORWARDING,
        "Forwarded mail",
        "mail",
        "An address of your vault's own: what members forward or copy to it is read here, with what is attached.",
        (
            SourceField(
                "domains",
                "Who else may send",
                FieldType.AREA,
                "Domains, such as company.com, one a line. Members may always send from addresses they proved.",
                is_required=False,
            ),
            readers_field(),
        ),
        n_readers=8,
    ),
    _connect,
    _check,
)
