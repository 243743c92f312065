"""What lies in a Confluence: pages, comments and attachments, as one search lists them, and who may read each."""

from datetime import datetime

import msgspec

from domain.errors import Forbidden, Invalid, NotFound
from infra.connectors.atlassian import Atlassian, Named

EXPAND = (
    "version,ancestors,container,history,extensions,"
    "restrictions.read.restrictions.user,restrictions.read.restrictions.group"
)
AT_ONCE = 200
MAX_MEMBERS = 10_000
Allowed = frozenset[str]


class Version(msgspec.Struct, frozen=True):
    """A state of something."""

    number: int = 0
    when: datetime | None = None
    by: Named | None = None


class History(msgspec.Struct, frozen=True, rename="camel"):
    """Where something comes from."""

    created_date: datetime | None = None
    created_by: Named | None = None


class Ref(msgspec.Struct, frozen=True):
    """Something else, by its id."""

    id: str = ""


class Extensions(msgspec.Struct, frozen=True, rename="camel"):
    """What is said of a file."""

    media_type: str = ""
    file_size: int | None = None


class Grantee(msgspec.Struct, frozen=True):
    """A person or group that may read."""

    id: str = ""
    name: str = ""
    email: str = ""


class Grantees(msgspec.Struct, frozen=True):
    """A list of these."""

    results: tuple[Grantee, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """Who alone may read something; nobody named means no restriction, no list that nothing was said of it."""

    user: Grantees | None = None
    group: Grantees | None = None


class Operation(msgspec.Struct, frozen=True):
    """What is restricted of one operation."""

    restrictions: Reading | None = None


class Restrictions(msgspec.Struct, frozen=True):
    """What is restricted."""

    read: Operation | None = None


class Markup(msgspec.Struct, frozen=True):
    """A text in HTML."""

    value: str = ""


class Body(msgspec.Struct, frozen=True):
    """The text of something."""

    export_view: Markup = Markup()


class Links(msgspec.Struct, frozen=True):
    """Where something stands."""

    webui: str = ""
    download: str = ""
    next: str = ""


class Content(msgspec.Struct, frozen=True):
    """A page, a blog post, a comment or an attachment."""

    id: str
    type: str = ""
    title: str = ""
    version: Version = Version()
    history: History = History()
    ancestors: tuple[Ref, ...] = ()
    container: Ref | None = None
    extensions: Extensions = Extensions()
    restrictions: Restrictions | None = None
    body: Body = Body()
    links: Links = msgspec.field(default=Links(), name="_links")


class Found(msgspec.Struct, frozen=True):
    """A page of a list."""

    results: tuple[Content, ...] = ()
    links: Links = msgspec.field(default=Links(), name="_links")


class People(msgspec.Struct, frozen=True):
    """A page of a group's members."""

    results: tuple[Grantee, ...] = ()


class Restricted:
    """Who may read what, in one run: a page is open to those whom it and all pages above it let in."""

    def __init__(self, api: Atlassian) -> None:
        self._api = api
        self._own: dict[str, Allowed | None] = {}
        self._members: dict[str, Allowed] = {}

    async def learn(self, content: Content) -> None:
        """Take what the list says of one page; where it is silent, the page is asked about by itself."""
        read = content.restrictions.read if content.restrictions else None
        if read and read.restrictions and read.restrictions.user and read.restrictions.group:
            self._own[content.id] = await self._allowed(read.restrictions)

    async def allowed(self, page: Content) -> Allowed | None:
        """Return the addresses a page is open to; None when it is not restricted."""
        found: Allowed | None = None
        for each in (page.id, *(ref.id for ref in page.ancestors)):
            if each not in self._own:
                self._own[each] = await self._asked(each)
            own = self._own[each]
            if own is not None:
                found = own if found is None else found & own
        return found

    async def _asked(self, content_id: str) -> Allowed | None:
        """For what the list does not name, such as folders; what cannot be learned lets nobody in."""
        path = f"/rest/api/content/{content_id}/restriction/byOperation/read"
        try:
            said = await self._api.ask(path, Operation, {"expand": "restrictions.user,restrictions.group"})
        except (NotFound, Invalid, Forbidden):
            return frozenset()
        return await self._allowed(said.restrictions)

    async def _allowed(self, reading: Reading | None) -> Allowed | None:
        if reading is None or reading.user is None or reading.group is None:
            return frozenset()
        if not reading.user.results and not reading.group.results:
            return None
        found = {each.email.lower() for each in reading.user.results if each.email}
        for group in reading.group.results:
            found |= await self._group(group)
        return frozenset(found)

    async def _group(self, group: Grantee) -> Allowed:
        key = group.id or group.name
        if key not in self._members:
            self._members[key] = await self._members_of(group)
        return self._members[key]

    async def _members_of(self, group: Grantee) -> Allowed:
        """Return the addresses of a group's members; none where this account may not list them."""
        by_id = self._api.is_cloud and group.id
        path = f"/rest/api/group/{group.id}/membersByGroupId" if by_id else f"/rest/api/group/{group.name}/member"
        found = set[str]()
        for start in range(0, MAX_MEMBERS, AT_ONCE):
            try:
                said = await self._api.ask(path, People, {"limit": str(AT_ONCE), "start": str(start)})
            except (NotFound, Invalid, Forbidden):
                break
            found |= {each.email.lower() for each in said.results if each.email}
            if len(said.results) < AT_ONCE:
                break
        return frozenset(found)
