"""Reads the connections of a tenant: what is configured, what is missing, and one connection ready for use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.configuration import (
    WEBSITE_TOKEN,
    WEBSITES,
    Setting,
    connector_of,
    has_credentials,
    instance_of,
    mappings_of,
    missing_for_activation,
    options_of,
    settings_of,
)
from hub.context import Level, Scope
from hub.crypto import Vault
from hub.db import Database
from hub.errors import Invalid, NeedsAttention
from hub.models.integrations import Integration, IntegrationSecret, Website
from hub.ports import Connector, Registry

SHOWN_CHARACTERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One connection as it is stored; secrets stay sealed."""

    code: str
    active: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    last_sync_at: datetime | None = None
    activated_at: datetime | None = None
    stopped_reason: str | None = None
    stock_push_confirmed: bool = False

    @property
    def given(self) -> set[str]:
        """The names of the settings that have a value."""
        tokens = {name for name in self.secrets if name.startswith(WEBSITE_TOKEN)}
        return set(self.fields) | (set(self.secrets) - tokens) | ({WEBSITES} if tokens else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationInfo:
    """One connection as an administrator sees it; no secret is in it."""

    code: str
    title: str
    type: str
    active: bool
    settings: tuple[Setting, ...]
    fields: dict[str, Any]
    """What was filled in, else the default; a masked secret by its last characters."""
    secrets_set: dict[str, bool]
    options: dict[str, bool]
    mappings: dict[str, str | None]
    has_credentials: bool
    missing: list[str]
    """What activation still needs."""
    last_sync_at: datetime | None
    activated_at: datetime | None
    stopped_reason: str | None
    stock_push_confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsiteInfo:
    """A shop of a platform that has several; the token itself is never shown."""

    website_id: str
    name: str
    url: str | None
    has_token: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection with its secrets opened, as its connector's functions want it."""

    tenant_id: int
    connector: Connector
    config: BaseModel = field(repr=False)
    options: Mapping[str, bool]
    mappings: Mapping[str, str]
    active: bool
    stopped_reason: str | None
    stock_push_confirmed: bool


async def active_integration(session: AsyncSession, tenant_id: int) -> str | None:
    """The code of the tenant's one active connection."""
    query = select(col(Integration.code)).where(col(Integration.tenant_id) == tenant_id, col(Integration.active))
    return (await session.execute(query)).scalar_one_or_none()


async def integration_check(database: Database, scope: Scope) -> bool:
    """Whether the tenant has an active connection."""
    async with database.unit_of_work(scope) as work:
        return await active_integration(work.session, scope.tenant_id) is not None


async def last_sync_date(database: Database, scope: Scope) -> datetime | None:
    """When the last synchronisation of the tenant ended well."""
    async with database.unit_of_work(scope) as work:
        query = select(func.max(col(Integration.last_sync_at))).where(col(Integration.tenant_id) == scope.tenant_id)
        moment: datetime | None = (await work.session.execute(query)).scalar_one()
    return moment


async def list_integrations(
    database: Database, scope: Scope, *, registry: Registry, vault: Vault
) -> list[IntegrationInfo]:
    """Every system the hub knows, configured or not; ADMINISTRATOR."""
    scope.require(Level.ADMINISTRATOR)
    async with database.unit_of_work(scope) as work:
        stored = await _stored(work.session, scope.tenant_id)
    return [
        _info(registry[code], stored.get(code, Stored(code=code)), scope.tenant_id, vault) for code in sorted(registry)
    ]


async def list_websites(database: Database, scope: Scope, *, code: str, registry: Registry) -> list[WebsiteInfo]:
    """The shops a platform told about; ADMINISTRATOR."""
    scope.require(Level.ADMINISTRATOR)
    connector_of(registry, code)
    async with database.unit_of_work(scope) as work:
        stored = await get_stored(work.session, scope.tenant_id, code)
        query = select(col(Website.website_id), col(Website.name), col(Website.url)).where(
            col(Website.tenant_id) == scope.tenant_id, col(Website.code) == code
        )
        rows = (await work.session.execute(query.order_by(col(Website.website_id)))).all()
    return [
        WebsiteInfo(website_id=id_, name=name, url=url, has_token=f"{WEBSITE_TOKEN}{id_}" in stored.secrets)
        for id_, name, url in rows
    ]


async def get_stored(session: AsyncSession, tenant_id: int, code: str) -> Stored:
    """One connection as it is stored; an empty one when nothing was ever saved."""
    return (await _stored(session, tenant_id, code)).get(code, Stored(code=code))


async def load_connection(
    session: AsyncSession, tenant_id: int, code: str, *, vault: Vault, registry: Registry
) -> Connection:
    """One connection with its secrets opened; raises `NeedsAttention` when its settings cannot be used."""
    connector = connector_of(registry, code)
    stored = await get_stored(session, tenant_id, code)
    try:
        config = instance_of(connector, opened_values(stored, tenant_id, connector, vault))
    except Invalid as error:
        raise NeedsAttention(f"the settings of {connector.title} are wrong: {error}", field=error.field) from error
    mappings = mappings_of(connector, stored.mappings)
    return Connection(
        tenant_id=tenant_id,
        connector=connector,
        config=config,
        options=options_of(connector, stored.options),
        mappings={name: value for name, value in mappings.items() if value is not None},
        active=stored.active,
        stopped_reason=stored.stopped_reason,
        stock_push_confirmed=stored.stock_push_confirmed,
    )


def opened_values(stored: Stored, tenant_id: int, connector: Connector, vault: Vault) -> dict[str, Any]:
    """Fields and opened secrets by the names of the outside; the shops' tokens under `websites`, by shop."""
    opened = {
        name: vault.open(sealed, tenant_id=tenant_id, code=stored.code, field=name)
        for name, sealed in stored.secrets.items()
    }
    tokens = {
        name.removeprefix(WEBSITE_TOKEN): token for name, token in opened.items() if name.startswith(WEBSITE_TOKEN)
    }
    values = dict(stored.fields) | {name: text for name, text in opened.items() if not name.startswith(WEBSITE_TOKEN)}
    return values | ({WEBSITES: tokens} if WEBSITES in _names(connector) else {})


async def _stored(session: AsyncSession, tenant_id: int, code: str | None = None) -> dict[str, Stored]:
    rows = select(Integration).where(col(Integration.tenant_id) == tenant_id)
    secrets = select(IntegrationSecret).where(col(IntegrationSecret.tenant_id) == tenant_id)
    if code is not None:
        rows, secrets = rows.where(col(Integration.code) == code), secrets.where(col(IntegrationSecret.code) == code)
    sealed: dict[str, dict[str, bytes]] = {}
    for secret in (await session.execute(secrets)).scalars():
        sealed.setdefault(secret.code, {})[secret.field] = secret.ciphertext
    return {
        row.code: Stored(
            code=row.code,
            active=row.active,
            fields=row.fields,
            options=row.options,
            mappings=row.mappings,
            secrets=sealed.get(row.code, {}),
            last_sync_at=row.last_sync_at,
            activated_at=row.activated_at,
            stopped_reason=row.stopped_reason,
            stock_push_confirmed=row.stock_push_confirmed,
        )
        for row in (await session.execute(rows.execution_options(populate_existing=True))).scalars()
    }


def _info(connector: Connector, stored: Stored, tenant_id: int, vault: Vault) -> IntegrationInfo:
    settings = settings_of(connector)
    shown = {
        setting.name: stored.fields.get(setting.name, setting.default) for setting in settings if not setting.secret
    }
    shown |= {setting.name: _masked(stored, setting.name, tenant_id, vault) for setting in settings if setting.masked}
    return IntegrationInfo(
        code=connector.code,
        title=connector.title,
        type=connector.kind.value,
        active=stored.active,
        settings=settings,
        fields=shown,
        secrets_set={setting.name: setting.name in stored.secrets for setting in settings if setting.secret},
        options=options_of(connector, stored.options),
        mappings=mappings_of(connector, stored.mappings),
        has_credentials=has_credentials(connector, stored.given),
        missing=missing_for_activation(connector, given=stored.given, options=stored.options, mappings=stored.mappings),
        last_sync_at=stored.last_sync_at,
        activated_at=stored.activated_at,
        stopped_reason=stored.stopped_reason,
        stock_push_confirmed=stored.stock_push_confirmed,
    )


def _masked(stored: Stored, name: str, tenant_id: int, vault: Vault) -> str | None:
    """The last characters of an identifier that people must recognise; stars alone when it is too short for that."""
    if name not in stored.secrets:
        return None
    try:
        text = vault.open(stored.secrets[name], tenant_id=tenant_id, code=stored.code, field=name)
    except NeedsAttention:
        return "****"
    return f"****{text[-SHOWN_CHARACTERS:]}" if len(text) >= 2 * SHOWN_CHARACTERS else "****"


def _names(connector: Connector) -> set[str]:
    return {field.alias or name for name, field in connector.config.model_fields.items()}
