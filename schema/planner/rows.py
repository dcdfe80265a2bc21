"""One row source of a statement: its alias, and the references and one-row sub-selects its fields share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, ForeignKeyConstraint, FromClause, Select, Table, literal_column, select, true

from schema.planner import fields
from schema.planner.fields import Expression, Ordering


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
            .correlate_except(target)
            .lateral(self.name)
        )


class Row:
    """The rows of `source`, which offers the columns of `table`."""

    def __init__(self, source: FromClause, table: Table) -> None:
        self.source = source
        self.table = table
        self._references: dict[tuple[str, ...], Reference] = {}
        self._laterals: dict[Callable[[FromClause], Select[Any]], FromClause] = {}

    @property
    def tenant(self) -> ColumnElement[Any]:
        """The column that holds the tenant's id."""
        return self.source.c.id if self.table.name == "tenants" else self.source.c.tenant_id

    def value(self, source: fields.Source) -> ColumnElement[Any]:
        match source:
            case fields.Column(name):
                assert name is not None
                return _element(self.source.c[name])
            case fields.Via(path):
                return self.path(path)
            case fields.Sql(expression):
                return _element(expression(self.source))
            case fields.Lateral(rows, name):
                return self._lateral(rows).c[name]
            case _:
                raise TypeError(f"{source!r} is no value of a row")

    def path(self, path: Sequence[str]) -> ColumnElement[Any]:
        """The column at the end of a path of foreign keys."""
        *keys, name = path
        return self._reference(tuple(keys)).column(name) if keys else _element(self.source.c[name])

    def order(self, order: Ordering) -> list[ColumnElement[Any]]:
        """The expressions to sort by; ties are broken by id when the row has one."""
        if callable(order):
            return [_element(part) for part in order(self.source)]
        parts = [_directed(self.path(part.lstrip("-").split(".")), part) for part in order]
        if "id" in self.source.c and "id" not in order and "-id" not in order:
            parts.append(self.source.c.id.asc())
        return parts

    def from_clause(self) -> FromClause:
        """The source with everything its fields asked for; call it after all values were written."""
        clause = self.source
        for joined in [*(each.lateral() for each in self._references.values()), *self._laterals.values()]:
            clause = clause.outerjoin(joined, true())
        return clause

    def _reference(self, keys: tuple[str, ...]) -> Reference:
        if keys not in self._references:
            *before, key = keys
            table = self._reference(tuple(before)).table if before else self.table
            name = "_".join(["the", *(each.removesuffix("_id") for each in keys)])
            self._references[keys] = Reference(name, referenced(table, key), self.tenant, self.path(keys))
        return self._references[keys]

    def _lateral(self, rows: Callable[[FromClause], Select[Any]]) -> FromClause:
        if rows not in self._laterals:
            self._laterals[rows] = rows(self.source).lateral()
        return self._laterals[rows]


def referenced(table: Table, key: str) -> Table:
    """The table that the foreign key (tenant_id, key) points to."""
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and [c.name for c in constraint.columns] == ["tenant_id", key]:
            return constraint.referred_table
    raise TypeError(f"{table.name}.{key} is no reference")


def _directed(value: ColumnElement[Any], part: str) -> ColumnElement[Any]:
    return value.desc().nulls_last() if part.startswith("-") else value.asc().nulls_last()


def _element(value: Expression) -> ColumnElement[Any]:
    assert isinstance(value, ColumnElement)
    return value
