"""Every field of every declared request, with a value that is right and all the ways in which one is wrong.

Made from the route table, so that a new route is driven without a line written for it. Values are pieces of JSON text.
"""

import json
import types
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from schema.rest.kinds import (
    ChoiceKind,
    DayKind,
    DecimalKind,
    FlagKind,
    IntegerKind,
    Kind,
    ListKind,
    RefusedKind,
    TextKind,
)
from schema.rest.requests import Changes, Patch, patch_of
from schema.rest.routes import Route
from schema.rest.table import TABLE


@dataclass(frozen=True, slots=True)
class Model:
    of: type[BaseModel]


@dataclass(frozen=True, slots=True)
class Several:
    of: "Declared"


Declared = Kind | Model | Several


@dataclass(frozen=True, slots=True)
class Place:
    """One field of one request: `steps` lead to it, `path` is how an error names it."""

    route: Route[Any]
    steps: tuple[str | int, ...]
    declared: Declared
    required: bool
    mandatory: bool

    @property
    def path(self) -> str:
        text = ""
        for step in self.steps:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text

    def __str__(self) -> str:
        return f"{self.route.method} {self.route.template} {self.path}"


def places() -> Iterator[Place]:
    for route in TABLE.routes:
        if route.body is not None:
            yield from _places(route, route.body, ())


def body_with(place: Place, value: str | None) -> str:
    """The route's whole request with `value` at the place; None leaves the field out."""
    assert place.route.body is not None
    return written(sample(Model(place.route.body)), place.steps, value)


def sample(declared: Declared) -> Any:
    """A right value; JSON text in leaves, lists and dictionaries around them."""
    match declared:
        case Several(of):
            return [sample(of)]
        case Model(of):
            return {name: sample(field) for name, field, _ in fields_of(of) if not isinstance(field, RefusedKind)}
        case TextKind():
            return '"x"'
        case IntegerKind(low, high):
            return str(max(low, min(1, high)))
        case DecimalKind():
            return "1"
        case FlagKind():
            return "false"
        case DayKind(dotted):
            return '"01.03.2026"' if dotted else '"2026-03-01"'
        case ChoiceKind(choices):
            return json.dumps(choices[0])
    raise AssertionError(declared)


def wrong_values(declared: Declared) -> list[str]:
    """What must be refused at a place of this kind."""
    match declared:
        case Several(of):
            many = "[" + ",".join([written(sample(of), (), None)] * 5001) + "]"
            return ["{}", '"x"', "1", "true", "[null]", many]
        case Model():
            return ["[]", '"x"', "1", "true"]
        case TextKind(longest, blank):
            found = ["true", "{}", "[]", r'"a\u0000b"', r'"\ud800"', r'"\udc00\ud800"', json.dumps("x" * (longest + 1))]
            return found + ([] if blank else ['""', '"  "', r'"\t\n"'])
        case IntegerKind(low, high, bits):
            found = ['"1"', "true", "{}", "[]", "1.5", "1e-3", "1e40", str(1 << bits - 1), str(-(1 << bits - 1) - 1)]
            found += ["9" * 5000]
            found += [str(low - 1)] if low > -(1 << bits - 1) else []
            return found + ([str(high + 1)] if high < (1 << bits - 1) - 1 else [])
        case DecimalKind(low, high, above):
            found = ['"1"', "true", "{}", "[]", "1.00001", "100000000000000", "1e14", "1e400", "1e-400", "9" * 5000]
            found += ["-100000000000000"]
            found += [f"{low - Decimal('0.0001'):f}", "-1"] if low is not None else []
            found += ["0", "-0.0", "0e9", "-1"] if above is not None else []
            return found + ([f"{high + Decimal('0.0001'):f}"] if high is not None else [])
        case FlagKind(bits):
            return ['"true"', '"1"', "2", "{}", "[]", "-1"] + ([] if bits else ["0", "1"])
        case DayKind(dotted):
            other = '"2026-03-01"' if dotted else '"01.03.2026"'
            short, never = ('"1.3.2026"', '"30.02.2026"') if dotted else ('"2026-3-1"', '"2026-02-30"')
            time = '"01.03.2026 10:00"' if dotted else '"2026-03-01T10:00:00"'
            return [other, short, never, time, "20260301", "true", "{}", "[]", '""', '" "', '"٢٠٢٦-03-01"']
        case ChoiceKind():
            return ['"nothing"', '""', "1", "true", "{}", "[]"]
        case RefusedKind():
            return ["1", '"x"', "true", "{}"]
    raise AssertionError(declared)


def fields_of(model: type[BaseModel]) -> list[tuple[str, Declared, bool]]:
    """(name as it travels, what it is, required)."""
    return [
        (field.alias or name, _declared(field.annotation, field.metadata), field.is_required())
        for name, field in model.model_fields.items()
    ]


def _places(route: Route[Any], model: type[BaseModel], steps: tuple[str | int, ...]) -> Iterator[Place]:
    mandatory = model.mandatory if issubclass(model, Patch) else frozenset()
    for name, declared, required in fields_of(model):
        here = (*steps, name)
        yield Place(route, here, declared, required, name in mandatory)
        inner = declared
        while isinstance(inner, Several):
            inner, here = inner.of, (*here, 0)
            if not isinstance(inner, Model):
                yield Place(route, here, inner, False, True)
        if isinstance(inner, Model):
            yield from _places(route, inner.of, here)


def _declared(annotation: Any, metadata: list[Any]) -> Declared:
    for marker in metadata:
        if isinstance(marker, Kind):
            return marker
        if isinstance(marker, Changes):
            return Model(patch_of(marker.model))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _declared(arguments[0], list(arguments[1:]))
    if origin in (Union, types.UnionType):
        return _declared(next(a for a in arguments if a is not type(None)), [])
    if origin is list:
        assert any(isinstance(marker, ListKind) for marker in metadata), f"{annotation}: write Listed[…]"
        return Several(_declared(arguments[0], []))
    assert isinstance(annotation, type) and issubclass(annotation, BaseModel), f"{annotation} is of no kind"
    return Model(annotation)


def written(value: Any, steps: tuple[str | int, ...], leaf: str | None) -> str:
    """JSON text of a sample with `leaf` at the end of `steps`."""
    if isinstance(value, dict):
        parts = {
            name: leaf if steps == (name,) else written(inner, steps[1:] if steps[:1] == (name,) else (), leaf)
            for name, inner in value.items()
        }
        if len(steps) == 1 and steps[0] not in parts:
            parts[str(steps[0])] = leaf
        return "{" + ",".join(f"{json.dumps(name)}:{part}" for name, part in parts.items() if part is not None) + "}"
    if isinstance(value, list):
        items = [leaf if steps == (0,) else written(inner, steps[1:], leaf) for inner in value]
        return "[" + ",".join(item for item in items if item is not None) + "]"
    return str(value)
