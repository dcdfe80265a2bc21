"""Configures the connections of a tenant: settings, secrets, shops, and which single one is active. ADMINISTRATOR.

Everything here is generic over the connectors of the registry; a connector says itself what it asks for.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.configuration import (
    STATUS_ID_LENGTH,
    WEBSITE_TOKEN,
    check_fields,
    check_mappings,
    check_names,
    connector_of,
    instance_of,
    missing_for_activation,
    settings_of,
)
from hub.context import Level
from hub.crypto import Vault
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NeedsAttention, NotFound
from hub.models.integrations import Integration, IntegrationSecret, Website
from hub.models.syncs import SyncStream
from hub.ports import Connector, Registry
from hub.queries.integrations import Stored, get_stored, opened_values
from hub.services import audit

KEY, SECRET, ADDRESS = "apiKey", "apiSecret", "apiUrl"
LONGEST_SECRET = 4096


async def save(
    work: UnitOfWork,
    *,
    code: str,
    registry: Registry,
    vault: Vault,
    fields: Mapping[str, Any] | None = None,
    options: Mapping[str, bool | None] | None = None,
    mappings: Mapping[str, str | None] | None = None,
) -> str:
    """Store what is given, keep what is absent; null removes. Secrets travel in `fields` like every other setting."""
    work.scope.require(Level.ADMINISTRATOR)
    connector = connector_of(registry, code)
    fields, options, mappings = fields or {}, options or {}, mappings or {}
    check_names(connector, "fields", fields, [setting.name for setting in settings_of(connector)])
    check_names(connector, "options", options, connector.options)
    check_names(connector, "mappings", mappings, connector.mappings)
    given = {name: None if _is_blank(value) else value for name, value in fields.items()}
    secrets = {name: value for name, value in given.items() if name in _secret_names(connector)}
    stored = await _locked(work, code)
    plain = _merged(stored.fields, {name: value for name, value in given.items() if name not in secrets})
    check_fields(connector, plain | {name: text for name, text in secrets.items() if text is not None}, given)
    new_options = _merged(stored.options, _checked_options(options))
    new_mappings = _merged(stored.mappings, _checked_mappings(mappings))
    check_mappings(connector, new_mappings)

    await _store(work, code, fields=plain, options=new_options, mappings=new_mappings)
    for name, text in secrets.items():
        await _put_secret(work, vault, code, name, text)
    await _settle(work, connector)
    told = {"fields": sorted(fields), "options": dict(options), "mappings": dict(mappings)}
    await audit.record(work, "integration.save", code, told)
    work.emit("sync", "integration_saved", code=code)
    return code


async def activate(work: UnitOfWork, *, code: str, registry: Registry, vault: Vault) -> str:
    """Make it the tenant's one active connection, the others inactive; refused with the names of what is missing."""
    work.scope.require(Level.ADMINISTRATOR)
    connector = connector_of(registry, code)
    stored = await _locked(work, code)
    missing = _missing(connector, stored)
    if missing:
        raise Invalid(
            f"{connector.title} cannot be activated: missing {', '.join(missing)}",
            field=missing[0],
            hint="fill them in and save",
        )
    check_mappings(connector, stored.mappings)
    _prove(connector, stored, work.tenant_id, vault)
    if not stored.active:
        switched_off = await _deactivate(work, others_than=code)
        await _update(work, code, active=True, activated_at=datetime.now(UTC), stock_push_confirmed=False)
        await _make_due(work, code)
        await audit.record(work, "integration.activate", code, {"deactivated": switched_off})
        work.emit("sync", "integration_activated", code=code, deactivated=switched_off)
    await _update(work, code, stopped_reason=None)
    return code


async def deactivate(work: UnitOfWork, *, code: str, registry: Registry) -> str:
    """Stop exchanging data with it; its configuration stays. A running page is finished, none is started."""
    work.scope.require(Level.ADMINISTRATOR)
    connector_of(registry, code)
    if await _deactivate(work, only=code):
        await audit.record(work, "integration.deactivate", code)
        work.emit("sync", "integration_deactivated", code=code)
    return code


