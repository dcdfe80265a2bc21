"""Print jobs: queued once per wish, finished once by the print station."""

from typing import Any

import pytest

from hub.db import Database
from hub.errors import Conflict, Invalid, NotFound
from hub.services import print_jobs
from tests.hub.services.stockrooms import Stockroom, new_stockroom


@pytest.fixture
async def room(database: Database) -> Stockroom:
    return await new_stockroom(database)


async def queued(room: Stockroom) -> int:
    order_id = await room.order("WEB-1")
    return int(await room.do(print_jobs.queue, order_id=order_id, document_type="LABEL", copies=3))


async def test_each_wish_is_a_job_of_its_own(room: Stockroom) -> None:
    first = await queued(room)
    second = await room.do(print_jobs.queue, order_id=1)

    rows = await room.world.rows("SELECT id, document_type, copies, state, requested_by FROM print_jobs ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [
        (first, "LABEL", 3, "QUEUED", "paula"),
        (second, "NOTICE", 1, "QUEUED", "paula"),
    ]


async def test_a_job_is_finished_once(room: Stockroom) -> None:
    job = await queued(room)

    await room.do(print_jobs.done, print_job_id=job)
    await room.do(print_jobs.done, print_job_id=job)

    with pytest.raises(Conflict):
        await room.do(print_jobs.failed, print_job_id=job, message="no paper")
    kinds = await room.world.rows("SELECT kind FROM events WHERE topic = 'print_job' ORDER BY id")
    assert [row["kind"] for row in kinds] == ["queued", "done"]


async def test_a_failure_says_why(room: Stockroom) -> None:
    job = await queued(room)

    await room.do(print_jobs.failed, print_job_id=job, message="no paper")

    rows = await room.world.rows("SELECT state, message FROM print_jobs")
    assert rows == [{"state": "FAILED", "message": "no paper"}]


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"order_id": 99}, NotFound),
        ({"order_id": 1, "copies": 0}, Invalid),
        ({"order_id": 1, "copies": 101}, Invalid),
        ({"order_id": 1, "document_type": "POEM"}, Invalid),
    ],
)
async def test_what_cannot_be_printed_is_refused(room: Stockroom, wish: dict[str, Any], error: type[Exception]) -> None:
    await room.order("WEB-1")

    with pytest.raises(error):
        await room.do(print_jobs.queue, **wish)
    with pytest.raises(NotFound):
        await room.do(print_jobs.done, print_job_id=99)
