"""Submitted forms: what was entered, and what was wrong with it, so that a form can be shown again as it was."""

from typing import Any

import msgspec
from litestar import Request

from domain.errors import Invalid

SECRET_FIELDS = ("password", "current_password", "csrf_token")


class Form(msgspec.Struct, frozen=True):
    """The text fields of a form, trimmed, and an error text per field."""

    values: dict[str, str] = msgspec.field(default_factory=dict)
    errors: dict[str, str] = msgspec.field(default_factory=dict)
    message: str = ""
    """What is wrong with the form as a whole."""

    def value(self, name: str, default: str = "") -> str:
        """Return what was entered in a field, without white space around it."""
        return self.values.get(name, default).strip()

    def secret(self, name: str) -> str:
        """Return a password as it was typed."""
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        """Return what is wrong with a field, or ""."""
        return self.errors.get(name, "")

    def refused(self, error: Invalid) -> "Form":
        """Return the form with its errors, to be shown again with status 422."""
        return msgspec.structs.replace(self, errors=error.fields, message=error.message)


EMPTY = Form()


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """Return the text fields of a submitted form; the first value counts, files are left to their handler."""
    submitted = await request.form()
    firsts = {name: submitted.getall(name)[0] for name in set(submitted.keys())}
    return Form(values={name: value for name, value in firsts.items() if isinstance(value, str)})
