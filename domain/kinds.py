"""Kinds of sources: how each is called and shown, and what a person enters to connect one that asks for no consent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import msgspec

from domain.errors import Invalid, NotFound

MAX_FIELD_CHARACTERS = 4_000
LOOK = "Please look at the marked fields."


class FieldType(StrEnum):
    """How a field of a source's form is entered; SECRET ones are sealed, and never shown again."""

    TEXT = "text"
    URL = "url"
    EMAIL = "email"
    NUMBER = "number"
    AREA = "area"
    CHOICE = "choice"
    CHECK = "check"
    SECRET = "password"  # noqa: S105 (the name of a type of field)


class Proof(StrEnum):
    """What a connector was tried out against."""

    PEER = "peer"
    """A server that others wrote, or the source's own."""
    SCHEMA = "schema"
    """Answers that the provider recorded, or whose shape it published."""
    NONE = "none"
    """A stand-in of our own, from the provider's reference alone."""

    @property
    def label(self) -> str:
        """How people read it beside a kind; "" where there is nothing to heed."""
        return {Proof.PEER: "", Proof.SCHEMA: "Tried on a stand-in", Proof.NONE: "Unproven"}[self]

    @property
    def warning(self) -> str:
        """What to heed before relying on it; "" where there is nothing."""
        return {
            Proof.PEER: "",
            Proof.SCHEMA: "Tried on a stand-in: this kind of source was tested against recorded answers of the real "
            "thing, or answers held to the shape its maker publishes, and not against the thing itself. Look at what "
            "arrives.",
            Proof.NONE: "Unproven: this kind of source was never tested against the real thing. Look at what arrives "
            "before you rely on it.",
        }[self]


WRONG = MappingProxyType(
    {
        FieldType.URL: "Enter the whole address, beginning with https://.",
        FieldType.EMAIL: "Enter a whole e-mail address, such as ana@company.com.",
        FieldType.NUMBER: "Enter a whole number.",
        FieldType.CHOICE: "Choose one of the list.",
    }
)


class SourceField(msgspec.Struct, frozen=True):
    """One field of a source's form; its name is the name of the setting, or of the secret, it gives.

    No field is called `name`: that is what the integration is called.
    """

    name: str
    label: str
    type: FieldType = FieldType.TEXT
    hint: str = ""
    is_required: bool = True
    default: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """Values of a CHOICE, each with its words."""

    @property
    def is_secret(self) -> bool:
        """Whether what is entered is sealed instead of kept with the settings."""
        return self.type is FieldType.SECRET


class Kind(msgspec.Struct, frozen=True):
    """One kind of source, as people see it."""

    name: str
    """As it stands in addresses and in the database: `imap`."""
    title: str
    """As people call it: Mailbox (IMAP)."""
    icon: str = "link"
    lead: str = ""
    """What is read there, and who will see it, before it is connected."""
    fields: tuple[SourceField, ...] = ()
    """What is entered to connect it; none where a consent or a page of its own connects it."""
    is_personal: bool = False
    """Whether it belongs to whoever connects it, as a mailbox does, so that members may connect theirs."""
    proof: Proof = Proof.PEER
    """How far its connector was tried out; pages say where that is less than all."""
    n_readers: int = 1
    """How many workers may read one account at the same time, each one item after the other; 1: it is kept whole.

    Kept whole is what is fetched from what was listed (a crawl, a channel), and a source that is easily asked too much.
    """
    is_countable: bool = True
    """Whether what it holds can be counted before it is read."""
    entered_as: str = ""
    """The kind by whose form the same source can be read without a consent, where that is not its own."""
    must_choose: str = ""
    """What has to be chosen before anything is read (repositories); "" where everything is read otherwise."""
    has_paths: bool = False
    """Whether its items' ids are paths, so that folders can be chosen by them."""


class Entered(msgspec.Struct, frozen=True):
    """What a person entered, sorted into what is kept open and what is sealed."""

    settings: dict[str, str]
    secrets: dict[str, str]


Check = Callable[[str, Entered], Awaitable[str]]
"""Tries a kind with what was entered; returns how the integration is called unless a person names it.

Raises: Invalid (with the fields at fault), Forbidden, Unavailable.
"""


async def check_nothing(kind: str, entered: Entered) -> str:  # noqa: ARG001 (it stands in for a Check)
    """Accept everything."""
    return ""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds this deployment knows, and how one is tried before it is saved."""

    known: tuple[Kind, ...] = ()
    check: Check = check_nothing

    @property
    def with_forms(self) -> tuple[Kind, ...]:
        """Those that are connected by entering something."""
        return tuple(kind for kind in self.known if kind.fields)

    def with_form(self, name: str) -> Kind:
        """Return a kind that is connected by entering something. Raises: NotFound."""
        if found := next((kind for kind in self.with_forms if kind.name == name), None):
            return found
        raise NotFound("There is no such kind of source here. Choose one from the list of what can be connected.")

    def described(self, name: str) -> Kind:
        """Return a kind, known or not: an integration of a kind that was taken out again still has its page."""
        return next((kind for kind in self.known if kind.name == name), Kind(name, name))


def read_entered(kind: Kind, values: Mapping[str, str], held: Entered | None = None) -> Entered:
    """Return what was entered for a kind; secrets that are left empty stay as they are `held`.

    Raises: Invalid, with a message for each field at fault.
    """
    settings, secrets = dict(held.settings) if held else {}, dict(held.secrets) if held else {}
    errors: dict[str, str] = {}
    for field in kind.fields:
        value = values.get(field.name, "").replace("\0", "")
        value = value if field.is_secret else value.strip()
        if field.is_secret and not value:
            value = secrets.get(field.name, "")
        if problem := _problem(field, value):
            errors[field.name] = problem
        (secrets if field.is_secret else settings)[field.name] = value
    if errors:
        raise Invalid(LOOK, errors)
    return Entered(settings, secrets)


def _problem(field: SourceField, value: str) -> str:
    if not value:
        return f"Enter: {field.label}." if field.is_required and field.type is not FieldType.CHECK else ""
    if len(value) > MAX_FIELD_CHARACTERS:
        return f"This is longer than {MAX_FIELD_CHARACTERS:,} characters. Shorten it."
    return "" if _is_usable(field, value) else WRONG[field.type]


def _is_usable(field: SourceField, value: str) -> bool:
    match field.type:
        case FieldType.URL:
            return value.startswith(("https://", "http://"))
        case FieldType.EMAIL:
            return all(value.partition("@"))
        case FieldType.NUMBER:
            return value.isascii() and value.isdecimal()
        case FieldType.CHOICE:
            return value in {option for option, _ in field.options}
        case _:
            return True
