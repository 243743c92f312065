"""The places of the product, in the order of the navigation, with the key that follows "g"."""

import msgspec


class Place(msgspec.Struct, frozen=True):
    """One entry of the navigation."""

    name: str
    path: str
    icon: str
    key: str


PLACES = (
    Place("Home", "/", "home", "h"),
    Place("Ask", "/conversations", "ask", "a"),
    Place("Search", "/search", "search", "s"),
    Place("Documents", "/documents", "documents", "d"),
    Place("Knowledge", "/knowledge", "graph", "k"),
    Place("Gaps", "/gaps", "note", "n"),
    Place("Integrations", "/integrations", "integrations", "i"),
    Place("People", "/members", "people", "p"),
    Place("Settings", "/settings", "settings", "e"),
)


def is_here(place: Place, path: str) -> bool:
    """Whether a page belongs to a place: its own path, or one below it."""
    if place.path == "/knowledge" and path.startswith(("/entities", "/graph")):
        return True
    if place.path == "/gaps" and path.startswith("/contradictions"):
        return True
    return path == place.path if place.path == "/" else (path + "/").startswith(place.path + "/")
