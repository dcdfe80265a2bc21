"""Answers of mutations: payload types with `userErrors`, and the records in them, read back after the commit.

    PRODUCT = answer("ProductPayload", product=Record("Product", "The product as it is now."))
    PRODUCTS = answer_by_row("ProductsPayload", "ProductsRow", product=Record("Product", "The product as it is now."))

What a change did is kept as JSON (`{"product": 41}`), so that a repeated idempotency key can be answered again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import strawberry
from strawberry.extensions import FieldExtension

from hub.context import Scope
from hub.services.values import camel
from schema.context import RequestContext, Services
from schema.planner.ids import GlobalId
from schema.planner.nodes import read_nodes
from schema.planner.types import graph_type

Json = Mapping[str, Any]


@strawberry.enum(description="Why a change was refused.")
class UserErrorCode(Enum):
    INVALID = strawberry.enum_value("INVALID", description="A value is wrong; `field` names it.")
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="A reference designates nothing in this tenant.")
    CONFLICT = strawberry.enum_value("CONFLICT", description="The present state forbids it; read again and decide.")


@strawberry.type(description="One reason why a change was refused.")
class UserError:
    field: str | None = strawberry.field(
        description="The path inside the input, as the caller wrote it: `lines[0].quantity`."
    )
    code: UserErrorCode = strawberry.field(description="The kind of refusal.")
    message: str = strawberry.field(description="What happened, on what, and what to do.")


@strawberry.interface(description="The answer to a change: either `userErrors` is empty or nothing was changed.")
class Payload:
    user_errors: list[UserError] = strawberry.field(description="Why nothing was changed; empty when it was made.")


@strawberry.enum(description="What became of one row of a bulk change.")
class RowEffect(Enum):
    ADDED = strawberry.enum_value("ADDED", description="A new record was made.")
    UPDATED = strawberry.enum_value("UPDATED", description="The record was changed.")
    UNCHANGED = strawberry.enum_value("UNCHANGED", description="The record was already like that.")
    DELETED = strawberry.enum_value("DELETED", description="The record is gone.")
    REFUSED = strawberry.enum_value("REFUSED", description="The row's `userErrors` say why.")
    ABANDONED = strawberry.enum_value(
        "ABANDONED", description="Nothing is wrong with it, but another row was refused under ABORT."
    )


class Shown(Protocol):
    """A field of a payload: its annotation, and the value to resolve from what was kept as JSON."""

    @property
    def annotation(self) -> Any: ...

    @property
    def description(self) -> str: ...

    def value(self, tenant_id: int, kept: Sequence[Any]) -> "list[Any]":
        """One value per row; a payload without rows counts as one."""


@dataclass(frozen=True, slots=True)
class Record:
    """The record with the id that was kept."""

    type_name: str
    description: str

    @property
    def annotation(self) -> str:
        return f"{self.type_name} | None"

    def value(self, tenant_id: int, kept: Sequence[Any]) -> list[Any]:
        batch = Batch(self.type_name, tenant_id, [id_ for id_ in kept if id_ is not None])
        return [None if id_ is None else Wanted(batch, [id_]) for id_ in kept]


@dataclass(frozen=True, slots=True)
class Records:
    """The records with the ids that were kept, in their order."""

    type_name: str
    description: str

    @property
    def annotation(self) -> str:
        return f"list[{self.type_name}] | None"

    def value(self, tenant_id: int, kept: Sequence[Any]) -> list[Any]:
        batch = Batch(self.type_name, tenant_id, [id_ for ids in kept for id_ in ids or ()])
        return [None if ids is None else Wanted(batch, ids, many=True) for ids in kept]


@dataclass(frozen=True, slots=True)
class Deleted:
    """The global id of a record that is gone."""

    type_name: str
    description: str
    annotation: Any = strawberry.ID | None

    def value(self, tenant_id: int, kept: Sequence[Any]) -> list[Any]:
        return [None if id_ is None else str(GlobalId(self.type_name, tenant_id, id_)) for id_ in kept]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a function finds for the value that was kept, asked with the caller's scope in the tenant."""

    annotation: Any
    description: str
    load: Callable[[Services, Scope, Any], Awaitable[Any]]

    def value(self, tenant_id: int, kept: Sequence[Any]) -> list[Any]:
        return [None if each is None else Sought(self.load, tenant_id, each) for each in kept]


@dataclass(frozen=True, slots=True)
class Value:
    """A plain value as it was kept."""

    annotation: Any
    description: str

    def value(self, tenant_id: int, kept: Sequence[Any]) -> list[Any]:
        return list(kept)


