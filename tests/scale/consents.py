"""Consents given through a cluster: each step may be served by another process."""

from tests.peers.emulate import CLIENT_ID, CLIENT_SECRET, Emulators, consent
from tests.scale.people import Person


def provider_environment(emulators: Emulators) -> dict[str, str]:
    """What a process needs to know of the emulated provider; it sends people back to `vault.test`."""
    return {
        "GITHUB_CLIENT_ID": CLIENT_ID,
        "GITHUB_CLIENT_SECRET": CLIENT_SECRET,
        "GITHUB_URL": emulators.github_url,
        "GITHUB_API_URL": emulators.github_url,
        "BASE_URL": "http://vault.test",
    }


async def callback_path(somebody: Person, account: str = "ana") -> str:
    """Begin a consent, allow at the provider, and return the path the browser is sent back to."""
    begun = await somebody.client.get("/connect/github", follow_redirects=False)
    assert begun.status_code == 303, begun.text
    address = await consent(begun.headers["Location"], account)
    return address.removeprefix("http://vault.test")
