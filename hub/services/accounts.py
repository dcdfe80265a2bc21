"""Hub-wide logins by e-mail and their memberships in tenants, for operators."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from hub import changes as directory
from hub import passwords
from hub.context import Level, Permission, Scope
from hub.db import Database
from hub.errors import Conflict, NotFound
from hub.models.tenants import Account, Membership
from hub.queries.directory import get_tenant_id
from hub.services import audit
from hub.services.users import checked_email, checked_level, checked_permissions
from hub.services.values import text


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDraft:
    """A login to be made; an operator manages tenants and accounts."""

    email: str
    password: str
    name: str = ""
    operator: bool = False


async def add(database: Database, scope: Scope, *, account: AccountDraft) -> int:
    """Make an account that belongs to no tenant yet; its id."""
    scope.require_operator()
    email = checked_email(account.email).lower()
    text(account.name, field="name", longest=255)
    password_hash = await passwords.hashed(account.password)
    async with database.system_work() as session:
        row = insert(Account).values(
            email=email, name=account.name, password_hash=password_hash, operator=account.operator
        )
        made = await session.execute(row.on_conflict_do_nothing().returning(col(Account.id)))
        account_id: int | None = made.scalar_one_or_none()
        if account_id is None:
            raise Conflict(f"there is an account {email} already", field="email")
    return account_id


async def join(
    database: Database,
    scope: Scope,
    *,
    email: str,
    tenant: str,
    level: Level,
    permissions: Collection[Permission] = (),
) -> int:
    """Let an account work in a tenant, or change what it may do there; its id."""
    scope.require_operator()
    rights = {"level": checked_level(level), "permissions": checked_permissions(permissions)}
    async with database.system_work() as session:
        account_id, tenant_id = await _account_id(session, email), await get_tenant_id(session, tenant)
        row = insert(Membership).values(tenant_id=tenant_id, account_id=account_id, **rights)
        await session.execute(row.on_conflict_do_update(index_elements=["tenant_id", "account_id"], set_=rights))
        directory.announce_after_commit(session)
    await _audit(database, scope, [tenant_id], "account.join", email, rights)
    return account_id


async def leave(database: Database, scope: Scope, *, email: str, tenant: str) -> int:
    """End an account's membership in a tenant; its id."""
    scope.require_operator()
    async with database.system_work() as session:
        account_id, tenant_id = await _account_id(session, email), await get_tenant_id(session, tenant)
        membership = delete(Membership).where(
            col(Membership.account_id) == account_id, col(Membership.tenant_id) == tenant_id
        )
        ended = await session.execute(membership.returning(col(Membership.tenant_id)))
        if ended.first() is None:
            raise NotFound(f"{email} is not a member of {tenant}", field="tenant")
        directory.announce_after_commit(session)
    await _audit(database, scope, [tenant_id], "account.leave", email)
    return account_id


async def set_active(database: Database, scope: Scope, *, email: str, active: bool) -> int:
    """Let an account in or shut it out, which ends its sessions; its id."""
    action = "account.enable" if active else "account.disable"
    changes = {"active": active, "credential_version": col(Account.credential_version) + (0 if active else 1)}
    return await _change(database, scope, email, action, changes)


async def set_password(database: Database, scope: Scope, *, email: str, password: str) -> int:
    """Replace a password; the sessions that began with the old one end."""
    changes = {
        "password_hash": await passwords.hashed(password),
        "credential_version": col(Account.credential_version) + 1,
    }
    return await _change(database, scope, email, "account.password", changes)


async def _change(database: Database, scope: Scope, email: str, action: str, changes: dict[str, Any]) -> int:
    scope.require_operator()
    async with database.system_work() as session:
        account_id = await _account_id(session, email)
        row = update(Account).where(col(Account.id) == account_id)
        await session.execute(row.values(updated_at=datetime.now(UTC), **changes))
        memberships = select(col(Membership.tenant_id)).where(col(Membership.account_id) == account_id)
        tenant_ids = list((await session.execute(memberships)).scalars())
        directory.announce_after_commit(session)
    await _audit(database, scope, tenant_ids, action, email)
    return account_id


async def _audit(
    database: Database,
    scope: Scope,
    tenant_ids: list[int],
    action: str,
    email: str,
    details: dict[str, Any] | None = None,
) -> None:
    """Each tenant concerned reads of it in its own audit."""
    for tenant_id in tenant_ids:
        inside = Scope(Scope.of_system(tenant_id).tenants, scope.actor, operator=True)
        await database.write(inside, lambda work: audit.record(work, action, email.lower(), details))


async def _account_id(session: AsyncSession, email: str) -> int:
    query = select(col(Account.id)).where(col(Account.email) == email.lower())
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no account {email}", field="email")
    return found
