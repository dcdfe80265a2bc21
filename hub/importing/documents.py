"""Takes documents over as records, with their lines and all ids; a document that is there already is left alone."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select

from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.importing.cells import id_for, list_for
from hub.importing.document_nouns import NIRS, ORDER, PURCHASE_ORDER
from hub.importing.entries import Entry, Part, missing_column
from hub.importing.identity import find_present
from hub.importing.noun import Noun
from hub.importing.references import resolve
from hub.queries.conditions import among
from hub.queries.places import find_warehouse
from hub.search import searchable
from hub.services import history
from hub.services.history import PastDocument
from hub.services.nomenclature import Nomenclature, Row, ids_by
from hub.services.outcomes import Effect, Outcome, in_halves
from hub.statuses import EDITABLE_ORDER, Status

NIR_LIST = "nirs"


async def take_over(work: UnitOfWork, noun: Noun, what: Nomenclature, entries: Sequence[Entry]) -> list[Outcome]:
    """Store the documents that can be stored; one outcome per entry."""
    await resolve(work, entries)
    present = await find_present(work, noun, what, entries)
    new = [entry for entry in entries if not entry.error and (entry.main.id or 0) not in present]
    await _check(work, noun, what, new)
    ready = [entry for entry in new if not entry.error]
    documents = await _documents(work, noun, what, ready)

    async def store(part: Sequence[Entry]) -> None:
        await history.record(work, kind=what.noun, table=what.table, documents=[documents[id(entry)] for entry in part])

    for entry, error in zip(ready, await in_halves(work, ready, store), strict=True):
        if error is not None:
            entry.refuse(error)
    return [_outcome(entry, present) for entry in entries]


def _outcome(entry: Entry, present: Mapping[int, Row]) -> Outcome:
    if entry.error is not None:
        return Outcome(entry.main.id, Effect.REFUSED, entry.error)
    is_present = (entry.main.id or 0) in present
    return Outcome(entry.main.id, Effect.UNCHANGED if is_present else Effect.ADDED)


async def _check(work: UnitOfWork, noun: Noun, what: Nomenclature, entries: Sequence[Entry]) -> None:
    warehouse_id = await find_warehouse(work.session, work.tenant_id, None)
    nirs = await _linked_nirs(work, noun, entries)
    for entry in entries:
        if warehouse_id is not None:
            entry.main.columns.setdefault("warehouse_id", warehouse_id)
        try:
            _check_parts(noun, what, entry)
            _check_states(noun, entry)
            for position, id_ in enumerate(_nir_ids(noun, entry)):
                if id_ not in nirs:
                    raise NotFound(f"no NIR has the id {id_}", field=f"{NIR_LIST}[{position}]")
        except (Invalid, NotFound) as error:
            entry.refuse(error)
    await _refuse_taken(work, what, entries)


def _check_parts(noun: Noun, what: Nomenclature, entry: Entry) -> None:
    for part in entry.parts:
        known = {**part.shape.what.defaults, **part.columns}
        if part is not entry.main:
            known[noun.parent or ""] = 0
        if (missing := missing_column(part, known)) is not None:
            raise missing
        quantity = part.columns.get("quantity")
        if quantity is not None and quantity <= 0:
            raise Invalid("must be greater than 0", field=part.at_column("quantity"))
        if part.columns.get("picked_quantity", 0) > (quantity or 0):
            raise Invalid("is more than quantity", field=part.at_column("picked_quantity"))
    for lines in entry.lines.values():
        seen: set[str] = set()
        for part in lines:
            key = part.columns.get("external_line_id")
            if key in seen:
                raise Invalid(f"{key} is given twice", field=part.at("externalLineId"))
            seen |= {key} if key is not None else set()


def _check_states(noun: Noun, entry: Entry) -> None:
    columns = entry.main.columns
    if columns.setdefault("status", int(Status.ACTIVE)) not in noun.statuses:
        raise Invalid(f"must be one of {', '.join(map(str, sorted(noun.statuses)))}", field="status")
    if noun is ORDER:
        if columns.get("order_type", 1) not in (1, 2):
            raise Invalid("must be 1 (client order) or 2 (expenditure receipt)", field="orderType")
        for column in ("number_of_envelopes", "number_of_packages"):
            if (columns.get(column) or 0) < 0:
                raise Invalid("must not be negative", field=entry.main.at_column(column))
        for line in entry.lines["orderProducts"]:
            if columns["status"] in EDITABLE_ORDER | {Status.IN_PICKING} and line.columns.get("picked_quantity"):
                raise Invalid("must be 0 while the order is open", field=line.at_column("picked_quantity"))
    if noun is PURCHASE_ORDER and (arrival := columns.get("arrival_date")) and arrival < columns["ordered_on"]:
        raise Invalid("is before date", field="arrivalDate")


async def _refuse_taken(work: UnitOfWork, what: Nomenclature, entries: Sequence[Entry]) -> None:
    """`Conflict` for keys and line ids that others have, or earlier entries of this set."""
    for key in what.keys:
        _claim(
            [(entry, entry.main, entry.main.columns.get(key)) for entry in entries],
            await ids_by(work, what, key, {entry.main.columns.get(key) for entry in entries} - {None}),
            lambda part, key=key: part.at_column(key),  # type: ignore[misc]
        )
    by_table: dict[Table, list[tuple[Entry, Part, Any]]] = {}
    for entry in entries:
        for lines in entry.lines.values():
            for part in lines:
                by_table.setdefault(part.shape.what.table, []).append((entry, part, part.id))
    for table, claims in by_table.items():
        ids = [id_ for _, _, id_ in claims if id_ is not None]
        found = await work.session.execute(
            select(table.c.id).where(table.c.tenant_id == work.tenant_id, among(table.c.id, ids))
        )
        taken: dict[Any, Any] = dict.fromkeys(found.scalars())
        _claim(claims, taken, lambda part: part.at(part.shape.id_field))


def _claim(claims: Sequence[tuple[Entry, Part, Any]], owners: dict[Any, Any], path: Callable[[Part], str]) -> None:
    for entry, part, value in claims:
        if value is None or entry.error:
            continue
        if owners.setdefault(value, part) is not part:
            entry.refuse(Conflict(f"{value} already exists", field=path(part)))


async def _documents(
    work: UnitOfWork, noun: Noun, what: Nomenclature, entries: Sequence[Entry]
) -> dict[int, PastDocument]:
    """Every document as it is stored, with new ids where the file has none; by the identity of its entry."""
    await _give_ids(work, [entry.main for entry in entries])
    for name in noun.lines:
        await _give_ids(work, [part for entry in entries for part in entry.lines[name]])
    now = await work.now()
    return {id(entry): _document(now, noun, what, entry) for entry in entries}


async def _give_ids(work: UnitOfWork, parts: Sequence[Part]) -> None:
    without = [part for part in parts if part.id is None]
    if without:
        for part, id_ in zip(without, await work.next_ids(without[0].shape.what.noun, len(without)), strict=True):
            part.id = id_


def _document(now: datetime, noun: Noun, what: Nomenclature, entry: Entry) -> PastDocument:
    row: Row = {"created_at": now} | {**what.defaults, **entry.main.columns} | {"id": entry.main.id}
    if "search" in what.table.columns:
        row["search"] = searchable(*(row[name] for name in what.searched))
    lines = [
        (part.shape.what.table, _line(noun, entry, part, position))
        for parts in entry.lines.values()
        for position, part in enumerate(parts)
    ]
    return PastDocument(row=row, lines=lines, nir_ids=_nir_ids(noun, entry))


def _line(noun: Noun, entry: Entry, part: Part, position: int) -> Row:
    row: Row = {**part.shape.what.defaults, **part.columns, "id": part.id, noun.parent or "": entry.main.id}
    if "position" in part.shape.what.table.columns:
        row["position"] = position
    return row


def _nir_ids(noun: Noun, entry: Entry) -> list[int]:
    if noun is not PURCHASE_ORDER:
        return []
    record = entry.record
    given = list_for(record.values.get(NIR_LIST), field=NIR_LIST, textual=record.textual)
    ids = [id_for(id_, field=f"{NIR_LIST}[{position}]", textual=False) for position, id_ in enumerate(given)]
    return sorted({id_ for id_ in ids if id_ is not None})


async def _linked_nirs(work: UnitOfWork, noun: Noun, entries: Sequence[Entry]) -> set[int]:
    wanted: set[int] = set()
    for entry in entries:
        try:
            wanted.update(_nir_ids(noun, entry))
        except Invalid as error:
            entry.refuse(error)
    return set(await ids_by(work, NIRS, "id", wanted))
