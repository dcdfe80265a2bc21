"""Takes companies in, from a stream of their own or as the buyers and suppliers that documents name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from hub.db import UnitOfWork
from hub.models.companies import Company
from hub.queries.conditions import among
from hub.records import CompanyRecord
from hub.services import companies
from hub.services.companies import COMPANIES
from hub.sync import identity, references
from hub.sync.exceptions import Trouble
from hub.sync.intake import Arrival, Fate, Source, Taken
from hub.sync.references import Reference, content_hash, digest

STREAM = "companies"
BOTH = "BOTH"
LENGTHS = {
    name: field.type.length  # type: ignore[attr-defined]  # texts have a length
    for name, field in COMPANIES.table.columns.items()
    if name in CompanyRecord.__dataclass_fields__ and getattr(field.type, "length", None)
}


async def receive(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> list[Taken]:
    """Add or change companies. One the hub has under the same tax number, and only one, becomes the external one's."""
    targets = await _targets(work, source, arrivals)
    types = await _types(work, {target for target in targets if target is not None})
    named = [arrival.external_key for arrival in arrivals if arrival.record.external_key]
    wanted = {arrival.external_key: target for arrival, target in zip(arrivals, targets, strict=True)}
    shown = await identity.usable_references(
        work, source.code, [STREAM], COMPANIES.table, {key: wanted[key] for key in named}
    )
    rows = []
    for arrival, target in zip(arrivals, targets, strict=True):
        row = _row(arrival.record, types.get(target))
        if arrival.external_key in shown:
            row["third_party_reference"] = arrival.external_key
        rows.append((target, row))
    return [Taken.of(outcome) for outcome in await companies.upsert(work, companies=rows)]


async def take_companies(
    work: UnitOfWork, source: Source, records: Sequence[CompanyRecord | None]
) -> list[int | Trouble | None]:
    """The hub's company of each record that documents name, added or changed first; None where none is named."""
    named = {key_of(record): record for record in records if record is not None}
    await references.take_turn(work, source.code, STREAM)
    known = await references.find(work, source.code, STREAM, named)
    arrivals = [
        Arrival(external_key=key, record=record, known=known.get(key))
        for key, record in named.items()
        if key not in known or known[key].payload_hash != content_hash(record)
    ]
    taken = await receive(work, source, arrivals) if arrivals else []
    ids: dict[str, int | Trouble] = {key: reference.record_id for key, reference in known.items()}
    fresh = []
    for arrival, one in zip(arrivals, taken, strict=True):
        if one.fate is Fate.PARKED or one.record_id is None:
            ids[arrival.external_key] = one.trouble or Trouble(reason="REFUSED", message="the company was refused")
            continue
        ids[arrival.external_key] = one.record_id
        hash_ = content_hash(arrival.record)
        fresh.append(Reference(external_key=arrival.external_key, record_id=one.record_id, payload_hash=hash_))
    await references.write(work, source.code, STREAM, fresh)
    return [None if record is None else ids[key_of(record)] for record in records]


def key_of(record: CompanyRecord) -> str:
    """The system's own key; else the tax number, else who it is: systems keep private buyers without any key."""
    if record.external_key:
        return record.external_key
    if record.cui:
        return f"cui:{record.cui}"[:255]
    return f"person:{digest(record.name.casefold(), record.email, record.phone)}"


def as_supplier(record: CompanyRecord | None) -> CompanyRecord | None:
    return replace(record, type="SUPPLIER") if record is not None and record.type == "CLIENT" else record


async def _targets(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> list[int | None]:
    """The hub's company of each arrival; None for a new one."""
    numbers = {arrival.record.cui for arrival in arrivals if arrival.known is None and arrival.record.cui}
    by_cui = await _ids_by_cui(work, numbers)
    claims = await identity.find_claims(work, source.code, [STREAM], {id_ for ids in by_cui.values() for id_ in ids})
    taken = set(claims.ours)
    targets: list[int | None] = []
    for arrival in arrivals:
        if arrival.known is not None:
            targets.append(arrival.known.record_id)
            continue
        same = by_cui.get(arrival.record.cui or "", [])
        target = same[0] if len(same) == 1 and same[0] not in taken else None
        targets.append(target)
        taken |= {target} if target is not None else set()
    return targets


async def _ids_by_cui(work: UnitOfWork, numbers: set[str]) -> dict[str, list[int]]:
    if not numbers:
        return {}
    found = await work.session.execute(
        select(col(Company.cui), col(Company.id)).where(
            col(Company.tenant_id) == work.tenant_id, among(col(Company.cui), numbers)
        )
    )
    ids: dict[str, list[int]] = {}
    for cui, id_ in found:
        ids.setdefault(cui, []).append(id_)
    return ids


async def _types(work: UnitOfWork, ids: set[int]) -> Mapping[int | None, str]:
    if not ids:
        return {}
    found = await work.session.execute(
        select(col(Company.id), col(Company.type)).where(
            col(Company.tenant_id) == work.tenant_id, among(col(Company.id), ids)
        )
    )
    return {row.id: row.type for row in found}


def _row(record: CompanyRecord, known_type: str | None) -> dict[str, Any]:
    """What the system says; a text longer than the hub keeps is cut, a client that also supplies becomes both."""
    type_ = record.type if known_type in (None, record.type) else BOTH
    row: dict[str, Any] = {"name": record.name[: LENGTHS["name"]], "type": type_, "active": record.active}
    for name, length in LENGTHS.items():
        if name not in row and (value := getattr(record, name)) is not None:
            row[name] = value[:length]
    return row
