"""Texts as Postgres takes them: no NUL, no lone surrogates, names within their limits."""

from domain.errors import Invalid

MAX_NAME_CHARACTERS = 200


def storable(text: str) -> str:
    """Return the text without what Postgres refuses; nothing a person can see is lost."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def named(name: str) -> str:
    """Return the name without surrounding white space. Raises: Invalid when it is empty or too long."""
    name = storable(name).strip()
    if not name:
        raise Invalid("A name is missing. Enter one.", {"name": "Enter a name."})
    if len(name) > MAX_NAME_CHARACTERS:
        message = f"Shorten the name to {MAX_NAME_CHARACTERS} characters."
        raise Invalid(f"The name is too long. {message}", {"name": message})
    return name
