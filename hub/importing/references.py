"""Looks up, for a whole set of entries at once, the records that they name."""

from collections.abc import Sequence

from hub.db import UnitOfWork
from hub.errors import Invalid, NotFound
from hub.importing.entries import Entry, Part
from hub.services.nomenclature import Nomenclature, ids_by
from hub.services.values import camel

Known = dict[tuple[str, str], dict[object, int]]
"""(noun, key column) → value → id."""


async def resolve(work: UnitOfWork, entries: Sequence[Entry]) -> None:
    """Put the ids of the records named into the columns; an entry that names an unknown one is refused."""
    known = await _find(work, entries)
    for entry in entries:
        try:
            for part in entry.parts:
                _fill(part, known)
        except (Invalid, NotFound) as error:
            entry.refuse(error)


async def _find(work: UnitOfWork, entries: Sequence[Entry]) -> Known:
    wanted: dict[tuple[str, str], tuple[Nomenclature, set[object]]] = {}
    for entry in entries:
        for part in entry.parts:
            for reference, given in part.named.items():
                for name, value in given.items():
                    what, key = reference.fields[name]
                    wanted.setdefault((what.noun, key), (what, set()))[1].add(value)
    return {place: await ids_by(work, what, place[1], values) for place, (what, values) in wanted.items()}


def _fill(part: Part, known: Known) -> None:
    for reference, given in part.named.items():
        for name, value in given.items():
            what, key = reference.fields[name]
            id_ = known[what.noun, key].get(value)
            if id_ is None:
                named = "id" if key == "id" else camel(key)
                raise NotFound(f"no {what.title} has the {named} {value}", field=part.at(name))
            if part.columns.get(reference.column) not in (None, id_):
                raise Invalid(f"names another {what.title} than {next(iter(given))}", field=part.at(name))
            part.columns[reference.column] = id_
