"""The JSON text of a connection: one page of rows with the window functions that its page information needs."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Integer, Select, Table, Text, case, func, select, true
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import aggregate_order_by

from hub.models.tenants import Tenant
from schema.planner.fields import Constant, Part
from schema.planner.json_text import NULL, Pieces, concat, json_constant, object_pieces
from schema.planner.pages import beyond, cursor_of, keys_of, sorting
from schema.planner.rows import Row
from schema.planner.selection import Selected

if TYPE_CHECKING:
    from schema.planner.compile import Writer

TENANTS: Table = Tenant.__table__  # type: ignore[attr-defined]
DEFAULT_SIZE = 50
NUMBER = "row_number"
TOTAL = "row_total"


class Page:
    """One connection field.

    The rows come from a sub-select with filter, cursor, order and LIMIT; the text is an aggregate over it. One row more
    than asked for is read when `pageInfo` wants to know whether something follows.
    """

    def __init__(
        self,
        writer: "Writer",
        item: Selected,
        conditions: Callable[[Row], Sequence[ColumnElement[bool]]],
        order: Sequence[str],
        several: bool,
    ) -> None:
        assert item.target is not None
        node = item.target.fields["nodes"].target
        assert node is not None
        self._writer = writer
        self._item = item
        self._shape = node()
        self._conditions = conditions
        self._several = several
        self._row = writer.row(self._shape)
        chosen = item.arguments.get("orderBy")
        self.keys = keys_of(self._row.table, order if chosen is None else (chosen.value,), several=several)
        self.backward = "last" in item.arguments
        self.size = item.arguments.get("last", item.arguments.get("first", DEFAULT_SIZE))
        self._windowed = any(
            isinstance(part.field.source, Part) and part.field.name == "pageInfo" for part in item.children
        )

    def rows(self) -> Select[Any]:
        """The page's rows with all their columns, and the one beyond; for the fallback."""
        self._windowed = True
        for column in self._row.table.c:
            self._row[column.name]
        return self._limited()

    def total(self) -> Select[Any]:
        """How many rows the filter leaves."""
        row = self._writer.row(self._shape)
        counted: Select[Any] = select(func.count().label("total")).where(*self._conditions(row), *self._filtered(row))
        return counted.select_from(row.from_clause())

    def text(self) -> ColumnElement[Any]:
        """The object of the connection."""
        text = concat(object_pieces((part.key, self._part(part)) for part in self._item.children))
        if not any(part.field.name in ("nodes", "edges", "pageInfo") for part in self._item.children):
            self._limited()  # not read, but its cursors and ids are checked
            return text
        found: Select[Any] = select(text).select_from(self._row.from_clause(self._rows()))
        return found.having(true()).scalar_subquery()

    def _part(self, part: Selected) -> Pieces:
        if isinstance(part.field.source, Constant):
            return [json_constant(part.field.source.value)]
        match part.field.name:
            case "nodes":
                return ["[", self._listed(self._writer.object(self._row, part.children)), "]"]
            case "edges":
                return ["[", self._listed(concat(object_pieces(map(self._edge, part.children)))), "]"]
            case "pageInfo":
                return object_pieces((each.key, self._page_info(each)) for each in part.children)
            case _:
                return [self.total().scalar_subquery()]

    def _edge(self, part: Selected) -> tuple[str, Pieces]:
        if isinstance(part.field.source, Constant):
            return part.key, [json_constant(part.field.source.value)]
        if part.field.name == "cursor":
            return part.key, ['"', cursor_of(self._row, self.keys), '"']
        return part.key, [self._writer.object(self._row, part.children)]

    def _page_info(self, part: Selected) -> Pieces:
        if isinstance(part.field.source, Constant):
            return [json_constant(part.field.source.value)]
        match part.field.name:
            case "hasNextPage":
                return ["true" if "before" in self._item.arguments else "false"] if self.backward else [self._more()]
            case "hasPreviousPage":
                return [self._more()] if self.backward else ["true" if "after" in self._item.arguments else "false"]
            case "startCursor":
                return [self._cursor_at(last=self.backward)]
            case _:
                return [self._cursor_at(last=not self.backward)]

    def _more(self) -> ColumnElement[Any]:
        """Whether the row beyond the page is there."""
        return case((func.count() > self._bound_size(), literal("'true'", Text)), else_=literal("'false'", Text))

    def _cursor_at(self, *, last: bool) -> ColumnElement[Any]:
        """The cursor of the first or last row in the direction of reading."""
        number = literal(f"{self._row.name}.{NUMBER}", Integer)
        place = (
            func.least(literal(f"{self._row.name}.{TOTAL}", BigInteger), self._bound_size()) if last else literal("1")
        )
        quote = literal("'\"'", Text)
        cursor = quote.op("||")(cursor_of(self._row, self.keys)).op("||")(quote)
        return func.coalesce(func.max(cursor).filter(number == place), NULL, type_=Text)

    def _listed(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        comma = literal("','", Text)
        texts = func.string_agg(value, aggregate_order_by(comma, *sorting(self._row, self.keys)), type_=Text)
        if not self._windowed:
            return texts
        return texts.filter(literal(f"{self._row.name}.{NUMBER}", BigInteger) <= self._bound_size())

    def _bound_size(self) -> ColumnElement[Any]:
        return self._writer.parameters.bind(self.size, BigInteger())

    def _filtered(self, row: Row) -> list[ColumnElement[bool]]:
        given, type_ = self._item.arguments.get("filter"), self._item.field.filter
        return [] if given is None or type_ is None else [self._writer.filters.condition(row, type_, given)]

    def _rows(self) -> FromClause:
        """The page's rows; numbered in the direction of reading when `pageInfo` is asked for."""
        name = self._row.name
        page = self._limited()
        if not self._windowed:
            return page.subquery(name)
        numbered: Select[Any] = select(
            literal(f"{name}.*"),
            func.row_number().over(order_by=self._sorting(self._again())).label(NUMBER),
            func.count().over().label(TOTAL),
        )
        return numbered.select_from(page.subquery(name)).subquery(name)

    def _limited(self) -> Select[Any]:
        """Filter, cursor, order and LIMIT. Several tenants: each its own page by its index, then the first of all."""
        if not self._several:
            row = self._again()
            return self._cut(row, self._conditions(row), row.from_clause())
        tenant = Row(TENANTS, f"t{next(self._writer.names)}", self._writer.names)
        row = self._again()
        page = self._cut(row, [row.tenant == tenant["id"]], row.from_clause()).lateral(row.name)
        merged = select(*self._columns(row)).select_from(tenant.from_clause().join(page, true()))
        merged = merged.where(*self._writer.in_scope(tenant, self._item))
        return merged.order_by(*self._sorting(row)).limit(self._limit())

    def _cut(self, row: Row, conditions: Sequence[ColumnElement[bool]], source: FromClause) -> Select[Any]:
        cursors = [
            beyond(row, self.keys, self._item.arguments[field], self._writer.parameters, field=field)
            for field in ("after", "before")
            if field in self._item.arguments
        ]
        cut: Select[Any] = select(*self._columns(row)).where(*conditions, *self._filtered(row), *cursors)
        return cut.select_from(source).order_by(*self._sorting(row)).limit(self._limit())

    def _again(self) -> Row:
        """The same name one level further in."""
        return Row(self._row.table, self._row.name, self._writer.names)

    def _columns(self, row: Row) -> list[ColumnElement[Any]]:
        names = {*self._row.used, *(key.column for key in self.keys)}
        return [row[name].label(name) for name in sorted(names)]

    def _sorting(self, row: Row) -> list[ColumnElement[Any]]:
        return sorting(row, self.keys, backward=self.backward)

    def _limit(self) -> ColumnElement[Any]:
        more = 1 if self._windowed else 0
        return self._writer.parameters.bind(self.size, BigInteger(), lambda size: size + more)
