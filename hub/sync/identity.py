"""Which of the hub's records an external record is, when it is met for the first time, and which reference it may show.

The identity is the external reference. A record without one may stand for a record that the hub has already (the same
product code, the same tax number), unless that one is another external record of the same connection. What REST shows
as `thirdPartyReference` is unique in the tenant: a number that an earlier system used is taken from its record, a
number that this connection uses for another record stays there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, text, update

from hub.db import UnitOfWork
from hub.queries.conditions import among

_CLAIMS = text("""
    SELECT code, external_key, record_id FROM external_references
    WHERE tenant_id = :tenant AND stream = ANY (:streams) AND record_id = ANY (:ids)
""")


@dataclass(frozen=True, slots=True)
class Claims:
    """Records that are some external record already: of this connection, or of another one only."""

    ours: Mapping[int, str]
    theirs: frozenset[int]


async def find_claims(work: UnitOfWork, code: str, streams: Sequence[str], ids: Collection[int]) -> Claims:
    if not ids:
        return Claims({}, frozenset())
    values = {"tenant": work.tenant_id, "streams": list(streams), "ids": sorted(ids)}
    rows = (await work.session.execute(_CLAIMS, values)).all()
    ours = {record_id: key for owner, key, record_id in rows if owner == code}
    return Claims(ours, frozenset(record_id for _, _, record_id in rows) - ours.keys())


async def usable_references(
    work: UnitOfWork, code: str, streams: Sequence[str], table: Table, wanted: Mapping[str, int | None]
) -> set[str]:
    """Of the keys wanted (key → the record that shall show it, None = a new one) those that it may show."""
    if not wanted:
        return set()
    shown = table.c.third_party_reference
    mine = table.c.tenant_id == work.tenant_id
    found = await work.session.execute(
        table.select().with_only_columns(shown, table.c.id).where(mine, among(shown, wanted))
    )
    owners = {key: int(id_) for key, id_ in found}
    others = {key: owner for key, owner in owners.items() if owner != wanted[key]}
    claims = await find_claims(work, code, streams, others.values())
    left_behind = {key for key, owner in others.items() if owner in claims.theirs}
    if left_behind:
        gone = [others[key] for key in left_behind]
        await work.session.execute(
            update(table).where(mine, among(table.c.id, gone)).values(third_party_reference=None)
        )
    return set(wanted) - (others.keys() - left_behind)
