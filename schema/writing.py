"""How a mutation is carried out: one tenant, one transaction, refusals as `userErrors`, a repeated key answered again."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, is_dataclass
from enum import Enum
from typing import Any

import orjson
import strawberry
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.context import Scope
from hub.db import UnitOfWork
from hub.errors import CallerError, Conflict, Invalid, NotAllowed, NotFound, Unauthenticated
from hub.models.tenants import IdempotencyKey
from schema.context import RequestContext

Info = strawberry.Info[RequestContext, None]
BULK = 250


@strawberry.enum(description="Why a change was refused.")
class UserErrorCode(Enum):
    INVALID = strawberry.enum_value("INVALID", description="A value is wrong; `field` names it.")
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="A reference designates nothing in this tenant.")
    CONFLICT = strawberry.enum_value("CONFLICT", description="The present state forbids it; read again and decide.")


@strawberry.type(description="One reason why a change was refused; nothing was changed then.")
class UserError:
    field: str | None = strawberry.field(description="The path inside the input, as the caller wrote it.")
    code: UserErrorCode = strawberry.field(description="The kind of refusal.")
    message: str = strawberry.field(description="What happened, on what, and what to do.")


@strawberry.input(description="What every change may carry.")
class Change:
    tenant: str | None = strawberry.field(
        default=None, description="The tenant's slug; needed only where the caller sees several tenants."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="A repeated call with this key and the same input gets the first answer again."
    )


@strawberry.interface(description="The answer to a change: either `userErrors` is empty or nothing was changed.")
class Payload:
    user_errors: list[UserError] = strawberry.field(description="Why the change was refused; empty when it was made.")
    tenant_id: strawberry.Private[int] = 0
    ids: strawberry.Private[Sequence[int]] = ()


class Written:
    """What a change did: the tenant it was made in and the ids it answers with."""

    def __init__(self, tenant_id: int, ids: Sequence[int] = (), errors: Sequence[UserError] = ()) -> None:
        self.tenant_id = tenant_id
        self.ids = list(ids)
        self.errors = list(errors)

    def payload(self) -> dict[str, Any]:
        """The arguments that every payload type takes."""
        return {"user_errors": self.errors, "tenant_id": self.tenant_id, "ids": self.ids}


Action = Callable[[UnitOfWork], Awaitable[Sequence[int]]]


async def change(info: Info, input: Change, action: Action) -> Written:
    """Carry out `action` in one transaction of one tenant; it returns the ids of the records to answer with.

    Refusals of the caller's family become `userErrors`; missing rights stay errors of the field.
    """
    scope = await tenant_scope(info, input.tenant)
    try:
        ids = await info.context.database.write(scope, _once(info, input, action))
    except (NotAllowed, Unauthenticated):
        raise
    except CallerError as error:
        return Written(scope.tenant_id, errors=[user_error(error)])
    return Written(scope.tenant_id, ids)


async def tenant_scope(info: Info, slug: str | None) -> Scope:
    """The caller's scope in the one tenant of this change; raises `Invalid` when it is not clear which."""
    scope = info.context.scope
    if slug is None:
        if len(scope.tenants) == 1:
            return scope
        raise Invalid("say in which tenant", field="input.tenant", hint="its slug, as in tenant { slug }")
    async with info.context.database.reading(scope) as connection:
        tenant_id = await connection.fetchval("SELECT id FROM tenants WHERE slug = $1", slug)
    if tenant_id is None:
        raise Invalid(f"{slug!r} is none of your tenants", field="input.tenant")
    return scope.narrow(tenant_id)


def user_error(error: CallerError) -> UserError:
    match error:
        case NotFound():
            code = UserErrorCode.NOT_FOUND
        case Conflict():
            code = UserErrorCode.CONFLICT
        case _:
            code = UserErrorCode.INVALID
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return UserError(field=error.field, code=code, message=message)


def _once(info: Info, input: Change, action: Action) -> Action:
    """`action`, or the answer it gave when the same key came with the same input before."""
    key = input.idempotency_key
    if key is None:
        return action
    if not 0 < len(key) <= 255:
        raise Invalid("must have 1 to 255 characters", field="input.idempotencyKey")
    operation = info.field_name
    body_hash = hashlib.sha256(orjson.dumps([operation, _plain(input)], default=str)).hexdigest()

    async def once(work: UnitOfWork) -> Sequence[int]:
        mine = {"tenant_id": work.tenant_id, "actor": f"{work.scope.actor.kind}:{work.scope.actor.id}", "key": key}
        claim = insert(IdempotencyKey).values(**mine, operation=operation, body_hash=body_hash, answer={})
        # A parallel call with the same key waits here until the first one has committed or given up.
        claimed = await work.session.execute(claim.on_conflict_do_nothing().returning(col(IdempotencyKey.key)))
        columns = [col(getattr(IdempotencyKey, name)) == value for name, value in mine.items()]
        if claimed.first() is None:
            known = (await work.session.execute(select(IdempotencyKey).where(*columns))).scalar_one()
            if known.body_hash != body_hash:
                raise Conflict("this key was used for another input", field="input.idempotencyKey")
            return [int(id_) for id_ in known.answer["ids"]]
        ids = await action(work)
        row = (await work.session.execute(select(IdempotencyKey).where(*columns))).scalar_one()
        row.answer = {"ids": list(ids)}
        return ids

    return once


def _plain(input: Any) -> Any:
    return {name: value for name, value in asdict(input).items() if value is not strawberry.UNSET}


def given(input: Any, *without: str) -> dict[str, Any]:
    """The fields of an input that the caller wrote, null included: column name → value."""
    assert is_dataclass(input)
    kept = {name: getattr(input, name) for name in input.__dataclass_fields__ if name not in without}
    return {name: value for name, value in kept.items() if value is not strawberry.UNSET}


def limited(items: Sequence[Any], *, field: str) -> Sequence[Any]:
    """Refuse an empty list and one of more than 250 rows."""
    if not 0 < len(items) <= BULK:
        raise Invalid(f"must hold 1 to {BULK} rows", field=field)
    return items
