"""The peers of the contract: sources that others emulate, as their people change them."""

import base64
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count

import httpx

from tests.peers.emulate import CLIENT_ID, CLIENT_SECRET, Emulators

MOMENTS = (datetime(2026, 5, 1, 8, 0, tzinfo=UTC) + timedelta(minutes=number) for number in count())
"""When mails are sent: each after the one before."""


def google_environment(emulators: Emulators, drive_url: str = "") -> dict[str, str]:
    """The settings under which Google is the emulator, and Drive its mock."""
    url = emulators.google_url
    return {
        "BASE_URL": "http://vault.test",
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "GOOGLE_URL": url,
        "GOOGLE_TOKEN_URL": f"{url}/oauth2/token",
        "GOOGLE_REVOKE_URL": f"{url}/oauth2/revoke",
        "GOOGLE_ACCOUNT_URL": f"{url}/oauth2/v2/userinfo",
        "GMAIL_API_URL": url,
        "DRIVE_API_URL": drive_url or url,
    }


def github_environment(emulators: Emulators) -> dict[str, str]:
    """The settings under which GitHub is the emulator."""
    return {
        "GITHUB_CLIENT_ID": CLIENT_ID,
        "GITHUB_CLIENT_SECRET": CLIENT_SECRET,
        "GITHUB_URL": emulators.github_url,
        "GITHUB_API_URL": emulators.github_url,
    }


def slack_environment(emulators: Emulators) -> dict[str, str]:
    """The settings under which Slack is the emulator."""
    return {
        "BASE_URL": "http://vault.test",
        "SLACK_CLIENT_ID": CLIENT_ID,
        "SLACK_CLIENT_SECRET": CLIENT_SECRET,
        "SLACK_URL": emulators.slack_url,
    }


@dataclass
class Mailbox:
    """A mailbox at Gmail; mails cannot be edited, so another takes the place."""

    api: httpx.AsyncClient
    expected: dict[str, str] = field(default_factory=dict)
    constant: int = 6

    async def empty(self) -> None:
        """Delete everything, for the mailbox is the same in all tests."""
        listed = (await self.api.get("/gmail/v1/users/me/messages?maxResults=500&includeSpamTrash=true")).json()
        for each in listed.get("messages", []):
            assert (await self.api.delete(f"/gmail/v1/users/me/messages/{each['id']}")).is_success

    async def send(self, mail: EmailMessage, labels: tuple[str, ...] = ("INBOX",)) -> str:
        """Put a mail in; return its external id."""
        raw = base64.urlsafe_b64encode(mail.as_bytes()).decode()
        done = await self.api.post("/gmail/v1/users/me/messages", json={"raw": raw, "labelIds": list(labels)})
        assert done.is_success, done.text
        return f"{done.json()['threadId']}/{done.json()['id']}"

    async def add(self, text: str) -> None:
        self.expected[await self.send(mail_of(text))] = text

    async def edit(self, external_id: str, text: str) -> None:
        await self.delete(external_id)
        await self.add(text)

    async def delete(self, external_id: str) -> None:
        done = await self.api.delete(f"/gmail/v1/users/me/messages/{external_id.partition('/')[2]}")
        assert done.is_success, done.text
        del self.expected[external_id]


