"""Takes single records in: parked ones when a person asks or what they waited for has come, and called-for ones."""

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from hub.context import Scope
from hub.db import UnitOfWork
from hub.errors import NotFound, Unavailable
from hub.ports import Connector, Stream
from hub.queries.integrations import Connection
from hub.sync import exceptions
from hub.sync.exceptions import Parked, Trouble
from hub.sync.intake import Counts, Fate, Source, read, take_in
from hub.sync.outside import Outside
from hub.sync.pages import RECEIVERS

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Parked records taken in again in one transaction."""

_WAITING = text("""
    SELECT e.id, e.stream, e.external_key, e.payload FROM sync_exceptions e
    WHERE e.tenant_id = :tenant AND e.code = :code AND e.state = 'OPEN' AND e.waits_for IS NOT NULL
        AND e.id > :after AND e.last_attempt_at < :before
        AND (:at_once OR e.last_attempt_at
            <= now() - least((e.attempts - 1) * interval '10 seconds', interval '1 hour'))
        AND (EXISTS (SELECT FROM products p WHERE p.tenant_id = e.tenant_id AND p.code = e.waits_for)
            OR EXISTS (SELECT FROM products p WHERE p.tenant_id = e.tenant_id AND p.sku = e.waits_for)
            OR EXISTS (SELECT FROM products p WHERE p.tenant_id = e.tenant_id AND p.third_party_reference = e.waits_for)
            OR EXISTS (SELECT FROM external_references r WHERE r.tenant_id = e.tenant_id AND r.code = e.code
                AND r.stream = 'products' AND r.external_key = e.waits_for))
    ORDER BY e.id LIMIT :limit
""")


async def retry_waiting(outside: Outside, tenant_id: int, code: str, *, at_once: bool = False) -> int:
    """Take in again what waited for products that exist now; how many were tried. Each is tried once per call.

    What was tried often before waits longer, unless `at_once`: new products have just come in.
    """
    scope = Scope.of_system(tenant_id, code.lower())
    tried, after, before = 0, 0, outside.clock()
    while True:
        values = {"tenant": tenant_id, "code": code, "after": after, "before": before, "limit": AT_ONCE}
        values["at_once"] = at_once

        async def find(work: UnitOfWork, values: dict[str, Any] = values) -> Sequence[Any]:
            return (await work.session.execute(_WAITING, values)).all()

        rows = await outside.database.write(scope, find)
        if not rows:
            return tried
        connection = await outside.database.write(scope, lambda work: outside.connection(work, code))
        for stream_name in sorted({row.stream for row in rows}):
            payloads = [row.payload for row in rows if row.stream == stream_name]
            await take_payloads(outside, connection, stream_name, payloads)
        tried, after = tried + len(rows), rows[-1].id


async def take_payloads(outside: Outside, connection: Connection, stream_name: str, payloads: Sequence[Any]) -> Counts:
    """Take raw records in, in one transaction, as a page of their stream would; where that fails, one by one."""
    connector, stream = connection.connector, _stream(connection.connector, stream_name)
    source = Source(connector=connector, stream=stream, mappings=connection.mappings)
    reads = read(source, outside.vendor(connection), payloads)
    scope = Scope.of_system(connection.tenant_id, connector.code.lower())
    try:
        return await outside.database.write(scope, lambda work: take_in(work, source, RECEIVERS[stream.name], reads))
    except Unavailable:
        raise
    except Exception as error:
        if len(reads) == 1:
            log.exception("a record of %s cannot be stored", stream.name)
            (one,) = reads
            await park_failure(outside, connection, stream_name, one.external_key, one.payload, Trouble.of_any(error))
            return Counts(of={Fate.PARKED: 1})
    each = [await take_payloads(outside, connection, stream_name, [one.payload]) for one in reads]
    return Counts(of={fate: sum(counts[fate] for counts in each) for fate in Fate})


async def take_by_key(
    outside: Outside, connection: Connection, stream_name: str, key: str, stored: Any = None
) -> Counts:
    """Take one record in as the system has it now; where it cannot be asked for one record, as it was stored."""
    connector, stream = connection.connector, _stream(connection.connector, stream_name)
    payload = stored
    if stream.fetch_one is not None:
        payload = await stream.fetch_one(outside.vendor(connection), key)
        if payload is None:
            raise NotFound(f"{connector.title} has no record {key} in {stream_name}", field="key")
    if payload is None:
        raise NotFound(f"{connector.title} cannot be asked for one record of {stream_name}", field="stream")
    return await take_payloads(outside, connection, stream_name, [payload])


async def park_failure(
    outside: Outside, connection: Connection, stream_name: str, key: str, payload: Any, trouble: Trouble
) -> None:
    """Note that another attempt on a parked record failed."""
    code = connection.connector.code
    parked = [Parked(external_key=key, payload=payload, trouble=trouble)]
    await outside.database.write(
        Scope.of_system(connection.tenant_id), lambda work: exceptions.park(work, code, stream_name, parked)
    )


def _stream(connector: Connector, name: str) -> Stream:
    stream = connector.stream(name)
    if stream is None or name not in RECEIVERS:
        raise NotFound(f"{connector.title} has no inbound stream {name}", field="stream")
    return stream
