"""What the web receives from the composition root: the doors to the stores, and the settings of its face."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from prometheus_client import CollectorRegistry

from domain.limits import Limiter, Limits, Unlimited
from domain.operations import Operations
from domain.schedules import Wakes
from domain.vault import OpenLobby, OpenVault, Watch


@dataclass(frozen=True, slots=True)
class Doors:
    """The ways in: to a tenant's vault, to the lobby, to a tenant's facts, and to the state of the parts."""

    open_vault: OpenVault
    open_lobby: OpenLobby
    watch: Watch
    check_health: Callable[[], Awaitable[dict[str, str]]]
    """Names of parts, each with "up" or with what is wrong."""
    read_operations: Callable[[], Awaitable[Operations]]
    """How the queue and its workers stand."""
    limiter: Limiter = field(default_factory=Unlimited)
    limits: Limits = field(default_factory=Limits)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    """What the process counts beyond the requests of its application."""
    wakes: Wakes | None = None
    """Whom a provider's webhook wakes; None where this process does not listen to any."""


class WebSettings(msgspec.Struct, frozen=True):
    """How this deployment shows itself."""

    base_url: str
    """Where people reach it, without a slash at the end; links in invitations begin with it."""
    secret_key: str
    version: str
    is_production: bool = False
    """Cookies travel only over HTTPS, and the style guide is hidden."""
    is_demo: bool = False
    """The sign-in page shows the demo account."""
    demo_email: str = ""
    demo_password: str = ""
    metrics_token: str = ""
    """Who sends it may read the metrics; without one nobody may in production, and everybody elsewhere."""
    slack_signing_secret: str = ""
    """With which Slack signs its events; "" refuses them all."""
    may_read_folders: bool = False
    """Whether admins may connect a folder of the server itself: yes on one machine, no where strangers share it."""
