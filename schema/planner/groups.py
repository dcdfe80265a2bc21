"""Root fields that sum up: rows grouped by tenant and by what the caller names."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, cast, func, null, select

from schema.planner.rows import Row
from schema.planner.selection import Selected

if TYPE_CHECKING:
    from schema.planner.compile import Writer

MOST_GROUPS = 10_000


def grouped(writer: "Writer", item: Selected, row: Row) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """The sums under the columns of the row's table, NULL where they are not told apart, and their order."""
    assert item.target is not None
    inner = Row(row.table, row.name, writer.names)
    chosen = {each.value for each in item.arguments.get("groupBy", ())}
    keys = [column.name for column in row.table.primary_key if column.name == "tenant_id" or column.name in chosen]
    columns: list[ColumnElement[Any]] = []
    for column in row.table.c:
        if column.name in item.target.sums:
            columns.append(func.sum(inner[column.name]).label(column.name))
        else:
            told = inner[column.name] if column.name in keys else cast(null(), column.type)
            columns.append(told.label(column.name))
    conditions = writer.in_scope(inner, item)
    given, type_ = item.arguments.get("filter"), item.field.filter
    if given is not None and type_ is not None:
        conditions.append(writer.filters.condition(inner, type_, given))
    rows: Select[Any] = select(*columns).where(*conditions).select_from(inner.from_clause())
    rows = rows.group_by(*(inner[key] for key in keys)).order_by(*(inner[key] for key in keys)).limit(MOST_GROUPS)
    return rows, [row[key] for key in keys]
