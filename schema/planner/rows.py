"""One row source of a statement: its alias, and the references and one-row sub-selects its fields share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKeyConstraint,
    FromClause,
    Select,
    Table,
    TableClause,
    literal_column,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from schema.planner import fields
from schema.planner.fields import Expression, Ordering
from schema.planner.statements import statement_of

Rows = Callable[[FromClause], Select[Any]]
OUTER = "outer_row"
"""The name of the row in the text of a sub-select that is written once and read for many rows."""


class Columns:
    """The columns of an alias by name; remembers which were used.

    They are plain text (`t1.name`), so that naming a column of an outer row never adds that row to a sub-select's FROM.
    """

    def __init__(self, alias: str, table: Table) -> None:
        self._alias = alias
        self._table = table
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        column = self._table.c[name]
        self.used.add(name)
        return literal_column(f"{self._alias}.{name}", column.type)

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{self._table.name} has no column {name}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._table.c


class Alias(TableClause):
    """A name for the rows of a table within one statement."""

    inherit_cache = False

    def __init__(self, name: str, table: Table) -> None:
        super().__init__(name)
        self.table = table
        self.columns_by_name = Columns(name, table)

    @property
    def c(self) -> Any:
        return self.columns_by_name


class OneRow(TableClause):
    """A lateral sub-select of one row, already text."""

    inherit_cache = False

    def __init__(self, name: str, sql: str) -> None:
        super().__init__(name)
        self.sql = sql


@compiles(OneRow)
def _compiled(rows: OneRow, compiler: SQLCompiler, **options: Any) -> str:
    return f"LATERAL ({rows.sql}) AS {rows.name}"


@dataclass(frozen=True, slots=True)
class Template:
    """The text of a sub-select for a row called `OUTER`, the types of its columns, and the row's columns it reads."""

    sql: str
    types: Mapping[str, TypeEngine[Any]]
    used: frozenset[str]


@lru_cache(maxsize=1024)
def _template(rows: Rows, table: Table) -> Template:
    """Building and compiling it anew for each document never seen before would cost more than all the rest of it."""
    outer = Alias(OUTER, table)
    statement = rows(outer)
    types = {column.name: column.type for column in statement.selected_columns}
    return Template(statement_of(statement).sql, types, frozenset(outer.columns_by_name.used))


@dataclass(slots=True)
class Reference:
    """A record that a foreign key of the row points to: a lateral of one row with the columns that were asked for."""

    name: str
    table: Table
    tenant: ColumnElement[Any]
    key: ColumnElement[Any]
    used: set[str] = field(default_factory=set)

    def column(self, name: str) -> ColumnElement[Any]:
        self.used.add(name)
        return literal_column(f"{self.name}.{name}", self.table.c[name].type)

    def lateral(self) -> FromClause:
        """LIMIT keeps PostgreSQL from turning it into a join that reads the whole table behind a bound page size."""
        target = self.table.alias()
        return (
            select(*[target.c[name] for name in sorted(self.used)])
            .where(target.c.tenant_id == self.tenant, target.c.id == self.key)
            .limit(literal_column("1"))
            .lateral(self.name)
        )


class Row:
    """A row of a table under an alias."""

    def __init__(self, table: Table, name: str, names: Iterator[int], type_name: str = "") -> None:
        self.table = table
        self.name = name
        self.type_name = type_name
        self.alias = Alias(name, table)
        self._names = names
        self._references: dict[tuple[str, ...], Reference] = {}
        self._laterals: dict[Rows, OneRow] = {}

    def fresh(self, table: Table) -> "Row":
        """A row of another table, under a name not used in this statement yet."""
        return Row(table, f"t{next(self._names)}", self._names)

    def __getitem__(self, column: str) -> ColumnElement[Any]:
        return self.alias.columns_by_name[column]

    @property
    def used(self) -> Sequence[str]:
        """The columns that were asked for."""
        return sorted(self.alias.columns_by_name.used)

    @property
    def tenant(self) -> ColumnElement[Any]:
        """The column that holds the tenant's id."""
        return self["id" if self.table.name == "tenants" else "tenant_id"]

    def value(self, source: fields.Source) -> ColumnElement[Any]:
        match source:
            case fields.Column(name):
                assert name is not None
                return self[name]
            case fields.Via(path):
                return self.path(path)
            case fields.Sql(expression):
                return element(expression(self.alias))
            case fields.Lateral(rows, name):
                return literal_column(f"{self._lateral(rows).name}.{name}", _template(rows, self.table).types[name])
            case _:
                raise TypeError(f"{source!r} is no value of a row")

    def path(self, path: Sequence[str]) -> ColumnElement[Any]:
        """The column at the end of a path of foreign keys."""
        *keys, name = path
        return self._reference(tuple(keys)).column(name) if keys else self[name]

    def order(self, order: Ordering) -> list[ColumnElement[Any]]:
        """The expressions to sort by; ties are broken by id when the row has one."""
        if callable(order):
            return [element(part) for part in order(self.alias)]
        parts = [_directed(self.path(part.lstrip("-").split(".")), part) for part in order]
        if "id" in self.table.c and "id" not in order and "-id" not in order:
            parts.append(self["id"].asc())
        return parts

    def from_clause(self, source: FromClause | None = None) -> FromClause:
        """The source with everything its fields asked for; call it after all values were written."""
        clause = self.table.alias(self.name) if source is None else source
        for joined in [*(each.lateral() for each in self._references.values()), *self._laterals.values()]:
            clause = clause.outerjoin(joined, true())
        return clause

    def _reference(self, keys: tuple[str, ...]) -> Reference:
        if keys not in self._references:
            *before, key = keys
            table = self._reference(tuple(before)).table if before else self.table
            name = "_".join([self.name, *(each.removesuffix("_id") for each in keys)])
            self._references[keys] = Reference(name, referenced(table, key), self.tenant, self.path(keys))
        return self._references[keys]

    def _lateral(self, rows: Rows) -> OneRow:
        if rows not in self._laterals:
            template = _template(rows, self.table)
            self.alias.columns_by_name.used |= template.used
            sql = template.sql.replace(f"{OUTER}.", f"{self.name}.")
            self._laterals[rows] = OneRow(f"l{next(self._names)}", sql)
        return self._laterals[rows]


def referenced(table: Table, key: str) -> Table:
    """The table that the foreign key (tenant_id, key) points to."""
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and [c.name for c in constraint.columns] == ["tenant_id", key]:
            return constraint.referred_table
    raise TypeError(f"{table.name}.{key} is no reference")


def _directed(value: ColumnElement[Any], part: str) -> ColumnElement[Any]:
    return value.desc().nulls_last() if part.startswith("-") else value.asc().nulls_last()


def element(value: Expression) -> ColumnElement[Any]:
    assert isinstance(value, ColumnElement)
    return value
