"""How records of a nomenclature (products, categories, units, companies, …) are found, stored and erased, as sets.

A noun's own service declares a `Nomenclature` and its rules; nothing here knows a noun.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Integer, Table, delete, select
from sqlmodel import SQLModel

from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.queries.conditions import among
from hub.services.values import camel, checked, is_id

Row = dict[str, Any]
Targets = Mapping[str, Collection[Any]]
"""Column → values; each value designates one record, all of them together are the records meant."""

OWN = frozenset({"tenant_id", "id", "created_at", "updated_at", "search", "sort_key"})


@dataclass(frozen=True, slots=True)
class Change:
    """One record as it stands (None: a new one) and as it shall be."""

    before: Row | None
    after: Row

    @property
    def id(self) -> int:
        return cast(int, self.after["id"])

    def changes(self, *columns: str) -> bool:
        """True when one of the columns gets another value; a new record changes nothing."""
        return self.before is not None and any(self.before[name] != self.after[name] for name in columns)


Review = Callable[[UnitOfWork, Sequence[Change]], Awaitable[Sequence[HubError | None]]]
"""A noun's own rules: one error or None per change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nomenclature:
    """What the shared steps must know of a noun; `noun` names its ids and its events."""

    model: type[SQLModel]
    noun: str
    keys: tuple[str, ...]
    searched: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    review: Review | None = None
    table: Table = field(init=False)
    defaults: Row = field(init=False)

    def __post_init__(self) -> None:
        table = cast(Table, self.model.__table__)  # type: ignore[attr-defined]  # SQLModel does not declare it
        optional = {
            name: declared.get_default(call_default_factory=True)
            for name, declared in self.model.model_fields.items()
            if name in table.columns and name not in OWN and not declared.is_required()
        }
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "defaults", optional)

    @property
    def title(self) -> str:
        return self.noun.replace("_", " ")


async def ids_by(work: UnitOfWork, what: Nomenclature, column: str, values: Collection[Any]) -> dict[Any, int]:
    """Value of a unique column → id, for the values that exist."""
    key = what.table.columns[column]
    if isinstance(key.type, Integer):
        values = [value for value in values if is_id(value)]
    if not values:
        return {}
    found = await work.session.execute(
        select(key, what.table.c.id).where(what.table.c.tenant_id == work.tenant_id, among(key, values))
    )
    return {value: int(id_) for value, id_ in found}


async def find(work: UnitOfWork, what: Nomenclature, targets: Targets) -> list[int]:
    """The ids of all records meant, ascending; `NotFound` names the first target that designates nothing."""
    if not any(targets.values()):
        raise Invalid(f"name at least one {what.title}", hint="fill one of the target lists")
    ids: set[int] = set()
    for column, values in targets.items():
        found = await ids_by(work, what, column, set(values))
        for value in values:
            if value not in found:
                name = f"{camel(what.noun)}Id" if column == "id" else camel(column)
                raise NotFound(f"no {what.title} has {name} {value}", field=name)
        ids.update(found.values())
    return sorted(ids)


async def meant(work: UnitOfWork, what: Nomenclature, targets: Targets, changes: Row) -> list[int]:
    """The ids of the records to change; a unique key among the changes fits one record only."""
    checked(what.table, changes, keys=what.keys, signed=what.signed)
    key = next((key for key in what.keys if key in changes), None)
    several = Invalid(
        f"is unique and fits one {what.title} only", field=camel(key or ""), hint="name one record at a time"
    )
    if key and any(len(set(values)) > 1 for values in targets.values()):
        raise several
    ids = await find(work, what, targets)
    if key and len(ids) > 1:
        raise several
    return ids


async def erase(work: UnitOfWork, what: Nomenclature, ids: Sequence[int]) -> list[int]:
    """Delete the records; a reference that was written meanwhile is refused by the database."""
    await work.session.execute(
        delete(what.table).where(what.table.c.tenant_id == work.tenant_id, among(what.table.c.id, ids))
    )
    for id_ in ids:
        work.emit(what.noun, "deleted", subject_id=id_)
    return list(ids)


async def lock(
    work: UnitOfWork, what: Nomenclature, ids: Collection[int], *, against_use: bool = False
) -> dict[int, Row]:
    """The records as they stand, unchanged by others until the end; always locked in the order of their ids.

    `against_use` also keeps others from writing new references to them (foreign keys wait).
    """
    if not ids:
        return {}
    found = await work.session.execute(
        select(what.table)
        .where(what.table.c.tenant_id == work.tenant_id, among(what.table.c.id, ids))
        .order_by(what.table.c.id)
        .with_for_update(key_share=not against_use)
    )
    return {row["id"]: dict(row) for row in found.mappings()}


async def refuse_used(
    work: UnitOfWork, what: Nomenclature, ids: Collection[int], users: Mapping[str, Sequence[Any]]
) -> None:
    """Raise `Conflict` when one of the columns (word for what it stands in → columns) names one of the records."""
    for word, columns in users.items():
        for column in columns:
            used = await work.session.execute(
                select(column)
                .where(column.table.c.tenant_id == work.tenant_id, among(column, ids))
                .order_by(column)
                .limit(1)
            )
            if (id_ := used.scalar_one_or_none()) is not None:
                raise Conflict(f"{what.title} {id_} is used by {word}", hint="deactivate it instead")
