"""Takes records of nomenclatures over: added with their ids, or changed where the file says something else."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid
from hub.importing import provisioned
from hub.importing.entries import Entry
from hub.importing.identity import find_present
from hub.importing.noun import Noun
from hub.importing.nouns import LOCATION, WAREHOUSE
from hub.importing.references import resolve
from hub.models.stock import Location, Warehouse
from hub.services import locations, storing, warehouses
from hub.services.locations import LocationDraft
from hub.services.nomenclature import Nomenclature, Row
from hub.services.outcomes import Effect, Outcome


async def take_over(work: UnitOfWork, noun: Noun, what: Nomenclature, entries: Sequence[Entry]) -> list[Outcome]:
    """Store the entries that can be stored; one outcome per entry."""
    await resolve(work, entries)
    _refuse_second_mark(noun, entries)
    if noun in (WAREHOUSE, LOCATION):
        await provisioned.give_way(work, noun, what, [entry for entry in entries if not entry.error])
    present = await find_present(work, noun, what, entries)
    pairs: list[tuple[int | None, Row | HubError]] = []
    for entry in entries:
        before = present.get(entry.main.id or 0)
        if before is not None and noun is LOCATION:
            _refuse_move(entry, before)
        row = {name: value for name, value in entry.main.columns.items() if name != noun.mark}
        if noun.mark and before is None and "code" in row:
            row.setdefault("name", row["code"])
        pairs.append((entry.main.id, entry.error or row))
    outcomes = await storing.store(work, what, pairs, on_error="skip", keep_ids=True)
    if noun.mark:
        await _mark(work, noun, entries, outcomes)
    return [_named_as_in_file(entry, outcome) for entry, outcome in zip(entries, outcomes, strict=True)]


async def settle_inbound(work: UnitOfWork) -> None:
    """Give every warehouse a place where goods arrive: its first location, or a new one."""
    places = select(col(Location.warehouse_id), col(Location.id), col(Location.is_inbound)).where(
        col(Location.tenant_id) == work.tenant_id
    )
    first: dict[int, int] = {}
    settled = set()
    for row in await work.session.execute(places.order_by(col(Location.id))):
        first.setdefault(row.warehouse_id, row.id)
        if row.is_inbound:
            settled.add(row.warehouse_id)
    found = await work.session.execute(
        select(col(Warehouse.id), col(Warehouse.code))
        .where(col(Warehouse.tenant_id) == work.tenant_id)
        .order_by(col(Warehouse.id))
    )
    for warehouse in found.all():
        if warehouse.id in settled:
            continue
        if warehouse.id in first:
            await locations.update(work, targets={"id": [first[warehouse.id]]}, changes={"is_inbound": True})
        else:
            draft = LocationDraft(code=f"{warehouse.code}-RECEPTION", name="Reception", warehouse_id=warehouse.id)
            await locations.add(work, locations=[draft])


def _refuse_second_mark(noun: Noun, entries: Sequence[Entry]) -> None:
    """Only one warehouse is the default, only one location of a warehouse the inbound one."""
    marked: set[object] = set()
    for entry in entries:
        if noun.mark and entry.main.columns.get(noun.mark) and not entry.error:
            group = entry.main.columns.get("warehouse_id")
            if group in marked:
                entry.refuse(Invalid("is given to another one already", field=noun.shape.field_of(noun.mark)))
            marked.add(group)


def _refuse_move(entry: Entry, before: Row) -> None:
    if entry.main.columns.get("warehouse_id", before["warehouse_id"]) != before["warehouse_id"]:
        field = next(iter(next(iter(entry.main.named.values()))))
        entry.refuse(Conflict(f"location {before['code']} stays in warehouse {before['warehouse_id']}", field=field))


async def _mark(work: UnitOfWork, noun: Noun, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> None:
    """Hand the mark to the records that the file gives it to; some warehouse must be the default one."""
    stored = [
        (entry, outcome.id)
        for entry, outcome in zip(entries, outcomes, strict=True)
        if outcome.effect is not Effect.REFUSED and outcome.id is not None
    ]
    wanted = [id_ for entry, id_ in stored if entry.main.columns.get(noun.mark or "")]
    if noun is LOCATION:
        for id_ in await _without(work, Location.id, Location.is_inbound, wanted):
            await locations.update(work, targets={"id": [id_]}, changes={"is_inbound": True})
        return
    if not wanted and stored and not await _has_default(work):
        wanted = [stored[0][1]]
    for id_ in await _without(work, Warehouse.id, Warehouse.is_default, wanted):
        await warehouses.update(work, targets={"id": [id_]}, changes={"is_default": True})


async def _without(work: UnitOfWork, id_column: object, mark: object, ids: Sequence[int]) -> list[int]:
    """Which of the records do not have the mark yet."""
    model = Location if mark is Location.is_inbound else Warehouse
    found = await work.session.execute(
        select(col(model.id))
        .where(col(model.tenant_id) == work.tenant_id, col(model.id).in_(ids), ~col(mark))
        .order_by(col(model.id))
    )
    return list(found.scalars())


async def _has_default(work: UnitOfWork) -> bool:
    found = await work.session.execute(
        select(1).where(col(Warehouse.tenant_id) == work.tenant_id, col(Warehouse.is_default).is_(True))
    )
    return found.first() is not None


def _named_as_in_file(entry: Entry, outcome: Outcome) -> Outcome:
    """Services name fields by their columns; files have names of their own for some."""
    error = outcome.error
    if error is not None and error is not entry.error and error.field is not None:
        error.field = entry.main.shape.renamed(error.field, entry.record.values)
    return outcome
