"""Rows of bulk changes that name records by their keys: looked up as sets, deleted as sets."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.db import UnitOfWork
from hub.errors import CallerError, NotFound
from hub.services import nomenclature
from hub.services.nomenclature import Nomenclature
from hub.services.outcomes import Effect, Outcome, in_halves
from hub.services.values import camel
from schema.answers import Json
from schema.inputs import limited
from schema.writing import Call

IdsBy = Callable[..., Awaitable[Mapping[Any, int]]]
"""A service's `ids_by(work, *, column, values)`: value → id, for those that exist."""
Delete = Callable[..., Awaitable[Any]]
"""A service's `delete(work, *, targets)`: all or nothing."""


def ids_in(what: Nomenclature) -> IdsBy:
    """The look-up of a noun's keys, for services that offer none."""

    async def ids_by(work: UnitOfWork, *, column: str, values: Collection[Any]) -> Mapping[Any, int]:
        return await nomenclature.ids_by(work, what, column, values)

    return ids_by


@dataclass(frozen=True, slots=True)
class Found:
    """The records that the keys of a bulk change designate."""

    call: Call
    ids: Mapping[tuple[str, Any], int]

    def id(self, key: Any, field: str = "") -> int:
        """Raise `NotFound` for a key that designates nothing; `field` is the key's place in its row."""
        [(column, [value])] = self.call.targets(key, field).items()
        if (column, value) not in self.ids:
            path = camel(column) if not field else f"{field}.{camel(column)}"
            raise NotFound(f"nothing has {camel(column)} {value}", field=path)
        return self.ids[column, value]


async def found_rows(call: Call, field: str, keys: Sequence[Any], ids_by: IdsBy) -> Found:
    """Look up all keys of the rows in `field`, with one statement per kind of key."""
    wanted: dict[str, list[Any]] = {}
    for key in limited(keys, field=field):
        try:
            [(column, [value])] = call.targets(key, "").items()
        except CallerError:
            continue  # told for its row by `Found.id`
        wanted.setdefault(column, []).append(value)
    ids: dict[tuple[str, Any], int] = {}
    for column, values in wanted.items():
        known = await ids_by(call.work, column=column, values=values)
        ids |= {(column, value): id_ for value, id_ in known.items()}
    return Found(call, ids)


async def known_rows(
    call: Call, field: str, rows: Sequence[Any], column: str, ids_by: IdsBy
) -> Callable[[Any], int | None]:
    """Which rows are there already, by the key that every row has: a function of the row to its id."""
    wanted: list[str] = []
    for row in limited(rows, field=field):
        try:
            wanted.append(call.values(row)[column])
        except CallerError:
            continue  # told for its row when it is converted
    known = await ids_by(call.work, column=column, values=wanted)
    return lambda row: known.get(getattr(row, column))


async def delete_rows(call: Call, field: str, keys: Sequence[Any], ids_by: IdsBy, delete: Delete) -> Json:
    """Delete what the keys designate as one set; what must stay is told by row."""
    found = await found_rows(call, field, keys, ids_by)

    async def write(ids: Sequence[int]) -> list[Outcome]:
        errors = await in_halves(call.work, ids, lambda part: delete(call.work, targets={"id": part}))
        return [
            Outcome(None, Effect.REFUSED, error) if error else Outcome(id_, Effect.DELETED)
            for id_, error in zip(ids, errors, strict=True)
        ]

    return await call.each(field, keys, found.id, write)
