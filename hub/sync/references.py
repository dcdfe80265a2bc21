"""External references: which of the hub's records is which record outside, and what was last seen and sent of it."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import text

from hub.db import UnitOfWork

VOLATILE = frozenset({"status_id", "updated_at"})
LATE = ("company", "supplier", "comment", "awb_link", "invoice_link", "placed_at")
"""What a document may be given until the end."""
HALF = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the hub remembers of one external record."""

    external_key: str
    record_id: int
    payload_hash: str = ""
    status_id: str | None = None
    """The external status seen last."""
    sent_hash: str | None = None
    """The digest of what the hub sent last: a status, or the content of a record."""


# Two workers, or a page and a retry, may meet the same record: they take turns per stream.
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")
_FIND = text("""
    SELECT external_key, record_id, payload_hash, status_id, sent_hash FROM external_references
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream AND external_key = ANY (:keys)
""")
_FIND_BY_RECORD = text("""
    SELECT external_key, record_id, payload_hash, status_id, sent_hash FROM external_references
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream AND record_id = ANY (:ids)
    ORDER BY created_at DESC, external_key
""")
_WRITE = text("""
    INSERT INTO external_references (tenant_id, code, stream, external_key, record_id, payload_hash, status_id)
    SELECT :tenant, :code, :stream, r.external_key, r.record_id, r.payload_hash, r.status_id
    FROM unnest(cast(:keys AS text[]), cast(:ids AS bigint[]), cast(:hashes AS text[]), cast(:statuses AS text[]))
        AS r (external_key, record_id, payload_hash, status_id)
    ORDER BY r.external_key
    ON CONFLICT (tenant_id, code, stream, external_key) DO UPDATE
        SET record_id = excluded.record_id, payload_hash = excluded.payload_hash, status_id = excluded.status_id,
            updated_at = now()
""")
_SENT = text("""
    UPDATE external_references SET sent_hash = :digest
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream AND external_key = :key
""")


def digest(*parts: object) -> str:
    """A fingerprint of plain values."""
    return hashlib.sha256("\x1f".join(map(repr, parts)).encode("utf-8", "surrogatepass")).hexdigest()


def content_hash(record: Any) -> str:
    """The fingerprint of a record, without its status and its time of change, which may change on their own.

    Its first half covers what a document may not change any more once it is being worked on, the second half the rest.
    """
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    late = {name: values.pop(name) for name in LATE if name in values}
    settled = {name: value for name, value in values.items() if name not in VOLATILE}
    return digest(type(record).__name__, settled)[:HALF] + digest(late)[:HALF]


def same_goods(one: str, other: str) -> bool:
    """True when two fingerprints differ at most in what may always change."""
    return one[:HALF] == other[:HALF]


async def take_turn(work: UnitOfWork, code: str, stream: str) -> None:
    """Wait until nobody else takes records of this stream in; others wait until this transaction ends."""
    await work.session.execute(_TURN, {"place": f"{work.tenant_id}/{code}/{stream}"})


async def find(work: UnitOfWork, code: str, stream: str, keys: Collection[str]) -> dict[str, Reference]:
    """External key → reference, of the keys that are known."""
    if not keys:
        return {}
    values = {"tenant": work.tenant_id, "code": code, "stream": stream, "keys": sorted(keys)}
    rows = (await work.session.execute(_FIND, values)).mappings()
    return {row["external_key"]: Reference(**row) for row in rows}


async def find_by_record(work: UnitOfWork, code: str, stream: str, ids: Collection[int]) -> dict[int, Reference]:
    """The hub's id → reference, of the records that this connection knows; the youngest when there are several."""
    if not ids:
        return {}
    values = {"tenant": work.tenant_id, "code": code, "stream": stream, "ids": sorted(ids)}
    found: dict[int, Reference] = {}
    for row in (await work.session.execute(_FIND_BY_RECORD, values)).mappings():
        found.setdefault(row["record_id"], Reference(**row))
    return found


async def write(work: UnitOfWork, code: str, stream: str, references: Sequence[Reference]) -> None:
    if not references:
        return
    columns: Mapping[str, list[Any]] = {
        "keys": [reference.external_key for reference in references],
        "ids": [reference.record_id for reference in references],
        "hashes": [reference.payload_hash for reference in references],
        "statuses": [reference.status_id for reference in references],
    }
    await work.session.execute(_WRITE, {"tenant": work.tenant_id, "code": code, "stream": stream, **columns})


async def remember_sent(work: UnitOfWork, code: str, stream: str, key: str, sent: str) -> None:
    """Note the digest of what was sent, so that its echo is recognised."""
    values = {"tenant": work.tenant_id, "code": code, "stream": stream, "key": key, "digest": sent}
    await work.session.execute(_SENT, values)
