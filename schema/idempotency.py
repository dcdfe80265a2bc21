"""The first answer to a change with an idempotency key is kept beside the change and given to repeated calls."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from strawberry import UNSET

from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.keys import KeyRing
from hub.models.tenants import IdempotencyKey
from hub.services.values import text
from schema.answers import Json

FIELD = "idempotencyKey"
PURPOSE = "idempotency keys"
"""Inputs may hold passwords: their fingerprints are keyed."""

Action = Callable[[UnitOfWork], Awaitable[Json]]


def once(action: Action, operation: str, input: Any, *, secret_key: str) -> Action:
    """`action`, or what it answered when the same caller sent the same key with the same input before.

    A refused change leaves no trace of its key: the caller may mend the input and use the key again.
    """
    key = input.idempotency_key
    if key is None or key is UNSET:
        return action
    text(key, field=FIELD, longest=255, blank=False)
    written = orjson.dumps([operation, _plain(input)], default=str)
    hashes = [hmac.digest(each, written, "sha256").hex() for each in KeyRing(secret_key).derived(PURPOSE)]

    async def answered(work: UnitOfWork) -> Json:
        actor = work.scope.actor
        mine = {"tenant_id": work.tenant_id, "actor": f"{actor.kind}:{actor.id}", "key": key}
        row = [col(getattr(IdempotencyKey, name)) == value for name, value in mine.items()]
        claim = insert(IdempotencyKey).values(**mine, operation=operation, body_hash=hashes[0], answer={})
        # A parallel call with the same key waits here until the first one has committed or given up.
        claimed = await work.session.execute(claim.on_conflict_do_nothing().returning(col(IdempotencyKey.key)))
        if claimed.first() is None:
            return await _first_answer(work, row, hashes)
        answer = await action(work)
        await work.session.execute(update(IdempotencyKey).where(*row).values(answer=dict(answer)))
        return answer

    return answered


async def _first_answer(work: UnitOfWork, row: list[Any], hashes: list[str]) -> Json:
    query = select(col(IdempotencyKey.body_hash), col(IdempotencyKey.answer)).where(*row)
    body_hash, answer = (await work.session.execute(query)).one()
    if body_hash not in hashes:
        raise Conflict("was used for another change or another input", field=FIELD, hint="take a new key")
    kept: Json = answer
    return kept


def _plain(value: Any) -> Any:
    """The input as JSON; fields that were not written are missing."""
    if is_dataclass(value) and not isinstance(value, type):
        written = {each.name: getattr(value, each.name) for each in fields(value)}
        return {name: _plain(each) for name, each in written.items() if each is not UNSET and name != "idempotency_key"}
    return [_plain(each) for each in value] if isinstance(value, list) else value
