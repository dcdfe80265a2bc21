"""Words to say where a value of REST stands in GraphQL, and how it is written there.

A mapping of such words gives the selection to ask for, and turns the node that comes back into the object that REST
must answer with, numbers to the last digit as they are written.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.statuses import Status
from schema.rest.json_text import Numeral

_NAME = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Twin:
    """The GraphQL selection that holds a value of REST, and how to read that value out of the node around it."""

    selection: str
    of: Callable[[Any], Any]


Mapped = Mapping[str, Twin]


def at(path: str, read: Callable[[Any], Any]) -> Twin:
    """A value at the end of a path; null wherever something on the way is null."""
    steps = path.split(".")

    def of(node: Any) -> Any:
        for step in steps:
            if node is None:
                return None
            node = node[step]
        return None if node is None else read(node)

    return Twin(" { ".join(steps) + " }" * (len(steps) - 1), of)


def same(path: str) -> Twin:
    """Texts, days, truths and lists of texts are alike on both faces."""

    def read(value: Any) -> Any:
        assert not isinstance(value, Numeral), (path, value)
        return value

    return at(path, read)


def whole(path: str) -> Twin:
    """An id or a count: a JSON number on both faces."""

    def read(value: Any) -> Any:
        assert isinstance(value, Numeral), (path, value)
        return value

    return at(path, read)


def decimal(path: str) -> Twin:
    """An exact number, a text in GraphQL."""

    def read(value: Any) -> Any:
        assert isinstance(value, str), (path, value)
        return Numeral(value)

    return at(path, read)


def moment(path: str) -> Twin:
    """A point in time; REST leaves the fraction of the second out."""
    return at(path, lambda value: re.sub(r"\.\d+Z$", "Z", value))


def dotted(path: str) -> Twin:
    """A day: 2026-03-01 is 01.03.2026 in purchase orders."""
    return at(path, lambda value: ".".join(reversed(value.split("-"))))


def code(path: str, codes: Mapping[str, int]) -> Twin:
    """A name in GraphQL, a code in REST."""
    return at(path, lambda value: Numeral(str(codes[value])))


def status(path: str) -> Twin:
    return code(path, {one.name: int(one) for one in Status})


def always(value: Any) -> Twin:
    """What REST answers here whatever the record."""
    return Twin("__typename", lambda _: value)


def alike(*names: str) -> Mapped:
    return {name: same(name) for name in names}


def decimals(*names: str) -> Mapped:
    return {name: decimal(name) for name in names}


def one(call: str, fields: Mapped) -> Twin:
    """An object."""
    return Twin(f"{call} {_selected(fields)}", lambda node: _mapped(node[_name(call)], fields))


def found(call: str) -> Twin:
    """Whether there is one."""
    return Twin(f"{call} {{ __typename }}", lambda node: node[_name(call)] is not None)


def inside(call: str, twin: Twin) -> Twin:
    """A part of an object."""
    return Twin(f"{call} {{ {twin.selection} }}", lambda node: twin.of(node[_name(call)]))


def each(call: str, twin: Twin) -> Twin:
    """One value of every element of a list."""
    return Twin(f"{call} {{ {twin.selection} }}", lambda node: [twin.of(element) for element in node[_name(call)]])


def listed(call: str, fields: Mapped) -> Twin:
    """A list of objects."""
    return Twin(f"{call} {_selected(fields)}", lambda node: [_mapped(element, fields) for element in node[_name(call)]])


def pages(call: str, fields: Mapped, *, order: Callable[[Any], Any] | None = None) -> Twin:
    """The objects of a connection, in its own order or in the one that REST has; equal ones stay by id."""

    def of(node: Any) -> Any:
        connection = node[_name(call)]
        assert connection["pageInfo"]["hasNextPage"] is False, f"{call}: there is more than one page"
        rows = [_mapped(element, fields) for element in connection["nodes"]]
        return rows if order is None else sorted(rows, key=order)

    return Twin(f"{call} {{ nodes {_selected(fields)} pageInfo {{ hasNextPage }} }}", of)


def every(field: str, fields: Mapped, where: str = "", *, order: Callable[[Any], Any] | None = None) -> Twin:
    """The first hundred that a filter leaves; REST reads as many unless told."""
    filter_ = f", filter: {{{where}}}" if where else ""
    return pages(f"{field}(first: 100{filter_})", fields, order=order)


def _selected(fields: Mapped) -> str:
    return "{ " + " ".join(dict.fromkeys(twin.selection for twin in fields.values())) + " }"


def _mapped(node: Any, fields: Mapped) -> Any:
    return None if node is None else {name: twin.of(node) for name, twin in fields.items()}


def _name(call: str) -> str:
    name = _NAME.match(call)
    assert name is not None, call
    return name[0]
