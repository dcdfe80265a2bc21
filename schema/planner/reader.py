"""Reads rows as rows for graphql-core: relations, pages and expressions in batches by data loaders."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import asyncpg
from graphql import GraphQLResolveInfo
from sqlalchemy import BigInteger, ColumnElement, FromClause, LargeBinary, Select, Table, and_, func, select, true
from sqlalchemy import literal_column as literal
from sqlalchemy.types import TypeEngine
from strawberry.dataloader import DataLoader

from schema.planner.compile import Writer, children
from schema.planner.connections import Page
from schema.planner.fields import AnyRecord, Every, Lookup, Many, One, Summed, Value
from schema.planner.groups import grouped
from schema.planner.pages import sorting
from schema.planner.records import PageOfRecords, Record
from schema.planner.rows import Row
from schema.planner.selection import Selected
from schema.planner.shapes import Shape
from schema.planner.statements import statement_of

Info = GraphQLResolveInfo[Any]
Keys = Sequence[tuple[Any, ...]]
Rows = list[dict[str, Any]]


class Reader:
    """One execution's way to the rows; it is the root value, so that every resolver finds it."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        scope: Mapping[str, Any],
        *,
        several: bool,
        refused: Collection[tuple[str, ...]] = (),
    ) -> None:
        self._connection = connection
        self._variables = {"": scope}
        self._several = several
        self._refused = frozenset(refused)
        self._lock = asyncio.Lock()
        self._closed = False
        self._loaders: dict[Any, DataLoader[Any, Any]] = {}

    async def close(self) -> None:
        """An error that takes much away leaves others behind, still reading: the last of them, then none."""
        async with self._lock:
            self._closed = True

    def refuses(self, info: Info) -> bool:
        """The caller may not read this field; its error is already known."""
        return bool(self._refused) and response_path(info) in self._refused

    async def root(self, item: Selected) -> Record | list[Record] | PageOfRecords | None:
        """The value of a root field."""
        writer = self._writer()
        source = item.field.source
        if isinstance(source, Every):
            page = Page(writer, item, lambda row: writer.in_scope(row, item), (), self._several)
            rows = await self._fetch(page.rows(), writer)
            return _page(page, item, rows, lambda: self._count(page.total(), writer))
        if item.target is None:
            return None
        row = writer.row(item.target)
        if isinstance(source, Summed):
            sums, _ = grouped(writer, item, row)
            return [Record(item.target.name, each) for each in await self._fetch(sums, writer)]
        if isinstance(source, Lookup):
            conditions = writer.found(item, source.keys)(row)
        else:
            assert isinstance(source, AnyRecord)
            conditions = writer.by_id(row, item, item.arguments["id"])
        found: Select[Any] = select(*_columns(row)).where(*conditions).select_from(row.from_clause())
        rows = await self._fetch(found, writer)
        return Record(item.target.name, rows[0]) if rows else None

    async def one(self, record: Record, item: Selected, source: One) -> Record | None:
        """The referenced record."""
        shape = _shape(item)
        if record.columns[source.key] is None:
            return None

        async def load(keys: Keys) -> list[Record | None]:
            rows = await self._joined(
                shape, keys, source.to, lambda row, key: [row.tenant == key.c.tenant, row[source.to] == key.c.value]
            )
            return [Record(shape.name, some[0]) if some else None for some in rows]

        key = (_tenant(record), record.columns[source.key])
        found: Record | None = await self._loaded(("one", shape.name, source), load, key)
        return found

    async def many(self, record: Record, item: Selected, source: Many) -> list[Record]:
        """The child records of a plain list."""
        shape = _shape(item)

        async def load(keys: Keys) -> list[list[Record]]:
            rows = await self._joined(
                shape, keys, source.key, lambda row, key: children(row, source, key.c.tenant, key.c.value), source
            )
            return [[Record(shape.name, each) for each in some] for some in rows]

        key = (_tenant(record), record.columns[source.to])
        found: list[Record] = await self._loaded(("many", shape.name, source), load, key)
        return found

    async def page(self, record: Record, item: Selected, source: Many, info: Info) -> PageOfRecords:
        """One page of child records; the pages of all records at the same place are read together."""
        order, node = source.order, node_of(item)
        assert isinstance(order, tuple)

        async def load(keys: Keys) -> list[PageOfRecords]:
            writer = self._writer()
            given = _given(writer, keys, _table(node).c[source.key].type)
            page = Page(
                writer, item, lambda row: children(row, source, given.c.tenant, given.c.value), order, several=False
            )
            row = Row(_table(node), "page", writer.names)
            wanted: Select[Any] = select(given.c.n, literal("page.*"))
            wanted = wanted.select_from(given.join(page.rows().lateral("page"), true()))
            wanted = wanted.order_by(given.c.n, *sorting(row, page.keys, backward=page.backward))
            rows = _grouped(await self._fetch(wanted, writer), len(keys))
            return [
                _page(page, item, some, lambda key=key: self._count_children(item, source, key))  # type: ignore[misc]
                for some, key in zip(rows, keys, strict=True)
            ]

        key = (_tenant(record), record.columns[source.to])
        found: PageOfRecords = await self._loaded(("page", response_path(info)), load, key)
        return found

    async def value(self, record: Record, shape: Shape, name: str, source: Value) -> Any:
        """An expression over the row, computed by PostgreSQL."""
        table = _table(shape)
        primary = [column.name for column in table.primary_key]

        async def load(keys: Keys) -> list[Any]:
            writer = self._writer()
            types = [table.c[column].type for column in primary]
            given = _unnested(writer, keys, primary, types)
            row = writer.row(shape)
            value = row.value(source).label("value")
            same = and_(*(row[column] == given.c[column] for column in primary))
            wanted: Select[Any] = select(given.c.n, value).select_from(given.join(row.from_clause(), same))
            rows = _grouped(await self._fetch(wanted, writer), len(keys))
            return [some[0]["value"] for some in rows]

        key = tuple(record.columns[column] for column in primary)
        return await self._loaded(("value", shape.name, name), load, key)

    async def _joined(
        self,
        shape: Shape,
        keys: Keys,
        column: str,
        conditions: Callable[[Row, FromClause], list[ColumnElement[bool]]],
        source: Many | None = None,
    ) -> list[Rows]:
        """The rows that belong to each key, a tenant's id and a value of `column`."""
        writer = self._writer()
        row = writer.row(shape)
        given = _given(writer, keys, _table(shape).c[column].type)
        order = [] if source is None else row.order(source.order)
        wanted: Select[Any] = select(given.c.n, *_columns(row)).order_by(given.c.n, *order)
        wanted = wanted.select_from(given.join(row.from_clause(), and_(*conditions(row, given))))
        return _grouped(await self._fetch(wanted, writer), len(keys))

    async def _count_children(self, item: Selected, source: Many, key: tuple[Any, ...]) -> int:
        writer = self._writer()
        tenant = writer.parameters.bind(key[0], BigInteger())
        value = writer.parameters.bind(key[1], _table(node_of(item)).c[source.key].type)
        page = Page(writer, item, lambda row: children(row, source, tenant, value), (), several=False)
        return await self._count(page.total(), writer)

    async def _count(self, total: Select[Any], writer: Writer) -> int:
        rows = await self._fetch(total, writer)
        return int(rows[0]["total"])

    async def _fetch(self, wanted: Select[Any], writer: Writer) -> Rows:
        statement = statement_of(wanted)
        bindings = writer.parameters.bindings
        arguments = [bindings[name].argument(self._variables) for name in statement.names]
        async with self._lock:
            if self._closed:
                raise RuntimeError("the answer is complete without it")
            return [dict(row) for row in await self._connection.fetch(statement.sql, *arguments)]

    def _writer(self) -> Writer:
        return Writer(several=self._several)

    async def _loaded(self, place: Any, load: Callable[[Keys], Awaitable[list[Any]]], key: tuple[Any, ...]) -> Any:
        """What all loads at this place read together; who no longer waits for it spoils it for nobody."""
        if place not in self._loaders:
            self._loaders[place] = DataLoader(load_fn=load)
        return await asyncio.shield(self._loaders[place].load(key))


