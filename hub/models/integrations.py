"""The connections to external systems: settings, secrets, shops, and what connectors remember."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from hub.models.columns import Stamped, document, flag, moment, now, string


def _of_integration(ondelete: str = "CASCADE") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "code"], ["integrations.tenant_id", "integrations.code"], ondelete=ondelete
    )


class Integration(Stamped, table=True):
    """The configuration of one external system in one tenant; at most one is active, over all of them."""

    __tablename__ = "integrations"
    __table_args__: ClassVar[Any] = (
        Index("uq_integrations_one_active", "tenant_id", unique=True, postgresql_where=text("active")),
    )

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    code: str = string(32, primary_key=True)
    active: bool = flag()
    fields: dict[str, Any] = document()
    options: dict[str, Any] = document()
    mappings: dict[str, Any] = document()
    activated_at: datetime | None = moment(default=None)
    last_sync_at: datetime | None = moment(default=None)
    stopped_reason: str | None = string(4000, default=None)
    # Set when only a person can go on (credentials refused); cleared by saving or activating."""
    stock_push_confirmed: bool = flag()


class IntegrationSecret(SQLModel, table=True):
    """One encrypted secret (hub/crypto.py); write-only in every interface."""

    __tablename__ = "integration_secrets"
    __table_args__: ClassVar[Any] = (_of_integration(),)

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    code: str = string(32, primary_key=True)
    field: str = string(128, primary_key=True)
    ciphertext: bytes = Field(sa_type=LargeBinary)
    updated_at: datetime = now()


class Website(SQLModel, table=True):
    """A shop that a multi-shop platform told about; its token is an integration secret `website:ID`."""

    __tablename__ = "websites"
    __table_args__: ClassVar[Any] = (_of_integration(),)

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    code: str = string(32, primary_key=True)
    website_id: str = string(primary_key=True)
    name: str = string()
    url: str | None = string(2048, default=None)
    seen_at: datetime = now()


class ConnectorMemory(SQLModel, table=True):
    """What a connector remembers beyond its cursor: a value in the clear or encrypted, until it expires."""

    __tablename__ = "connector_memory"
    __table_args__: ClassVar[Any] = (_of_integration(),)

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    code: str = string(32, primary_key=True)
    key: str = string(primary_key=True)
    value: Any = Field(default=None, sa_type=JSONB)
    ciphertext: bytes | None = Field(default=None, sa_type=LargeBinary)
    expires_at: datetime | None = moment(default=None)
    updated_at: datetime = now()
