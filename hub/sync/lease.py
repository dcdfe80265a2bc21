"""The lease of a run: who works on it now, until when, and the proof in each transaction that it is still so.

A run is worked on in slices. Whoever takes the lease writes its own name into the run; every page transaction begins by
holding the lease, which locks the run's row. A worker that lost its lease meanwhile (it slept, it was cut off) finds
another name there and its page is rolled back: nothing is ever written by two.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from hub.db import UnitOfWork
from hub.errors import HubError

LEASE = timedelta(seconds=30)
HEARTBEAT = timedelta(seconds=5)
RUNS = "runs"
"""Rings when a run may be worked on."""


class LeaseLost(HubError):
    """Somebody else works on this run, or it was taken from us; nothing of this transaction may stay."""

    code = "LEASE_LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one slice of one run."""

    tenant_id: int
    run_id: int
    slice: int
    owner: str
    lasts: timedelta = LEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedRun:
    """A run as it stood when its lease was taken."""

    code: str
    stream: str
    direction: str
    trigger: str
    checkpoint: dict[str, Any]
    attempts: int
    pages: int


_TAKE = text("""
    UPDATE sync_runs AS r SET state = 'RUNNING', lease_owner = :owner, lease_until = now() + :lasts,
        started_at = coalesce(r.started_at, now())
    FROM sync_runs AS before
    WHERE r.tenant_id = :tenant AND r.id = :run AND r.slice = :slice
        AND before.tenant_id = r.tenant_id AND before.id = r.id
        AND r.state IN ('QUEUED', 'RUNNING') AND NOT r.cancel_requested
        AND (r.lease_until IS NULL OR r.lease_until < now())
        AND (r.not_before IS NULL OR r.not_before <= now())
    RETURNING r.code, r.stream, r.direction, r.trigger, r.checkpoint, r.attempts, r.pages,
        before.started_at IS NULL AS first
""")
_HOLD = text("""
    UPDATE sync_runs SET lease_until = now() + :lasts
    WHERE tenant_id = :tenant AND id = :run AND slice = :slice AND lease_owner = :owner AND state = 'RUNNING'
    RETURNING cancel_requested
""")
_RELEASE = text("""
    UPDATE sync_runs SET lease_owner = NULL, lease_until = NULL, slice = slice + 1, attempts = :attempts,
        not_before = CASE WHEN :wait > interval '0' THEN now() + :wait END,
        error_code = :code, error_message = :message
    WHERE tenant_id = :tenant AND id = :run AND slice = :slice AND lease_owner = :owner AND state = 'RUNNING'
    RETURNING id
""")
_GIVE_BACK = text("""
    UPDATE sync_runs SET lease_owner = NULL, lease_until = NULL, slice = slice + 1
    WHERE tenant_id = :tenant AND id = :run AND state IN ('QUEUED', 'RUNNING') AND lease_until < now()
    RETURNING id
""")


async def take(work: UnitOfWork, lease: Lease) -> LeasedRun | None:
    """Take the lease of a slice; None when somebody else has it, or the slice is done, or its time has not come."""
    found = (await work.session.execute(_TAKE, _values(lease) | {"lasts": lease.lasts})).mappings().one_or_none()
    if found is None:
        return None
    run = dict(found)
    if run.pop("first"):
        work.emit("sync", "run_started", run_id=lease.run_id, code=run["code"], stream=run["stream"])
    return LeasedRun(**run)


async def hold(work: UnitOfWork, lease: Lease) -> bool:
    """Lock the run and prolong the lease: first thing in each of its transactions. True when it shall be cancelled."""
    found = (await work.session.execute(_HOLD, _values(lease) | {"lasts": lease.lasts})).one_or_none()
    if found is None:
        raise LeaseLost(f"run {lease.run_id} is no longer ours")
    return bool(found[0])


async def release(
    work: UnitOfWork,
    lease: Lease,
    *,
    wait: timedelta = timedelta(0),
    attempts: int = 0,
    error: HubError | None = None,
) -> None:
    """Leave the run to whoever takes its next slice, after `wait`; `error` is why it could not go on."""
    reason = {"code": error.code if error else None, "message": str(error)[:4000] if error else None}
    values = _values(lease) | reason | {"wait": wait, "attempts": attempts}
    if (await work.session.execute(_RELEASE, values)).one_or_none() is None:
        raise LeaseLost(f"run {lease.run_id} is no longer ours")
    work.ring_after_commit(RUNS)


async def give_back(work: UnitOfWork, run_id: int) -> bool:
    """Free a run whose worker let its lease pass: it died, or it cannot reach the database."""
    found = await work.session.execute(_GIVE_BACK, {"tenant": work.tenant_id, "run": run_id})
    if found.one_or_none() is None:
        return False
    work.emit("sync", "lease_lost", run_id=run_id)
    work.ring_after_commit(RUNS)
    return True


def _values(lease: Lease) -> dict[str, Any]:
    return {"tenant": lease.tenant_id, "run": lease.run_id, "slice": lease.slice, "owner": lease.owner}
