"""What can go wrong, in the product's words.

    VaultError
    ├── NotFound      it does not exist, or this viewer may not know that it does
    ├── Forbidden     it exists, the viewer may see it, but may not do this
    ├── Conflict      it clashes with how things stand now
    ├── Invalid       what was entered cannot be used; carries a message for each field
    ├── Throttled     it was done too often; says when it may be done again
    └── Unavailable   something outside does not answer; trying again later makes sense

Every message is for the person who reads it: what happened, and what to do next.
"""

from collections.abc import Mapping


class VaultError(Exception):
    """The root of every error the product raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(VaultError):
    """The thing asked for does not exist for this viewer."""


class Forbidden(VaultError):
    """This viewer may not do this."""


class Conflict(VaultError):
    """The change clashes with how things stand now."""


class Invalid(VaultError):
    """What was entered cannot be used; `fields` says why, by field name."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, str] = dict(fields or {})


class Throttled(VaultError):
    """This was done too often; after `wait_s` it may be done again."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Unavailable(VaultError):
    """A part that lies outside (a model, a source, a server) does not answer."""