def response_path(info: Info) -> tuple[str, ...]:
    """The response keys down to the field, without the places in lists."""
    return tuple(part for part in info.path.as_list() if isinstance(part, str))


def node_of(item: Selected) -> Shape:
    """The shape of a connection's records."""
    node = _shape(item).fields["nodes"].target
    assert node is not None
    return node()


def _shape(item: Selected) -> Shape:
    assert item.target is not None
    return item.target


def _table(shape: Shape) -> Table:
    assert shape.table is not None
    return shape.table


def _tenant(record: Record) -> int:
    columns = record.columns
    return int(columns["tenant_id"] if "tenant_id" in columns else columns["id"])


def _columns(row: Row) -> list[ColumnElement[Any]]:
    """All columns but the large ones."""
    return [row[each.name].label(each.name) for each in row.table.c if not isinstance(each.type, LargeBinary)]


def _given(writer: Writer, keys: Keys, type_: TypeEngine[Any]) -> Any:
    return _unnested(writer, keys, ["tenant", "value"], [BigInteger(), type_])


def _unnested(writer: Writer, keys: Keys, names: Sequence[str], types: Sequence[TypeEngine[Any]]) -> Any:
    """The keys as rows, numbered from 1 by `n`."""
    arrays = [writer.parameters.array(tuple(key[number] for key in keys), type_) for number, type_ in enumerate(types)]
    return func.unnest(*arrays).table_valued(*names, with_ordinality="n").render_derived(name="given")


def _grouped(rows: Rows, count: int) -> list[Rows]:
    """The rows of each key in the order of the keys."""
    grouped: list[Rows] = [[] for _ in range(count)]
    for row in rows:
        grouped[row.pop("n") - 1].append(row)
    return grouped


def _page(page: Page, item: Selected, rows: Rows, count: Callable[[], Awaitable[int]]) -> PageOfRecords:
    """Cut the row beyond the page, and turn a page that was read from the end."""
    records = [Record(node_of(item).name, row) for row in rows[: page.size]]
    if page.backward:
        records.reverse()
    return PageOfRecords(records, page.keys, len(rows) > page.size, page.backward, item.arguments, count)
