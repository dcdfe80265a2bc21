"""Answers without pages: short ones in one piece, long ones chunk by chunk, so that no reader holds a connection."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from hub.context import Scope
from hub.db import Database
from schema.planner.stored import Condition, Stored
from schema.rest.answers import Parts
from schema.rest.filters import above

CHUNK = 10_000
START = b'{"id":'
"""How each record begins; inside a JSON text its quotes would be escaped."""


async def all_records(
    stored: Stored, id_column: Any, database: Database, scope: Scope, where: Sequence[Condition]
) -> bytes | Parts:
    """All records that fulfil `where`, by id. A record is read once; those written meanwhile may be missing."""

    async def chunk(after: Sequence[Condition]) -> bytes:
        return await stored.page(database, scope, where=[*where, *after], limit=CHUNK)

    first = await chunk([])
    if first.count(START) < CHUNK:
        return first

    async def parts() -> AsyncGenerator[bytes, None]:
        piece = first
        yield b"["
        while piece != b"[]":
            yield (b"" if piece is first else b",") + piece[1:-1]
            piece = await chunk(above(id_column, _last_id(piece)))
        yield b"]"

    return Parts(parts())


def _last_id(piece: bytes) -> int:
    start = piece.rindex(START) + len(START)
    return int(piece[start : piece.index(b",", start)])
