"""What a consent's state is refused for, judged by the rules alone; and the keys that seal and sign."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain.credentials import Grant, State
from domain.errors import Forbidden, Invalid
from domain.oauth import challenge_of, check, refusal
from domain.people import Role, Viewer
from infra.secrets import Sealer, StateSigner

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
ADA = Viewer(tenant_id=1, user_id=7, role=Role.ADMIN, name="Ada", email="", tenant_name="Tidewater")
STATE = State("nonce", tenant_id=1, user_id=7, provider="github", session="s1", expires_at=NOW + timedelta(minutes=10))


def test_the_browser_that_asked_may_finish_until_ten_minutes_have_passed() -> None:
    check(STATE, "github", ADA, "s1", NOW + timedelta(minutes=9, seconds=59))
    with pytest.raises(Invalid, match="10 minutes"):
        check(STATE, "github", ADA, "s1", NOW + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("provider", "viewer", "session", "words"),
    [
        ("google", ADA, "s1", "another provider"),
        ("github", ADA, "s2", "another browser"),
        ("github", msgspec.structs.replace(ADA, user_id=8), "s1", "another browser"),
        ("github", msgspec.structs.replace(ADA, tenant_id=2), "s1", "another vault"),
    ],
)
def test_a_state_counts_only_where_it_was_begun(provider: str, viewer: Viewer, session: str, words: str) -> None:
    with pytest.raises(Forbidden, match=words):
        check(STATE, provider, viewer, session, NOW)


def test_a_denied_consent_says_what_to_do() -> None:
    assert "begin again and allow" in refusal("access_denied", "GitHub")
    assert "registered" in refusal("redirect_uri_mismatch", "GitHub")
    assert "<script>" not in refusal("<script>", "GitHub")


def test_the_challenge_is_that_of_the_standard() -> None:
    """The example of RFC 7636, appendix B."""
    challenge = challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_state_travels_unchanged_and_nobody_else_can_write_one() -> None:
    signer = StateSigner("a key of this deployment")
    signed = signer.sign(STATE)
    assert signer.read(signed) == STATE
    head, claims, signature = signed.split(".")
    forged = (
        "",
        "nonsense",
        f"{head}.{claims}.",
        f"{head}.{claims[:-2]}AA.{signature}",
        StateSigner("another key").sign(STATE),
        "eyJhbGciOiJub25lIn0." + claims + ".",
    )
    for text in forged:
        with pytest.raises(Invalid, match="not begun here"):
            signer.read(text)


def test_what_is_sealed_opens_for_its_tenant_and_its_integration_only() -> None:
    sealer = Sealer(["a key"])
    sealed = sealer.seal(1, "integration 5", b"gho_token")
    assert sealer.open(1, "integration 5", sealed) == b"gho_token"
    assert b"gho_token" not in sealed.content
    changed = msgspec.structs.replace(sealed, content=sealed.content[:-1] + bytes([sealed.content[-1] ^ 1]))
    for tenant_id, context, each in (
        (2, "integration 5", sealed),
        (1, "integration 6", sealed),
        (1, "integration 5", changed),
        (1, "integration 5", msgspec.structs.replace(sealed, content=b"")),
    ):
        with pytest.raises(Forbidden, match="Reconnect"):
            sealer.open(tenant_id, context, each)


def test_a_changed_key_still_opens_what_the_one_before_sealed() -> None:
    sealed = Sealer(["old key"]).seal(1, "integration 5", b"gho_token")
    rotated = Sealer(["new key", "old key"])
    assert rotated.open(1, "integration 5", sealed) == b"gho_token"
    assert rotated.seal(1, "integration 5", b"").key_id != sealed.key_id
    with pytest.raises(Forbidden, match="Reconnect"):
        Sealer(["new key"]).open(1, "integration 5", sealed)


def test_a_token_that_is_about_to_end_is_not_used() -> None:
    assert Grant("token").is_fresh(NOW)
    assert Grant("token", expires_at=NOW + timedelta(minutes=6)).is_fresh(NOW)
    assert not Grant("token", expires_at=NOW + timedelta(minutes=4)).is_fresh(NOW)


def test_a_grant_does_not_show_its_tokens_in_logs() -> None:
    assert "secret" not in repr(Grant("secret", "secret", ("repo",)))
