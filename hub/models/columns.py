"""How a column is declared: few types, the same everywhere, and the two leading key parts of every tenant's table."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Numeric,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

QUANTITY = Numeric(18, 4)


def string(length: int = 255, **options: Any) -> Any:
    """Text compared and sorted by code point, whatever the database's own locale is."""
    return Field(sa_type=cast(Any, String(length, collation="C")), max_length=length, **options)


def long_text(**options: Any) -> Any:
    return Field(sa_type=cast(Any, Text(collation="C")), **options)


def decimal(**options: Any) -> Any:
    """An exact decimal: 14 digits before the point, 4 after it."""
    return Field(sa_type=cast(Any, QUANTITY), **options)


def big(**options: Any) -> Any:
    return Field(sa_type=cast(Any, BigInteger), **options)


def moment(**options: Any) -> Any:
    """A point in time with zone; always UTC on the way out."""
    return Field(sa_type=cast(Any, DateTime(timezone=True)), **options)


def now(**options: Any) -> Any:
    """A point in time that the database sets when the row is written."""
    return moment(default=None, nullable=False, sa_column_kwargs={"server_default": func.now()}, **options)


def document(default: str = "{}") -> Any:
    """A JSON document, replaced as a whole (changes inside it are not seen by the session)."""
    return Field(
        default_factory=dict if default == "{}" else list,
        sa_type=cast(Any, JSONB),
        nullable=False,
        sa_column_kwargs={"server_default": text(f"'{default}'")},
    )


def texts() -> Any:
    return Field(
        default_factory=list,
        sa_type=cast(Any, ARRAY(Text(collation="C"))),
        nullable=False,
        sa_column_kwargs={"server_default": text("'{}'")},
    )


def flag(default: bool = False) -> Any:
    return Field(default=default, nullable=False, sa_column_kwargs={"server_default": text(str(default).lower())})


def sort_key() -> Any:
    """The beginning of the row's `search` text: sorts by name without regard to case and accents."""
    return Field(
        default=None,
        sa_type=cast(Any, String(64, collation="C")),
        nullable=False,
        sa_column_args=[Computed("left(search, 64)", persisted=True)],
    )


def belongs(column: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A reference inside the same tenant: (tenant_id, column) → table(tenant_id, id)."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete)


def unique(table: str, *columns: str, where: str | None = None, name: str | None = None) -> Index:
    """A unique key inside the tenant, partial when `where` is given."""
    name = name or f"uq_{table}_{'_'.join(columns)}"
    condition = {"postgresql_where": text(where)} if where else {}
    return Index(name, "tenant_id", *columns, unique=True, **cast(dict[str, Any], condition))


def index(table: str, *columns: str, where: str | None = None) -> Index:
    """An index led by the tenant."""
    condition = {"postgresql_where": text(where)} if where else {}
    return Index(f"ix_{table}_{'_'.join(columns)}", "tenant_id", *columns, **cast(dict[str, Any], condition))


def check(name: str, condition: str) -> CheckConstraint:
    return CheckConstraint(condition, name=name)


def not_negative(*columns: str) -> list[CheckConstraint]:
    return [check(f"{column}_not_negative", f"{column} >= 0") for column in columns]


class TenantRow(SQLModel):
    """Leads the key of every tenant's table; ids are small, per tenant and noun (hub/ids.py)."""

    tenant_id: int = Field(sa_type=cast(Any, BigInteger), primary_key=True, foreign_key="tenants.id")
    id: int = Field(
        default=None,
        sa_type=cast(Any, BigInteger),
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )


class Stamped(SQLModel):
    """When the row was written first and last."""

    created_at: datetime = now()
    updated_at: datetime = now()
