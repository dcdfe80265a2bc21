"""The tenants of the hub, for operators: a new one is ready to work at once."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub import changes as directory
from hub.context import Level, Scope
from hub.db import Database, UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models.stock import Location, Warehouse
from hub.models.tenants import Tenant
from hub.passwords import check_password
from hub.services import audit, users
from hub.services.users import UserDraft
from hub.services.values import text

ADMINISTRATOR = "admin"
WAREHOUSE = "MAIN"
LOCATIONS = (("RECEPTION", "Reception", True), ("A-01", "A-01", False), ("A-02", "A-02", False))
SETTINGS = ("name", "purchase_orders_enabled", "batch_code_format")

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDraft:
    """A tenant to be made; without a password for its superadministrator one is generated."""

    slug: str
    name: str
    admin_password: str | None = None


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What was made; `generated_password` is known here and nowhere else."""

    id: int
    slug: str
    generated_password: str | None


async def add(database: Database, scope: Scope, *, tenant: TenantDraft) -> NewTenant:
    """Make a tenant with its superadministrator, default warehouse and locations.

    It becomes visible when all of that is there; what an interrupted attempt left behind is completed.
    """
    scope.require_operator()
    if not _SLUG.fullmatch(text(tenant.slug, field="slug", longest=63)):
        raise Invalid("must be a host label: a-z, 0-9 and hyphens between them, at most 63 characters", field="slug")
    text(tenant.name, field="name", longest=255, blank=False)
    generated = None if tenant.admin_password else secrets.token_urlsafe(12)
    password = tenant.admin_password or generated or ""
    check_password(password, field="adminPassword")

    tenant_id = await _reserve(database, tenant)
    await database.write(_inside(scope, tenant_id), lambda work: _furnish(work, tenant, password))
    await _change(database, col(Tenant.id) == tenant_id, active=True)
    return NewTenant(tenant_id, tenant.slug, generated)


async def set_active(database: Database, scope: Scope, *, slug: str, active: bool) -> int:
    """Let a tenant in or shut it out; its data stays. Its id."""
    scope.require_operator()
    tenant_id = await _change(database, col(Tenant.slug) == slug, active=active)
    action = "tenant.enable" if active else "tenant.disable"
    await database.write(_inside(scope, tenant_id), lambda work: audit.record(work, action, slug))
    return tenant_id


async def save_settings(database: Database, scope: Scope, *, changes: Mapping[str, Any]) -> int:
    """Change a tenant's own settings; ADMINISTRATOR of it."""
    scope.require(Level.ADMINISTRATOR)
    values = {name: _checked_setting(name, value) for name, value in changes.items()}
    tenant_id = scope.tenant_id
    if values:
        await _change(database, col(Tenant.id) == tenant_id, **values)
        await database.write(scope, lambda work: audit.record(work, "tenant.settings", str(tenant_id), values))
    return tenant_id


async def _reserve(database: Database, tenant: TenantDraft) -> int:
    """The id of a new, still inactive tenant, or of one that was begun and never furnished."""
    async with database.system_work() as session:
        row = insert(Tenant).values(slug=tenant.slug, name=tenant.name, active=False).on_conflict_do_nothing()
        await session.execute(row)
        query = select(col(Tenant.id), col(Tenant.active)).where(col(Tenant.slug) == tenant.slug)
        tenant_id, active = (await session.execute(query)).one()
    if active:
        raise _taken(tenant.slug)
    return int(tenant_id)


async def _furnish(work: UnitOfWork, tenant: TenantDraft, password: str) -> None:
    warehouses = select(func.count()).where(col(Warehouse.tenant_id) == work.tenant_id)
    if (await work.session.execute(warehouses)).scalar_one():
        raise _taken(tenant.slug)
    place = {"tenant_id": work.tenant_id, "warehouse_id": await work.next_id("warehouse")}
    await work.session.execute(
        insert(Warehouse).values(
            tenant_id=work.tenant_id, id=place["warehouse_id"], code=WAREHOUSE, name="Main", is_default=True
        )
    )
    ids = await work.next_ids("location", len(LOCATIONS))
    rows = [
        place | {"id": id_, "code": code, "name": name, "is_inbound": inbound}
        for id_, (code, name, inbound) in zip(ids, LOCATIONS, strict=True)
    ]
    await work.session.execute(insert(Location), rows)
    admin = UserDraft(username=ADMINISTRATOR, password=password, level=Level.SUPERADMINISTRATOR, name="Administrator")
    await users.add(work, user=admin)
    await audit.record(work, "tenant.add", tenant.slug)


async def _change(database: Database, which: Any, **values: Any) -> int:
    async with database.system_work() as session:
        row = update(Tenant).where(which).values(updated_at=datetime.now(UTC), **values).returning(col(Tenant.id))
        found: int | None = (await session.execute(row)).scalar_one_or_none()
        if found is None:
            raise NotFound("there is no such tenant", field="tenant")
        directory.announce_after_commit(session)
    return found


def _checked_setting(name: str, value: Any) -> Any:
    if name not in SETTINGS:
        raise Invalid("is not a setting of a tenant", field=name)
    if name == "purchase_orders_enabled":
        if not isinstance(value, bool):
            raise Invalid("must be true or false", field="purchaseOrdersEnabled")
        return value
    if name == "name":
        return text(value, field="name", longest=255, blank=False)
    return text(value, field="batchCodeFormat", longest=64, blank=False)


def _inside(scope: Scope, tenant_id: int) -> Scope:
    """The operator at work inside one tenant."""
    system = Scope.of_system(tenant_id)
    return Scope(system.tenants, scope.actor, operator=True)


def _taken(slug: str) -> Conflict:
    return Conflict(f"there is a tenant {slug} already", field="slug")
