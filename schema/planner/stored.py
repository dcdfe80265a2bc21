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
    where = [*one_of(Order.status, body.statuses), *equal(Order.order_type, body.orderType)]
    data = await ORDERS.page(database, scope, where=where, limit=100, offset=0)
    data = await ORDERS.by_ids(database, scope, [901, 900])

Python types say how a value is written: `int` a number, `Decimal` an exact number without trailing zeros (12.5),
`datetime` "2026-03-01T09:30:00Z", `date` "2026-03-01" (`column(day_format="DD.MM.YYYY")` writes 01.03.2026),
`list[str]` and `list[int]` an SQL array, another `@reads` class one record (`one`) or a list of records (`many`).
`| None` where the value may be NULL: a NULL where the type denies it is an error of the declaration.
`where` holds `Condition`s on columns of the SQLModel class. A statement is written once for each combination of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    Table,
    TableClause,
    bindparam,
    exists,
    func,
    literal_column,
    select,
)

from hub.context import Scope
from hub.db import Database
from schema.planner.compile import Writer, listed
from schema.planner.json_text import concat
from schema.planner.rows import Row
from schema.planner.selection import everything
from schema.planner.shapes import rest_shape
from schema.planner.statements import Statement, statement_of

Parameter = Callable[..., BindParameter[Any]]
"""Makes the parameter of a condition, of the type given as `type_`."""
Rule = Callable[..., ColumnElement[bool]]
TENANT = bindparam("tenant", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class Condition:
    """`rule(parameter, *columns)` is the expression; the value travels apart from it, so that one statement serves all.

    Rules are functions of a module: a rule made anew for each request would have a statement written for each.
    """

    rule: Rule
    columns: tuple[Any, ...]
    value: Any = None


Shape = tuple[tuple[Rule, tuple[Any, ...]], ...]
"""Conditions without their values."""


class Stored:
    """A stored selection of all fields of `shape`. One tenant, the scope's."""

    def __init__(self, shape: Any) -> None:
        self._class = shape
        # As many statements as the code has combinations of conditions.
        self._page, self._named, self._any = cache(self._write_page), cache(self._write_named), cache(self._write_any)
        self._array = cache(self._write_array)

    async def page(
        self,
        database: Database,
        scope: Scope,
        *,
        where: Sequence[Condition] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> bytes:
        """A JSON array of the records that fulfil all of `where`, by id."""
        statement = self._page(_shape(where), limit is not None, offset > 0)
        values = {"page_limit": limit, "page_offset": offset} | _values(where)
        return await _text(database, scope, statement, values)

    async def by_ids(self, database: Database, scope: Scope, ids: Sequence[int]) -> bytes:
        """A JSON array of these records in the order of their ids in `ids`; unknown ones are missing."""
        return await _text(database, scope, self._named(), {"ids": list(ids)})

    async def one(self, database: Database, scope: Scope, id_: int) -> bytes | None:
        """The JSON object of one record, None when there is none."""
        found = await self.by_ids(database, scope, [id_])
        return found[1:-1] or None

    async def any(self, database: Database, scope: Scope, *, where: Sequence[Condition]) -> bool:
        """Some record fulfils all of `where`."""
        return bool(await _value(database, scope, self._any(_shape(where)), _values(where)))

    @property
    def _table(self) -> Table:
        table = rest_shape(self._class).table
        assert table is not None
        return table

    def _write_page(self, shape: Shape, limited: bool, shifted: bool) -> Statement:
        rows = self._table
        ordinal = func.row_number().over(order_by=rows.c.id).label("ordinal")
        page = select(rows, ordinal).where(*self._conditions(shape)).order_by(rows.c.id)
        if limited:
            page = page.limit(bindparam("page_limit", type_=BigInteger))
        if shifted:
            page = page.offset(bindparam("page_offset", type_=BigInteger))
        return self._answering(page)

    def _write_named(self) -> Statement:
        rows = self._table
        given = func.unnest(bindparam("ids", type_=ARRAY(BigInteger)), type_=BigInteger)
        wanted = given.table_valued("id", with_ordinality="ordinal").render_derived(name="wanted")
        page = select(rows, wanted.c.ordinal).where(rows.c.tenant_id == TENANT, rows.c.id == wanted.c.id)
        return self._answering(page)

    def _write_any(self, shape: Shape) -> Statement:
        return statement_of(select(exists().where(*self._conditions(shape))))

    def _conditions(self, shape: Shape) -> list[ColumnElement[bool]]:
        given = [rule(partial(bindparam, f"given_{n}"), *columns) for n, (rule, columns) in enumerate(shape)]
        return [self._table.c.tenant_id == TENANT, *given]

    def _answering(self, page: Select[Any]) -> Statement:
        """The statement that answers with the rows of `page`."""
        rows = statement_of(page)
        return Statement(f"WITH page AS ({rows.sql}) {self._array()}", rows.names)

    def _write_array(self) -> str:
        """The part that is always the same: the rows of `page` as a JSON array."""
        writer = Writer()
        row = Row(self._table, "page", writer.names)
        value = writer.object(row, everything(rest_shape(self._class)))
        array = concat(["[", listed(value, [literal_column("page.ordinal")]), "]"])
        return statement_of(select(array).select_from(row.from_clause(TableClause("page")))).sql


def _shape(where: Sequence[Condition]) -> Shape:
    return tuple([(condition.rule, condition.columns) for condition in where])


def _values(where: Sequence[Condition]) -> dict[str, Any]:
    return {f"given_{n}": condition.value for n, condition in enumerate(where)}


async def _text(database: Database, scope: Scope, statement: Statement, values: Mapping[str, Any]) -> bytes:
    text: str = await _value(database, scope, statement, values)
    return text.encode()


async def _value(database: Database, scope: Scope, statement: Statement, values: Mapping[str, Any]) -> Any:
    given = {"tenant": scope.tenant_id, **values}
    async with database.reading(scope) as connection:
        return await connection.fetchval(statement.sql, *[given[name] for name in statement.names])
