"""What graphql-core completes: rows, pages of rows and answers that were read before."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schema.planner.pages import Key, signature
from schema.scalars import write_decimal, write_moment


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A row."""

    type_name: str
    columns: Mapping[str, Any]


class Answer(dict[str, Any]):
    """An object that was read by one statement: response key → JSON value."""

    def __init__(self, members: Mapping[str, Any], type_name: str = "") -> None:
        super().__init__(members)
        self.type_name = type_name


@dataclass(frozen=True, slots=True)
class PageOfRecords:
    """A page in forward order, and what its information needs."""

    records: Sequence[Record]
    keys: Sequence[Key]
    more: bool
    backward: bool
    arguments: Mapping[str, Any]
    count: Callable[[], Awaitable[int]]

    def part(self, name: str) -> Any:
        match name:
            case "nodes":
                return self.records
            case "edges":
                return [(self, record) for record in self.records]
            case "pageInfo":
                return self
            case "totalCount":
                return self.count()
            case "hasNextPage":
                return "before" in self.arguments if self.backward else self.more
            case "hasPreviousPage":
                return self.more if self.backward else "after" in self.arguments
            case "startCursor":
                return self.cursor(self.records[0]) if self.records else None
            case _:
                return self.cursor(self.records[-1]) if self.records else None

    def cursor(self, record: Record) -> str:
        """The same text that the statement makes."""
        values = [_value(record.columns[key.column]) for key in self.keys]
        packed = json.dumps([signature(self.keys), *values], separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _value(value: Any) -> Any:
    match value:
        case datetime():
            return write_moment(value)
        case date():
            return value.isoformat()
        case Decimal():
            return write_decimal(value)
    return value
