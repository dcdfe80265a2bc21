"""Products: added, changed, deleted and taken in as sets, with the rules of traceability and of the category."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.models.movements import (
    InventoryCount,
    ProductionComponent,
    ProductionOrder,
    PurchaseOrderLine,
    TransferLine,
)
from hub.models.nirs import NirLine, ReturnLine
from hub.models.orders import InvoiceLine, OrderLine
from hub.models.products import Product
from hub.models.stock import Batch, StockItem, StockMovement
from hub.queries.conditions import among
from hub.services import nomenclature, storing
from hub.services.categories import CATEGORIES
from hub.services.measurement_units import MEASUREMENT_UNITS
from hub.services.nomenclature import Change, Nomenclature, Row, Targets
from hub.services.outcomes import OnError, Outcome
from hub.services.values import checked

TRACEABILITY = (
    "requires_serial_number",
    "requires_batch_code",
    "requires_batch_details",
    "requires_production_date",
    "requires_expiration_date",
)
CATEGORY_REFERENCE = "category_external_reference"
USERS = {
    "stock": (col(StockItem.product_id), col(StockMovement.product_id), col(Batch.product_id)),
    "an order": (col(OrderLine.product_id),),
    "a NIR": (col(NirLine.product_id),),
    "a return": (col(ReturnLine.product_id),),
    "a transfer": (col(TransferLine.product_id),),
    "an inventory": (col(InventoryCount.product_id),),
    "a purchase order": (col(PurchaseOrderLine.product_id),),
    "a production order": (col(ProductionOrder.product_id), col(ProductionComponent.product_id)),
    "an invoice": (col(InvoiceLine.product_id),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft:
    """A product to be added; the category by its id, by its external reference, or by both when they agree."""

    name: str
    code: str
    sku: str | None = None
    third_party_reference: str | None = None
    category_id: int | None = None
    category_external_reference: str | None = None
    measurement_unit_id: int | None = None
    vat_id: int | None = None
    vat_percentage: Decimal | None = None
    purchase_price: Decimal | None = None
    selling_price: Decimal | None = None
    minimum_stock: Decimal = Decimal(0)
    requires_serial_number: bool = False
    requires_batch_code: bool = False
    requires_batch_details: bool = False
    requires_production_date: bool = False
    requires_expiration_date: bool = False
    width: Decimal | None = None
    height: Decimal | None = None
    length: Decimal | None = None
    weight: Decimal | None = None
    volume: Decimal | None = None
    diameter: Decimal | None = None
    material: str | None = None
    color: str | None = None
    active: bool = True
    send_to_external: bool = True


async def add(work: UnitOfWork, *, products: Sequence[ProductDraft]) -> list[int]:
    """Add all products, or none; their ids in the same order."""
    work.scope.require(Level.USER)
    rows = await _resolved(work, [_row(draft) for draft in products])
    outcomes = await storing.store(work, PRODUCTS, [(None, row) for row in rows])
    return [outcome.id for outcome in outcomes if outcome.id is not None]


async def update(work: UnitOfWork, *, targets: Targets, changes: Mapping[str, Any]) -> list[int]:
    """Give all products meant (by `id`, `code`, `sku`, `third_party_reference`) the same new values.

    A key present is set, None clears it. `category_external_reference` may stand for `category_id`.
    """
    work.scope.require(Level.USER)
    columns = {name: value for name, value in changes.items() if name != CATEGORY_REFERENCE}
    _refuse_contradiction(columns)
    ids = await nomenclature.meant(work, PRODUCTS, targets, columns)
    (row,) = await _resolved(work, [dict(changes)])
    await storing.store(work, PRODUCTS, [(id_, row) for id_ in ids])
    return ids


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete products that never were in stock nor in any document."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, PRODUCTS, targets)
    await nomenclature.lock(work, PRODUCTS, ids, against_use=True)
    await nomenclature.refuse_used(work, PRODUCTS, ids, USERS)
    return await nomenclature.erase(work, PRODUCTS, ids)


async def upsert(
    work: UnitOfWork, *, products: Sequence[tuple[int | None, Mapping[str, Any]]], on_error: OnError = "skip"
) -> list[Outcome]:
    """Add the products without id, change those with one, by the columns given; unchanged ones are not written."""
    work.scope.require(Level.USER)
    rows = await _resolved(work, [dict(values) for _, values in products])
    pairs = [(id_, row) for (id_, _), row in zip(products, rows, strict=True)]
    return await storing.store(work, PRODUCTS, pairs, on_error=on_error)


async def ids_by(work: UnitOfWork, *, column: str, values: Sequence[str]) -> dict[str, int]:
    """`code`, `sku` or `third_party_reference` → id of the products that exist."""
    return await nomenclature.ids_by(work, PRODUCTS, column, values)


async def _resolved(work: UnitOfWork, rows: Sequence[Row]) -> list[Row | HubError]:
    """The rows with `category_external_reference` replaced by the category's id."""
    wanted = {row[CATEGORY_REFERENCE] for row in rows if row.get(CATEGORY_REFERENCE) is not None}
    known = await nomenclature.ids_by(work, CATEGORIES, "external_reference", wanted)
    return [_with_category(row, known) for row in rows]


