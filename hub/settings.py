"""Settings from the environment, read once at start; every other module receives what it needs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from hub.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process needs to know; the variable's name is in each field's comment."""

    database_url: str = ""  # DATABASE_URL; empty = embedded PostgreSQL
    database_admin_url: str = ""  # DATABASE_ADMIN_URL, for migrations; default DATABASE_URL
    redis_url: str = ""  # REDIS_URL; empty = embedded Valkey
    base_domain: str = "localhost"  # HUB_BASE_DOMAIN
    public_url: str = ""  # HUB_PUBLIC_URL, for callback addresses
    secret_key: str = ""  # HUB_SECRET_KEY; empty = key file in the data folder
    allow_http: bool = False  # HUB_ALLOW_HTTP: credentials over plain HTTP off loopback
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()  # HUB_TRUSTED_PROXIES
    allow_private_networks: bool = True  # HUB_ALLOW_PRIVATE_NETWORKS: ERPs live on LANs
    pgbouncer: bool = False  # HUB_PGBOUNCER: transaction pooling in front of PostgreSQL
    pool_size: int = 10  # HUB_POOL_SIZE, per role and process
    read_timeout: timedelta = timedelta(seconds=10)  # HUB_READ_TIMEOUT, seconds; a read is cancelled after it
    introspection: bool = True  # HUB_INTROSPECTION
    explain: bool = False  # HUB_EXPLAIN: administrators may ask for extensions.plan
    metrics_token: str = field(default="", repr=False)  # HUB_METRICS_TOKEN
    body_limit: int = 2 * 1024 * 1024  # HUB_BODY_LIMIT, bytes: a GraphQL request, a message on a WebSocket
    document_tokens: int = 10_000  # HUB_DOCUMENT_TOKENS: words and signs of a GraphQL document
    document_depth: int = 20  # HUB_DOCUMENT_DEPTH
    document_fields: int = 1_000  # HUB_DOCUMENT_FIELDS: with every fragment counted as often as it is spread
    document_aliases: int = 200  # HUB_DOCUMENT_ALIASES
    document_cost: int = 100_000  # HUB_DOCUMENT_COST: about one per object read
    socket_subscriptions: int = 100  # HUB_SOCKET_SUBSCRIPTIONS: operations under way on one WebSocket
    init_timeout: timedelta = timedelta(seconds=10)  # HUB_INIT_TIMEOUT: for connection_init
    head_timeout: timedelta = timedelta(seconds=10)  # HUB_HEAD_TIMEOUT: for the head of a request
    body_timeout: timedelta = timedelta(seconds=60)  # HUB_BODY_TIMEOUT: for its body; a quarter of it for each piece
    stall_timeout: timedelta = timedelta(seconds=30)  # HUB_STALL_TIMEOUT: a reader that takes nothing is cut off
    log_level: str = "INFO"  # HUB_LOG_LEVEL
    retention: timedelta = timedelta(days=30)  # HUB_RETENTION_DAYS: events, raw payloads, attempts, inbox

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Raise `Invalid` naming the variable when a value cannot be understood."""
        env = os.environ if environment is None else environment
        return cls(
            database_url=_database(env, "DATABASE_URL"),
            database_admin_url=_database(env, "DATABASE_ADMIN_URL"),
            redis_url=env.get("REDIS_URL", ""),
            base_domain=env.get("HUB_BASE_DOMAIN", "localhost").strip().strip(".").lower(),
            public_url=env.get("HUB_PUBLIC_URL", "").rstrip("/"),
            secret_key=env.get("HUB_SECRET_KEY", ""),
            allow_http=_flag(env, "HUB_ALLOW_HTTP", False),
            trusted_proxies=_networks(env, "HUB_TRUSTED_PROXIES"),
            allow_private_networks=_flag(env, "HUB_ALLOW_PRIVATE_NETWORKS", True),
            pgbouncer=_flag(env, "HUB_PGBOUNCER", False),
            pool_size=_number(env, "HUB_POOL_SIZE", 10),
            read_timeout=timedelta(seconds=_number(env, "HUB_READ_TIMEOUT", 10)),
            introspection=_flag(env, "HUB_INTROSPECTION", True),
            explain=_flag(env, "HUB_EXPLAIN", False),
            metrics_token=env.get("HUB_METRICS_TOKEN", ""),
            **_limits(env),
            log_level=env.get("HUB_LOG_LEVEL", "INFO").upper(),
            retention=timedelta(days=_number(env, "HUB_RETENTION_DAYS", 30)),
        )


def _limits(env: Mapping[str, str]) -> dict[str, Any]:
    """How much the doors let in: every limit is a positive whole number, bytes, things or seconds."""
    limits: dict[str, Any] = {}
    defaults = Settings()
    for name in _LIMITS:
        default = getattr(defaults, name)
        variable = f"HUB_{name.upper()}"
        if isinstance(default, timedelta):
            limits[name] = timedelta(seconds=_number(env, variable, int(default.total_seconds())))
        else:
            limits[name] = _number(env, variable, default)
    return limits


_LIMITS = (
    "body_limit",
    "document_tokens",
    "document_depth",
    "document_fields",
    "document_aliases",
    "document_cost",
    "socket_subscriptions",
    "init_timeout",
    "head_timeout",
    "body_timeout",
    "stall_timeout",
)


def _database(env: Mapping[str, str], name: str) -> str:
    """A PostgreSQL address as people write it, in the form of our driver."""
    text = env.get(name, "").strip()
    if not text:
        return ""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise Invalid("is not an address", field=name, hint="postgresql://user:password@host:5432/database") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise Invalid("must be a PostgreSQL database", field=name)
    query = {"ssl" if part == "sslmode" else part: value for part, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def _flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name, "").strip().lower()
    if text in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if not text else text in ("1", "true", "yes", "on")
    raise Invalid(f"{text!r} is neither yes nor no", field=name, hint="use 1 or 0")


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise Invalid(f"{text!r} is not a positive whole number", field=name)
    return int(text)


def _networks(env: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in env.get(name, "").split(",") if part.strip())
    except ValueError as error:
        raise Invalid(str(error), field=name, hint="addresses or networks separated by commas") from error
