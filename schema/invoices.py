"""Invoices made out to companies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import orders as models
from schema.planner.fields import column, many, one, reads, sql
from schema.planner.inputs import Day, Ids, Text, filters, ids, where
from schema.planner.types import Connection, Node, Owned, orders

if TYPE_CHECKING:
    from schema.companies import Company
    from schema.orders import Order
    from schema.products import Product


@filters
class InvoiceFilter:
    """Which invoices; all questions must be answered with yes."""

    id: Ids | None = ids("Invoice", "By global id.")
    external_reference: Text | None = where("By its key in the system it came from.")
    number: Text | None = where("By its number.")
    company_id: Ids | None = ids("Company", "By the global id of the company.", key="company_id")
    order_id: Ids | None = ids("Order", "By the global id of the order.", key="order_id")
    status: Text | None = where("By its state.")
    issued_on: Day | None = where("By its day.")
    due_on: Day | None = where("By the day it is due.")


InvoiceOrder = orders("InvoiceOrder", "Orders of invoices.", id="id", issued_on="issued_on")


@reads(models.Invoice, filter=InvoiceFilter, order=InvoiceOrder)
class Invoice(Node, Owned):
    """An invoice made out to a company."""

    external_reference: str = column("Its key in the system it came from, unique in the tenant.")
    number: str = column("Its number.")
    company: Company = one("company_id", "Who has to pay.")
    order: Order | None = one("order_id", "The order it is for.")
    issued_on: date = column("Its day.")
    due_on: date | None = column("The day it is due.")
    currency: str = column("Three letters, as in RON.")
    status: str = column("Its state as the system it came from calls it.")
    net: Decimal = column("The amount without tax.")
    tax: Decimal = column("The tax.")
    gross: Decimal = column("The amount with tax.")
    paid: Decimal = column("How much of it is paid.")
    has_pdf: bool = sql(lambda invoice: invoice.c.pdf.is_not(None), "There is a PDF of it.")
    lines: Connection[InvoiceLine] = many("invoice_id", "What it is for.", order=("position",))


@reads(models.InvoiceLine)
class InvoiceLine(Node, Owned):
    """One line of an invoice."""

    position: int = column("Its place in the invoice.")
    product: Product | None = one("product_id", "The product.")
    description: str = column("What it says.")
    quantity: Decimal = column("How much.")
    net_price: Decimal = column("The price of one, without tax.")
    vat_percentage: Decimal | None = column("VAT in percent.")
