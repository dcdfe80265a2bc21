"""Looks at everything the hub stands on and says in words what is wrong and what to do about it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import make_url, select
from sqlmodel import col

from hub import migrations
from hub.context import Scope
from hub.crypto import Vault
from hub.db import Database
from hub.errors import HubError, NeedsAttention
from hub.keys import KeyRing
from hub.migrations.security import GLOBAL_TABLES, ROLES
from hub.models import metadata
from hub.models.integrations import IntegrationSecret
from hub.models.tenants import Tenant
from hub.settings import Settings

OLDEST_POSTGRES = 150_000
SHORT_KEY = 32


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, and words that say so or say what to do."""

    well: bool
    subject: str
    words: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, one by one; what builds on something broken is not looked at."""
    yield _key(settings)
    yield await _redis(settings.redis_url)
    server = await _server(settings.database_url)
    yield server
    if not server.well:
        return
    version = await _version(settings)
    yield version
    if not version.well:
        return
    for finding in await _protection(settings.database_url):
        yield finding
    yield await _roles_at_work(settings)
    yield await _secrets(settings)


def _key(settings: Settings) -> Finding:
    try:
        KeyRing(settings.secret_key)
    except HubError as error:
        return Finding(False, "secret key", str(error))
    if settings.secret_key.startswith("file:"):
        return Finding(True, "secret key", f"in {settings.secret_key.removeprefix('file:')}; keep a copy of it")
    if min(len(key) for key in settings.secret_key.split(",")) < SHORT_KEY:
        return Finding(
            False, "secret key", f"HUB_SECRET_KEY has fewer than {SHORT_KEY} characters: use a long random text"
        )
    return Finding(True, "secret key", "from HUB_SECRET_KEY")


async def _redis(url: str) -> Finding:
    if not url:
        return Finding(False, "Redis", "REDIS_URL is missing")
    client: Redis = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5, decode_responses=True)
    try:
        async with client:
            facts = await client.info("server")
            policy = (await client.config_get("maxmemory-policy")).get("maxmemory-policy", "noeviction")
    except (RedisError, OSError, ValueError) as error:
        return Finding(False, "Redis", f"does not answer: {error}; start it, or correct REDIS_URL")
    if policy != "noeviction":
        return Finding(False, "Redis", f"maxmemory-policy is {policy}: set noeviction, or queued jobs are lost")
    return Finding(True, "Redis", f"answers, version {facts.get('valkey_version') or facts.get('redis_version')}")


async def _server(url: str) -> Finding:
    try:
        connection = await _connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        return Finding(False, "database", f"does not answer: {error}; start it, or correct DATABASE_URL")
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        version = await connection.fetchval("SHOW server_version")
        encoding = await connection.fetchval("SHOW server_encoding")
    finally:
        await connection.close()
    if number < OLDEST_POSTGRES:
        return Finding(False, "database", f"PostgreSQL {version} is too old: 15 or newer is needed")
    if encoding != "UTF8":
        return Finding(False, "database", f"its encoding is {encoding}: create it with UTF8")
    return Finding(True, "database", f"answers, PostgreSQL {version}")


async def _version(settings: Settings) -> Finding:
    missing = await migrations.pending(settings.database_admin_url or settings.database_url)
    if missing:
        words = f"the database lacks {', '.join(missing)}: hub up and hub serve apply them at their start"
        return Finding(False, "migrations", words)
    return Finding(True, "migrations", "all applied")


async def _protection(url: str) -> list[Finding]:
    """Roles that could bypass the policies, tables that have none."""
    connection = await _connect(url)
    try:
        roles = await connection.fetch(
            "SELECT rolname, rolsuper OR rolbypassrls AS free FROM pg_roles WHERE rolname = ANY ($1)", list(ROLES)
        )
        tables = await connection.fetch(
            """SELECT c.relname AS name, c.relrowsecurity AS enabled,
                   EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid) AS guarded
               FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)""",
            list(metadata.tables),
        )
    finally:
        await connection.close()
    return [_judged_roles({row["rolname"]: row["free"] for row in roles}), _judged_tables(tables)]


def _judged_roles(free: dict[str, bool]) -> Finding:
    gone = [role for role in ROLES if role not in free]
    if gone:
        return Finding(False, "roles", f"{', '.join(gone)} missing: run the migrations again on this server")
    loose = [role for role, is_free in free.items() if is_free]
    if loose:
        words = f"{', '.join(loose)} may bypass row-level security: ALTER ROLE … NOSUPERUSER NOBYPASSRLS"
        return Finding(False, "roles", words)
    return Finding(True, "roles", f"{', '.join(ROLES)} are bound by the policies")


def _judged_tables(tables: Sequence[asyncpg.Record]) -> Finding:
    open_tables = sorted(
        row["name"]
        for row in tables
        if not row["enabled"] or not (row["guarded"] or GLOBAL_TABLES.get(row["name"], "") is None)
    )
    if open_tables:
        words = f"not behind row-level security: {', '.join(open_tables)}; run the migrations again"
        return Finding(False, "row-level security", words)
    return Finding(True, "row-level security", f"guards all {len(tables)} tables")


async def _roles_at_work(settings: Settings) -> Finding:
    """What the hub does all the time: read as `hub_app`, look up as `hub_system`."""
    try:
        database = await Database(settings.database_url, pool_size=1, pgbouncer=settings.pgbouncer).open()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding(False, "access", f"cannot work as hub_app: {error}; GRANT hub_app TO the login of DATABASE_URL")
    try:
        async with database.system_work() as session:
            await session.execute(select(col(Tenant.id)).limit(1))
        async with database.reading(Scope({})) as connection:
            seen = await connection.fetchval("SELECT count(*) FROM tenants")
    except HubError as error:
        return Finding(False, "access", f"cannot work as hub_app and hub_system: {error}")
    finally:
        await database.close()
    if seen:
        return Finding(False, "access", f"hub_app sees {seen} tenants without being told any: check the policies")
    return Finding(True, "access", "hub_app and hub_system can work")


async def _secrets(settings: Settings) -> Finding:
    """Whether every stored secret still opens with the keys there are."""
    try:
        vault = Vault(settings.secret_key)
    except HubError:
        return Finding(False, "stored secrets", "cannot be looked at without a key")
    total, lost = 0, set[str]()
    database = await Database(settings.database_url, pool_size=1, pgbouncer=settings.pgbouncer).open()
    try:
        async with database.system_work() as session:
            rows = await session.execute(select(col(Tenant.id), col(Tenant.slug)))
            tenants = [(int(tenant_id), str(slug)) for tenant_id, slug in rows]
        for tenant_id, slug in tenants:
            async with database.unit_of_work(Scope.of_system(tenant_id)) as work:
                for secret in (await work.session.execute(select(IntegrationSecret))).scalars():
                    total += 1
                    if not _opens(vault, secret):
                        lost.add(f"{slug} {secret.code}")
    finally:
        await database.close()
    if lost:
        words = f"do not open with this key: {', '.join(sorted(lost))}; give the key back, or enter them again"
        return Finding(False, "stored secrets", words)
    return Finding(True, "stored secrets", f"all {total} open")


def _opens(vault: Vault, secret: IntegrationSecret) -> bool:
    try:
        vault.open(secret.ciphertext, tenant_id=secret.tenant_id, code=secret.code, field=secret.field)
    except NeedsAttention:
        return False
    return True


async def _connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False), timeout=10)
