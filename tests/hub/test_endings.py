"""Background tasks end, also when something swallows a cancellation."""

import asyncio
import logging

import pytest

from hub.endings import MOST_CANCELS, end


async def stubborn(cancellations: int) -> None:
    """Swallows so many cancellations, as a driver does whose rollback fails."""
    for _ in range(cancellations):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(3600)


async def started(*cancellations: int) -> "list[asyncio.Task[None]]":
    tasks = [asyncio.create_task(stubborn(number)) for number in cancellations]
    await asyncio.sleep(0)
    return tasks


async def test_a_swallowed_cancellation_is_followed_by_another() -> None:
    tasks = await started(0, 1, 2)

    await end(tasks, patience=0.01)

    assert all(task.cancelled() for task in tasks)


async def test_what_never_ends_is_told_and_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    tasks = await started(MOST_CANCELS + 1)

    with caplog.at_level(logging.WARNING):
        await end(tasks, patience=0.01)

    assert "1 tasks do not end" in caplog.text
    await end(tasks, patience=0.01)


async def test_nothing_to_end_and_what_has_ended_are_no_error() -> None:
    async def broken() -> None:
        raise RuntimeError("broken")

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)

    await end([task])
    await end([])
