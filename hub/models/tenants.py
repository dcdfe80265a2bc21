"""Tenants, their users, hub-wide accounts and memberships, and the blocks of ids."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKeyConstraint, Identity, Index
from sqlmodel import Field, SQLModel

from hub.models.columns import Stamped, TenantRow, big, check, document, flag, now, string, texts, unique


class Tenant(Stamped, table=True):
    """A company using the hub."""

    __tablename__ = "tenants"
    __table_args__ = (check("slug_is_a_host_label", "slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'"),)

    id: int = Field(default=None, sa_type=BigInteger, primary_key=True, sa_column_args=[Identity()])
    slug: str = string(63, unique=True)
    name: str = string()
    active: bool = flag(True)
    purchase_orders_enabled: bool = flag(True)
    batch_code_format: str = string(64, default="P{productionOrderId}-{yyyyMMdd}")
    settings: dict[str, Any] = document()


class User(TenantRow, Stamped, table=True):
    """A login of one tenant, for REST, GraphQL and the console."""

    __tablename__ = "users"
    __table_args__: ClassVar[Any] = (
        unique("users", "username"),
        check("username_has_no_colon", "username <> '' AND position(':' in username) = 0"),
        check("level_is_known", "level BETWEEN 1 AND 4"),
    )

    username: str = string()
    name: str = string(default="")
    email: str | None = string(default=None)
    password_hash: str = string(500)
    language: str = string(2, default="ro")
    active: bool = flag(True)
    level: int = Field(default=1)
    permissions: list[str] = texts()
    credential_version: int = Field(default=1)


class Account(Stamped, table=True):
    """A hub-wide login by e-mail, with memberships in tenants; the operator flag manages tenants."""

    __tablename__ = "accounts"

    id: int = Field(default=None, sa_type=BigInteger, primary_key=True, sa_column_args=[Identity()])
    email: str = string(unique=True)
    name: str = string(default="")
    password_hash: str = string(500)
    active: bool = flag(True)
    operator: bool = flag()
    credential_version: int = Field(default=1)


class Membership(SQLModel, table=True):
    """What an account may do in one tenant."""

    __tablename__ = "memberships"
    __table_args__: ClassVar[Any] = (
        Index("ix_memberships_account_id", "account_id"),
        check("level_is_known", "level BETWEEN 1 AND 4"),
    )

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="accounts.id", ondelete="CASCADE")
    level: int = Field(default=1)
    permissions: list[str] = texts()
    created_at: datetime = now()


class IdBlock(SQLModel, table=True):
    """The next free id of one noun in one tenant; processes take blocks (hub/ids.py)."""

    __tablename__ = "id_blocks"

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    noun: str = string(63, primary_key=True)
    next_id: int = big(default=1)


class AuditEntry(TenantRow, table=True):
    """Who changed what in the administration of a tenant."""

    __tablename__ = "audit_entries"

    actor: str = string()
    action: str = string(64)
    subject: str = string()
    details: dict[str, Any] = document()
    occurred_at: datetime = now()


class LegacyUsage(SQLModel, table=True):
    """How often a user calls a REST route: one row per user, route and day."""

    __tablename__ = "legacy_usage"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], ondelete="CASCADE"),
    )

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    user_id: int = Field(sa_type=BigInteger, primary_key=True)
    route: str = string(primary_key=True)
    day: str = string(10, primary_key=True)
    calls: int = big(default=0)
    errors: int = big(default=0)
    last_at: datetime = now()


class IdempotencyKey(SQLModel, table=True):
    """The first answer to a mutation that carried an idempotency key."""

    __tablename__ = "idempotency_keys"

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    actor: str = string(primary_key=True)
    key: str = string(primary_key=True)
    operation: str = string(128)
    body_hash: str = string(64)
    answer: dict[str, Any] = document()
    created_at: datetime = now()