@dataclass(slots=True)
class Batch:
    """Records of one type that one answer shows: read in one statement for each selection."""

    type_name: str
    tenant_id: int
    ids: Sequence[int]
    _read: dict[str, asyncio.Future[Mapping[int, Any]]] = field(default_factory=dict)

    async def by_id(self, info: Any) -> Mapping[int, Any]:
        key = info.path.key
        if key not in self._read:
            self._read[key] = asyncio.ensure_future(read_nodes(info, self.type_name, self.tenant_id, self.ids))
        return await self._read[key]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one field shows of a batch."""

    batch: Batch
    ids: Sequence[int]
    many: bool = False

    async def read(self, info: Any) -> Any:
        found = await self.batch.by_id(info)
        if self.many:
            return [found[id_] for id_ in self.ids if id_ in found]
        return found.get(self.ids[0])


@dataclass(frozen=True, slots=True)
class Sought:
    """What one field shows by way of a function; a change of the hub itself is in no tenant (0)."""

    load: Callable[[Services, Scope, Any], Awaitable[Any]]
    tenant_id: int
    key: Any

    async def read(self, info: Any) -> Any:
        context: RequestContext = info.context
        scope = context.scope.narrow(self.tenant_id) if self.tenant_id else context.scope
        return await self.load(context.services, scope, self.key)


class ReadBack(FieldExtension):
    """Replaces what a field wants by what is read now, after the commit."""

    async def resolve_async(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
        wanted = await next_(source, info, **arguments)
        return await wanted.read(info) if isinstance(wanted, Wanted | Sought) else wanted


@dataclass(frozen=True, slots=True)
class Answer:
    """A payload type and how it is filled from what was kept."""

    payload: type[Any]
    fields: Mapping[str, Shown]

    def made(self, tenant_id: int, kept: Json) -> Any:
        shown = {name: field.value(tenant_id, [kept.get(name)])[0] for name, field in self.fields.items()}
        return self.payload(user_errors=[], **shown)

    def refused(self, errors: Sequence[UserError]) -> Any:
        return self.payload(user_errors=list(errors), **dict.fromkeys(self.fields))


@dataclass(frozen=True, slots=True)
class AnswerByRow:
    """A payload type with one result per row of the input."""

    payload: type[Any]
    row: type[Any]
    fields: Mapping[str, Shown]

    def made(self, tenant_id: int, kept: Json) -> Any:
        return self.payload(user_errors=[], results=self._results(tenant_id, kept["rows"]))

    def aborted(self, tenant_id: int, kept: Json) -> Any:
        """Nothing was changed: every refusal also stands in front, no row has a record."""
        rows: list[Json] = [
            row if row["errors"] else {"effect": RowEffect.ABANDONED.value, "errors": []} for row in kept["rows"]
        ]
        errors = [user_error_of(error) for row in rows for error in row["errors"]]
        return self.payload(user_errors=errors, results=self._results(tenant_id, rows))

    def refused(self, errors: Sequence[UserError]) -> Any:
        return self.payload(user_errors=list(errors), results=[])

    def _results(self, tenant_id: int, rows: Sequence[Json]) -> list[Any]:
        shown = {name: field.value(tenant_id, [row.get("id") for row in rows]) for name, field in self.fields.items()}
        return [
            self.row(
                index=place,
                effect=RowEffect(row["effect"]),
                user_errors=[user_error_of(error) for error in row["errors"]],
                **{name: column[place] for name, column in shown.items()},
            )
            for place, row in enumerate(rows)
        ]


def answer(name: str, description: str = "What a change did.", **fields: Shown) -> Answer:
    """A payload type with these fields beside `userErrors`."""
    return Answer(_made(name, description, fields, Payload), fields)


def answer_by_row(name: str, row: str, **fields: Shown) -> AnswerByRow:
    """The payload type of a bulk change, and the type of its rows with these fields."""
    index = Value(int, "The place of the row in the input, from 0.")
    effect = Value(RowEffect, "What became of the row.")
    errors = Value(list[UserError], "Why the row was refused; empty when it was not.")
    common: dict[str, Shown] = {"index": index, "effect": effect, "user_errors": errors}
    row_type = _made(row, "What became of one row.", {**common, **fields}, None)
    results = Value(list[row_type], "One result per row, in the order of the input.")  # type: ignore[valid-type]
    return AnswerByRow(_made(name, "What a bulk change did.", {"results": results}, Payload), row_type, fields)


def kept_error(error: UserError) -> list[Any]:
    return [error.field, error.code.value, error.message]


def user_error_of(kept: Sequence[Any]) -> UserError:
    return UserError(field=kept[0], code=UserErrorCode(kept[1]), message=kept[2])


def _made(name: str, description: str, fields: Mapping[str, Shown], base: Any) -> type[Any]:
    members: dict[str, Any] = {"__annotations__": {}, "__doc__": description, "__module__": __name__}
    for each, shown in fields.items():
        reads = isinstance(shown, Record | Records | Loaded)
        members["__annotations__"][each] = shown.annotation
        members[each] = strawberry.field(
            name=camel(each), description=shown.description, extensions=[ReadBack()] if reads else [], default=None
        )
    return graph_type(type(name, (base,) if base else (), members))
