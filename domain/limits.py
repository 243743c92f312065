"""How often somebody may do something: the limits of a deployment, and the port that counts across all instances."""

from typing import Protocol

import msgspec

from domain.errors import Throttled

MINUTE_S = 60.0
HOUR_S = 3600.0


class Limit(msgspec.Struct, frozen=True):
    """At most `n_times` at once, and as many again in each `per_s`, evenly."""

    name: str
    """Its counters' name: two limits never share one."""
    n_times: int
    per_s: float
    action: str
    """What there was too much of, as in "There were too many …"."""


class Limits(msgspec.Struct, frozen=True):
    """Every limit of the product, in one place."""

    sign_ins_of_account: Limit = Limit("sign-in-account", 10, 10 * MINUTE_S, "failed attempts to sign in")
    """Slows down guessing one account's password: successful sign-ins are not counted."""
    sign_ins_of_address: Limit = Limit("sign-in-address", 50, 10 * MINUTE_S, "failed attempts to sign in")
    """Slows down guessing many accounts' passwords; wide, since an office shares one address."""
    sign_ups_of_address: Limit = Limit("sign-up-address", 10, HOUR_S, "new vaults from your network")
    api_requests: Limit = Limit("api", 300, MINUTE_S, "API requests with this token")
    questions: Limit = Limit("question", 20, MINUTE_S, "questions")
    uploads: Limit = Limit("upload", 30, MINUTE_S, "uploads")


class Limiter(Protocol):
    """Counts, for all instances together."""

    async def take(self, limit: Limit, who: str) -> None:
        """Count one more of somebody's. Raises: Throttled when that is one too many; it is not counted then."""

    async def give_back(self, limit: Limit, who: str) -> None:
        """Take back one that was counted."""


class Unlimited:
    """Lets everything pass, where no server counts."""

    async def take(self, limit: Limit, who: str) -> None:
        """Pass."""

    async def give_back(self, limit: Limit, who: str) -> None:
        """Pass."""


def throttled(limit: Limit, wait_s: float) -> Throttled:
    """Return the error that says when to try again."""
    return Throttled(f"There were too many {limit.action}. Try again in {_in_words(wait_s)}.", wait_s)


def _in_words(wait_s: float) -> str:
    n_seconds = max(1, -int(-wait_s // 1))
    if n_seconds < 90:
        return "a second" if n_seconds == 1 else f"{n_seconds} seconds"
    return f"{-(-n_seconds // 60)} minutes"
