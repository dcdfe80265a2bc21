"""What became of each record of a set, and how one bad record is kept from stopping the others."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeVar

from hub.constraints import IdTaken
from hub.db import UnitOfWork
from hub.errors import CallerError, Conflict, HubError, Invalid, NotFound

T = TypeVar("T")
OnError = Literal["raise", "skip"]
"""`raise`: all or nothing; `skip`: a refused record is reported and the others go on."""

ORDER_OF_CHECKS = (Invalid, NotFound, Conflict)


class Effect(StrEnum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The record's id (None when it was refused as a new one), what happened to it, and why it was refused."""

    id: int | None
    effect: Effect
    error: HubError | None = None


def first_refusal(errors: Sequence[HubError | None]) -> HubError | None:
    """The error a caller hears first: `Invalid` before `NotFound` before `Conflict`, then by the order of records."""
    found = [error for error in errors if error is not None]
    for kind in ORDER_OF_CHECKS:
        for error in found:
            if isinstance(error, kind):
                return error
    return found[0] if found else None


async def one_by_one(
    work: UnitOfWork,
    records: Sequence[T],
    action: Callable[[T], Awaitable[int]],
    *,
    effect: Effect = Effect.ADDED,
) -> list[Outcome]:
    """Run `action` on each record in a savepoint of its own; a refusal becomes that record's outcome."""
    outcomes = []
    for record in records:
        try:
            async with work.savepoint():
                outcomes.append(Outcome(await action(record), effect))
        except IdTaken:
            raise  # no fault of the record: the whole unit of work is tried again with other ids
        except CallerError as error:
            outcomes.append(Outcome(None, Effect.REFUSED, error))
    return outcomes


async def in_halves(
    work: UnitOfWork, records: Sequence[T], action: Callable[[Sequence[T]], Awaitable[None]]
) -> list[HubError | None]:
    """Run a set-based `action` on all records at once; where the database refuses, on ever smaller halves.

    One bad record among n costs about 2·log2(n) statements instead of n. Returns one error or None per record.
    """
    if not records:
        return []
    try:
        async with work.savepoint():
            await action(records)
    except IdTaken:
        raise
    except CallerError as error:
        if len(records) == 1:
            return [error]
        middle = len(records) // 2
        return [*await in_halves(work, records[:middle], action), *await in_halves(work, records[middle:], action)]
    return [None] * len(records)
