"""Rows of any number as one array per column: one statement inserts them all, and its text, and so its plan, stays."""

import json
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BigInteger as Long
from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Numeric, String, Table, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.schema import ScalarElementColumnDefault

_ARRAYS: tuple[tuple[type, str], ...] = (
    (String, "text"),  # without the column's length, which would cut what is longer
    (Numeric, "numeric"),
    (Long, "bigint"),
    (Integer, "integer"),
    (Boolean, "boolean"),
    (DateTime, "timestamptz"),
    (Date, "date"),
    (JSONB, "text"),
)


@lru_cache(maxsize=1000)
def insertion(table: Table, names: tuple[str, ...], returning: str = "") -> TextClause:
    """INSERT of the named columns from arrays of the same names."""
    columns = ", ".join(f'"{name}"' for name in names)
    arrays = ", ".join(f"cast(:{name} AS {_element(table.columns[name])}[])" for name in names)
    values = ", ".join(
        f'n."{name}"::jsonb' if isinstance(table.columns[name].type, JSONB) else f'n."{name}"' for name in names
    )
    answer = f" RETURNING {returning}" if returning else ""
    return text(f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM unnest({arrays}) AS n ({columns}){answer}")


def columns_of(table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The rows, all with the same columns, as the arrays that `insertion` takes; others get the model's defaults."""
    defaults = {name: [value] * len(rows) for name, value in _defaults(table).items() if name not in rows[0]}
    return defaults | {
        name: _documents(rows, name) if isinstance(table.columns[name].type, JSONB) else [row[name] for row in rows]
        for name in rows[0]
    }


@cache
def _defaults(table: Table) -> dict[str, Any]:
    return {c.name: c.default.arg for c in table.columns if isinstance(c.default, ScalarElementColumnDefault)}


def _element(column: Column[Any]) -> str:
    for kind, name in _ARRAYS:
        if isinstance(column.type, kind):
            return name
    raise TypeError(f"{column} does not travel in an array")


def _documents(rows: Sequence[Mapping[str, Any]], name: str) -> list[str | None]:
    return [None if (value := row[name]) is None else json.dumps(value) for row in rows]
