"""Mutations, declared as functions of a transaction and an input; their docstrings are the schema's descriptions.

    @mutation(PRODUCT, needs=USER)
    async def product_add(call: Call, input: ProductAddInput) -> Json:
        \"""Adds a product.\"""
        [product_id] = await products.add(call.work, products=[ProductDraft(**call.filled(input))])
        return {"product": product_id}

The frame finds the tenant, checks the right, opens the one transaction, answers a repeated idempotency key, turns
refusals of the caller's family into `userErrors` and fills the payload after the commit.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, TypeVar, get_type_hints

import strawberry
from strawberry import UNSET
from strawberry.types.field import StrawberryField

from hub.context import Level, Permission, Scope
from hub.db import UnitOfWork
from hub.errors import CallerError, Conflict, Invalid, NotAllowed, NotFound, Unauthenticated
from hub.services.outcomes import Effect, Outcome
from hub.services.values import text
from schema.answers import Answer, AnswerByRow, Json, UserError, UserErrorCode, kept_error
from schema.context import RequestContext, Services
from schema.idempotency import once
from schema.inputs import BULK, about, check_texts, filled, inputs, limited, located, targets, values
from schema.planner.fields import Right
from schema.planner.nodes import check_answer

T = TypeVar("T")
Info = strawberry.Info[RequestContext, None]
NEEDS = "needs"
INPUT = "What to change, and for which tenant."


@dataclass(frozen=True, slots=True)
class Operator:
    """The right of those who run the hub itself."""


Needs = Right | Operator
OPERATOR = Operator()
USER = Right(Level.USER)


def user_with(permission: Permission) -> Right:
    return Right(Level.USER, permission)


@inputs()
class Change:
    """What every change may carry."""

    tenant: str | None = about(
        "The tenant's slug; needed only where the caller works in several tenants.", default=UNSET
    )
    idempotency_key: str | None = about(
        "Any text: a repeated call with the same key and input gets the first answer again and changes nothing; "
        "with another input it is refused. A refused change does not use its key up.",
        default=UNSET,
    )


@strawberry.enum(description="What a refused row does to the others.")
class OnError(Enum):
    ABORT = strawberry.enum_value("ABORT", description="All rows are made, or none.")
    SKIP = strawberry.enum_value("SKIP", description="Refused rows are left out, the others are made.")


@inputs()
class BulkChange(Change):
    """What every change of up to 250 rows may carry."""

    on_error: OnError = about("What a refused row does to the others.", default=OnError.ABORT)


@dataclass(frozen=True, slots=True)
class Call:
    """One change under way: its transaction, and the services of the process."""

    work: UnitOfWork
    services: Services

    def values(self, given: Any, *without: str) -> dict[str, Any]:
        """What the caller wrote, null included: name → value."""
        return values(given, self.work.tenant_id, without=without)

    def filled(self, given: Any, *without: str) -> dict[str, Any]:
        """What the caller wrote, null meaning absent: for new records."""
        return filled(given, self.work.tenant_id, without=without)

    def targets(self, key: Any, field: str) -> dict[str, list[Any]]:
        """What a key designates, as services want it."""
        return targets(key, self.work.tenant_id, field=field)

    async def each(
        self,
        field: str,
        rows: Sequence[Any],
        convert: Callable[[Any], T],
        write: Callable[[Sequence[T]], Awaitable[Sequence[Outcome]]],
    ) -> Json:
        """Convert each row and write as one set what could be converted; one result per row."""
        drafts: list[T | CallerError] = []
        for row in limited(rows, field=field):
            try:
                drafts.append(convert(row))
            except CallerError as error:
                drafts.append(error)
        written = iter(await write([draft for draft in drafts if not isinstance(draft, CallerError)]))
        kept = []
        for place, (row, draft) in enumerate(zip(rows, drafts, strict=True)):
            outcome = Outcome(None, Effect.REFUSED, draft) if isinstance(draft, CallerError) else next(written)
            kept.append(_kept_row(outcome, row, f"{field}[{place}]", translated=isinstance(draft, CallerError)))
        return {"rows": kept}


Write = Callable[[Call, Any], Awaitable[Json]]
Operate = Callable[[Services, Scope, Any], Awaitable[Json]]


def mutation(answer: Answer | AnswerByRow, *, needs: Right) -> Callable[[Write], StrawberryField]:
    """Make a mutation of a function that writes in one transaction of one tenant and returns what to answer with."""

    def declare(write: Write) -> StrawberryField:
        async def carry_out(info: Info, scope: Scope, input: Any) -> Json:
            services = info.context.services

            async def action(work: UnitOfWork) -> Json:
                kept = await write(Call(work, services), input)
                if _is_aborted(input, kept):
                    raise _Aborted(kept)
                return kept

            secret_key = services.settings.secret_key
            return await services.database.write(scope, once(action, info.field_name, input, secret_key=secret_key))

        return _field(write, carry_out, answer, needs)

    return declare


def operation(answer: Answer, *, needs: Needs) -> Callable[[Operate], StrawberryField]:
    """Make a mutation of a function that is no single transaction of a tenant: it opens its own."""

    def declare(operate: Operate) -> StrawberryField:
        async def carry_out(info: Info, scope: Scope, input: Any) -> Json:
            check_texts(input)
            return await operate(info.context.services, scope, input)

        return _field(operate, carry_out, answer, needs)

    return declare


async def tenant_scope(info: Info, slug: str | None) -> Scope:
    """The caller's scope in the one tenant of this change; raises `Invalid` when it is not clear which."""
    if slug is not None:
        return await tenants_named(info, [slug], field="tenant")
    if len(info.context.scope.tenants) != 1:
        raise Invalid("say in which tenant", field="tenant", hint="its slug, as in tenant { slug }")
    return info.context.scope


