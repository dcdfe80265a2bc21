"""Takes products in, with the category and the unit that they name."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.db import UnitOfWork
from hub.records import CategoryRecord, ProductRecord
from hub.services import categories, measurement_units, products
from hub.services.categories import CATEGORIES
from hub.services.products import PRODUCTS
from hub.services.values import STEP
from hub.sync import identity, references
from hub.sync.intake import Arrival, Source, Taken
from hub.sync.references import Reference, content_hash

STREAM = "products"
CATEGORY_STREAM = "categories"
NAME_LENGTH = 255
FLAGS = ("requires_serial_number", "requires_batch_code")
PLAIN = ("vat_percentage", "purchase_price", "selling_price", "weight")


async def receive(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> list[Taken]:
    """Add or change products. A product the hub has under the same code or SKU becomes the external one's."""
    records: list[ProductRecord] = [arrival.record for arrival in arrivals]
    targets = await _targets(work, source, arrivals)
    category_ids = await take_categories(work, source, [one.category for one in records if one.category])
    unit_ids = await _units(work, {one.unit_code for one in records if one.unit_code})
    wanted = {arrival.external_key: target for arrival, target in zip(arrivals, targets, strict=True)}
    shown = await identity.usable_references(work, source.code, [STREAM], PRODUCTS.table, wanted)
    rows = []
    for arrival, target in zip(arrivals, targets, strict=True):
        row = _row(arrival.record, category_ids, unit_ids)
        if arrival.external_key in shown:
            row["third_party_reference"] = arrival.external_key
        rows.append((target, row))
    outcomes = await products.upsert(work, products=rows)
    return [Taken.of(outcome) for outcome in outcomes]


async def _targets(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> list[int | None]:
    """The hub's product of each arrival; None for a new one."""
    new = [arrival.record for arrival in arrivals if arrival.known is None]
    by_code = await products.ids_by(work, column="code", values=[one.code for one in new])
    by_sku = await products.ids_by(work, column="sku", values=[one.sku for one in new if one.sku])
    claims = await identity.find_claims(work, source.code, [STREAM], {*by_code.values(), *by_sku.values()})
    taken = set(claims.ours)
    targets: list[int | None] = []
    for arrival in arrivals:
        if arrival.known is not None:
            targets.append(arrival.known.record_id)
            continue
        same = by_code.get(arrival.record.code, by_sku.get(arrival.record.sku or ""))
        targets.append(None if same in taken else same)
        taken |= {same} if same is not None else set()
    return targets


async def take_categories(work: UnitOfWork, source: Source, records: Sequence[CategoryRecord]) -> dict[str, int]:
    """External key → id of the categories that products name; a category that cannot be stored is left out."""
    wanted = {record.external_key: record for record in records}
    if not wanted:
        return {}
    await references.take_turn(work, source.code, CATEGORY_STREAM)
    known = await references.find(work, source.code, CATEGORY_STREAM, wanted)
    hashes = {key: content_hash(record) for key, record in wanted.items()}
    changed = [key for key in wanted if key not in known or known[key].payload_hash != hashes[key]]
    ids = {key: known[key].record_id if key in known else None for key in changed}
    shown = await identity.usable_references(work, source.code, [CATEGORY_STREAM], CATEGORIES.table, ids)
    rows = [
        (ids[key], _category(wanted[key]) | ({"third_party_reference": key} if key in shown else {})) for key in changed
    ]
    outcomes = await categories.upsert(work, categories=rows)
    fresh = [
        Reference(external_key=key, record_id=outcome.id, payload_hash=hashes[key])
        for key, outcome in zip(changed, outcomes, strict=True)
        if outcome.id is not None and outcome.error is None
    ]
    await references.write(work, source.code, CATEGORY_STREAM, fresh)
    return {key: one.record_id for key, one in known.items()} | {one.external_key: one.record_id for one in fresh}


async def _units(work: UnitOfWork, codes: set[str]) -> dict[str, int]:
    """Code → id of the measurement units; unknown ones are added under their code."""
    known = await measurement_units.ids_by(work, column="code", values=sorted(codes))
    missing = sorted(codes - known.keys())
    outcomes = await measurement_units.upsert(work, units=[(None, {"code": code, "name": code}) for code in missing])
    made = {code: outcome.id for code, outcome in zip(missing, outcomes, strict=True) if outcome.id is not None}
    return known | made


def _category(record: CategoryRecord) -> dict[str, Any]:
    columns: dict[str, Any] = {"name": record.name[:NAME_LENGTH], "active": record.active}
    return columns | ({"details": record.details} if record.details is not None else {})


def _row(record: ProductRecord, category_ids: Mapping[str, int], unit_ids: Mapping[str, int]) -> dict[str, Any]:
    """The columns that the system says something about: what it does not know, the hub keeps."""
    row: dict[str, Any] = {"name": record.name[:NAME_LENGTH], "code": record.code, "active": record.active}
    row |= {name: exact(value) for name in PLAIN if (value := getattr(record, name)) is not None}
    row |= {name: True for name in FLAGS if getattr(record, name)}
    if record.sku is not None:
        row["sku"] = record.sku
    if record.category is not None and record.category.external_key in category_ids:
        row["category_id"] = category_ids[record.category.external_key]
    if record.unit_code is not None and record.unit_code in unit_ids:
        row["measurement_unit_id"] = unit_ids[record.unit_code]
    return row


def exact(value: Decimal) -> Decimal:
    """Rounded to the four decimals that the hub keeps."""
    return value.quantize(STEP, rounding=ROUND_HALF_UP)
