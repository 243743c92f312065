"""OAuth 2.0 towards any provider: authorization code with PKCE, renewal, revocation."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import msgspec

from domain.credentials import Grant
from domain.errors import Forbidden, Unavailable
from domain.oauth import lost_access
from infra.registrations import CLIENT_ID, ProviderSettings

TIMEOUT = httpx.Timeout(15.0, connect=5.0)


class Answer(msgspec.Struct, frozen=True):
    """What a token endpoint says (RFC 6749, section 5); GitHub sends its errors with status 200."""

    access_token: str = ""
    refresh_token: str = ""
    expires_in: float | None = None
    refresh_token_expires_in: float | None = None
    scope: str = ""
    error: str = ""


Read = Callable[[bytes], Answer]


class OAuthClient:
    """Speaks with the endpoints of one provider."""

    def __init__(self, client: httpx.AsyncClient, title: str, settings: ProviderSettings, redirect_uri: str) -> None:
        self._client = client
        self._title = title
        self._settings = settings
        self._redirect_uri = redirect_uri

    def authorize_url(self, state: str, challenge: str, scopes: Sequence[str], **more: str) -> str:
        """Return the consent page; `more` is what only this provider wants."""
        asked = {
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"scope": " ".join(scopes)} if scopes else {}),
            **more,
        }
        return f"{self._settings.authorize_url}?{urlencode(asked)}"

    async def exchange(self, code: str, verifier: str, read: Read | None = None) -> Grant:
        """See `domain.credentials.Provider`; `read` understands an answer that is not as RFC 6749 has it."""
        answer = await self._ask(
            read, grant_type="authorization_code", code=code, code_verifier=verifier, redirect_uri=self._redirect_uri
        )
        if answer.error or not answer.access_token:
            raise Forbidden(self._refused(answer.error))
        return grant_of(answer, Grant(""))

    async def renew(self, grant: Grant, read: Read | None = None) -> Grant:
        """See `domain.credentials.Provider`; where the refresh token does not rotate, it is kept."""
        answer = await self._ask(read, grant_type="refresh_token", refresh_token=grant.refresh_token)
        if answer.error or not answer.access_token:
            raise Forbidden(lost_access(self._title))
        return grant_of(answer, grant)

    async def revoke(self, grant: Grant) -> None:
        """End a grant (RFC 7009); an unknown one is as good as ended."""
        token = grant.refresh_token or grant.access_token
        answer = await self.send(
            "POST", self._settings.revoke_url.replace(CLIENT_ID, self._settings.client_id), data={"token": token}
        )
        if answer.status_code >= 500:
            raise Unavailable(f"{self._title} could not end our access just now.")

    async def send(self, method: str, url: str, **content: object) -> httpx.Response:
        """Return any answer. Raises: Unavailable when there is none."""
        try:
            return await self._client.request(method, url, timeout=TIMEOUT, **content)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            raise Unavailable(f"{self._title} does not answer. Try again in a few minutes.") from error

    async def _ask(self, read: Read | None, **fields: str) -> Answer:
        answer = await self.send(
            "POST",
            self._settings.token_url,
            data={"client_id": self._settings.client_id, "client_secret": self._settings.client_secret, **fields},
            headers={"Accept": "application/json"},
        )
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable(f"{self._title} could not answer just now. Begin again in a few minutes.")
        try:
            said = read(answer.content) if read else msgspec.json.decode(answer.content, type=Answer)
        except msgspec.MsgspecError as error:
            raise Unavailable(f"{self._title} gave an answer that we do not understand. Try again later.") from error
        return said if answer.is_success else msgspec.structs.replace(said, error=said.error or "refused")

    def _refused(self, error: str) -> str:
        if error in (
            "incorrect_client_credentials",
            "invalid_client",
            "invalid_client_id",
            "bad_client_secret",
            "bad_redirect_uri",
            "unauthorized_client",
            "redirect_uri_mismatch",
        ):
            return (
                f"{self._title} does not accept this server's client id, secret or address. "
                "Ask the operator to compare them with what is registered there."
            )
        return f"{self._title} did not accept the consent any more. Begin again."


def grant_of(answer: Answer, before: Grant) -> Grant:
    """Return the grant that an answer brings; what it is silent about stays as it was before."""
    refresh_token = answer.refresh_token or before.refresh_token
    ends_at, last_renewal = _moment(answer.expires_in), _moment(answer.refresh_token_expires_in)
    return Grant(
        access_token=answer.access_token,
        refresh_token=refresh_token,
        scopes=tuple(answer.scope.replace(",", " ").split()) or before.scopes,
        expires_at=ends_at,
        dies_at=(last_renewal or before.dies_at) if refresh_token else ends_at,
    )


def _moment(in_s: float | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=in_s) if in_s else None
