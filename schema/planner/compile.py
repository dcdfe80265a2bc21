"""A tree of what is read → expressions that are its JSON text. One statement holds them all."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, func, select

from hub.errors import Invalid
from schema.planner.connections import TENANTS, Page
from schema.planner.fields import (
    AnyRecord,
    Constant,
    Every,
    Foreign,
    Identity,
    Lookup,
    Many,
    One,
    Python,
    Summed,
    needed,
)
from schema.planner.filters import Filters
from schema.planner.groups import grouped
from schema.planner.ids import parsed
from schema.planner.json_text import NULL, Pieces, Written, concat, json_constant, json_of, object_pieces, or_null
from schema.planner.parameters import Parameters
from schema.planner.python_values import Computed, function_of, place
from schema.planner.rows import Row
from schema.planner.selection import Selected
from schema.planner.shapes import Shape
from schema.planner.types import camel_case

Condition = ColumnElement[bool]
Conditions = Callable[[Row], Sequence[Condition]]
REFUSED = "__refused"
"""Stands in a read-back record for a field that the caller may not read; the value says what is needed."""


class Writer:
    """Writes the JSON of one statement; `several` when the caller works in several tenants."""

    def __init__(self, *, several: bool = False, explain_refusals: bool = False) -> None:
        self.parameters = Parameters()
        self.filters = Filters(self.parameters)
        self.several = several
        self.names = count(1)
        self.computed: list[Computed] = []
        self._explain_refusals = explain_refusals

    def row(self, shape: Shape) -> Row:
        """A row under a name not used in this statement yet."""
        assert shape.table is not None, shape.name
        return Row(shape.table, f"t{next(self.names)}", self.names, shape.name)

    def object(self, row: Row, selected: Sequence[Selected]) -> ColumnElement[Any]:
        """The JSON object of one row."""
        return concat(object_pieces((item.key, self._member(row, item)) for item in selected))

    def root(self, item: Selected) -> ColumnElement[Any]:
        """The JSON value of a root field."""
        match item.field.source:
            case Every():
                return self._page(item, lambda row: self.in_scope(row, item), several=self.several)
            case Summed():
                return self._sums(item)
            case Lookup(keys):
                return self._record(item, self.found(item, keys))
            case AnyRecord() if item.target is not None:
                return self._record(item, lambda row: self.by_id(row, item, item.arguments["id"]))
            case AnyRecord():
                self.parameters.bind(
                    item.arguments["id"], BigInteger(), lambda text: parsed(text).id
                )  # checks its form
                return NULL
        raise TypeError(f"{item.field.source!r} is no root field")

    def in_scope(self, row: Row, item: Selected) -> list[Condition]:
        """The rows of the caller's tenants; `tenants` narrows them."""
        own = func.any(self.parameters.tenants()) if self.several else self.parameters.tenant()
        conditions = [row.tenant == own]
        if "tenants" in item.arguments:
            conditions.append(row.tenant.in_(self.named_tenants(item.arguments["tenants"])))
        return conditions

    def named_tenants(self, slugs: Any) -> Select[Any]:
        """The ids of the tenants with these slugs."""
        tenant = Row(TENANTS, f"t{next(self.names)}", self.names)
        found: Select[Any] = select(tenant["id"]).select_from(tenant.from_clause())
        return found.where(tenant["slug"] == func.any(self.parameters.array(slugs, Text())))

    def found(self, item: Selected, keys: Sequence[str]) -> Conditions:
        """The conditions of a look-up by exactly one key."""
        names = {camel_case(key): key for key in keys}
        given = [name for name in item.arguments if name != "tenant"]
        if len(given) != 1:
            raise Invalid("exactly one key must be given", field=item.key, hint=f"one of id, {', '.join(names)}")
        value = item.arguments[given[0]]
        tenant = item.arguments.get("tenant")
        if given == ["id"]:
            return lambda row: self.by_id(row, item, value)
        if self.several and tenant is None:
            raise Invalid(
                "the tenant must be named", field=f"{item.key}.tenant", hint="give its slug, or look up by id"
            )

        def conditions(row: Row) -> list[Condition]:
            column = row[names[given[0]]]
            named = [] if tenant is None else [row.tenant.in_(self.named_tenants((tenant,)))]
            return [*self.in_scope(row, item), *named, column == self.parameters.bind(value, column.type)]

        return conditions

    def by_id(self, row: Row, item: Selected, value: Any) -> list[Condition]:
        assert item.target is not None
        expected = item.target.name
        tenant = self.parameters.bind(value, BigInteger(), lambda text: parsed(text, expected=expected).tenant_id)
        id_ = self.parameters.bind(value, BigInteger(), lambda text: parsed(text, expected=expected).id)
        return [*self.in_scope(row, item), row.tenant == tenant, row["id"] == id_]

    def _record(self, item: Selected, conditions: Conditions) -> ColumnElement[Any]:
        """One record as an object, or null."""
        assert item.target is not None
        row = self.row(item.target)
        value = self.object(row, item.children)
        found: Select[Any] = select(value).where(*conditions(row)).select_from(row.from_clause())
        return or_null(found.scalar_subquery())

    def _page(
        self, item: Selected, conditions: Conditions, *, order: Sequence[str] = (), several: bool = False
    ) -> ColumnElement[Any]:
        return Page(self, item, conditions, order, several).text()

    def _sums(self, item: Selected) -> ColumnElement[Any]:
        """The sums as a list of objects."""
        assert item.target is not None
        row = self.row(item.target)
        rows, order = grouped(self, item, row)
        array = concat(["[", listed(self.object(row, item.children), order), "]"])
        found: Select[Any] = select(array).select_from(row.from_clause(rows.subquery(row.name)))
        return found.scalar_subquery()

    def _records(self, row: Row, item: Selected, source: Many) -> ColumnElement[Any]:
        """The child records as objects, separated by commas."""
        assert item.target is not None
        child = self.row(item.target)
        value = listed(self.object(child, item.children), child.order(source.order))
        found: Select[Any] = select(value).where(*self._children(row, source)(child))
        return found.select_from(child.from_clause()).scalar_subquery()

    def _children(self, row: Row, source: Many) -> Conditions:
        return lambda child: children(child, source, row.tenant, row[source.to])

    def _member(self, row: Row, item: Selected) -> Pieces:
        """The JSON value of one field of a row."""
        if item.refused is not None:
            return [json_constant({REFUSED: needed(item.refused)}) if self._explain_refusals else "null"]
        source = item.field.source
        match source:
            case Constant(value):
                return [json_constant(value)]
            case Python() if item.field.leaf is not None:
                self.computed.append(Computed(function_of(row.table, source), item.field.leaf))
                return place(len(self.computed) - 1, row, source.needs)
            case Python() | Foreign():  # answered by the fallback, which needs the rest of the statement checked
                return ["null"]
            case Identity():
                return [f'"{row.type_name}:', row.tenant, ":", row["id"], '"']
            case One(key, to):
                return [self._record(item, lambda target: [target.tenant == row.tenant, target[to] == row[key]])]
            case Many() if item.field.connection:
                assert isinstance(source.order, tuple), "a page needs columns to sort by"
                return [self._page(item, self._children(row, source), order=source.order)]
            case Many():
                return ["[", self._records(row, item, source), "]"]
        assert item.field.format is not None, item.field
        return json_of(row.value(source), item.field.format)


def children(child: Row, source: Many, tenant: ColumnElement[Any], value: ColumnElement[Any]) -> list[Condition]:
    """The records of a to-many relation."""
    conditions = [child.tenant == tenant, child[source.key] == value]
    return conditions if source.where is None else [*conditions, source.where(child.alias)]  # type: ignore[list-item]


def listed(value: ColumnElement[Any], order: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """The texts in order, separated by commas; NULL when there are none."""
    sorting = [part for each in order for part in (", ", each)]
    return Written("string_agg(", value, ", ',' ORDER BY ", *sorting[1:], ")")
