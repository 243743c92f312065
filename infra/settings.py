"""The settings of a process, read from the environment once, by name; a wrong one is one clear line."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from infra.connectors import REGISTRY
from infra.registrations import ProviderSettings, WrongSetting, read_registration, read_url

__all__ = ["ProviderSettings", "Settings", "WrongSetting", "read_settings"]

MIN_SECRET_CHARACTERS = 32


class BucketSettings(msgspec.Struct, frozen=True):
    """The S3-compatible bucket that keeps uploaded files; without a name, Postgres does."""

    bucket: str
    endpoint: str
    """"" means: Amazon's own, for the region."""
    region: str
    access_key_id: str
    secret_access_key: str


class LetterboxSettings(msgspec.Struct, frozen=True):
    """Where forwarded mail comes in."""

    domain: str
    """Behind the @ of the addresses; "" means: none is taken in."""
    port: int
    protocol: str
    trusted_server: str
    """Whose findings about senders are believed, as it calls itself in Authentication-Results; "": nobody's."""


class MailSettings(msgspec.Struct, frozen=True):
    """The mail server; without an address, nothing is mailed."""

    url: str
    sender: str
    """The address that mails come from, and replies go to."""


class Settings(msgspec.Struct, frozen=True):
    """Everything an operator can set; the README's table of settings is made of these."""

    database_url: str
    """"" means: the embedded server."""
    redis_url: str
    """"" means: none; with an embedded database also the embedded Redis."""
    folder: Path
    """Where embedded servers and exported models keep their files."""
    secret_key: str
    previous_secret_keys: tuple[str, ...]
    """Those before it: what they sealed can still be opened."""
    base_url: str
    host: str
    port: int
    is_production: bool
    n_web_connections: int
    n_worker_connections: int
    worker_concurrency: int
    syncs_per_tenant: int
    embedding_model: str
    next_embedding_model: str
    """"" means: none; else tenants may change to it."""
    embedding_precision: str
    embedding_base_url: str
    embedding_api_key: str
    llm_base_url: str
    llm_api_key: str
    llm_model: str
    transcription_base_url: str
    transcription_api_key: str
    transcription_model: str
    log_level: str
    is_limiting: bool
    metrics_token: str
    metrics_port: int
    """0 means: workers serve no metrics."""
    bucket: BucketSettings
    slack_signing_secret: str
    """With which Slack signs the events it sends; "" means: none are heard."""
    allowed_hosts: tuple[str, ...]
    """Servers in private networks that sources may be read from."""
    mail: MailSettings
    letterbox: LetterboxSettings
    providers: dict[str, ProviderSettings]
    """By the name of the kind that is connected by consent."""

    @property
    def is_embedded(self) -> bool:
        """Whether this machine runs its own servers."""
        return not self.database_url


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises: WrongSetting, for the first that is wrong."""
    is_production = environment.get("KNOWLEDGEVAULT_ENV", "development") == "production"
    port = _number(environment, "PORT", 8000, 0, 65535)
    return Settings(
        database_url=_url(environment, "DATABASE_URL", ("postgres://", "postgresql://"), is_needed=is_production),
        redis_url=_url(environment, "REDIS_URL", ("redis://", "rediss://", "unix://"), is_needed=False),
        folder=Path(environment.get("VAULT_DIR", ".vault")),
        secret_key=_secret(environment, is_production),
        previous_secret_keys=tuple(environment.get("SECRET_KEY_PREVIOUS", "").split()),
        base_url=_url(environment, "BASE_URL", ("http://", "https://"), is_needed=is_production)
        or f"http://127.0.0.1:{port}",
        host=environment.get("HOST") or ("0.0.0.0" if is_production else "127.0.0.1"),  # noqa: S104  # a PaaS router needs it
        port=port,
        is_production=is_production,
        n_web_connections=_number(environment, "WEB_CONNECTIONS", 2, 1, 50),
        n_worker_connections=_number(environment, "WORKER_CONNECTIONS", 2, 2, 50),
        worker_concurrency=_number(environment, "WORKER_CONCURRENCY", 2, 1, 16),
        syncs_per_tenant=_number(environment, "SYNCS_PER_TENANT", 2, 1, 100),
        embedding_model=environment.get("EMBEDDING_MODEL", ""),
        next_embedding_model=environment.get("NEXT_EMBEDDING_MODEL", ""),
        embedding_precision=_choice(environment, "EMBEDDING_PRECISION", ("auto", "bf16", "f32")),
        embedding_base_url=_url(environment, "EMBEDDING_BASE_URL", ("http://", "https://"), is_needed=False),
        embedding_api_key=environment.get("EMBEDDING_API_KEY", ""),
        llm_base_url=_url(environment, "LLM_BASE_URL", ("http://", "https://"), is_needed=False),
        llm_api_key=environment.get("LLM_API_KEY", ""),
        llm_model=_llm_model(environment),
        transcription_base_url=_url(environment, "TRANSCRIPTION_BASE_URL", ("http://", "https://"), is_needed=False),
        transcription_api_key=environment.get("TRANSCRIPTION_API_KEY", ""),
        transcription_model=environment.get("TRANSCRIPTION_MODEL", "").strip() or "whisper-1",
        log_level=_choice(environment, "LOG_LEVEL", ("info", "debug", "warning", "error")),
        is_limiting=_choice(environment, "RATE_LIMITS", ("on", "off")) == "on",
        metrics_token=environment.get("METRICS_TOKEN", "").strip(),
        metrics_port=_number(environment, "METRICS_PORT", 0, 0, 65535),
        bucket=_bucket(environment),
        slack_signing_secret=environment.get("SLACK_SIGNING_SECRET", "").strip(),
        allowed_hosts=tuple(environment.get("ALLOWED_HOSTS", "").replace(",", " ").split()),
        mail=_mail(environment),
        letterbox=_letterbox(environment),
        providers={
            each.kind.name: read_registration(environment, each.consent.registration)
            for each in REGISTRY
            if each.consent
        },
    )


def _letterbox(environment: Mapping[str, str]) -> LetterboxSettings:
    return LetterboxSettings(
        domain=environment.get("MAIL_DOMAIN", "").strip().lstrip("@").lower(),
        port=_number(environment, "MAIL_PORT", 2525, 0, 65535),
        protocol=_choice(environment, "MAIL_PROTOCOL", ("smtp", "lmtp")),
        trusted_server=environment.get("MAIL_TRUSTED_SERVER", "").strip(),
    )


def _url(environment: Mapping[str, str], name: str, schemes: tuple[str, ...], is_needed: bool) -> str:
    value = read_url(environment, name, schemes)
    if is_needed and not value:
        raise WrongSetting(f"{name} is missing: it must be set when KNOWLEDGEVAULT_ENV=production")
    return value.rstrip("/") if not name.startswith(("DATABASE", "REDIS")) else value


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = environment.get(name, "").strip() or str(default)
    if not value.isdecimal() or not least <= int(value) <= most:
        raise WrongSetting(f"{name} must be a whole number from {least} to {most}, not {value!r}")
    return int(value)


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environment.get(name, "").strip().lower() or choices[0]
    if value not in choices:
        raise WrongSetting(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def _secret(environment: Mapping[str, str], is_production: bool) -> str:
    value = environment.get("SECRET_KEY", "")
    if is_production and len(value) < MIN_SECRET_CHARACTERS:
        raise WrongSetting(f"SECRET_KEY must have at least {MIN_SECRET_CHARACTERS} characters in production")
    return value or "a-secret-that-only-a-development-machine-may-use"


def _llm_model(environment: Mapping[str, str]) -> str:
    model = environment.get("LLM_MODEL", "")
    if environment.get("LLM_BASE_URL") and not model:
        raise WrongSetting("LLM_MODEL is missing: it must name a model of the server at LLM_BASE_URL")
    return model


def _bucket(environment: Mapping[str, str]) -> BucketSettings:
    names = ("S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
    bucket, access_key_id, secret_access_key = (environment.get(name, "").strip() for name in names)
    for name in names[1:]:
        if bucket and not environment.get(name, "").strip():
            raise WrongSetting(f"{name} is missing: it belongs to S3_BUCKET")
    endpoint = _url(environment, "S3_ENDPOINT", ("http://", "https://"), is_needed=False)
    region = environment.get("S3_REGION", "").strip() or "us-east-1"
    return BucketSettings(bucket, endpoint, region, access_key_id, secret_access_key)


def _mail(environment: Mapping[str, str]) -> MailSettings:
    url = _url(environment, "SMTP_URL", ("smtp://", "smtps://"), is_needed=False)
    sender = environment.get("MAIL_FROM", "").strip()
    if url and "@" not in sender:
        raise WrongSetting("MAIL_FROM is missing: it must be the address that mails come from, and replies go to")
    return MailSettings(url, sender)
