"""Companies: clients and suppliers, their credit, blocks and price lists."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from hub.models import companies as models
from schema.planner.fields import column, many, one, reads
from schema.planner.inputs import Ids, Moment, Text, Whole, choices, filters, ids, where, words
from schema.planner.types import NAMES, Connection, Node, Owned, orders

if TYPE_CHECKING:
    from schema.invoices import Invoice
    from schema.nirs import Nir
    from schema.orders import Order
    from schema.products import PriceList
    from schema.purchase_orders import PurchaseOrder
    from schema.returns import Return


@strawberry.enum(description="What a company is to the warehouse.")
class CompanyType(Enum):
    CLIENT = "CLIENT"
    SUPPLIER = "SUPPLIER"
    BOTH = "BOTH"


NAMES["CompanyType"] = CompanyType


@choices
class CompanyTypes:
    """Asks about what a company is."""

    eq: CompanyType | None
    in_: list[CompanyType] | None


@filters
class CompanyFilter:
    """Which companies; all questions must be answered with yes."""

    id: Ids | None = ids("Company", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    name: Text | None = where("By its name.")
    type: CompanyTypes | None = where("By what it is.")
    external_reference: Text | None = where("By the integrator's key.")
    third_party_reference: Text | None = where("By the key in the connected system.")
    cui: Text | None = where("By its tax number.")
    segment: Text | None = where("By its segment.")
    active: bool | None = where("Only active or only inactive ones.")
    created_at: Moment | None = where("By when it was added.")
    updated_at: Moment | None = where("By when it was changed last.")
    search: str | None = words("Each word begins a word of its name, tax number or references.")


CompanyOrder = orders(
    "CompanyOrder",
    "Orders of companies; by name means without regard to case and accents.",
    id="id",
    name="sort_key",
    created_at="created_at",
)


@reads(models.Company, filter=CompanyFilter, order=CompanyOrder)
class Company(Node, Owned):
    """A client, a supplier or both."""

    name: str = column("Its name.")
    type: CompanyType = column("What it is to the warehouse.")
    external_reference: str | None = column("The integrator's key of it.")
    third_party_reference: str | None = column("Its key in the connected external system.")
    cui: str | None = column("Its tax number.")
    reg_no: str | None = column("Its number in the register of companies.")
    bank: str | None = column("Its bank.")
    iban: str | None = column("Its account.")
    address: str | None = column("Its postal address.")
    phone: str | None = column("Its telephone.")
    email: str | None = column("Its e-mail address.")
    website: str | None = column("Its web site.")
    active: bool = column("Used in new documents.")
    segment: str | None = column("The group of clients it belongs to.")
    credit_limit: Decimal | None = column("How much it may owe.")
    credit_used: Decimal | None = column("How much of the limit is used.")
    payment_days: int | None = column("Days until an invoice is due.")
    send_to_external: bool = column("Told to the connected external system.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    blocks: Connection[CompanyBlock] = many("company_id", "Why it may not order, ended blocks included.")
    price_lists: list[CompanyPriceList] = many("company_id", "The price lists it buys by.", order=("price_list_id",))
    orders: Connection[Order] = many("company_id", "The orders it placed.")
    invoices: Connection[Invoice] = many("company_id", "The invoices made out to it.")
    nirs: Connection[Nir] = many("supplier_id", "The goods receipts it delivered.")
    purchase_orders: Connection[PurchaseOrder] = many("supplier_id", "What was ordered from it.")
    returns: Connection[Return] = many("company_id", "What it sent back.")


@reads(models.CompanyBlock)
class CompanyBlock(Node, Owned):
    """Why a company may not order at present."""

    company: Company = one("company_id", "The blocked company.")
    type: str = column("What kind of block it is.")
    reason: str | None = column("Why.")
    blocked_at: datetime = column("Since when.")
    released_at: datetime | None = column("Until when; empty while it lasts.")


@reads(models.CompanyPriceList)
class CompanyPriceList(Owned):
    """A company buys by a price list."""

    company: Company = one("company_id", "Who buys.")
    price_list: PriceList = one("price_list_id", "By which prices.")