async def tenants_named(info: Info, slugs: Collection[str] | None, *, field: str = "tenants") -> Scope:
    """The caller's scope in these tenants only, in all of them for None; `NotFound` for what is none of them."""
    scope = info.context.scope
    if slugs is None:
        return scope
    wanted = [text(slug, field=field, longest=63) for slug in slugs]
    async with info.context.database.reading(scope) as connection:
        rows = await connection.fetch("SELECT slug, id FROM tenants WHERE slug = ANY ($1::text[])", wanted)
    known = {row["slug"]: int(row["id"]) for row in rows}
    for slug in wanted:
        if known.get(slug) not in scope.tenants:
            raise NotFound(f"{slug!r} is none of your tenants", field=field)
    return scope.within(known.values())


class _Aborted(Exception):
    """A row was refused under ABORT: the transaction is rolled back, the rows are answered."""

    def __init__(self, kept: Json) -> None:
        super().__init__("aborted")
        self.kept = kept


def _field(
    function: Callable[..., Any],
    carry_out: Callable[[Info, Scope, Any], Awaitable[Json]],
    answer: Answer | AnswerByRow,
    needs: Needs,
) -> StrawberryField:
    async def resolve(info: Info, input: Any) -> Any:
        check_answer(info, _rows(input))
        tenant_id = 0
        try:
            scope = await _allowed(info, input, needs)
            tenant_id = 0 if isinstance(needs, Operator) else scope.tenant_id
            return answer.made(tenant_id, await carry_out(info, scope, input))
        except _Aborted as aborted:
            assert isinstance(answer, AnswerByRow)
            return answer.aborted(tenant_id, aborted.kept)
        except (NotAllowed, Unauthenticated):
            raise
        except CallerError as error:
            return answer.refused([user_error(error, located(error, input))])

    input_type = get_type_hints(function)["input"]
    resolve.__name__ = function.__name__
    resolve.__annotations__ = {
        "info": Info,
        "input": Annotated[input_type, strawberry.argument(description=INPUT)],
        "return": answer.payload | None,
    }
    description = f"{inspect.getdoc(function)} {told(needs)}"
    field: StrawberryField = strawberry.mutation(resolver=resolve, description=description, metadata={NEEDS: needs})
    return field


async def _allowed(info: Info, input: Any, needs: Needs) -> Scope:
    """The scope to work in; raises `NotAllowed` before anything else is looked at."""
    scope = info.context.scope
    if isinstance(needs, Operator):
        scope.require_operator()
        return scope
    scope = await tenant_scope(info, input.tenant or None)
    scope.require(needs.level, needs.permission)
    return scope


def told(needs: Needs) -> str:
    """The right in words, as it stands at the end of a mutation's description."""
    if isinstance(needs, Operator):
        return "Needs an operator."
    permission = f" with {needs.permission.value}" if needs.permission else ""
    return f"Needs {needs.level.name}{permission}."


def user_error(error: CallerError, field: str | None) -> UserError:
    match error:
        case NotFound():
            code = UserErrorCode.NOT_FOUND
        case Conflict():
            code = UserErrorCode.CONFLICT
        case _:
            code = UserErrorCode.INVALID
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return UserError(field=field, code=code, message=message)


def _kept_row(outcome: Outcome, row: Any, path: str, *, translated: bool) -> dict[str, Any]:
    """One row's result as JSON; `translated`: the error already speaks the caller's words."""
    error = outcome.error
    if error is None:
        return {"id": outcome.id, "effect": outcome.effect.name, "errors": []}
    if not isinstance(error, CallerError) or isinstance(error, NotAllowed | Unauthenticated):
        raise error
    field = error.field if translated else located(error, row)
    return {"effect": "REFUSED", "errors": [kept_error(user_error(error, f"{path}.{field}" if field else path))]}


def _rows(input: Any) -> int:
    """How many records the answer may show."""
    lists = [value for value in vars(input).values() if isinstance(value, list)]
    return min(max([1, *map(len, lists)]), BULK) if isinstance(input, BulkChange) else 1


def _is_aborted(input: Any, kept: Json) -> bool:
    return getattr(input, "on_error", None) is OnError.ABORT and any(row["errors"] for row in kept["rows"])
