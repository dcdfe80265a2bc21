"""What orders refer to, looked up for many orders at once: warehouses, products, locations, keys of other orders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text

from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.queries.orders import OrderedProduct, find_order_ids, find_ordered_products
from hub.queries.places import Place, find_places
from hub.services.order_drafts import KEYS, LINES, OrderLineDraft
from hub.services.outcomes import first_refusal
from hub.services.values import camel, is_id

_WAREHOUSES = text("""
    SELECT id, is_default FROM warehouses
    WHERE tenant_id = :tenant AND (id = ANY (cast(:ids AS bigint[])) OR is_default)
""")


@dataclass(frozen=True, slots=True)
class ResolvedLine:
    """A line that can be stored: its product and its location exist and fit."""

    product_id: int
    location_id: int | None
    quantity: Decimal
    external_line_id: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    by_id: Mapping[int, OrderedProduct]
    by_code: Mapping[str, OrderedProduct]
    places: Mapping[str, Place]


async def resolve_warehouses(work: UnitOfWork, wanted: Collection[int | None]) -> dict[int | None, int]:
    """Wanted id → id for the warehouses that exist; None stands for the default one."""
    ids = [id_ for id_ in wanted if is_id(id_)]
    found = await work.session.execute(_WAREHOUSES, {"tenant": work.tenant_id, "ids": ids})
    known: dict[int | None, int] = {}
    for row in found:
        known[row.id] = row.id
        if row.is_default:
            known[None] = row.id
    return known


async def resolve_lines(
    work: UnitOfWork, orders: Sequence[tuple[int | None, Sequence[OrderLineDraft]]]
) -> list[list[ResolvedLine] | HubError]:
    """The lines of each order (its warehouse, its drafts), or why the first wrong one cannot be stored."""
    lines = [line for _, drafts in orders for line in drafts]
    if not lines:
        return [[] for _ in orders]
    by_id, by_code = await find_ordered_products(
        work.session,
        work.tenant_id,
        ids=[line.product_id for line in lines if line.product_id is not None and is_id(line.product_id)],
        codes=[line.product_code for line in lines if line.product_code is not None],
    )
    codes = [line.location_code for line in lines if line.location_code is not None]
    places = await find_places(work.session, work.tenant_id, codes) if codes else {}
    known = _Known(by_id, by_code, places)
    return [_resolved(known, warehouse_id, drafts) for warehouse_id, drafts in orders]


async def refuse_taken(work: UnitOfWork, keys: Sequence[tuple[int, Mapping[str, str | None]]]) -> list[HubError | None]:
    """`Conflict` for each order (id, its new keys) that wants a key of another one, or of an earlier one of the set."""
    errors: list[HubError | None] = [None] * len(keys)
    for key in KEYS:
        wanted = {value for _, values in keys if (value := values.get(key)) is not None}
        owners = await find_order_ids(work.session, work.tenant_id, key, wanted)
        for place, (id_, values) in enumerate(keys):
            value = values.get(key)
            if value is not None and owners.setdefault(value, id_) != id_:
                errors[place] = errors[place] or Conflict(f"{value} already exists", field=camel(key))
    return errors


def _resolved(
    known: _Known, warehouse_id: int | None, drafts: Sequence[OrderLineDraft]
) -> list[ResolvedLine] | HubError:
    lines: list[ResolvedLine] = []
    errors: list[HubError | None] = []
    for position, draft in enumerate(drafts):
        path = f"{LINES}[{position}]"
        try:
            product = _product(known, draft, path)
            location_id = _location(known, draft, warehouse_id, path)
            if not product.active:
                raise Conflict(f"product {product.code} is inactive", field=f"{path}.productModel")
        except (Invalid, NotFound, Conflict) as error:
            errors.append(error)
            continue
        lines.append(ResolvedLine(product.id, location_id, draft.quantity, draft.external_line_id))
    return first_refusal(errors) or lines


def _product(known: _Known, draft: OrderLineDraft, path: str) -> OrderedProduct:
    by_id = by_code = None
    if draft.product_id is not None and (by_id := known.by_id.get(draft.product_id)) is None:
        raise NotFound(f"product {draft.product_id} does not exist", field=f"{path}.productId")
    if draft.product_code is not None and (by_code := known.by_code.get(draft.product_code)) is None:
        raise NotFound(f"product {draft.product_code} does not exist", field=f"{path}.productModel")
    if by_id is not None and by_code is not None and by_id.id != by_code.id:
        raise Invalid(f"{by_code.code} is not the product with id {by_id.id}", field=f"{path}.productModel")
    if (product := by_id or by_code) is None:
        raise Invalid("name the product by productModel or productId", field=f"{path}.productModel")
    return product


def _location(known: _Known, draft: OrderLineDraft, warehouse_id: int | None, path: str) -> int | None:
    if draft.location_code is None:
        return None
    place = known.places.get(draft.location_code)
    if place is None or (warehouse_id is not None and place.warehouse_id != warehouse_id):
        raise NotFound(f"no location {draft.location_code} in the order's warehouse", field=f"{path}.locationCode")
    return place.id
