"""MediaWiki's action API: found from any page of a wiki, signed in to where need be, its errors in our words."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec
import stamina

from domain.errors import Forbidden, Invalid, NotFound, Unavailable
from infra.connectors.http import Waiting
from infra.connectors.kinds import Reach
from infra.connectors.site import Answer, Site, require_encryption

NOT_ACCEPTED = (
    "The wiki does not accept this name and password. Make a bot password there, under Special:BotPasswords, with the "
    "right to read, and enter both as shown there."
)
NO_WIKI = "No MediaWiki answers at this address. Correct it on the integration's page."
CLOSED = frozenset({"readapidenied", "permissiondenied", "assertuserfailed", "mustbeloggedin"})
BUSY = frozenset({"ratelimited", "maxlag", "readonly", "internal_api_error_DBQueryTimeoutError"})


class Wiki:
    """One wiki, as one account reads it."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._site = Site(reach.way_out.client, "The wiki", NOT_ACCEPTED, n_tries=reach.n_tries)
        self._api = ""
        self._cookies: dict[str, str] = {}

    async def ask(self, **asked: str) -> dict[str, Any]:
        """Return an answer of the API. Raises: Forbidden, NotFound, Invalid, Unavailable."""
        await self._open()
        try:
            return await self._asked(asked)
        except Forbidden:
            if not self._cookies:
                raise
            await self._sign_in()  # sessions end by themselves
            return await self._asked(asked)

    async def file(self, url: str, max_bytes: int) -> bytes:
        """Return a file of the wiki; our session is shown to the wiki's own server only."""
        await self._open()
        is_home = urlsplit(url)[:2] == urlsplit(self._api)[:2]
        answer = await self._site.ask("GET", url, headers=self._headers() if is_home else None, max_bytes=max_bytes)
        return answer.content

    async def _open(self) -> None:
        if not self._api:
            self._api = await self._found(self._reach.settings["url"])
            if self._reach.settings.get("user"):
                require_encryption(self._reach.way_out.guard, self._api)
                await self._sign_in()

    async def _found(self, url: str) -> str:
        """Where the API answers: each page of a wiki names it."""
        from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415  # only who reads wikis pays for it

        if urlsplit(url).path.endswith("/api.php"):
            return url.partition("?")[0]
        try:
            answer = await self._site.ask("GET", url)
        except NotFound as error:
            raise Invalid(NO_WIKI, {"url": "There is no wiki at this address."}) from error
        link = LexborHTMLParser(answer.content.decode("utf-8", "replace")).css_first("link[rel=EditURI]")
        api = urljoin(answer.url, link.attributes.get("href") or "").partition("?")[0] if link is not None else ""
        if urlsplit(api).hostname != urlsplit(answer.url).hostname or not api.endswith("api.php"):
            raise Invalid(NO_WIKI, {"url": "There is no wiki at this address; enter that of its api.php."})
        return api

    async def _sign_in(self) -> None:
        self._cookies = {}
        secrets = await self._reach.secrets()
        said = await self._asked({"action": "query", "meta": "tokens", "type": "login"})
        token = str(said.get("query", {}).get("tokens", {}).get("logintoken", ""))
        name, password = self._reach.settings["user"], secrets.get("password", "")
        said = await self._asked({"action": "login", "lgname": name, "lgpassword": password, "lgtoken": token}, "POST")
        if said.get("login", {}).get("result") != "Success":
            raise Forbidden(NOT_ACCEPTED)

    async def _asked(self, asked: Mapping[str, str], method: str = "GET") -> dict[str, Any]:
        async for attempt in stamina.retry_context(on=Waiting, attempts=self._reach.n_tries, timeout=120):
            with attempt:
                try:
                    return await self._once(dict(asked), method)
                except Waiting as error:
                    if attempt.num == self._reach.n_tries:
                        raise Unavailable(f"The wiki is busy ({error}). The next sync goes on from here.") from error
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, asked: dict[str, str], method: str) -> dict[str, Any]:
        fields = {"format": "json", "formatversion": "2"} | asked
        if method == "POST":
            headers = self._headers() | {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await self._site.ask("POST", self._api, headers=headers, content=urlencode(fields).encode())
        else:
            answer = await self._site.ask("GET", self._api, params=fields, headers=self._headers())
        self._remember(answer)
        try:
            said = msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Invalid(NO_WIKI, {"url": "There is no wiki at this address."}) from error
        _refuse(said)
        return said

    def _headers(self) -> dict[str, str]:
        return (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())} if self._cookies else {}
        )

    def _remember(self, answer: Answer) -> None:
        for line in answer.headers.get_list("set-cookie"):
            try:
                self._cookies |= {name: morsel.coded_value for name, morsel in SimpleCookie(line).items()}
            except CookieError:
                continue


def _refuse(said: Mapping[str, Any]) -> None:
    error = said.get("error")
    if not isinstance(error, dict):
        return
    code, info = str(error.get("code", "")), str(error.get("info", ""))[:200]
    if code in CLOSED:
        raise Forbidden("This wiki is not open to everybody. " + NOT_ACCEPTED)
    if code in BUSY:
        raise Waiting(info or code, None)
    if code in ("missingtitle", "nosuchpageid", "nosuchrevid"):
        raise NotFound("This page is no longer in the wiki.")
    raise Invalid(f"The wiki does not let us read this: {info or code}")
