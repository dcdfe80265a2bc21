from typing import Any

import pytest

from hub.db import Database
from hub.errors import Invalid, NotFound
from hub.services import batches
from tests.hub.services.stockrooms import Stockroom, new_stockroom


@pytest.fixture
async def room(database: Database) -> Stockroom:
    return await new_stockroom(database)


async def new_batch(room: Stockroom, code: str = "B1") -> int:
    product = await room.world.add_product(f"LED-{code}", requires_batch_code=True)
    await room.receive(product, 5, batch=code)
    return int(await room.world.value("SELECT id FROM batches WHERE code = :code", code=code))


async def state(room: Stockroom, id_: int) -> dict[str, Any]:
    (row,) = await room.world.rows(
        "SELECT locked, locked_until > now() + interval '2 days 23 hours' AND "
        "locked_until < now() + interval '3 days 1 hour' AS three_days FROM batches WHERE id = :id",
        id=id_,
    )
    return row


async def told(room: Stockroom) -> list[str]:
    rows = await room.world.rows(
        "SELECT topic || ' ' || kind AS told FROM events WHERE topic IN ('batch', 'stock') ORDER BY id"
    )
    return [row["told"] for row in rows]


async def test_a_batch_is_locked_for_days_or_for_good(room: Stockroom) -> None:
    batch = await new_batch(room)

    await room.do(batches.lock, batch_ids=[batch], days=3, reason="recall")
    assert await state(room, batch) == {"locked": True, "three_days": True}
    await room.do(batches.lock, batch_ids=[batch])
    assert await state(room, batch) == {"locked": True, "three_days": None}
    await room.do(batches.unlock, batch_ids=[batch], reason="tested")
    assert await state(room, batch) == {"locked": False, "three_days": None}

    history = await room.world.rows(
        'SELECT locked, until IS NULL AS "for good", reason, actor FROM batch_locks ORDER BY id'
    )
    assert [tuple(step.values()) for step in history] == [
        (True, False, "recall", "paula"),
        (True, True, None, "paula"),
        (False, True, "tested", "paula"),
    ]


async def test_what_is_free_changes_with_the_lock_and_is_told(room: Stockroom) -> None:
    batch = await new_batch(room)
    before = len(await told(room))

    await room.do(batches.lock, batch_ids=[batch])

    assert (await told(room))[before:] == ["batch locked", "stock changed"]


async def test_unlocking_what_is_not_locked_changes_nothing(room: Stockroom) -> None:
    batch = await new_batch(room)

    assert await room.do(batches.unlock, batch_ids=[batch]) == [batch]

    assert await room.world.value("SELECT count(*) FROM batch_locks") == 0


async def test_locks_whose_time_is_over_are_taken_off(room: Stockroom) -> None:
    over, running, forever = [await new_batch(room, code) for code in ("B1", "B2", "B3")]
    await room.do(batches.lock, batch_ids=[over, running], days=1)
    await room.do(batches.lock, batch_ids=[forever])
    await room.world.run("UPDATE batches SET locked_until = now() - interval '1 second' WHERE id = :id", id=over)

    assert await room.do(batches.unlock_expired) == [over]
    assert await room.do(batches.unlock_expired) == []

    assert (await state(room, over))["locked"] is False
    assert (await state(room, running))["locked"] is True
    assert (await state(room, forever))["locked"] is True


async def test_bad_locks_are_refused(room: Stockroom) -> None:
    batch = await new_batch(room)

    for days in (0, -1, 36501):
        with pytest.raises(Invalid, match="days"):
            await room.do(batches.lock, batch_ids=[batch], days=days)
    with pytest.raises(Invalid, match="batchIds"):
        await room.do(batches.lock, batch_ids=[])
    with pytest.raises(Invalid, match="reason"):
        await room.do(batches.lock, batch_ids=[batch], reason="x" * 4001)
    for unknown in (99, 1 << 70):
        with pytest.raises(NotFound):
            await room.do(batches.lock, batch_ids=[batch, unknown])
    assert (await state(room, batch))["locked"] is False
