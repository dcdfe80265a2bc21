"""What a refusal of the database means to a caller: SQLSTATE and constraint name → an error of `hub.errors`."""

import re

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from hub.errors import Conflict, HubError, Invalid, Unavailable

_CAMEL = re.compile(r"_([a-z])")
STOCK_CHECKS = ("reserved_within_quantity", "quantity_not_negative")


class IdTaken(Conflict):
    """A new row has the id of another one: ids were imported that this process held; it must take others."""


def translated(error: DBAPIError) -> HubError:
    """The caller's error for a constraint that stood in the way; `Unavailable` for a database that is not there."""
    cause = error.orig if isinstance(error.orig, PostgresError) else getattr(error.orig, "__cause__", None)
    state = str(getattr(error.orig, "sqlstate", "") or "")
    name = str(getattr(cause, "constraint_name", "") or "")
    if state == "23505":
        return _taken(name, str(getattr(cause, "table_name", "") or ""))
    if state == "23503":
        return Conflict("the record is used by others or names one that is gone", hint="read it again")
    if state == "23502":
        return Invalid("is mandatory and cannot be cleared", field=_camel(str(getattr(cause, "column_name", "") or "")))
    if state == "23514":
        if name.endswith(STOCK_CHECKS):
            return Conflict("stock insufficient", field="quantity")
        return Conflict(f"the rule {name} forbids this")
    if state[:2] == "22":
        return Invalid("a value cannot be stored: too long, too large or not a text")
    if state == "57014":
        return Unavailable("the work took too long", code="TIMEOUT")
    if state[:2] in ("08", "53", "57") or getattr(error, "connection_invalidated", False) or not state:
        return Unavailable("the database does not answer", hint="try again in a moment")
    raise error


def _taken(name: str, table: str) -> Conflict:
    """PostgreSQL hides the values behind row-level security; the constraint's name still tells the field."""
    if name.startswith("pk_"):
        return IdTaken("an id is taken")
    columns = name.removeprefix(f"uq_{table}_")
    if columns == name or not columns:
        return Conflict("a unique key is taken")
    return Conflict("already exists", field=_camel(columns))


def _camel(columns: str) -> str:
    return _CAMEL.sub(lambda m: m[1].upper(), columns)
