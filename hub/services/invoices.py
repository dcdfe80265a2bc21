"""Invoices that the accounting wrote, with their lines and PDF; taken in as sets keyed by external reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, insert, select, update
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import HubError, Invalid, NotFound
from hub.models.orders import Invoice, InvoiceLine
from hub.queries.conditions import among
from hub.services import nomenclature, storing
from hub.services.companies import COMPANIES
from hub.services.designations import Designated, designated
from hub.services.nomenclature import Change, Nomenclature, Row, Targets
from hub.services.outcomes import Effect, OnError, Outcome
from hub.services.products import PRODUCTS
from hub.services.shipments import ORDERS
from hub.services.values import currency, decimal, text

LARGEST_PDF = 10 * 1024 * 1024
COLUMNS = (
    "external_reference",
    "number",
    "issued_on",
    "due_on",
    "currency",
    "status",
    "net",
    "tax",
    "gross",
    "paid",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLineDraft:
    """A line; the product by id or code, or none for what is no product. Quantities of credit notes are negative."""

    quantity: Decimal
    net_price: Decimal
    product_id: int | None = None
    product_code: str | None = None
    description: str = ""
    vat_percentage: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraft:
    """An invoice; company and order by id or by the caller's key. Without `pdf` the stored one is kept."""

    external_reference: str
    number: str
    issued_on: date
    company_id: int | None = None
    company_reference: str | None = None
    order_id: int | None = None
    external_order_id: str | None = None
    due_on: date | None = None
    currency: str = "RON"
    status: str = "OPEN"
    net: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    pdf: bytes | None = None
    lines: Sequence[InvoiceLineDraft] = ()


@dataclass(frozen=True, slots=True)
class _Named:
    companies: Designated
    orders: Designated
    products: Designated


