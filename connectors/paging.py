"""Walks listings that are cut into numbered pages and may shift under the reader's feet, and keeps the place."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.ports import JsonObject, Page

OVERLAP = timedelta(minutes=5)
"""How long before the cursor changes are read again: a change may show later than the time it carries."""
DOUBT = timedelta(days=1)
"""How far the system's clock, or our reading of its local time, may be from ours without a change being lost."""

Pages = AsyncGenerator[Page]
Moments = Callable[[Any], tuple[datetime, datetime] | None]
"""A raw record → the earliest and the latest moment at which it may have changed; None when it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One answered page: its raw records, and how many pages and records the system says there are."""

    records: Sequence[Any]
    pages: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a walk: the answer, its records not met before, and the page to read next (None = the end)."""

    listing: Listing
    fresh: Sequence[Any]
    next_page: int | None


async def numbered_pages(
    read: Callable[[int], Awaitable[Listing]],
    *,
    key: Callable[[Any], str],
    size: int,
    page: int = 1,
    total: int | None = None,
) -> AsyncGenerator[Step]:
    """Walk from `page` to the end; `total` is what the system told before, where a walk is taken up again.

    A record that arrives during the walk pushes others to the next page: they are met twice and dropped by their key. A
    record that leaves pulls others to a page already read: the walk steps back as far as the total has shrunk.
    Records without a key are never dropped.
    """
    met: set[str] = set()
    while True:
        listing = await read(page)
        fresh = []
        for record in listing.records:
            if (name := key(record)) not in met:
                fresh.append(record)
                if name:
                    met.add(name)
        following: int | None = page + 1
        if total is not None and listing.total is not None and listing.total < total and page > 1:
            following = max(1, page - -(-(total - listing.total) // size))
        elif not listing.records or page >= (listing.pages or page + 1):
            following = None
        elif listing.pages is None and not fresh:
            following = None  # a system that repeats its last page for ever
        yield Step(listing=listing, fresh=fresh, next_page=following)
        if following is None:
            return
        page, total = following, listing.total if listing.total is not None else total


async def changes(
    read: Callable[[int, datetime | None], Awaitable[Listing]],
    checkpoint: JsonObject,
    *,
    now: datetime,
    key: Callable[[Any], str],
    size: int,
    changed: Moments | None,
) -> AsyncGenerator[Page]:
    """Pages of what changed since the cursor: `read(page, since)` may answer more than that; the surplus is skipped.

    `changed` is None where records never tell when they changed; the cursor is then the start of the walk.

    The checkpoint is {since} between walks. Within one it also holds the next page, the total told last, when the walk
    started and the newest change on its first page. No later page counts: the newest change there may be younger than
    one made meanwhile to a record on a page already read, which the next walk would then skip.
    """
    since, newest, begun = (_moment(checkpoint.get(name)) for name in ("since", "newest", "started"))
    page, started = checkpoint.get("page"), begun or now
    pages = numbered_pages(
        lambda number: read(number, since), key=key, size=size, page=page or 1, total=checkpoint.get("total")
    )
    async with aclosing(pages) as steps:
        async for step in steps:
            if page is None:
                page, newest = 1, _newest(step.listing.records, changed) if changed else started
            fresh = [one for one in step.fresh if not (since and changed and _before(changed(one), since - OVERLAP))]
            after: dict[str, Any] = {"since": _text(_cursor(since, newest, started))}
            if step.next_page:
                after = {"since": _text(since), "newest": _text(newest), "started": _text(started)}
                after |= {"page": step.next_page, "total": step.listing.total}
            yield Page(payloads=fresh, checkpoint=after, total=step.listing.total)


def _newest(records: Sequence[Any], changed: Moments) -> datetime | None:
    return max((moments[0] for moments in map(changed, records) if moments), default=None)


def _before(moments: tuple[datetime, datetime] | None, bound: datetime) -> bool:
    return moments is not None and moments[1] < bound


def _cursor(since: datetime | None, newest: datetime | None, started: datetime) -> datetime:
    """The newest change seen, but none from the future; a walk without changes moves it too, short of any doubt."""
    floor = started - DOUBT
    return max(min(newest, started) if newest else floor, since or floor, floor)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
