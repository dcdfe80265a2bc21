import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.paging import OVERLAP, Listing, changes, numbered_pages
from hub.ports import JsonObject, Page

SIZE = 3
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Record = dict[str, Any]


def key(record: Record) -> str:
    return str(record["id"])


def moments(record: Record) -> tuple[datetime, datetime] | None:
    return (record["at"], record["at"]) if record["at"] else None


class Log:
    """A listing, newest first, that other people change between two reads."""

    def __init__(self, count: int = 0, *, tells: bool = True) -> None:
        self.records: list[Record] = [{"id": n, "at": NOON - timedelta(hours=n)} for n in range(count)]
        self.tells = tells
        self.reads: list[tuple[int, datetime | None]] = []
        self.between: Callable[[], None] = lambda: None

    async def read(self, page: int, since: datetime | None = None) -> Listing:
        if self.reads:
            self.between()
        self.reads.append((page, since))
        pages, total = -(-len(self.records) // SIZE), len(self.records)
        shown = self.records[SIZE * (page - 1) : SIZE * page]
        return Listing(records=shown, pages=pages if self.tells else None, total=total if self.tells else None)

    async def walk(self, checkpoint: JsonObject | None = None, *, now: datetime = NOON, stop: int = 99) -> list[Page]:
        walked = []
        async for page in changes(self.read, checkpoint or {}, now=now, key=key, size=SIZE, changed=moments):
            walked.append(page)
            json.dumps(dict(page.checkpoint))
            if len(walked) == stop:
                break
        return walked


def ids(pages: list[Page]) -> list[int]:
    return [record["id"] for page in pages for record in page.payloads]


def cursor(pages: list[Page]) -> datetime:
    return datetime.fromisoformat(pages[-1].checkpoint["since"])


@given(changes_between=st.lists(st.lists(st.integers(-20, 20), max_size=4), max_size=12), count=st.integers(0, 20))
@settings(max_examples=300, deadline=None)
async def test_no_shift_of_pages_loses_a_record(changes_between: list[list[int]], count: int) -> None:
    log, steady, plans = Log(count), set(range(count)), iter(changes_between)

    def meddle() -> None:
        for number in next(plans, []):
            if number >= 0 or not log.records:
                log.records.insert(0, {"id": 100 + len(log.reads) * 100 + len(log.records), "at": NOON})
            else:
                steady.discard(log.records.pop(number % len(log.records))["id"])

    log.between = meddle
    met = [record["id"] async for step in numbered_pages(log.read, key=key, size=SIZE) for record in step.fresh]

    assert steady <= set(met)
    assert len(met) == len(set(met))


async def test_records_that_leave_while_a_walk_rests_are_noticed() -> None:
    log = Log(12)
    begun = await log.walk(stop=2)
    del log.records[:4]

    rest = await log.walk(begun[-1].checkpoint)

    assert {4, 5, 6, 7, 8, 9, 10, 11} <= set(ids(begun) + ids(rest))


async def test_a_walk_of_one_page_at_a_time_comes_to_its_end() -> None:
    log, checkpoint, seen = Log(10), {}, []
    while "page" in checkpoint or not checkpoint:
        (page,) = await log.walk(checkpoint, stop=1)
        seen += ids([page])
        checkpoint = dict(page.checkpoint)

    assert seen == list(range(10))


async def test_without_counts_the_walk_ends_at_an_empty_page() -> None:
    log = Log(6, tells=False)

    assert ids(await log.walk()) == [0, 1, 2, 3, 4, 5]
    assert [page for page, _ in log.reads] == [1, 2, 3]


async def test_a_system_that_repeats_its_last_page_ends_the_walk() -> None:
    async def same(_: int) -> Listing:
        return Listing(records=[{"id": 1}, {"id": 2}])

    steps = [step async for step in numbered_pages(same, key=key, size=SIZE)]

    assert len(steps) == 2 and steps[-1].next_page is None


async def test_records_without_a_key_are_never_dropped() -> None:
    async def read(_: int) -> Listing:
        return Listing(records=["?", "?"], pages=1)

    (step,) = [step async for step in numbered_pages(read, key=lambda _: "", size=SIZE)]

    assert step.fresh == ["?", "?"]


async def test_the_cursor_moves_only_when_the_whole_listing_was_walked() -> None:
    log = Log(7)
    first = await log.walk(now=NOON + timedelta(minutes=1))
    log.records.insert(0, {"id": 50, "at": NOON + timedelta(minutes=9)})

    stopped = await log.walk(first[-1].checkpoint, now=NOON + timedelta(minutes=10), stop=1)

    assert cursor(first) == NOON
    assert cursor(stopped) == NOON
    assert cursor(await log.walk(stopped[-1].checkpoint)) == NOON + timedelta(minutes=9)


async def test_a_change_behind_the_reader_is_not_hidden_by_a_younger_one_before_it() -> None:
    log = Log(6)
    first, last = log.records[0], log.records[-1]

    def meddle() -> None:
        first["at"], last["at"] = NOON + timedelta(minutes=20), NOON + timedelta(minutes=30)

    log.between = meddle
    walked = await log.walk(now=NOON + timedelta(hours=5))  # the system's clock is not ours
    again = await log.walk(walked[-1].checkpoint, now=NOON + timedelta(hours=6))

    assert first["id"] in ids(again)


async def test_what_has_not_changed_since_the_cursor_is_skipped_but_for_an_overlap() -> None:
    log = Log()
    log.records = [{"id": n, "at": NOON - n * OVERLAP} for n in range(4)]
    walked = await log.walk()

    assert ids(await log.walk(walked[-1].checkpoint)) == [0, 1]


async def test_a_record_that_does_not_say_when_it_changed_is_never_skipped() -> None:
    log = Log(4)
    log.records[3]["at"] = None

    assert 3 in ids(await log.walk({"since": NOON.isoformat()}))


async def test_a_date_in_the_future_does_not_blind_the_cursor() -> None:
    log = Log(2)
    log.records[1]["at"] = NOON + timedelta(days=9000)

    assert cursor(await log.walk()) <= NOON


async def test_a_quiet_system_moves_the_cursor_short_of_any_doubt() -> None:
    log = Log()
    first = await log.walk()
    later = await log.walk(first[-1].checkpoint, now=NOON + timedelta(days=30))

    assert NOON + timedelta(days=28) < cursor(later) < NOON + timedelta(days=30)


async def test_the_cursor_never_moves_back() -> None:
    log = Log(3)
    ahead = (NOON + timedelta(hours=5)).isoformat()

    assert cursor(await log.walk({"since": ahead})) == NOON + timedelta(hours=5)