async def upsert(work: UnitOfWork, *, invoices: Sequence[InvoiceDraft], on_error: OnError = "raise") -> list[Outcome]:
    """Add the invoices whose reference is new, change the others; the lines given replace the stored ones."""
    work.scope.require(Level.USER)
    named = await _named(work, invoices)
    rows = [_row(draft, named) for draft in invoices]
    lines = [[] if isinstance(row, HubError) else _lines(d, named) for d, row in zip(invoices, rows, strict=True)]
    outcomes = await storing.store_by(work, INVOICES, "external_reference", rows, on_error=on_error)
    stored = {
        outcome.id: own
        for outcome, own in zip(outcomes, lines, strict=True)
        if outcome.id is not None and outcome.error is None
    }
    rewritten = await _replace_lines(work, stored)
    quiet = [one.id for one in outcomes if one.effect is Effect.UNCHANGED and one.id in rewritten]
    await _touch(work, quiet)
    return [Outcome(one.id, Effect.UPDATED) if one.id in quiet else one for one in outcomes]


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete invoices (by `id`, `external_reference`) with their lines."""
    work.scope.require(Level.USER)
    return await nomenclature.erase(work, INVOICES, await nomenclature.find(work, INVOICES, targets))


async def _named(work: UnitOfWork, invoices: Sequence[InvoiceDraft]) -> _Named:
    lines = [line for draft in invoices for line in draft.lines]
    return _Named(
        await designated(
            work,
            COMPANIES,
            "external_reference",
            ids=[draft.company_id for draft in invoices],
            keys=[draft.company_reference for draft in invoices],
        ),
        await designated(
            work,
            ORDERS,
            "external_order_id",
            ids=[draft.order_id for draft in invoices],
            keys=[draft.external_order_id for draft in invoices],
        ),
        await designated(
            work,
            PRODUCTS,
            "code",
            ids=[line.product_id for line in lines],
            keys=[line.product_code for line in lines],
        ),
    )


def _row(draft: InvoiceDraft, named: _Named) -> Row | HubError:
    row: Row = {name: getattr(draft, name) for name in COLUMNS}
    if draft.pdf is not None:
        row["pdf"] = draft.pdf
    try:
        _check_lines(draft.lines)
        row["company_id"] = named.companies.require(draft.company_id, draft.company_reference)
        row["order_id"] = named.orders.find(draft.order_id, draft.external_order_id)
        for line in draft.lines:
            named.products.find(line.product_id, line.product_code)
    except (Invalid, NotFound) as error:
        return error
    return row


def _check_lines(lines: Sequence[InvoiceLineDraft]) -> None:
    for position, line in enumerate(lines):
        path = f"lines[{position}]"
        decimal(line.quantity, field=f"{path}.quantity", signed=True)
        decimal(line.net_price, field=f"{path}.netPrice", signed=True)
        text(line.description, field=f"{path}.description", longest=4000)
        if line.vat_percentage is not None:
            decimal(line.vat_percentage, field=f"{path}.vatPercentage")


def _lines(draft: InvoiceDraft, named: _Named) -> list[Row]:
    return [
        {
            "position": position,
            "product_id": named.products.find(line.product_id, line.product_code),
            "description": line.description,
            "quantity": line.quantity,
            "net_price": line.net_price,
            "vat_percentage": line.vat_percentage,
        }
        for position, line in enumerate(draft.lines)
    ]


async def _replace_lines(work: UnitOfWork, wanted: Mapping[int, Sequence[Row]]) -> set[int]:
    """Write the lines of the invoices whose stored ones differ; which those were."""
    present: dict[int, list[Row]] = {id_: [] for id_ in wanted}
    line = InvoiceLine
    columns = (
        line.invoice_id,
        line.position,
        line.product_id,
        line.description,
        line.quantity,
        line.net_price,
        line.vat_percentage,
    )
    found = await work.session.execute(
        select(*map(col, columns))
        .where(col(line.tenant_id) == work.tenant_id, among(col(line.invoice_id), wanted))
        .order_by(col(line.invoice_id), col(line.position))
    )
    for row in found.mappings():
        stored = dict(row)
        present[stored.pop("invoice_id")].append(stored)
    differing = {id_: rows for id_, rows in wanted.items() if list(rows) != present[id_]}
    await work.session.execute(
        delete_rows(line).where(col(line.tenant_id) == work.tenant_id, among(col(line.invoice_id), differing))
    )
    rows = [{"tenant_id": work.tenant_id, "invoice_id": id_, **row} for id_, own in differing.items() for row in own]
    ids = await work.next_ids("invoice_line", len(rows))
    if rows:
        await work.session.execute(insert(line), [{"id": id_, **row} for id_, row in zip(ids, rows, strict=True)])
    return set(differing)


async def _touch(work: UnitOfWork, ids: Sequence[int | None]) -> None:
    """Only the lines changed: the invoice has changed all the same."""
    if not ids:
        return
    await work.session.execute(
        update(INVOICES.table)
        .where(INVOICES.table.c.tenant_id == work.tenant_id, among(INVOICES.table.c.id, ids))
        .values(updated_at=func.now())
    )
    for id_ in ids:
        work.emit(INVOICES.noun, "updated", subject_id=id_)


async def _review(work: UnitOfWork, changes: Sequence[Change]) -> list[HubError | None]:
    return [_rule(change.after) for change in changes]


def _rule(row: Mapping[str, Any]) -> HubError | None:
    try:
        currency(row["currency"], field="currency")
    except Invalid as error:
        return error
    if row["due_on"] is not None and row["due_on"] < row["issued_on"]:
        return Invalid("lies before issuedOn", field="dueOn")
    if row["pdf"] is not None and len(row["pdf"]) > LARGEST_PDF:
        return Invalid("is larger than 10 MiB", field="pdf")
    return None


INVOICES = Nomenclature(
    model=Invoice,
    noun="invoice",
    keys=("external_reference",),
    signed=("net", "tax", "gross", "paid"),
    review=_review,
)
