"""Records that could not be taken in or sent: parked with their reason and raw payload until they are resolved."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, NotFound

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a record is parked; `waits_for` names the product without which it cannot be taken in."""

    reason: str
    message: str
    path: str | None = None
    waits_for: str | None = None

    @classmethod
    def of(cls, error: HubError) -> "Trouble":
        hint = f" ({error.hint})" if error.hint else ""
        return cls(reason=error.code, message=f"{error.message}{hint}", path=error.field)

    @classmethod
    def of_any(cls, error: Exception) -> "Trouble":
        """What the hub itself stumbled over is named, but not explained to the outside."""
        if isinstance(error, HubError):
            return cls.of(error)
        return cls(reason="INTERNAL", message=f"the record cannot be stored ({type(error).__name__})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One parked record."""

    external_key: str
    payload: Any
    trouble: Trouble


_PARK = text("""
    INSERT INTO sync_exceptions AS e (tenant_id, id, code, stream, run_id, external_key, reason, message, path,
        waits_for, payload, state, attempts)
    SELECT :tenant, p.id, :code, :stream, :run, p.external_key, p.reason, p.message, p.path, p.waits_for,
        cast(p.payload AS jsonb), 'OPEN', 1
    FROM unnest(cast(:ids AS bigint[]), cast(:keys AS text[]), cast(:reasons AS text[]), cast(:messages AS text[]),
        cast(:paths AS text[]), cast(:waits AS text[]), cast(:payloads AS text[]))
        AS p (id, external_key, reason, message, path, waits_for, payload)
    ORDER BY p.external_key
    ON CONFLICT (tenant_id, code, stream, external_key) WHERE state = 'OPEN' DO UPDATE
        SET reason = excluded.reason, message = excluded.message, path = excluded.path, waits_for = excluded.waits_for,
            payload = excluded.payload, run_id = coalesce(excluded.run_id, e.run_id), attempts = e.attempts + 1,
            last_attempt_at = now()
    RETURNING e.id, e.external_key, e.reason, e.message, e.attempts = 1 AS fresh
""")
_DISMISSED = text("""
    SELECT DISTINCT e.external_key
    FROM unnest(cast(:keys AS text[]), cast(:reasons AS text[]), cast(:payloads AS text[]))
        AS p (external_key, reason, payload)
    JOIN sync_exceptions e ON e.tenant_id = :tenant AND e.state = 'DISMISSED' AND e.code = :code
        AND e.stream = :stream AND e.external_key = p.external_key AND e.reason = p.reason
        AND e.payload = cast(p.payload AS jsonb)
""")
_CLOSE = text("""
    UPDATE sync_exceptions SET state = :state, resolved_at = now(), resolved_by = :actor
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream AND external_key = ANY (:keys) AND state = 'OPEN'
    RETURNING id, external_key
""")
_GET = text("""
    SELECT id, code, stream, external_key, state, payload FROM sync_exceptions
    WHERE tenant_id = :tenant AND id = :id FOR UPDATE
""")


async def park(
    work: UnitOfWork, code: str, stream: str, parked: Sequence[Parked], *, run_id: int | None = None
) -> None:
    """Keep records that could not be worked on; one that is parked already counts another attempt."""
    latest = {one.external_key: one for one in parked}
    if not latest:
        return
    records = list(latest.values())
    found = await work.session.execute(
        _PARK,
        {
            "tenant": work.tenant_id,
            "code": code,
            "stream": stream,
            "run": run_id,
            "ids": await work.next_ids("sync_exception", len(records)),
            "keys": [one.external_key for one in records],
            "reasons": [one.trouble.reason[:64] for one in records],
            "messages": [_plain(one.trouble.message)[:4000] for one in records],
            "paths": [one.trouble.path and _plain(one.trouble.path)[:255] for one in records],
            "waits": [one.trouble.waits_for and one.trouble.waits_for[:255] for one in records],
            "payloads": [json_text(one.payload) for one in records],
        },
    )
    for row in found.mappings():
        if row["fresh"]:
            facts = {"externalKey": row["external_key"], "reason": row["reason"], "message": row["message"]}
            work.emit("sync", "record_parked", subject_id=row["id"], run_id=run_id, code=code, stream=stream, **facts)


async def not_dismissed(work: UnitOfWork, code: str, stream: str, parked: Sequence[Parked]) -> list[Parked]:
    """Without those that a person has dismissed and that came again just as they were, for the same reason."""
    if not parked:
        return []
    values = {
        "tenant": work.tenant_id,
        "code": code,
        "stream": stream,
        "keys": [one.external_key for one in parked],
        "reasons": [one.trouble.reason[:64] for one in parked],
        "payloads": [json_text(one.payload) for one in parked],
    }
    dismissed = set((await work.session.execute(_DISMISSED, values)).scalars())
    return [one for one in parked if one.external_key not in dismissed]


async def resolve(work: UnitOfWork, code: str, stream: str, keys: Collection[str], *, by: str = SYSTEM) -> int:
    """Close what is parked under these keys: the records are in order now."""
    if not keys:
        return 0
    return len(await _close(work, code, stream, keys, "RESOLVED", by))


async def dismiss(work: UnitOfWork, *, exception_id: int) -> int:
    """Close an exception without doing anything about it. ADMINISTRATOR."""
    work.scope.require(Level.ADMINISTRATOR)
    found = await get_open(work, exception_id)
    await _close(work, found["code"], found["stream"], [found["external_key"]], "DISMISSED", work.scope.actor.name)
    return exception_id


async def get_open(work: UnitOfWork, exception_id: int) -> RowMapping:
    """An open exception, locked; raises `NotFound` or `Conflict`."""
    values = {"tenant": work.tenant_id, "id": exception_id}
    found = (await work.session.execute(_GET, values)).mappings().one_or_none()
    if found is None:
        raise NotFound(f"there is no exception {exception_id}", field="exceptionId")
    if found["state"] != "OPEN":
        raise Conflict(f"exception {exception_id} is closed already ({found['state']})", field="exceptionId")
    return found


async def _close(
    work: UnitOfWork, code: str, stream: str, keys: Collection[str], state: str, actor: str
) -> Sequence[RowMapping]:
    place = {"tenant": work.tenant_id, "code": code, "stream": stream}
    values = place | {"keys": sorted(keys), "state": state, "actor": actor}
    closed = (await work.session.execute(_CLOSE, values)).mappings().all()
    for row in closed:
        facts = {"code": code, "stream": stream, "externalKey": row["external_key"], "state": state}
        work.emit("sync", "exception_resolved", subject_id=row["id"], **facts)
    return closed


def json_text(payload: Any) -> str:
    """The payload as JSON that PostgreSQL can keep: what it cannot (U+0000, lone surrogates, NaN) is replaced."""
    try:
        return json.dumps(_storable(payload), ensure_ascii=False)
    except RecursionError:
        return json.dumps({"unreadable": "the record is nested too deeply to be kept"})


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, Mapping):
        return {_plain(str(key)): _storable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(member) for member in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)


def _plain(text_: str) -> str:
    return text_.replace("\x00", "").encode("utf-8", "replace").decode()