async def api_key_save(
    work: UnitOfWork,
    *,
    code: str,
    api_key: str,
    registry: Registry,
    vault: Vault,
    api_secret: str | None = None,
    api_url: str | None = None,
) -> str:
    """Replace the pair of key and secret that a platform issued; without an address the stored one stays."""
    work.scope.require(Level.ADMINISTRATOR)
    connector = connector_of(registry, code)
    if not {KEY, SECRET} <= _secret_names(connector):
        raise Invalid(f"{connector.title} has no API key and secret", field="code")
    if _is_blank(api_key):
        raise Invalid("must be filled in", field=KEY)
    fields: dict[str, Any] = {KEY: api_key, SECRET: api_secret}
    if not _is_blank(api_url):
        fields[ADDRESS] = api_url
    return await save(work, code=code, registry=registry, vault=vault, fields=fields)


async def website_token_save(
    work: UnitOfWork, *, code: str, website_id: str, token: str, registry: Registry, vault: Vault
) -> str:
    """Set the token of one detected shop."""
    work.scope.require(Level.ADMINISTRATOR)
    connector = connector_of(registry, code)
    if _is_blank(token):
        raise Invalid("must be filled in", field="token")
    await _locked(work, code)
    await _find_website(work, code, website_id)
    await _put_secret(work, vault, code, f"{WEBSITE_TOKEN}{website_id}", token)
    await _settle(work, connector)
    await audit.record(work, "website.token_save", f"{code} {website_id}")
    return website_id


async def website_token_reset(work: UnitOfWork, *, code: str, website_id: str, registry: Registry) -> str:
    """Remove the token of one shop."""
    work.scope.require(Level.ADMINISTRATOR)
    connector = connector_of(registry, code)
    await _locked(work, code)
    await _find_website(work, code, website_id)
    await _remove_secret(work, code, f"{WEBSITE_TOKEN}{website_id}")
    await _settle(work, connector)
    await audit.record(work, "website.token_reset", f"{code} {website_id}")
    return website_id


async def websites_seen(work: UnitOfWork, *, code: str, shops: Sequence[tuple[str, str, str | None]]) -> None:
    """Remember the shops (id, name, address) that a platform told about; ones that are gone stay, with their tokens."""
    if not shops:
        return
    rows = [
        {"tenant_id": work.tenant_id, "code": code, "website_id": id_, "name": name[:255], "url": url}
        for id_, name, url in shops
    ]
    fresh = insert(Website).values(rows)
    await work.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["tenant_id", "code", "website_id"],
            set_={"name": fresh.excluded.name, "url": fresh.excluded.url, "seen_at": datetime.now(UTC)},
        )
    )


async def _locked(work: UnitOfWork, code: str) -> Stored:
    """The connection, made when it was never saved. All of the tenant's are locked: switching takes its turn."""
    empty = insert(Integration).values(tenant_id=work.tenant_id, code=code, active=False)
    await work.session.execute(empty.on_conflict_do_nothing())
    await work.session.execute(
        select(col(Integration.code))
        .where(col(Integration.tenant_id) == work.tenant_id)
        .order_by(col(Integration.code))
        .with_for_update()
    )
    return await get_stored(work.session, work.tenant_id, code)


async def _store(work: UnitOfWork, code: str, **columns: Mapping[str, Any]) -> None:
    await _update(work, code, updated_at=datetime.now(UTC), **columns)


async def _update(work: UnitOfWork, code: str, **columns: Any) -> None:
    row = update(Integration).where(col(Integration.tenant_id) == work.tenant_id, col(Integration.code) == code)
    await work.session.execute(row.values(**columns))


