"""Stores records of a nomenclature as sets: checked, ruled upon, free of taken keys, written only where they differ."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, String, Subquery, Text, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.search import searchable
from hub.services.nomenclature import OWN, Change, Nomenclature, Row, Targets, ids_by, lock, meant
from hub.services.outcomes import Effect, OnError, Outcome, first_refusal, in_halves
from hub.services.values import camel, checked


async def store(
    work: UnitOfWork,
    what: Nomenclature,
    rows: Sequence[tuple[int | None, Row | HubError]],
    *,
    on_error: OnError = "raise",
    keep_ids: bool = False,
) -> list[Outcome]:
    """Add the rows without id, change those with one; unchanged records are not written. One outcome per row.

    A row may already be refused: its error takes part in the order of checks. With `keep_ids` a row whose id is free is
    added under it; the caller has kept the ids that the hub gives clear of it.
    """
    errors: list[HubError | None] = [None] * len(rows)
    values: list[Row] = []
    for position, (_, row) in enumerate(rows):
        values.append({})
        if isinstance(row, HubError):
            errors[position] = row
            continue
        try:
            values[-1] = checked(what.table, row, keys=what.keys, signed=what.signed)
        except Invalid as error:
            errors[position] = error
    _stop_at(errors, on_error)

    changes = await _changes(work, what, [id_ for id_, _ in rows], values, errors, keep_ids)
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


async def store_by(
    work: UnitOfWork, what: Nomenclature, column: str, rows: Sequence[Row | HubError], *, on_error: OnError
) -> list[Outcome]:
    """`store` for rows that are known by a unique column: what exists under its value is changed, else added."""
    wanted = {row[column] for row in rows if not isinstance(row, HubError) and isinstance(row.get(column), str)}
    known = await ids_by(work, what, column, wanted)
    pairs = [(None if isinstance(row, HubError) else known.get(row.get(column)), row) for row in rows]
    return await store(work, what, pairs, on_error=on_error)


async def add(work: UnitOfWork, what: Nomenclature, rows: Sequence[Row]) -> list[int]:
    """Add all rows, or none."""
    return _ids(await store(work, what, [(None, row) for row in rows]))


async def change(work: UnitOfWork, what: Nomenclature, targets: Targets, changes: Row) -> list[int]:
    """Give all records meant the same new values."""
    ids = await meant(work, what, targets, changes)
    return _ids(await store(work, what, [(id_, changes) for id_ in ids]))


async def _changes(
    work: UnitOfWork,
    what: Nomenclature,
    ids: Sequence[int | None],
    values: Sequence[Row],
    errors: list[HubError | None],
    keep_ids: bool,
) -> list[Change | None]:
    """Before and after of each row; rows that cannot have them get their error."""
    present = await lock(work, what, {id_ for id_ in ids if id_ is not None})
    fresh = iter(await work.next_ids(what.noun, sum(id_ is None for id_ in ids)))
    changes: list[Change | None] = []
    for position, (id_, row) in enumerate(zip(ids, values, strict=True)):
        before = present.get(id_) if id_ is not None else None
        is_new = before is None and (id_ is None or keep_ids)
        own_id = {"id": next(fresh) if id_ is None else id_}
        after = {**own_id, **what.defaults, **row} if is_new else {**(before or {}), **row}
        error = errors[position]
        if error is None and not is_new and before is None:
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
    """One statement for the new records, and one for each set of columns that changed."""
    table = what.table
    new = [change.after for change in changes if change.before is None]
    if new:
        names = list(new[0])
        given = _rows(what, names, new)
        chosen = select(literal(work.tenant_id, BigInteger), *(given.c[name] for name in names))
        await work.session.execute(insert(table).from_select(["tenant_id", *names], chosen, include_defaults=False))
    groups: dict[tuple[str, ...], list[Row]] = {}
    for change in changes:
        if change.before is not None:
            changed = tuple(name for name in change.after if change.before[name] != change.after[name])
            groups.setdefault(changed, []).append(change.after)
    for changed, rows in groups.items():
        given = _rows(what, ["id", *changed], rows)
        await work.session.execute(
            update(table)
            .where(table.c.tenant_id == work.tenant_id, table.c.id == given.c.id)
            .values({**{name: given.c[name] for name in changed}, "updated_at": func.now()})
        )
    for change in changes:
        work.emit(what.noun, "added" if change.before is None else "updated", subject_id=change.id)


def _rows(what: Nomenclature, names: Sequence[str], rows: Sequence[Row]) -> Subquery:
    """The rows as a relation, one array parameter per column; texts without their length, which would cut them."""
    columns = []
    for name in names:
        kind = what.table.columns[name].type
        element = Text() if isinstance(kind, String) else kind
        values = literal([row[name] for row in rows], ARRAY(element))
        columns.append(func.unnest(values, type_=element).label(name))
    return select(*columns).subquery("given")


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
