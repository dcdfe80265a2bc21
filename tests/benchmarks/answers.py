"""Whether two contestants gave the same answer: an answer that is wrong is fast for nothing."""

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.statuses import Status

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*")


def data_of(answer: bytes) -> Any:
    """The answer's data with numbers and times as what they are, however they were written; raises for errors."""
    told = json.loads(answer, parse_float=Decimal)
    if told.get("errors"):
        raise RuntimeError(told["errors"])
    return _plain(told["data"])


def as_the_hub(data: Any) -> Any:
    """PostGraphile's data in the form of the hub's: states by name, stock totals as fields, sums as a list."""
    if isinstance(data, list):
        return [as_the_hub(each) for each in data]
    if not isinstance(data, dict):
        return data
    flat = {key: as_the_hub(value) for key, value in data.items() if key != "stock"} | data.get("stock", {})
    if "status" in flat:
        flat["status"] = Status(int(flat["status"])).name
    if "stockSummary" in flat:
        flat["stockSummary"] = flat["stockSummary"]["nodes"]
    return flat


def without(field: str, data: Any) -> Any:
    """The data without this field, wherever it stands."""
    if isinstance(data, list):
        return [without(field, each) for each in data]
    if not isinstance(data, dict):
        return data
    return {key: without(field, value) for key, value in data.items() if key != field}


def difference(expected: Any, actual: Any, place: str = "data") -> str:
    """The first place where they differ; empty when they do not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        if list(expected) != list(actual):
            return f"{place} has the fields {list(actual)}, not {list(expected)}"
        pairs = [(f"{place}.{key}", value, actual[key]) for key, value in expected.items()]
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return f"{place} has {len(actual)} entries, not {len(expected)}"
        pairs = [(f"{place}[{n}]", value, actual[n]) for n, value in enumerate(expected)]
    else:
        same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
        return "" if same else f"{place} is {actual!r}, not {expected!r}"
    return next(filter(None, (difference(mine, other, where) for where, mine, other in pairs)), "")


def records(data: dict[str, Any]) -> list[int]:
    """How many records each root field has."""
    return [len(root["nodes"] if isinstance(root, dict) else root) for root in data.values()]


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case str() if NUMBER.fullmatch(value):
            return Decimal(value)
        case str() if TIME.fullmatch(value):
            return datetime.fromisoformat(value)
        case int() if not isinstance(value, bool):
            return Decimal(value)
    return value
