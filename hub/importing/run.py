"""One import from its first file to its report: batch by batch, or everything in one transaction.

A batch is kept as soon as it is committed; importing the same files again goes on where an earlier run was stopped.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

from hub.context import Level, Scope
from hub.db import Database, UnitOfWork
from hub.errors import Invalid
from hub.ids import Ids
from hub.importing import documents, nomenclatures, stock
from hub.importing.cells import id_for, list_for
from hub.importing.entries import Entry, Shape, read_entry
from hub.importing.files import Record, Source
from hub.importing.noun import Noun
from hub.importing.nouns import LOCATION, NOUNS, STOCK, WAREHOUSE
from hub.importing.report import Report
from hub.services.nomenclature import Nomenclature
from hub.services.outcomes import Outcome

ROWS_AT_ONCE = 500
FIRST_PRETENDED_ID = 1 << 60

Progress = Callable[[str, int, int], None]
"""Noun, rows done, rows in all."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at a file tells: how many rows it has, and the highest ids that they bring along."""

    rows: int
    highest: dict[str, int]


class _TakenBack(Exception):
    """Ends a transaction that shall leave nothing behind, with what it would have done."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


class _PretendedIds:
    """Ids for a transaction that is taken back: nothing of the real ones is used up."""

    def __init__(self) -> None:
        self._next = FIRST_PRETENDED_ID

    async def take(self, tenant_id: int, noun: str, count: int) -> list[int]:
        self._next += count
        return list(range(self._next - count, self._next))


async def run(
    database: Database,
    scope: Scope,
    sources: Sequence[Source],
    *,
    dry: bool = False,
    strict: bool = False,
    progress: Progress = lambda noun, done, rows: None,
) -> Report:
    """Import the files. `dry` keeps nothing, `strict` keeps nothing as soon as one row is refused."""
    scope.require(Level.ADMINISTRATOR)
    surveys = [survey(source) for source in sources]
    if not dry:
        for found in surveys:
            for noun, last in found.highest.items():
                await database.ids.keep_clear_of(scope.tenant_id, noun, last)
    steps = list(zip(sources, surveys, strict=True))
    if dry or strict:
        return await _at_once(database, scope, steps, dry, progress)
    report = Report()
    for source, found in steps:
        for batch in batches(source):
            await _keep(database, scope, source, batch, report)
            progress(source.noun, report.counts[source.noun].total(), found.rows)
        if _ends_places(source, sources):
            await database.write(scope, nomenclatures.settle_inbound)
    return report


async def _keep(database: Database, scope: Scope, source: Source, batch: Sequence[Record], report: Report) -> None:
    async def work_on(work: UnitOfWork) -> tuple[list[Entry], list[Outcome]]:
        return await take_over(work, source.noun, batch)

    report.count(source.noun, *await database.write(scope, work_on))


async def _at_once(
    database: Database, scope: Scope, steps: Sequence[tuple[Source, Survey]], dry: bool, progress: Progress
) -> Report:
    sources = [source for source, _ in steps]

    async def work_on(work: UnitOfWork) -> Report:
        report = Report()
        if dry:
            work.ids = cast(Ids, _PretendedIds())
        for source, found in steps:
            for batch in batches(source):
                report.count(source.noun, *await take_over(work, source.noun, batch))
                if dry:
                    work.events.clear()
                progress(source.noun, report.counts[source.noun].total(), found.rows)
            if _ends_places(source, sources):
                await nomenclatures.settle_inbound(work)
        if dry or report.refusals:
            raise _TakenBack(report)
        return report

    try:
        return await database.write(scope, work_on)
    except _TakenBack as end:
        end.report.written = False
        return end.report


async def take_over(work: UnitOfWork, name: str, records: Sequence[Record]) -> tuple[list[Entry], list[Outcome]]:
    """Store a batch of records of one noun: the entries they were read as, and what became of each."""
    noun = NOUNS[name]
    entries = [read_entry(noun.shape, noun.lines, record) for record in records]
    if noun is STOCK:
        return entries, await stock.take_over(work, entries)
    what = cast(Nomenclature, noun.shape.what)
    store = nomenclatures.take_over if noun.parent is None else documents.take_over
    return entries, await store(work, noun, what, entries)


def survey(source: Source) -> Survey:
    """Count the rows of a file and look for its highest ids; what is wrong with a row is said later."""
    noun, rows, highest = NOUNS[source.noun], 0, dict[str, int]()
    for record in source.records():
        rows += 1
        _note(noun.shape, record.values, record.textual, highest)
        for name, shape in noun.lines.items():
            try:
                lines = list_for(record.values.get(name), field=name, textual=record.textual)
            except Invalid:
                continue
            for line in lines:
                _note(shape, line if isinstance(line, dict) else {}, False, highest)
    return Survey(rows, highest)


def _note(shape: Shape, values: dict[str, Any], textual: bool, highest: dict[str, int]) -> None:
    try:
        id_ = id_for(values.get(shape.id_field), field=shape.id_field, textual=textual)
    except Invalid:
        return
    if id_ is not None:
        highest[shape.what.noun] = max(id_, highest.get(shape.what.noun, 0))


def batches(source: Source) -> Iterator[list[Record]]:
    """The records of a file in parts that one transaction takes."""
    noun = NOUNS[source.noun]
    if noun is STOCK:
        yield from stock.together(source.records(), ROWS_AT_ONCE)
        return
    records = _named_once(noun, source.records())
    while batch := list(islice(records, ROWS_AT_ONCE)):
        yield batch


def _named_once(noun: Noun, records: Iterable[Record]) -> Iterator[Record]:
    """A record that stands in a file twice is taken once."""
    shape = noun.shape
    keys = [name for name, column in shape.fields.items() if column in shape.what.keys]
    first: dict[object, int] = {}
    for record in records:
        named = record.values.get(shape.id_field) or tuple(str(record.values.get(name)) for name in keys)
        line = first.setdefault(str(named), record.line)
        if line != record.line and record.error is None:
            error = Invalid(f"is given twice, first in line {line}", field=shape.id_field)
            record = replace(record, error=error)
        yield record


def _ends_places(source: Source, sources: Sequence[Source]) -> bool:
    """True after the last file that brings warehouses or locations."""
    last = [one.noun for one in sources if one.noun in (WAREHOUSE.name, LOCATION.name)]
    return bool(last) and source.noun == last[-1]
