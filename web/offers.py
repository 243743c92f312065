"""What a viewer may connect on this server, as the gallery of sources shows it."""

from collections.abc import Mapping

import msgspec

from domain.connecting import may_connect
from domain.credentials import Provider
from domain.kinds import Kind
from domain.people import Viewer
from domain.vault import Tools
from web.doors import WebSettings

FOLDER = "folder"


class Offer(msgspec.Struct, frozen=True):
    """A kind of source, and where connecting it begins."""

    kind: Kind
    href: str
    public_href: str = ""
    """Where access to public things alone begins, for providers that tell them apart."""
    choice_noun: str = ""
    must_choose: bool = False
    form_href: str = ""
    """Where it is connected by entering something instead of by consent."""


def offers(viewer: Viewer, tools: Tools, settings: WebSettings, providers: Mapping[str, Provider]) -> list[Offer]:
    """Return what somebody may connect, in the order of the registry; folders come last, with a form of their own."""
    found = []
    for kind in tools.kinds.known:
        if not may_connect(viewer, kind):
            continue
        if kind.name in providers:
            begin, provider = f"/connect/{kind.name}", providers[kind.name]
            public = f"{begin}?private=no" if provider.has_public_only else ""
            form = f"/kinds/{kind.name}/integrations/new" if kind.fields else ""
            found.append(Offer(kind, begin, public, provider.choice_noun, provider.must_choose, form))
        elif kind.fields:
            found.append(Offer(kind, f"/kinds/{kind.name}/integrations/new"))
    if settings.may_read_folders and viewer.is_admin:
        found.append(Offer(tools.kinds.described(FOLDER), "#folder"))
    return found