def mail_of(text: str, subject: str = "A decision") -> EmailMessage:
    """A mail that says something."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Tom <tom@tidewater.example>", "ana@tidewater.example", subject
    mail["Message-ID"], mail["Date"] = f"<{uuid.uuid4().hex}@tidewater.example>", format_datetime(next(MOMENTS))
    mail.set_content(text)
    return mail


@dataclass
class DriveFiles:
    """Files of a drive."""

    api: httpx.AsyncClient
    expected: dict[str, str] = field(default_factory=dict)
    constant: int = 6

    async def write(self, text: str, **fields: object) -> str:
        """Add a file; return its id."""
        body = {"name": f"{uuid.uuid4().hex[:8]}.md", "mimeType": "text/markdown", "content": text, **fields}
        done = await self.api.post("/drive/v3/files", json=body)
        assert done.is_success, done.text
        return str(done.json()["id"])

    async def add(self, text: str) -> None:
        self.expected[await self.write(text)] = text

    async def edit(self, external_id: str, text: str) -> None:
        done = await self.api.patch(
            f"/upload/drive/v3/files/{external_id}",
            params={"uploadType": "media"},
            content=text,
            headers={"Content-Type": "text/markdown"},
        )
        assert done.is_success, done.text
        self.expected[external_id] = text

    async def delete(self, external_id: str) -> None:
        assert (await self.api.delete(f"/drive/v3/files/{external_id}")).is_success
        del self.expected[external_id]


@dataclass
class RepositoryFiles:
    """The files of a repository at GitHub."""

    api: httpx.AsyncClient
    name: str
    expected: dict[str, str] = field(default_factory=dict)
    constant: int = 8

    async def _put(self, path: str, text: str, sha: str = "") -> None:
        body = {"message": path, "content": base64.b64encode(text.encode()).decode(), **({"sha": sha} if sha else {})}
        done = await self.api.put(f"/repos/{self.name}/contents/{path}", json=body)
        assert done.is_success, done.text

    async def _sha(self, path: str) -> str:
        return str((await self.api.get(f"/repos/{self.name}/contents/{path}")).json()["sha"])

    async def add(self, text: str) -> None:
        path = f"notes/{uuid.uuid4().hex[:8]}.md"
        await self._put(path, text)
        self.expected[f"{self.name}/blob/{path}"] = text

    async def edit(self, external_id: str, text: str) -> None:
        path = external_id.partition("/blob/")[2]
        await self._put(path, text, await self._sha(path))
        self.expected[external_id] = text

    async def delete(self, external_id: str) -> None:
        path = external_id.partition("/blob/")[2]
        body = {"message": path, "sha": await self._sha(path)}
        assert (await self.api.request("DELETE", f"/repos/{self.name}/contents/{path}", json=body)).is_success
        del self.expected[external_id]


async def new_repository(api: httpx.AsyncClient) -> RepositoryFiles:
    """A new, empty, public repository."""
    name = f"r{uuid.uuid4().hex[:10]}"
    done = await api.post("/user/repos", json={"name": name, "private": False, "auto_init": False})
    assert done.is_success, done.text
    return RepositoryFiles(api, f"ana/{name}")


@dataclass
class SlackChannel:
    """A channel at Slack; each item is a thread of two messages."""

    api: httpx.AsyncClient
    id: str
    expected: dict[str, str] = field(default_factory=dict)
    constant: int = 110
    replies: dict[str, str] = field(default_factory=dict)
    """Of each thread its reply."""

    async def call(self, method: str, **form: str) -> dict[str, object]:
        """Call a method as one of the workspace."""
        answer: dict[str, object] = (await self.api.post(f"/api/{method}", json=form)).json()
        assert answer["ok"], answer
        return answer

    async def say(self, text: str, thread: str = "") -> str:
        """Post a message; return its time, which is its name."""
        thread_form = {"thread_ts": thread} if thread else {}
        return str((await self.call("chat.postMessage", channel=self.id, text=text, **thread_form))["ts"])

    async def add(self, text: str) -> None:
        first = await self.say(f"A question before {uuid.uuid4().hex[:6]}?")
        external_id = f"{self.id}/thread-{first}"
        self.replies[external_id] = await self.say(text, first)
        self.expected[external_id] = text

    async def edit(self, external_id: str, text: str) -> None:
        await self.call("chat.update", channel=self.id, ts=self.replies[external_id], text=text)
        self.expected[external_id] = text

    async def delete(self, external_id: str) -> None:
        for ts in (self.replies.pop(external_id), external_id.partition("thread-")[2]):
            await self.call("chat.delete", channel=self.id, ts=ts)
        del self.expected[external_id]


async def new_channel(api: httpx.AsyncClient, is_private: bool = False) -> SlackChannel:
    """A new channel whose only member is whoever opens it."""
    name = f"c-{uuid.uuid4().hex[:10]}"
    body = {"name": name, "is_private": is_private}
    answer = (await api.post("/api/conversations.create", json=body)).json()
    assert answer["ok"], answer
    return SlackChannel(api, answer["channel"]["id"])


def microsoft_environment(emulators: Emulators, graph_url: str = "") -> dict[str, str]:
    """The settings under which Microsoft's sign-in is the emulator, and Graph a server of the test's."""
    url = emulators.microsoft_url
    return {
        "BASE_URL": "http://vault.test",
        "MICROSOFT_CLIENT_ID": CLIENT_ID,
        "MICROSOFT_CLIENT_SECRET": CLIENT_SECRET,
        "MICROSOFT_URL": url,
        "MICROSOFT_ACCOUNT_URL": f"{url}/v1.0/me",
        "OUTLOOK_API_URL": graph_url or url,
        "ONEDRIVE_API_URL": graph_url or url,
        "SHAREPOINT_API_URL": graph_url or url,
    }
