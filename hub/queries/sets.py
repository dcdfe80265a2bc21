"""Rows as one array per column: how a set of any length travels to PostgreSQL in one statement (`unnest`)."""

from collections.abc import Iterable
from typing import Any


def arrays(rows: Iterable[Any], *names: str) -> dict[str, list[Any]]:
    """The named attributes of `rows`, transposed; the parameters of `unnest(cast(:name AS type[]), …)`."""
    rows = list(rows)
    return {name: [getattr(row, name) for row in rows] for name in names}
