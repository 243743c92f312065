"""Buckets of S3-compatible stores: each object with words in it is a document; external ids are the keys.

A bucket is listed whole each time, a thousand objects a request, and only those with a new ETag are fetched.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import msgspec

from domain.errors import Forbidden, Invalid, NotFound
from domain.integrations import Connector, Entry, Gone, Item, Page, Unreadable
from domain.kinds import FieldType, Kind, SourceField
from domain.uploads import MAX_FILE_BYTES
from infra.connectors.kinds import Access, ConnectorKind, Reach
from infra.connectors.members import MAX_EXTERNAL_ID, fitted
from infra.connectors.paging import Paging
from infra.connectors.s3_signature import S3Signature
from infra.connectors.site import MAX_LISTING_BYTES, Answer, Site, too_large
from infra.connectors.worth import chosen_readers, holds_words, readers_field
from infra.parsers.detection import media_type_of

if TYPE_CHECKING:
    from lxml import etree

PAGE_KEYS = 1000
KEPT = "-_.~"
"""What is not encoded (RFC 3986), with the slash in paths."""
AMAZON = "https://s3.{region}.amazonaws.com"
REFUSED = (
    "The store does not accept this key for this bucket. The key needs the rights to list the bucket and to read its "
    "objects; enter another one on the integration's page."
)
NO_BUCKET = "There is no bucket of this name. Correct it on the integration's page."


class Listed(msgspec.Struct, frozen=True):
    """An object as the bucket lists it."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime | None


class S3Connector:
    """Reads one bucket, or what begins with a prefix in it."""

    is_snapshot = True

    def __init__(self, reach: Reach, principals: tuple[str, ...]) -> None:
        self._reach = reach
        self._principals = principals
        region = reach.settings.get("region") or "us-east-1"
        endpoint = reach.settings.get("endpoint") or AMAZON.format(region=region)
        self._region = region
        self._bucket = f"{endpoint.rstrip('/')}/{quote(reach.settings['bucket'], safe=KEPT)}"
        self._prefix = reach.settings.get("prefix", "").lstrip("/")
        self._site: Site | None = None
        self._keys: dict[str, str] = {}
        """Of the last page, by external id, where the two differ."""

    async def pages(self, cursor: str) -> AsyncIterator[Page]:  # noqa: ARG002 - a snapshot begins anew each time
        """Yield the objects, in order of their keys."""
        async for listed in self._listed(PAGE_KEYS, self._prefix):
            self._keys = {fitted(each.key): each.key for each in listed if len(each.key) > MAX_EXTERNAL_ID}
            yield Page(tuple(entry for each in listed if (entry := self._entry(each))), cursor="")

    async def again(self, external_ids: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these once more."""
        yield Page(tuple([await self._again(each) for each in external_ids]), cursor="")

    async def fetch(self, item: Item) -> bytes:
        """Return an object's content. Raises: NotFound, Invalid, Unavailable."""
        key = self._keys.get(item.external_id, item.external_id)
        return (await self._ask(f"{self._bucket}/{quote(key, safe=KEPT + '/')}", MAX_FILE_BYTES)).content

    async def check(self) -> str:
        """Read one key, and return what the bucket is called. Raises: Forbidden, Invalid, Unavailable."""
        async for _ in self._listed(1, self._prefix):
            break
        return self._reach.settings["bucket"]

    async def _listed(self, n_keys: int, prefix: str) -> AsyncIterator[list[Listed]]:
        token, paging = "", Paging("The bucket")
        while True:
            asked = {"list-type": "2", "max-keys": str(n_keys), "prefix": prefix}
            asked |= {"continuation-token": token} if token else {}
            query = urlencode(sorted(asked.items()), quote_via=quote, safe=KEPT)
            try:
                answer = await self._ask(f"{self._bucket}?{query}")
            except NotFound as error:
                raise Invalid(NO_BUCKET, {"bucket": "There is no bucket of this name."}) from error
            except Invalid as error:
                raise Forbidden(REFUSED if "status 403" in error.message else error.message) from error
            listed, token = _read(answer.content)
            yield listed
            if not token:
                return
            paging.turn(token, len(listed))

    async def _again(self, external_id: str) -> Entry:
        async for listed in self._listed(1, external_id):
            found = next((each for each in listed if each.key == external_id), None)
            return (self._entry(found) if found else None) or Gone(external_id)
        return Gone(external_id)

    def _entry(self, listed: Listed) -> Entry | None:
        """An object as the integration lists it; None for what holds no words."""
        if listed.key.endswith("/") or not listed.size_bytes or not holds_words(listed.key):
            return None
        external_id, name = fitted(listed.key), PurePosixPath(listed.key).name
        if listed.size_bytes > MAX_FILE_BYTES:
            return Unreadable(external_id, name, too_large(listed.size_bytes))
        return Item(
            external_id=external_id,
            name=name,
            revision=listed.etag,
            size_bytes=listed.size_bytes,
            media_type=media_type_of(name),
            modified_at=listed.modified_at,
            principals=self._principals,
        )

    async def _ask(self, url: str, max_bytes: int = MAX_LISTING_BYTES) -> Answer:
        if self._site is None:
            secrets, settings = await self._reach.secrets(), self._reach.settings
            signature = S3Signature(settings["key"], secrets["secret"], self._region, self._reach.now)
            self._site = Site(self._reach.way_out.client, "The store", REFUSED, signature, self._reach.n_tries)
        return await self._site.ask("GET", url, max_bytes=max_bytes)


def _read(content: bytes) -> tuple[list[Listed], str]:
    """What a page lists, and the token of the next. Raises: Invalid for what is no listing."""
    from lxml import etree  # noqa: PLC0415  # megabytes that only who uses them pays for

    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, recover=False))
    except etree.XMLSyntaxError as error:
        raise Invalid(
            "No S3-compatible store answers at this address. Correct it on the integration's page.",
            {"endpoint": "No S3-compatible store answers here."},
        ) from error
    listed = [
        Listed(
            key=_text(node, "Key"),
            etag=_text(node, "ETag").strip('"'),
            size_bytes=int(_text(node, "Size") or 0),
            modified_at=_moment(_text(node, "LastModified")),
        )
        for node in root.findall("{*}Contents")
    ]
    is_cut = _text(root, "IsTruncated") == "true"
    return listed, _text(root, "NextContinuationToken") if is_cut else ""


def _text(node: "etree._Element", name: str) -> str:
    return node.findtext(f"{{*}}{name}") or ""


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _connect(access: Access) -> Connector:
    return S3Connector(access.reach, chosen_readers(access.integration))


async def _check(reach: Reach) -> str:
    return await S3Connector(reach, ()).check()


KIND = ConnectorKind(
    Kind(
        "s3",
        "Bucket (S3)",
        "folder",
        "Reads the files with words in them from a bucket of Amazon S3, or of a store that speaks its language. A key "
        "that may list and read is enough.",
        (
            SourceField("bucket", "Bucket"),
            SourceField("prefix", "Beginning of the keys", hint="Only what begins so is read.", is_required=False),
            SourceField(
                "endpoint",
                "Address of the store",
                FieldType.URL,
                "Leave it empty for Amazon S3.",
                is_required=False,
            ),
            SourceField("region", "Region", default="us-east-1"),
            SourceField("key", "Access key"),
            SourceField("secret", "Secret key", FieldType.SECRET),
            readers_field(),
        ),
        has_paths=True,
    ),
    _connect,
    _check,
)
