"""Answers of REST read routes: a shape declared on a plain class, read as JSON text in one statement.

    @reads(models.orders.OrderLine)
    class OrderProductInfo:
        orderProductId: int = column(name="id")
        productId: int = column(name="product_id")
        productName: str = via("product_id", "name")
        quantity: Decimal
        locationCode: str | None = via("location_id", "code")

    @reads(models.orders.Order)
    class OrderInfo:
        orderId: int = column(name="id")
        warehouseName: str = via("warehouse_id", "name")
        dateAdded: datetime = column(name="created_at")
        isReady: bool = sql(lambda o: o.c.status.in_([2, 3, 4, 5, 7]))
        totalWeight: Decimal = lateral(weights, "total")
        companyThirdPartyReference: str | None = via("company_id", "third_party_reference")
        orderProducts: list[OrderProductInfo] = many("order_id", order=("position",))

    def weights(order: FromClause) -> Select[Any]:
        line, product = OrderLine.__table__.alias(), Product.__table__.alias()
        return (
            select(func.coalesce(func.sum(line.c.quantity * product.c.weight), 0).label("total"))
            .join(product, and_(product.c.tenant_id == line.c.tenant_id, product.c.id == line.c.product_id))
            .where(line.c.tenant_id == order.c.tenant_id, line.c.order_id == order.c.id)
        )

    ORDERS = Stored(OrderInfo)
    data = await ORDERS.page(database, scope, where=[any_of(Order.status, body.statuses)], limit=100, offset=0)
    data = await ORDERS.by_ids(database, scope, [901, 900])

Python types say how a value is written: `int` a number, `Decimal` an exact number without trailing zeros (12.5),
`datetime` "2026-03-01T09:30:00Z", `date` "2026-03-01" (`column(day_format="DD.MM.YYYY")` writes 01.03.2026),
`list[str]` and `list[int]` an SQL array, another `@reads` class one record (`one`) or a list of records (`many`).
`| None` where the value may be NULL: a NULL where the type denies it is an error of the declaration.
`where` compares columns of the SQLModel class; use `any_of` for lists, so that one statement serves all lengths.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    String,
    Table,
    TableClause,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)

from hub.context import Scope
from hub.db import Database
from schema.planner.compile import Writer, listed
from schema.planner.json_text import concat
from schema.planner.rows import Row
from schema.planner.selection import Selected, everything
from schema.planner.shapes import rest_shape
from schema.planner.statements import statement_of


def any_of(column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """`column` is one of `values`; the statement stays the same whatever their number."""
    element = Text() if isinstance(column.type, String) else column.type  # a VARCHAR(n)[] would cut what is longer
    parameter = bindparam(None, list(values), type_=ARRAY(element), unique=True)
    return column == any_(parameter)  # type: ignore[no-any-return]


class Stored:
    """A stored selection of all fields of `shape`. One tenant, the scope's."""

    def __init__(self, shape: Any) -> None:
        self._class = shape
        self._written = ""

    async def page(
        self,
        database: Database,
        scope: Scope,
        *,
        where: Sequence[Any] = (),
        order: Sequence[Any] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> bytes:
        """A JSON array of the records that fulfil all of `where`, sorted by `order`, else by id."""
        rows = self._table
        order = list(order) or [rows.c.id]
        page = (
            select(rows, func.row_number().over(order_by=order).label("ordinal"))
            .where(_in_tenant(rows, scope), *where)
            .order_by(*order)
        )
        if limit is not None:
            page = page.limit(bindparam("page_limit", limit, BigInteger))
        if offset:
            page = page.offset(bindparam("page_offset", offset, BigInteger))
        return await self._read(database, scope, page)

    async def by_ids(self, database: Database, scope: Scope, ids: Sequence[int]) -> bytes:
        """A JSON array of these records in the order of their ids in `ids`; unknown ones are missing."""
        rows = self._table
        given = func.unnest(bindparam("ids", list(ids), ARRAY(BigInteger)), type_=BigInteger)
        wanted = given.table_valued("id", with_ordinality="ordinal").render_derived(name="wanted")
        page = select(rows, wanted.c.ordinal).where(_in_tenant(rows, scope), rows.c.id == wanted.c.id)
        return await self._read(database, scope, page)

    async def one(self, database: Database, scope: Scope, id_: int) -> bytes | None:
        """The JSON object of one record, None when there is none."""
        found = await self.by_ids(database, scope, [id_])
        return found[1:-1] or None

    async def count(self, database: Database, scope: Scope, *, where: Sequence[Any] = ()) -> int:
        rows = self._table
        statement = statement_of(select(func.count()).select_from(rows).where(_in_tenant(rows, scope), *where))
        async with database.reading(scope) as connection:
            return int(await connection.fetchval(statement.sql, *statement.arguments()))

    @property
    def _table(self) -> Table:
        table = rest_shape(self._class).table
        assert table is not None
        return table

    async def _read(self, database: Database, scope: Scope, page: Select[Any]) -> bytes:
        if not self._written:
            self._written = _written(self._table, everything(rest_shape(self._class)))
        statement = statement_of(page)
        async with database.reading(scope) as connection:
            text: str = await connection.fetchval(
                f"WITH page AS ({statement.sql}) {self._written}", *statement.arguments()
            )
        return text.encode()


def _written(table: Table, selected: Sequence[Selected]) -> str:
    """The part of the statement that never changes: the rows of `page` as a JSON array."""
    writer = Writer()
    row = Row(table, "page", writer.names)
    value = writer.object(row, selected)
    array = concat(["[", listed(value, [literal_column("page.ordinal")]), "]"])
    return statement_of(select(array).select_from(row.from_clause(TableClause("page"))), inline=True).sql


def _in_tenant(rows: Table, scope: Scope) -> ColumnElement[bool]:
    return rows.c.tenant_id == bindparam("tenant", scope.tenant_id, BigInteger)
