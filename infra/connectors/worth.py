"""Which files of a store hold words, and who may read what a source without people of its own brings."""

from pathlib import PurePosixPath

from domain.integrations import Integration
from domain.kinds import FieldType, SourceField
from domain.people import EVERYONE, user_principal
from infra.connectors.github_files import BINARY

READERS = (
    ("everyone", "Everyone here"),
    ("owner", "Only the person who connects it"),
)


def holds_words(path: str) -> bool:
    """Whether a file is worth reading; stores are full of pictures and machines' files, each a failure otherwise."""
    parts = PurePosixPath(path)
    is_hidden = any(part.startswith(".") for part in parts.parts)
    return not is_hidden and parts.suffix.lower() not in BINARY and parts.name != ""


def readers_field(default: str = "everyone") -> SourceField:
    """Return the field that asks who may read what a source brings."""
    return SourceField("readers", "Who may read it", FieldType.CHOICE, default=default, options=READERS)


def chosen_readers(integration: Integration) -> tuple[str, ...]:
    """Return the principals of everything an integration brings."""
    settings = integration.settings
    if settings.get("readers") == "everyone" or settings.get("is_shared") == "yes":
        return (EVERYONE,)
    owner = str(integration.owner_id or settings.get("connected_by", ""))
    return (user_principal(int(owner)),) if owner.isdecimal() else ()
