"""Tells whether the record that has an id already is the one that the file means."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid
from hub.importing.entries import Entry
from hub.importing.noun import Noun
from hub.services.nomenclature import Nomenclature, Row, ids_by, lock


async def find_present(work: UnitOfWork, noun: Noun, what: Nomenclature, entries: Sequence[Entry]) -> dict[int, Row]:
    """The records that the entries mean and that are there, by id, locked; entries without id get it by their key.

    An entry whose id belongs to another record is refused.
    """
    await _ids_by_keys(work, noun, what, [entry for entry in entries if entry.main.id is None and not entry.error])
    present = await lock(work, what, {entry.main.id for entry in entries if entry.main.id is not None})
    for entry in entries:
        row = present.get(entry.main.id or 0)
        if row is not None and not entry.error:
            _refuse_another(noun, what, entry, row)
    return present


async def _ids_by_keys(work: UnitOfWork, noun: Noun, what: Nomenclature, entries: Sequence[Entry]) -> None:
    for column in what.keys:
        wanted = {entry.main.columns[column] for entry in entries if entry.main.columns.get(column) is not None}
        known = await ids_by(work, what, column, wanted)
        for entry in entries:
            entry.main.id = entry.main.id or known.get(entry.main.columns.get(column))
    for entry in entries:
        keys = {column for column in what.keys if entry.main.columns.get(column) is not None}
        if entry.main.id is None and not keys:
            shape = noun.shape
            hint = f"or give {shape.field_of(what.keys[0])}" if what.keys else ""
            entry.refuse(Invalid("is required", field=shape.id_field, hint=hint))


def _refuse_another(noun: Noun, what: Nomenclature, entry: Entry, row: Mapping[str, Any]) -> None:
    for columns in noun.same:
        given = {column: entry.main.columns.get(column) for column in columns}
        if None in given.values():
            continue
        for column, value in given.items():
            if row[column] != value:
                name = noun.shape.field_of(column)
                entry.refuse(
                    Conflict(
                        f"{row['id']} is taken by the {what.title} whose {name} is {row[column]}",
                        field=noun.shape.id_field,
                    )
                )
        return
