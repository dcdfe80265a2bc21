"""Lists tenants, their users, and accounts with their memberships, for administration."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from hub.context import Level, Scope
from hub.db import Database
from hub.models.tenants import Account, Membership, Tenant, User


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantInfo:
    id: int
    slug: str
    name: str
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo:
    """A login without its password."""

    id: int
    username: str
    name: str
    email: str | None
    language: str
    active: bool
    level: Level
    permissions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """An account and its level in each of its tenants."""

    id: int
    email: str
    name: str
    active: bool
    operator: bool
    levels: dict[str, Level]


async def list_tenants(database: Database, scope: Scope) -> list[TenantInfo]:
    """All tenants of the hub; operators only."""
    scope.require_operator()
    async with database.system_work() as session:
        rows = (await session.execute(select(Tenant).order_by(col(Tenant.slug)))).scalars()
        return [
            TenantInfo(id=row.id, slug=row.slug, name=row.name, active=row.active, created_at=row.created_at)
            for row in rows
        ]


async def list_users(database: Database, scope: Scope) -> list[UserInfo]:
    """The users of one tenant; ADMINISTRATOR."""
    scope.require(Level.ADMINISTRATOR)
    query = select(User).where(col(User.tenant_id) == scope.tenant_id).order_by(col(User.username))
    async with database.unit_of_work(scope) as work:
        return [
            UserInfo(
                id=row.id,
                username=row.username,
                name=row.name,
                email=row.email,
                language=row.language,
                active=row.active,
                level=Level(row.level),
                permissions=list(row.permissions),
            )
            for row in (await work.session.execute(query)).scalars()
        ]


async def list_accounts(database: Database, scope: Scope) -> list[AccountInfo]:
    """All accounts of the hub; operators only."""
    scope.require_operator()
    memberships = select(col(Membership.account_id), col(Tenant.slug), col(Membership.level)).join(
        Tenant, col(Tenant.id) == col(Membership.tenant_id)
    )
    async with database.system_work() as session:
        levels: dict[int, dict[str, Level]] = {}
        for account_id, slug, level in await session.execute(memberships.order_by(col(Tenant.slug))):
            levels.setdefault(account_id, {})[slug] = Level(level)
        rows = (await session.execute(select(Account).order_by(col(Account.email)))).scalars()
        return [
            AccountInfo(
                id=row.id,
                email=row.email,
                name=row.name,
                active=row.active,
                operator=row.operator,
                levels=levels.get(row.id, {}),
            )
            for row in rows
        ]
