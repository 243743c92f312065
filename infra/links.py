"""Signed links of mails, as JSON Web Tokens (RFC 7519, HS256) under a key of their own."""

from datetime import UTC, date, datetime
from functools import cached_property

from domain.errors import Invalid
from domain.notes import AnswerLink
from infra.secrets import ALGORITHM, derived

AUDIENCE = "answer"
NOT_OURS = "This link is not complete, or is too old. Sign in, and find the question under Gaps."


class LinkSigner:
    """Signs links with a key derived from SECRET_KEY."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    @cached_property
    def _key(self) -> bytes:
        return derived(self._secret_key, "answer links")

    def sign(self, link: AnswerLink) -> str:
        import jwt  # noqa: PLC0415  # 9 MB with what it stands on; few requests need it

        claims = {
            "aud": AUDIENCE,
            "tenant": link.tenant_id,
            "sub": str(link.user_id),
            "gap": link.gap_id,
            "week": link.week.isoformat(),
            "exp": int(link.expires_at.timestamp()),
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, signed: str, now: datetime) -> AnswerLink:
        import jwt  # noqa: PLC0415  # as above

        options = {"verify_exp": False, "require": ["aud", "sub", "exp"]}
        try:
            claims = jwt.decode(signed, self._key, [ALGORITHM], audience=AUDIENCE, options=options)  # type: ignore[arg-type]
            link = AnswerLink(
                tenant_id=int(claims["tenant"]),
                user_id=int(claims["sub"]),
                gap_id=int(claims["gap"]),
                week=date.fromisoformat(claims["week"]),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            raise Invalid(NOT_OURS) from error
        if link.expires_at <= now:
            raise Invalid(NOT_OURS)
        return link
