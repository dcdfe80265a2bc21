"""Categories of products: added, changed, deleted and taken in as sets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.models.products import Category, Product
from hub.services import nomenclature, storing
from hub.services.nomenclature import Nomenclature, Targets
from hub.services.outcomes import OnError, Outcome

CATEGORIES = Nomenclature(
    model=Category,
    noun="category",
    keys=("external_reference", "third_party_reference"),
    searched=("name", "external_reference", "third_party_reference"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryDraft:
    name: str
    details: str | None = None
    external_reference: str | None = None
    third_party_reference: str | None = None
    active: bool = True


async def add(work: UnitOfWork, *, categories: Sequence[CategoryDraft]) -> list[int]:
    """Add all categories, or none; their ids in the same order."""
    work.scope.require(Level.USER)
    return await storing.add(work, CATEGORIES, [asdict(draft) for draft in categories])


async def update(work: UnitOfWork, *, targets: Targets, changes: Mapping[str, Any]) -> list[int]:
    """Give all categories meant (by `id`, `external_reference`, `third_party_reference`) the same new values."""
    work.scope.require(Level.USER)
    return await storing.change(work, CATEGORIES, targets, dict(changes))


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete categories that no product uses."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, CATEGORIES, targets)
    await nomenclature.lock(work, CATEGORIES, ids, against_use=True)
    await nomenclature.refuse_used(work, CATEGORIES, ids, {"a product": [col(Product.category_id)]})
    return await nomenclature.erase(work, CATEGORIES, ids)


async def upsert(
    work: UnitOfWork, *, categories: Sequence[tuple[int | None, Mapping[str, Any]]], on_error: OnError = "skip"
) -> list[Outcome]:
    """Add the categories without id, change those with one, by the columns given; unchanged ones are not written."""
    work.scope.require(Level.USER)
    pairs = [(id_, dict(values)) for id_, values in categories]
    return await storing.store(work, CATEGORIES, pairs, on_error=on_error)


async def ids_by(work: UnitOfWork, *, column: str, values: Sequence[str]) -> dict[str, int]:
    """`external_reference` or `third_party_reference` → id of the categories that exist."""
    return await nomenclature.ids_by(work, CATEGORIES, column, values)
