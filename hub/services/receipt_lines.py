"""Lines of goods that come in (NIRs and returns): checked, resolved to products and places, stored in order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, delete, insert

from hub.db import UnitOfWork
from hub.errors import Invalid, NotFound
from hub.queries.places import find_places
from hub.services import nomenclature
from hub.services.products import PRODUCTS
from hub.services.values import decimal, text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLineDraft:
    """What is announced: the product by `code` or `product_id` (both must agree), and where and what exactly it is."""

    quantity: Decimal
    code: str | None = None
    product_id: int | None = None
    external_line_id: str | None = None
    purchase_price: Decimal | None = None
    location_code: str | None = None
    batch_code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None
    serial_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountDraft:
    """What was counted of one line (`line_id`), or of a product (`code` or `product_id`) of the document.

    What a count does not say (place, batch, dates, serial numbers) is taken from the line.
    """

    quantity: Decimal
    line_id: int | None = None
    code: str | None = None
    product_id: int | None = None
    location_code: str | None = None
    batch_code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None
    serial_numbers: tuple[str, ...] = ()
    sscc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """A line as it is stored."""

    id: int
    position: int
    product_id: int
    quantity: Decimal
    external_line_id: str | None = None
    purchase_price: Decimal | None = None
    location_id: int | None = None
    batch_code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None
    serial_numbers: tuple[str, ...] = ()


def check_lines(lines: Sequence[ReceiptLineDraft], field: str) -> None:
    """Raise `Invalid` for what is wrong whatever the database holds; `field` is the caller's name of the list."""
    seen: set[str] = set()
    for position, line in enumerate(lines):
        path = f"{field}[{position}]"
        check_goods(line, path)
        if line.code is None and line.product_id is None:
            raise Invalid("is required", field=f"{path}.code")
        if line.purchase_price is not None:
            decimal(line.purchase_price, field=f"{path}.purchasePrice")
        if line.external_line_id is not None:
            text(line.external_line_id, field=f"{path}.externalLineId", longest=255, blank=False)
            if line.external_line_id in seen:
                raise Invalid("stands on another line too", field=f"{path}.externalLineId")
            seen.add(line.external_line_id)


def check_goods(line: ReceiptLineDraft | CountDraft, path: str) -> None:
    """Quantity, batch, dates and serial numbers of one line or count."""
    decimal(line.quantity, field=f"{path}.quantity", above=Decimal(0))
    for value, name in ((line.batch_code, "batchCode"), *((number, "snList") for number in line.serial_numbers)):
        if value is not None:
            text(value, field=f"{path}.{name}", longest=64, blank=False)
    if line.production_date and line.expiration_date and line.production_date > line.expiration_date:
        raise Invalid("lies before the production date", field=f"{path}.expirationDate")


async def resolve_products(
    work: UnitOfWork, lines: Sequence[ReceiptLineDraft | CountDraft], field: str
) -> list[int | None]:
    """The product of each line; None for a count that names its line only."""
    by_code = await nomenclature.ids_by(work, PRODUCTS, "code", {line.code for line in lines if line.code is not None})
    wanted = {line.product_id for line in lines if line.product_id is not None}
    known = await nomenclature.ids_by(work, PRODUCTS, "id", wanted)
    products: list[int | None] = []
    for position, line in enumerate(lines):
        path = f"{field}[{position}]"
        if line.code is not None and line.code not in by_code:
            raise NotFound(f"no product has the code {line.code}", field=f"{path}.code")
        if line.product_id is not None and line.product_id not in known:
            raise NotFound(f"no product has the id {line.product_id}", field=f"{path}.productId")
        product_id = line.product_id if line.code is None else by_code[line.code]
        if line.product_id not in (None, product_id):
            raise Invalid("names another product than productId", field=f"{path}.code")
        products.append(product_id)
    return products


async def resolve_places(
    work: UnitOfWork, lines: Sequence[ReceiptLineDraft | CountDraft], field: str, *, warehouse_id: int
) -> list[int | None]:
    """The location of each line; None where the line names none."""
    codes = {line.location_code for line in lines if line.location_code is not None}
    places = await find_places(work.session, work.tenant_id, codes) if codes else {}
    found: list[int | None] = []
    for position, line in enumerate(lines):
        place = places.get(line.location_code) if line.location_code is not None else None
        if line.location_code is not None and (place is None or place.warehouse_id != warehouse_id):
            raise NotFound(
                f"the warehouse has no location {line.location_code}", field=f"{field}[{position}].locationCode"
            )
        found.append(place.id if place else None)
    return found


async def resolve_lines(
    work: UnitOfWork, lines: Sequence[ReceiptLineDraft], field: str, *, noun: str, warehouse_id: int
) -> list[ReceiptLine]:
    """Lines ready to be stored, with ids of `noun`."""
    products = await resolve_products(work, lines, field)
    places = await resolve_places(work, lines, field, warehouse_id=warehouse_id)
    ids = await work.next_ids(noun, len(lines))
    return [
        ReceiptLine(
            id=id_,
            position=position,
            product_id=product_id,
            quantity=line.quantity,
            external_line_id=line.external_line_id,
            purchase_price=line.purchase_price,
            location_id=place_id,
            batch_code=line.batch_code,
            production_date=line.production_date,
            expiration_date=line.expiration_date,
            serial_numbers=line.serial_numbers,
        )
        for position, (id_, line, product_id, place_id) in enumerate(zip(ids, lines, products, places, strict=True))
        if product_id is not None
    ]


async def insert_lines(
    work: UnitOfWork, table: Table, parent: str, document_id: int, lines: Sequence[ReceiptLine]
) -> None:
    if not lines:
        return
    names = [name for name in ReceiptLine.__slots__ if name in table.columns]
    rows: list[dict[str, Any]] = [
        {"tenant_id": work.tenant_id, parent: document_id, "validated_quantity": Decimal(0)}
        | {name: getattr(line, name) for name in names}
        | {"serial_numbers": list(line.serial_numbers)}
        for line in lines
    ]
    await work.session.execute(insert(table), rows)


async def delete_lines(work: UnitOfWork, table: Table, parent: str, document_ids: Collection[int]) -> None:
    await work.session.execute(
        delete(table).where(table.c.tenant_id == work.tenant_id, table.c[parent].in_(document_ids))
    )
