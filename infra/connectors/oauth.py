"""OAuth 2.0 towards any provider: authorization code with PKCE, renewal, revocation."""

import base64
from collections.abc import Callable, Mapping, Sequence
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
    id_token: str = ""
    """OpenID Connect's, where it was asked for."""
    holder: str = ""
    """See `Grant.holder`."""


Read = Callable[[bytes], Answer]


class Dialect(msgspec.Struct, frozen=True):
    """Where a provider departs from the standards."""

    read: Read | None = None
    """Understands an answer of its token endpoint that is not as RFC 6749 has it."""
    has_pkce: bool = True
    in_json: bool = False
    """Whether it is asked in JSON, with client id and secret as user and password, instead of by a form."""
    headers: Mapping[str, str] = {}
    """What it wants said with every request."""


STANDARD = Dialect()
NOT_KNOWN = frozenset(
    {
        "incorrect_client_credentials",
        "invalid_client",
        "invalid_client_id",
        "bad_client_secret",
        "bad_redirect_uri",
        "unauthorized_client",
        "redirect_uri_mismatch",
    }
)
"""How providers say that it is us they do not know, whoever gave consent."""


class OAuthClient:
    """Speaks with the endpoints of one provider."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        title: str,
        settings: ProviderSettings,
        redirect_uri: str,
        dialect: Dialect = STANDARD,
    ) -> None:
        self._client = client
        self._dialect = dialect
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
            **({"code_challenge": challenge, "code_challenge_method": "S256"} if self._dialect.has_pkce else {}),
            **({"scope": " ".join(scopes)} if scopes else {}),
            **more,
        }
        return f"{self._settings.authorize_url}?{urlencode(asked)}"

    async def exchange(self, code: str, verifier: str) -> Grant:
        """See `domain.credentials.Provider`."""
        proof = {"code_verifier": verifier} if self._dialect.has_pkce else {}
        answer = await self._ask(grant_type="authorization_code", code=code, redirect_uri=self._redirect_uri, **proof)
        if answer.error or not answer.access_token:
            raise Forbidden(self._refused(answer.error))
        return grant_of(answer, Grant(""))

    async def renew(self, grant: Grant) -> Grant:
        """See `domain.credentials.Provider`; where the refresh token does not rotate, it is kept."""
        answer = await self._ask(grant_type="refresh_token", refresh_token=grant.refresh_token)
        if answer.error in NOT_KNOWN:
            raise Forbidden(self._refused(answer.error))
        if answer.error or not answer.access_token:
            raise Forbidden(lost_access(self._title))
        return grant_of(answer, grant)

    async def revoke(self, grant: Grant) -> None:
        """End a grant (RFC 7009); an unknown one is as good as ended."""
        token = grant.refresh_token or grant.access_token
        url = self._settings.revoke_url.replace(CLIENT_ID, self._settings.client_id)
        answer = await self.send("POST", url, **self._content({"token": token}))
        if answer.status_code >= 500:
            raise Unavailable(f"{self._title} could not end our access just now.")

    async def send(self, method: str, url: str, **content: object) -> httpx.Response:
        """Return any answer. Raises: Unavailable when there is none."""
        try:
            return await self._client.request(method, url, timeout=TIMEOUT, **content)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            raise Unavailable(f"{self._title} does not answer. Try again in a few minutes.") from error

    async def _ask(self, **fields: str) -> Answer:
        settings, read = self._settings, self._dialect.read
        secret = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        known = fields if self._dialect.in_json else secret | fields
        answer = await self.send("POST", settings.token_url, **self._content(known))
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable(f"{self._title} could not answer just now. Begin again in a few minutes.")
        try:
            said = read(answer.content) if read else msgspec.json.decode(answer.content, type=Answer)
        except msgspec.MsgspecError as error:
            raise Unavailable(f"{self._title} gave an answer that we do not understand. Try again later.") from error
        if answer.is_success:
            return said
        unnamed = "invalid_client" if answer.status_code == 401 else "refused"  # RFC 6749, section 5.2
        return msgspec.structs.replace(said, error=said.error or unnamed)

    def _content(self, fields: Mapping[str, str]) -> dict[str, object]:
        """How fields are sent."""
        headers = {"Accept": "application/json", **self._dialect.headers}
        if not self._dialect.in_json:
            return {"data": fields, "headers": headers}
        return {"json": fields, "auth": (self._settings.client_id, self._settings.client_secret), "headers": headers}

    def _refused(self, error: str) -> str:
        if error in NOT_KNOWN:
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
        holder=answer.holder or _claims(answer.id_token) or before.holder,
    )


def _claims(id_token: str) -> str:
    """Return what an ID token says, as JSON; it came straight from its issuer, so its signature proves nothing more.

    (OpenID Connect Core, section 3.1.3.7, number 6.)
    """
    inner = id_token.split(".")[1] if id_token.count(".") == 2 else ""
    try:
        return base64.urlsafe_b64decode(inner + "=" * (-len(inner) % 4)).decode()
    except ValueError:
        return ""


def _moment(in_s: float | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=in_s) if in_s else None
