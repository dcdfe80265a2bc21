"""Who may log in, and what they may do where. Runs as `hub_system`, because it looks before a tenant is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Row, Select, and_, inspect, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.context import Grant, Level, Permission
from hub.errors import NotFound
from hub.models.tenants import Account, Membership, Tenant, User

USER = "user"
ACCOUNT = "account"
PERMISSIONS = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose credential it is; `tenant_id` is 0 for an account."""

    kind: str
    id: int
    tenant_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A login as the database has it now; `tenants` holds slug → (tenant id, grant), of active tenants only."""

    subject: Subject
    login: str
    password_hash: str = field(repr=False)
    credential_version: int
    active: bool
    operator: bool
    tenants: Mapping[str, tuple[int, Grant]]


async def find_identities(session: AsyncSession, *, slug: str | None, login: str, accounts: bool) -> list[Identity]:
    """Whom a login may mean: a user of the tenant, then, where accounts are let in, an account."""
    found: list[Identity] = []
    if slug is not None:
        users = _users().where(col(Tenant.slug) == slug, col(User.username) == login)
        found += [_user(row) for row in await session.execute(users)]
    if accounts:
        found += _merged(await session.execute(_accounts().where(col(Account.email) == login.lower())))
    return found


async def get_identity(session: AsyncSession, subject: Subject) -> Identity | None:
    """The login as it is now; None when it or its tenant is gone."""
    if subject.kind == USER:
        users = _users().where(col(User.tenant_id) == subject.tenant_id, col(User.id) == subject.id)
        found = [_user(row) for row in await session.execute(users)]
    else:
        found = _merged(await session.execute(_accounts().where(col(Account.id) == subject.id)))
    return found[0] if found else None


async def get_tenant_id(session: AsyncSession, slug: str) -> int:
    """The id of a tenant, active or not; raises `NotFound`."""
    found: int | None = (
        await session.execute(select(col(Tenant.id)).where(col(Tenant.slug) == slug))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no tenant {slug}", field="tenant")
    return found


def _users() -> Select[Any]:
    users: Select[Any] = select(*inspect(User).columns, col(Tenant.slug))
    return users.join(Tenant, col(Tenant.id) == col(User.tenant_id)).where(col(Tenant.active))


def _user(row: Row[Any]) -> Identity:
    return Identity(
        subject=Subject(USER, row.id, row.tenant_id),
        login=row.username,
        password_hash=row.password_hash,
        credential_version=row.credential_version,
        active=row.active,
        operator=False,
        tenants={row.slug: (row.tenant_id, _grant(row))},
    )


def _accounts() -> Select[Any]:
    """An account with one row per membership in an active tenant, or one row without any."""
    rights = [Membership.level, Membership.permissions, col(Tenant.id).label("tenant_id"), Tenant.slug]
    accounts: Select[Any] = select(*inspect(Account).columns, *cast(list[Any], rights))
    return (
        accounts.outerjoin(Membership, col(Membership.account_id) == col(Account.id))
        .outerjoin(Tenant, and_(col(Tenant.id) == col(Membership.tenant_id), col(Tenant.active)))
        .order_by(col(Account.id), col(Tenant.id))
    )


def _merged(rows: Any) -> list[Identity]:
    return [_account(list(group)) for _, group in groupby(rows, key=lambda row: row.id)]


def _account(rows: list[Row[Any]]) -> Identity:
    first = rows[0]
    return Identity(
        subject=Subject(ACCOUNT, first.id),
        login=first.email,
        password_hash=first.password_hash,
        credential_version=first.credential_version,
        active=first.active,
        operator=first.operator,
        tenants={row.slug: (row.tenant_id, _grant(row)) for row in rows if row.slug is not None},
    )


def _grant(row: Row[Any]) -> Grant:
    return Grant(Level(row.level), frozenset(Permission(name) for name in row.permissions if name in PERMISSIONS))
