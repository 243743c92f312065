"""How this deployment is registered at providers of consent: a client id and secret each, and where each answers."""

from collections.abc import Mapping

import msgspec

CLIENT_ID = "{client_id}"
"""Stands in an address for the client id, which a tenant may have of its own."""


class WrongSetting(Exception):
    """A setting is missing or cannot be used; its text is one line that names it."""


class Registration(msgspec.Struct, frozen=True):
    """What a provider's settings are called, and where it answers unless they say otherwise.

    In addresses, `{url}` and `{api_url}` stand for those two, `{client_id}` for the client id.
    """

    app: str
    """Where people register at the provider, and how its settings begin: `google` for GOOGLE_CLIENT_ID."""
    title: str
    url: str
    api_url: str
    authorize_url: str
    token_url: str
    revoke_url: str
    account_url: str = ""
    """Tells whose account it is, where the API itself does not."""
    git_url: str = ""
    """Where it serves what only git gives."""
    api: str = ""
    """How the setting of the API's address begins where one provider has several: `gmail` for GMAIL_API_URL."""
    api_schemes: tuple[str, ...] = ("http://", "https://")
    """How the API's address may begin."""


class ProviderSettings(msgspec.Struct, frozen=True):
    """How this deployment is registered at a provider, and where that provider answers."""

    client_id: str
    """"" means: not offered."""
    client_secret: str
    url: str
    api_url: str
    authorize_url: str
    token_url: str
    revoke_url: str
    account_url: str = ""
    git_url: str = ""


def read_registration(environment: Mapping[str, str], registration: Registration) -> ProviderSettings:
    """Return a provider's settings. Raises: WrongSetting, for the first that is wrong."""
    app = registration.app.upper()
    client_id, client_secret = _client(environment, app)
    url = _at(environment, f"{app}_URL", registration.url)
    api = (registration.api or registration.app).upper()
    default = registration.api_url.replace("{url}", url)
    api_url = _at(environment, f"{api}_API_URL", default, registration.api_schemes)

    def address(noun: str, default: str) -> str:
        return _at(environment, f"{app}_{noun}_URL", default.replace("{url}", url).replace("{api_url}", api_url))

    return ProviderSettings(
        client_id=client_id,
        client_secret=client_secret,
        url=url,
        api_url=api_url,
        authorize_url=address("AUTHORIZE", registration.authorize_url),
        token_url=address("TOKEN", registration.token_url),
        revoke_url=address("REVOKE", registration.revoke_url),
        account_url=address("ACCOUNT", registration.account_url),
        git_url=address("GIT", registration.git_url),
    )


def read_url(environment: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    """Return an address, or "". Raises: WrongSetting when it is none."""
    value = environment.get(name, "").strip()
    if value and not value.startswith(schemes):
        raise WrongSetting(f"{name} must begin with one of {', '.join(schemes)}")
    return value


def _client(environment: Mapping[str, str], app: str) -> tuple[str, str]:
    client_id = environment.get(f"{app}_CLIENT_ID", "").strip()
    client_secret = environment.get(f"{app}_CLIENT_SECRET", "").strip()
    if client_id and not client_secret:
        raise WrongSetting(f"{app}_CLIENT_SECRET is missing: it belongs to {app}_CLIENT_ID")
    return client_id, client_secret


def _at(
    environment: Mapping[str, str], name: str, default: str, schemes: tuple[str, ...] = ("http://", "https://")
) -> str:
    return read_url(environment, name, schemes).rstrip("/") or default
