"""Measurement units: added, changed, deleted and taken in as sets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.models.products import MeasurementUnit, Product
from hub.services import nomenclature, storing
from hub.services.nomenclature import Nomenclature, Targets
from hub.services.outcomes import OnError, Outcome

MEASUREMENT_UNITS = Nomenclature(model=MeasurementUnit, noun="measurement_unit", keys=("code", "third_party_reference"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementUnitDraft:
    name: str
    code: str
    details: str | None = None
    third_party_reference: str | None = None
    active: bool = True


async def add(work: UnitOfWork, *, units: Sequence[MeasurementUnitDraft]) -> list[int]:
    """Add all units, or none; their ids in the same order."""
    work.scope.require(Level.USER)
    return await storing.add(work, MEASUREMENT_UNITS, [asdict(draft) for draft in units])


async def update(work: UnitOfWork, *, targets: Targets, changes: Mapping[str, Any]) -> list[int]:
    """Give all units meant (by `id`, `code`, `third_party_reference`) the same new values."""
    work.scope.require(Level.USER)
    return await storing.change(work, MEASUREMENT_UNITS, targets, dict(changes))


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete units that no product uses."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, MEASUREMENT_UNITS, targets)
    await nomenclature.lock(work, MEASUREMENT_UNITS, ids, against_use=True)
    await nomenclature.refuse_used(work, MEASUREMENT_UNITS, ids, {"a product": [col(Product.measurement_unit_id)]})
    return await nomenclature.erase(work, MEASUREMENT_UNITS, ids)


async def upsert(
    work: UnitOfWork, *, units: Sequence[tuple[int | None, Mapping[str, Any]]], on_error: OnError = "skip"
) -> list[Outcome]:
    """Add the units without id, change those with one, by the columns given; unchanged ones are not written."""
    work.scope.require(Level.USER)
    pairs = [(id_, dict(values)) for id_, values in units]
    return await storing.store(work, MEASUREMENT_UNITS, pairs, on_error=on_error)


async def ids_by(work: UnitOfWork, *, column: str, values: Sequence[str]) -> dict[str, int]:
    """`code` or `third_party_reference` → id of the units that exist."""
    return await nomenclature.ids_by(work, MEASUREMENT_UNITS, column, values)
