"""How records of a nomenclature (products, categories, units, companies, …) are found, stored and erased, as sets.

A noun's own service declares a `Nomenclature` and its rules; nothing here knows a noun.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Integer, Table, bindparam, delete, func, insert, select, update
from sqlmodel import SQLModel

from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.queries.conditions import among
from hub.search import searchable
from hub.services.outcomes import Effect, OnError, Outcome, first_refusal, in_halves
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


async def store(
    work: UnitOfWork,
    what: Nomenclature,
    rows: Sequence[tuple[int | None, Row | HubError]],
    *,
    on_error: OnError = "raise",
) -> list[Outcome]:
    """Add the rows without id, change those with one; unchanged records are not written. One outcome per row.

    A row may already be refused: its error takes part in the order of checks.
    """
    errors: list[HubError | None] = [None] * len(rows)
    values: list[Row] = []
    for position, (_, row) in enumerate(rows):
        values.append({})
        if isinstance(row, HubError):
            errors[position] = row
            continue
        try:
            values[-1] = checked(what.table, row, keys=what.keys)
        except Invalid as error:
            errors[position] = error
    _stop_at(errors, on_error)

    changes = await _changes(work, what, [id_ for id_, _ in rows], values, errors)
    _stop_at(errors, on_error)
    await _review(work, what, changes, errors)
    _stop_at(errors, on_error)

    pending = [
        change for change, error in zip(changes, errors, strict=True) if change and not error and _differs(change)
    ]
    if on_error == "raise":
        await _write(work, what, pending)
    else:
        refused = await in_halves(work, pending, lambda part: _write(work, what, part))
        by_id = {change.id: error for change, error in zip(pending, refused, strict=True) if error}
        errors = [
            error or (by_id.get(change.id) if change else None) for change, error in zip(changes, errors, strict=True)
        ]
    return [_outcome(change, error) for change, error in zip(changes, errors, strict=True)]


async def add(work: UnitOfWork, what: Nomenclature, rows: Sequence[Row]) -> list[int]:
    """Add all rows, or none."""
    return _ids(await store(work, what, [(None, row) for row in rows]))


async def change(work: UnitOfWork, what: Nomenclature, targets: Targets, changes: Row) -> list[int]:
    """Give all records meant the same new values."""
    ids = await meant(work, what, targets, changes)
    return _ids(await store(work, what, [(id_, changes) for id_ in ids]))


async def meant(work: UnitOfWork, what: Nomenclature, targets: Targets, changes: Row) -> list[int]:
    """The ids of the records to change; a unique key among the changes fits one record only."""
    checked(what.table, changes, keys=what.keys)
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


async def _changes(
    work: UnitOfWork,
    what: Nomenclature,
    ids: Sequence[int | None],
    values: Sequence[Row],
    errors: list[HubError | None],
) -> list[Change | None]:
    """Before and after of each row; rows that cannot have them get their error."""
    present = await lock(work, what, {id_ for id_ in ids if id_ is not None})
    fresh = iter(await work.next_ids(what.noun, sum(id_ is None for id_ in ids)))
    changes: list[Change | None] = []
    for position, (id_, row) in enumerate(zip(ids, values, strict=True)):
        before = present.get(id_) if id_ is not None else None
        after = {"id": next(fresh), **what.defaults, **row} if id_ is None else {**(before or {}), **row}
        error = errors[position]
        if error is None and id_ is not None and before is None:
            error = NotFound(f"no {what.title} has the id {id_}", field=f"{camel(what.noun)}Id")
        if error is None and (missing := _missing(what, after)) is not None:
            error = Invalid("is required", field=camel(missing))
        errors[position] = error
        if error is None and what.searched:
            after["search"] = searchable(*(after[name] for name in what.searched))
        changes.append(None if error else Change(before, after))
    return changes


async def _review(
    work: UnitOfWork, what: Nomenclature, changes: Sequence[Change | None], errors: list[HubError | None]
) -> None:
    places = [place for place, change in enumerate(changes) if change is not None]
    known = [change for change in changes if change is not None]
    ruled = await what.review(work, known) if what.review else [None] * len(known)
    taken = await _taken(work, what, known)
    for place, rule, key in zip(places, ruled, taken, strict=True):
        errors[place] = rule or key


async def _taken(work: UnitOfWork, what: Nomenclature, changes: Sequence[Change]) -> list[HubError | None]:
    """`Conflict` for every change that wants a key of another record, or of an earlier one of this set."""
    errors: list[HubError | None] = [None] * len(changes)
    for key in what.keys:
        wanted = [
            (place, change)
            for place, change in enumerate(changes)
            if change.after[key] is not None and (change.before is None or change.changes(key))
        ]
        owners = await ids_by(work, what, key, {change.after[key] for _, change in wanted})
        for place, change in wanted:
            value = change.after[key]
            if owners.setdefault(value, change.id) != change.id:
                errors[place] = errors[place] or Conflict(f"{value} already exists", field=camel(key))
    return errors


async def _write(work: UnitOfWork, what: Nomenclature, changes: Sequence[Change]) -> None:
    new = [{"tenant_id": work.tenant_id, **change.after} for change in changes if change.before is None]
    if new:
        await work.session.execute(insert(what.table), new)
    groups: dict[tuple[str, ...], list[Row]] = {}
    for change in changes:
        if change.before is not None:
            changed = tuple(name for name in change.after if change.before[name] != change.after[name])
            row = {"_id": change.id, **{name: change.after[name] for name in changed}}
            groups.setdefault(changed, []).append(row)
    for changed, rows in groups.items():
        await work.session.execute(
            update(what.table)
            .where(what.table.c.tenant_id == work.tenant_id, what.table.c.id == bindparam("_id"))
            .values({**{name: bindparam(name) for name in changed}, "updated_at": func.now()}),
            rows,
        )
    for change in changes:
        work.emit(what.noun, "added" if change.before is None else "updated", subject_id=change.id)


def _missing(what: Nomenclature, row: Row) -> str | None:
    return next((column.name for column in what.table.columns if column.name not in OWN | row.keys()), None)


def _differs(change: Change) -> bool:
    return change.before is None or change.before != change.after


def _outcome(change: Change | None, error: HubError | None) -> Outcome:
    id_ = change.id if change and change.before else None
    if change is None or error is not None:
        return Outcome(id_, Effect.REFUSED, error)
    if change.before is None:
        return Outcome(change.id, Effect.ADDED)
    return Outcome(id_, Effect.UPDATED if _differs(change) else Effect.UNCHANGED)


def _ids(outcomes: Sequence[Outcome]) -> list[int]:
    return [outcome.id for outcome in outcomes if outcome.id is not None]


def _stop_at(errors: Sequence[HubError | None], on_error: OnError) -> None:
    if on_error == "raise" and (error := first_refusal(errors)) is not None:
        raise error
