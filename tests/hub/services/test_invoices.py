from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import CallerError, Conflict, Invalid, NotFound
from hub.services import companies, invoices, products
from hub.services.companies import CompanyDraft
from hub.services.invoices import InvoiceDraft, InvoiceLineDraft
from hub.services.outcomes import Effect, Outcome
from tests.hub.sync.worlds import World


async def do(world: World, service: Any, **named: Any) -> Any:
    return await world.database.write(world.scope, lambda work: service(work, **named))


@pytest.fixture
async def ledger(world: World) -> World:
    """A client, a product and an order to write invoices about."""
    await do(world, companies.add, companies=[CompanyDraft(name="Client", external_reference="c-1")])
    await world.add_product("LED")
    await world.run(
        "INSERT INTO orders (tenant_id, id, external_order_id, warehouse_id, status, order_type, search) "
        "VALUES (:tenant, 1, 'WEB-1', 1, 3, 1, '')",
        tenant=world.tenant_id,
    )
    return world


def invoice(reference: str = "F-1", **fields: Any) -> InvoiceDraft:
    line = InvoiceLineDraft(product_code="LED", quantity=Decimal(2), net_price=Decimal(50), vat_percentage=Decimal(21))
    known: dict[str, Any] = {
        "number": reference,
        "company_reference": "c-1",
        "external_order_id": "WEB-1",
        "issued_on": date(2026, 3, 1),
        "net": Decimal(100),
        "tax": Decimal(21),
        "gross": Decimal(121),
        "lines": [line],
    }
    return InvoiceDraft(external_reference=reference, **(known | fields))


async def put(world: World, *drafts: InvoiceDraft, on_error: str = "raise") -> list[Outcome]:
    return list(await do(world, invoices.upsert, invoices=drafts, on_error=on_error))


async def test_an_invoice_is_known_by_its_reference(ledger: World) -> None:
    (added,) = await put(ledger, invoice(pdf=b"%PDF"))
    (same,) = await put(ledger, invoice())
    (paid,) = await put(ledger, invoice(status="PAID", paid=Decimal(121)))

    assert [one.effect for one in (added, same, paid)] == [Effect.ADDED, Effect.UNCHANGED, Effect.UPDATED]
    assert added.id == same.id == paid.id
    (row,) = await ledger.rows("SELECT status, paid, pdf FROM invoices")
    assert row == {"status": "PAID", "paid": Decimal(121), "pdf": b"%PDF"}
    assert await ledger.value("SELECT count(*) FROM invoice_lines") == 1


async def test_changed_lines_are_a_change_of_the_invoice(ledger: World) -> None:
    await put(ledger, invoice())
    lines = [
        InvoiceLineDraft(product_code="LED", quantity=Decimal(2), net_price=Decimal(40)),
        InvoiceLineDraft(description="Transport", quantity=Decimal(1), net_price=Decimal(20)),
    ]

    (outcome,) = await put(ledger, invoice(lines=lines))

    assert outcome.effect is Effect.UPDATED
    rows = await ledger.rows("SELECT position, description, net_price FROM invoice_lines ORDER BY position")
    assert [tuple(row.values()) for row in rows] == [(0, "", Decimal(40)), (1, "Transport", Decimal(20))]
    assert await ledger.value("SELECT count(*) FROM events WHERE topic = 'invoice' AND kind = 'updated'") == 1


async def test_a_credit_note_has_negative_figures(ledger: World) -> None:
    line = InvoiceLineDraft(product_code="LED", quantity=Decimal(-2), net_price=Decimal(50))

    (outcome,) = await put(
        ledger, invoice("S-1", net=Decimal(-100), gross=Decimal(-121), tax=Decimal(-21), lines=[line])
    )

    assert outcome.effect is Effect.ADDED


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"company_reference": "none"}, NotFound),
        ({"company_reference": None}, Invalid),
        ({"external_order_id": "none"}, NotFound),
        ({"number": ""}, Invalid),
        ({"currency": "ron"}, Invalid),
        ({"due_on": date(2026, 2, 28)}, Invalid),
        ({"net": Decimal("0.00001")}, Invalid),
        ({"lines": [InvoiceLineDraft(product_code="NONE", quantity=Decimal(1), net_price=Decimal(1))]}, NotFound),
        ({"lines": [InvoiceLineDraft(quantity=Decimal("NaN"), net_price=Decimal(1))]}, Invalid),
        ({"pdf": b"x" * (10 * 1024 * 1024 + 1)}, Invalid),
    ],
)
async def test_a_bad_invoice_is_refused_and_stops_no_other(
    ledger: World, fields: dict[str, Any], error: type[CallerError]
) -> None:
    with pytest.raises(error):
        await put(ledger, invoice("GOOD"), invoice("BAD", **fields))
    assert await ledger.value("SELECT count(*) FROM invoices") == 0

    outcomes = await put(ledger, invoice("GOOD"), invoice("BAD", **fields), on_error="skip")

    assert [type(outcome.error) for outcome in outcomes] == [type(None), error]
    assert await ledger.value("SELECT count(*) FROM invoices") == 1


async def test_what_an_invoice_names_cannot_be_deleted(ledger: World) -> None:
    await put(ledger, invoice())

    with pytest.raises(Conflict, match="an invoice"):
        await do(ledger, companies.delete, targets={"external_reference": ["c-1"]})
    with pytest.raises(Conflict, match="an invoice"):
        await do(ledger, products.delete, targets={"code": ["LED"]})
    assert await do(ledger, invoices.delete, targets={"external_reference": ["F-1"]})
    assert await ledger.value("SELECT count(*) FROM invoice_lines") == 0
    assert await do(ledger, companies.delete, targets={"external_reference": ["c-1"]})