async def _deactivate(work: UnitOfWork, *, only: str | None = None, others_than: str | None = None) -> list[str]:
    """The codes that were active until now."""
    active = update(Integration).where(col(Integration.tenant_id) == work.tenant_id, col(Integration.active))
    active = active.where(col(Integration.code) == only if only else col(Integration.code) != others_than)
    gone = await work.session.execute(active.values(active=False).returning(col(Integration.code)))
    return sorted(gone.scalars())


async def _make_due(work: UnitOfWork, code: str) -> None:
    """What happened while it was inactive is asked for at once, not when the old rhythm comes round."""
    streams = update(SyncStream).where(col(SyncStream.tenant_id) == work.tenant_id, col(SyncStream.code) == code)
    await work.session.execute(streams.values(due_at=datetime.now(UTC), failures=0))


async def _settle(work: UnitOfWork, connector: Connector) -> None:
    """After a change: what stopped the connection is forgotten, unless something it needs is now missing."""
    stored = await get_stored(work.session, work.tenant_id, connector.code)
    missing = _missing(connector, stored) if stored.active else []
    reason = f"missing {', '.join(missing)}" if missing else None
    await _update(work, connector.code, stopped_reason=reason)


def _prove(connector: Connector, stored: Stored, tenant_id: int, vault: Vault) -> None:
    """Raise what is wrong with the settings as a whole, in the words of the caller's family."""
    try:
        instance_of(connector, opened_values(stored, tenant_id, connector, vault))
    except NeedsAttention as error:
        raise Conflict(error.message, field=error.field, hint=error.hint) from error


def _missing(connector: Connector, stored: Stored) -> list[str]:
    return missing_for_activation(connector, given=stored.given, options=stored.options, mappings=stored.mappings)


async def _put_secret(work: UnitOfWork, vault: Vault, code: str, field: str, text: Any) -> None:
    if text is None:
        await _remove_secret(work, code, field)
        return
    if not isinstance(text, str) or len(text) > LONGEST_SECRET:
        raise Invalid(f"must be a text of at most {LONGEST_SECRET} characters", field=f"fields.{field}")
    sealed = vault.seal(text, tenant_id=work.tenant_id, code=code, field=field)
    row = insert(IntegrationSecret).values(tenant_id=work.tenant_id, code=code, field=field, ciphertext=sealed)
    await work.session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "code", "field"],
            set_={"ciphertext": sealed, "updated_at": datetime.now(UTC)},
        )
    )


async def _remove_secret(work: UnitOfWork, code: str, field: str) -> None:
    await work.session.execute(
        delete(IntegrationSecret).where(
            col(IntegrationSecret.tenant_id) == work.tenant_id,
            col(IntegrationSecret.code) == code,
            col(IntegrationSecret.field) == field,
        )
    )


async def _find_website(work: UnitOfWork, code: str, website_id: str) -> None:
    query = select(col(Website.website_id)).where(
        col(Website.tenant_id) == work.tenant_id, col(Website.code) == code, col(Website.website_id) == website_id
    )
    if (await work.session.execute(query)).first() is None:
        raise NotFound(f"there is no website {website_id}", field="websiteId")


def _secret_names(connector: Connector) -> set[str]:
    return {setting.name for setting in settings_of(connector) if setting.secret}


def _merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (dict(stored) | dict(given)).items() if value is not None}


def _checked_options(options: Mapping[str, bool | None]) -> dict[str, bool | None]:
    for name, on in options.items():
        if on is not None and not isinstance(on, bool):
            raise Invalid("must be true or false", field=f"options.{name}")
    return dict(options)


def _checked_mappings(mappings: Mapping[str, str | None]) -> dict[str, str | None]:
    for name, status_id in mappings.items():
        if status_id is not None and (not isinstance(status_id, str) or len(status_id) > STATUS_ID_LENGTH):
            raise Invalid(f"must be a text of at most {STATUS_ID_LENGTH} characters", field=f"mappings.{name}")
    return {name: status_id if status_id is None else status_id.strip() for name, status_id in mappings.items()}


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
