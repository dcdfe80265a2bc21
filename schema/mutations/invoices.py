"""Invoices that the accounting wrote, taken in under their external references."""

from base64 import b64decode
from binascii import Error as NotBase64
from datetime import date
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub.errors import Invalid
from hub.services import invoices
from hub.services.invoices import InvoiceDraft, InvoiceLineDraft
from schema.answers import Deleted, Json, Record, answer_by_row
from schema.inputs import about, inputs
from schema.invoices import Invoice, InvoiceLine
from schema.mutations.rows import delete_rows, ids_in
from schema.writing import USER, BulkChange, Call, mutation

INVOICES = answer_by_row("InvoicesPayload", "InvoicesRow", invoice=Record("Invoice", "The invoice as it is now."))
INVOICES_DELETED = answer_by_row(
    "InvoicesDeletePayload", "InvoicesDeleteRow", deleted_id=Deleted("Invoice", "The id of the invoice that is gone.")
)


@inputs(like=InvoiceLine)
class InvoiceLineInput:
    """A line of an invoice; credit notes have negative quantities."""

    product_id: strawberry.ID | None = about("The product, by its global id.", default=UNSET, of="Product")
    product_code: str | None = about("The product, by its code.", default=UNSET)
    description: str = ""
    quantity: Decimal
    net_price: Decimal
    vat_percentage: Decimal | None = UNSET


@inputs(like=Invoice)
class InvoiceInput:
    """An invoice, known by its external reference; company and order by id, by the caller's key, or by both."""

    external_reference: str
    number: str
    company_id: strawberry.ID | None = about("Who has to pay, by its global id.", default=UNSET, of="Company")
    company_external_reference: str | None = about("Who has to pay, by its external reference.", default=UNSET)
    order_id: strawberry.ID | None = about("The order it is for, by its global id.", default=UNSET, of="Order")
    external_order_id: str | None = about("The order it is for, by the number the buyer sees.", default=UNSET)
    issued_on: date
    due_on: date | None = UNSET
    currency: str = "RON"
    status: str = "OPEN"
    net: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    pdf: str | None = about("The PDF in Base64; the stored one stays when absent.", default=UNSET)
    lines: list[InvoiceLineInput] = about("What it is for; they replace the stored lines.", default=[])


@inputs(one_of=True, like=Invoice)
class InvoiceKey:
    """Names one invoice by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Invoice")
    external_reference: str | None = UNSET


@inputs()
class InvoicesUpsertInput(BulkChange):
    """Invoices to be added or changed."""

    invoices: list[InvoiceInput] = about("1 to 250 invoices.")


@inputs()
class InvoicesDeleteInput(BulkChange):
    """Invoices to be deleted."""

    invoices: list[InvoiceKey] = about("1 to 250 invoices.")


@mutation(INVOICES, needs=USER)
async def invoices_upsert(call: Call, input: InvoicesUpsertInput) -> Json:
    """Adds the invoices whose external reference is new and changes the others."""
    return await call.each(
        "invoices",
        input.invoices,
        lambda row: _draft(call.filled(row)),
        lambda drafts: invoices.upsert(call.work, invoices=drafts, on_error="skip"),
    )


@mutation(INVOICES_DELETED, needs=USER)
async def invoices_delete(call: Call, input: InvoicesDeleteInput) -> Json:
    """Deletes invoices with their lines."""
    return await delete_rows(call, "invoices", input.invoices, ids_in(invoices.INVOICES), invoices.delete)


def _draft(columns: dict[str, Any]) -> InvoiceDraft:
    columns["company_reference"] = columns.pop("company_external_reference", None)
    columns["lines"] = [InvoiceLineDraft(**line) for line in columns["lines"]]
    if "pdf" in columns:
        try:
            columns["pdf"] = b64decode(columns["pdf"], validate=True)
        except (NotBase64, ValueError) as error:
            raise Invalid("is not Base64", field="pdf") from error
    return InvoiceDraft(**columns)