def _with_category(row: Row, known: Mapping[str, int]) -> Row | HubError:
    if CATEGORY_REFERENCE not in row:
        return row
    columns = {name: value for name, value in row.items() if name != CATEGORY_REFERENCE}
    reference = row[CATEGORY_REFERENCE]
    try:
        checked(PRODUCTS.table, columns, keys=PRODUCTS.keys)
        if reference is not None and reference not in known:
            raise NotFound(f"no category has the external reference {reference}", field="categoryExternalReference")
        if "category_id" in columns and columns["category_id"] != known.get(reference):
            raise Invalid("names another category than categoryId", field="categoryExternalReference")
    except (Invalid, NotFound) as error:
        return error
    return {**columns, "category_id": known.get(reference)}


def _row(draft: ProductDraft) -> Row:
    row = asdict(draft)
    if draft.category_external_reference is None:
        del row[CATEGORY_REFERENCE]
    elif draft.category_id is None:
        del row["category_id"]
    _refuse_contradiction(row)
    return row


def _refuse_contradiction(row: Mapping[str, Any]) -> None:
    if row.get("requires_serial_number") and row.get("requires_batch_code"):
        raise Invalid("a product cannot require both a serial number and a batch", field="requiresBatchCode")
    percentage = row.get("vat_percentage")
    if isinstance(percentage, Decimal) and percentage > 100:
        raise Invalid("must be at most 100", field="vatPercentage")


async def _review(work: UnitOfWork, changes: Sequence[Change]) -> list[HubError | None]:
    categories = await nomenclature.ids_by(work, CATEGORIES, "id", _new_values(changes, "category_id"))
    units = await nomenclature.ids_by(work, MEASUREMENT_UNITS, "id", _new_values(changes, "measurement_unit_id"))
    stocked = await _in_stock(work, [change.id for change in changes if change.changes(*TRACEABILITY)])

    def rule(change: Change) -> HubError | None:
        try:
            _refuse_contradiction(change.after)
        except Invalid as error:
            return error
        for column, known in (("category_id", categories), ("measurement_unit_id", units)):
            if _gets_new(change, column) and change.after[column] not in known:
                noun, field = ("category", "categoryId") if known is categories else ("unit", "measurementUnitId")
                return NotFound(f"no {noun} has the id {change.after[column]}", field=field)
        if change.id in stocked and change.changes(*TRACEABILITY):
            return Conflict("traceability cannot change while the product has stock", hint="empty the stock first")
        return None

    return [rule(change) for change in changes]


def _new_values(changes: Sequence[Change], column: str) -> set[int]:
    return {change.after[column] for change in changes if _gets_new(change, column)}


def _gets_new(change: Change, column: str) -> bool:
    return change.after[column] is not None and (change.before is None or change.changes(column))


async def _in_stock(work: UnitOfWork, ids: Sequence[int]) -> set[int]:
    """Which of the products have stock; nobody books any of them in until the end of the transaction."""
    if not ids:
        return set()
    await nomenclature.lock(work, PRODUCTS, ids, against_use=True)
    product_id = col(StockItem.product_id)
    found = await work.session.execute(
        select(product_id)
        .where(col(StockItem.tenant_id) == work.tenant_id, among(product_id, ids), col(StockItem.quantity) > 0)
        .distinct()
    )
    return set(found.scalars())


PRODUCTS = Nomenclature(
    model=Product,
    noun="product",
    keys=("code", "sku", "third_party_reference"),
    searched=("name", "code", "sku", "third_party_reference"),
    review=_review,
)
