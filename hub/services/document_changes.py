"""The life of a document: each step is remembered, told to the event log and, where it matters, to the outside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from hub.db import UnitOfWork
from hub.models import metadata
from hub.services import outbox

_CHANGES = metadata.tables["document_changes"]
TOLD_OUTSIDE = frozenset({"order", "nir", "return"})


@dataclass(frozen=True, slots=True)
class Step:
    """One document from one state to the next; `before` is None for a new one. `facts` go into the event."""

    document_id: int
    before: int | None
    after: int
    facts: dict[str, Any]


def step(document_id: int, before: int | None, after: int, **facts: Any) -> Step:
    return Step(document_id, before, after, facts)


async def record(work: UnitOfWork, *, kind: str, steps: Sequence[Step]) -> None:
    """Remember the steps of documents of one kind ("order", "transfer", …); events `added` and `moved`."""
    taken = [one for one in steps if one.before != one.after]
    if not taken:
        return
    ids = await work.next_ids("document_change", len(taken))
    rows = [
        {
            "id": id_,
            "document_kind": kind,
            "document_id": one.document_id,
            "status_before": one.before,
            "status_after": int(one.after),
            "actor": work.scope.actor.name,
        }
        for id_, one in zip(ids, taken, strict=True)
    ]
    await work.insert(_CHANGES, rows)
    for one in taken:
        _tell(work, kind, one)
        if kind in TOLD_OUTSIDE:
            await outbox.document_moved(work, document=kind, document_id=one.document_id, status=one.after)


def updated(work: UnitOfWork, *, kind: str, ids: Collection[int]) -> None:
    """Tell that documents changed without a step."""
    for id_ in sorted(ids):
        work.emit(kind, "updated", subject_id=id_)


def deleted(work: UnitOfWork, *, kind: str, ids: Collection[int]) -> None:
    for id_ in sorted(ids):
        work.emit(kind, "deleted", subject_id=id_)


def _tell(work: UnitOfWork, kind: str, one: Step) -> None:
    if one.before is None:
        work.emit(kind, "added", subject_id=one.document_id, statusAfter=int(one.after), **one.facts)
    else:
        work.emit(
            kind,
            "moved",
            subject_id=one.document_id,
            statusBefore=int(one.before),
            statusAfter=int(one.after),
            **one.facts,
        )
