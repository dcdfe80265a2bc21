"""What must be told to the outside, written in the transaction that causes it; `hub/sync/outbound.py` sends it.

Both calls are one cheap look-up when no active connection of the tenant wants to hear of the change.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select, text
from sqlmodel import col

from hub.db import UnitOfWork
from hub.models.nirs import Return
from hub.models.syncs import ExternalReference
from hub.statuses import Status

STOCK = "stock"
STOCK_OPTION = "sendStocks"
BELL = "outbox"

ORDER_STREAMS = ("orders", "expenditure_receipts")
NIR_STREAMS = ("nirs",)
_PUT = text("""
    INSERT INTO outbox (tenant_id, id, code, stream, key, payload, state, attempts)
    SELECT :tenant, e.id, :code, :stream, e.key, e.payload::jsonb, 'WAITING', 0
    FROM unnest(cast(:ids AS bigint[]), cast(:keys AS text[]), cast(:payloads AS text[])) AS e (id, key, payload)
    ORDER BY e.key
    ON CONFLICT (tenant_id, code, stream, key) WHERE state = 'WAITING' DO UPDATE SET payload = excluded.payload
""")
_ACTIVE = text("""
    SELECT code FROM integrations WHERE tenant_id = :tenant AND active AND options @> cast(:options AS jsonb)
""")

TOLD_STATUSES = frozenset({Status.VALIDATED, Status.VALIDATED_WITH_DIFFERENCES})
"""The states that an external system may be told of; which id it hears is a status mapping of its connection."""


async def stock_changed(work: UnitOfWork, product_ids: Collection[int]) -> None:
    """Have the free quantity of these products sent; the quantity itself is read when it is sent."""
    if not product_ids:
        return
    code = await _active_code(work, option=STOCK_OPTION)
    if code is not None:
        await put(work, code, STOCK, {str(id_): {"product_id": id_} for id_ in sorted(set(product_ids))})


async def document_moved(work: UnitOfWork, *, document: str, document_id: int, status: int) -> None:
    """Have the external system told that one of its own documents ("order", "nir", "return") reached a state."""
    if status not in TOLD_STATUSES:
        return
    code = await _active_code(work)
    if code is None or not await _is_known_outside(work, code, document, document_id):
        return
    payload = {"document": document, "document_id": document_id, "status": int(status)}
    # A return is told of on the order that it belongs to.
    stream = "nir_statuses" if document == "nir" else "order_statuses"
    await put(work, code, stream, {f"{document}:{document_id}": payload})


async def put(work: UnitOfWork, code: str, stream: str, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write one waiting entry per key, or renew the one that waits.

    Renewing locks the entry until this transaction ends, so that a sender cannot take it in between and read the state
    of before. An entry that a sender has already taken waits no longer: a second one is written.
    """
    ids = await work.next_ids("outbox_entry", len(entries))
    keys = sorted(entries)
    await work.session.execute(
        _PUT,
        {
            "tenant": work.tenant_id,
            "code": code,
            "stream": stream,
            "ids": ids,
            "keys": keys,
            "payloads": [json.dumps(entries[key]) for key in keys],
        },
    )
    work.ring_after_commit(BELL)


async def _active_code(work: UnitOfWork, *, option: str | None = None) -> str | None:
    wanted = json.dumps({} if option is None else {option: True})
    found = await work.session.execute(_ACTIVE, {"tenant": work.tenant_id, "options": wanted})
    code: str | None = found.scalar_one_or_none()
    return code


async def _is_known_outside(work: UnitOfWork, code: str, document: str, document_id: int) -> bool:
    """True when the document, or the order that a return belongs to, came from this connection."""
    known_as: Any = document_id
    streams = NIR_STREAMS if document == "nir" else ORDER_STREAMS
    if document == "return":
        known_as = (
            select(col(Return.initial_order_id))
            .where(col(Return.tenant_id) == work.tenant_id, col(Return.id) == document_id)
            .scalar_subquery()
        )
    found = await work.session.execute(
        select(1)
        .where(
            col(ExternalReference.tenant_id) == work.tenant_id,
            col(ExternalReference.code) == code,
            col(ExternalReference.stream).in_(streams),
            col(ExternalReference.record_id) == known_as,
        )
        .limit(1)
    )
    return found.first() is not None
