"""Companies: clients and suppliers, their segments, credit limits, blocks and price lists."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from hub.models.columns import (
    Stamped,
    TenantRow,
    belongs,
    big,
    check,
    decimal,
    flag,
    index,
    long_text,
    moment,
    now,
    sort_key,
    string,
    unique,
)


class Company(TenantRow, Stamped, table=True):
    """A client, a supplier or both; only the name is mandatory."""

    __tablename__ = "companies"
    __table_args__: ClassVar[Any] = (
        unique("companies", "external_reference", where="external_reference IS NOT NULL"),
        unique("companies", "third_party_reference", where="third_party_reference IS NOT NULL"),
        index("companies", "cui", where="cui IS NOT NULL"),
        index("companies", "name"),
        index("companies", "sort_key", "id"),
        check("type_is_known", "type IN ('CLIENT', 'SUPPLIER', 'BOTH')"),
    )

    name: str = string()
    type: str = string(8, default="CLIENT")
    external_reference: str | None = string(default=None)
    third_party_reference: str | None = string(default=None)
    cui: str | None = string(default=None)
    reg_no: str | None = string(default=None)
    bank: str | None = string(default=None)
    iban: str | None = string(default=None)
    address: str | None = string(1000, default=None)
    phone: str | None = string(default=None)
    email: str | None = string(default=None)
    website: str | None = string(default=None)
    active: bool = flag(True)
    segment: str | None = string(default=None)
    credit_limit: Decimal | None = decimal(default=None)
    credit_used: Decimal | None = decimal(default=None)
    payment_days: int | None = Field(default=None)
    send_to_external: bool = flag(True)
    search: str = long_text(default="")
    sort_key: str = sort_key()


class CompanyBlock(TenantRow, table=True):
    """Why a company may not order at present; ended blocks stay as history."""

    __tablename__ = "company_blocks"
    __table_args__: ClassVar[Any] = (
        index("company_blocks", "company_id"),
        belongs("company_id", "companies", ondelete="CASCADE"),
    )

    company_id: int = big()
    type: str = string(64)
    reason: str | None = string(4000, default=None)
    blocked_at: datetime = now()
    released_at: datetime | None = moment(default=None)


class CompanyPriceList(SQLModel, table=True):
    __tablename__ = "company_price_lists"
    __table_args__: ClassVar[Any] = (
        belongs("company_id", "companies", ondelete="CASCADE"),
        belongs("price_list_id", "price_lists", ondelete="CASCADE"),
    )

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    company_id: int = Field(sa_type=BigInteger, primary_key=True)
    price_list_id: int = Field(sa_type=BigInteger, primary_key=True)
