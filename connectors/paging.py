"""Walks listings that are cut into numbered pages and may shift under the reader's feet."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any


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
) -> AsyncIterator[Step]:
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
        if total is not None and listing.total is not None and listing.total < total and page > 1:
            following: int | None = max(1, page - -(-(total - listing.total) // size))
        elif not listing.records or (listing.pages is None and not fresh):
            following = None  # without a page count, a system that repeats its last page would never end
        else:
            following = page + 1 if listing.pages is None or page < listing.pages else None
        yield Step(listing=listing, fresh=fresh, next_page=following)
        if following is None:
            return
        page, total = following, listing.total if listing.total is not None else total
