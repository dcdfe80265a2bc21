"""Inputs of mutations: each field described where it is declared, and taken apart into what services want.

    @inputs(like=Product)
    class ProductInput:
        \"""A product to be added.\"""

        name: str
        category_id: strawberry.ID | None = about("Its category.", of="Category")

    @inputs(changes=ProductInput)
    class ProductUpdateInput(Change):
        \"""New values of a product: what is absent stays, null clears.\"""

        product: ProductKey = about("Which product.", called="productId")

A field without a description of its own borrows that of the field of the same name of the type it is `like`.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET
from strawberry.types import has_object_definition
from strawberry.types.field import StrawberryField

from hub.errors import CallerError, Conflict, Invalid, NotFound
from hub.services.values import camel, text
from schema.planner.ids import parsed

T = TypeVar("T")
BULK = 250
LONGEST = 5000
LONGEST_TEXT = 1 << 24
OF = "of"
CALLED = "called"
FRAME = frozenset({"tenant", "idempotency_key", "on_error"})
"""Fields that speak to the frame, not to a service."""

_SEGMENT = re.compile(r"(\w+)(?:\[(\d+)])?")


def about(description: str = "", *, default: Any = dataclasses.MISSING, of: str = "", called: str = "") -> Any:
    """A field of an input. `of`: the type whose global ids it takes; `called`: its name in the errors of services."""
    options: dict[str, Any] = {"default": default}
    if isinstance(default, list):
        options = {"default_factory": list}
    return strawberry.field(description=description, metadata={OF: of, CALLED: called}, **options)


def inputs(
    *, like: type[Any] | None = None, changes: type[Any] | None = None, one_of: bool = False
) -> Callable[[type[T]], type[T]]:
    """Make an input of a class. `changes` adds all fields of another input, optional: absent means unchanged."""

    def declare(cls: type[T]) -> type[T]:
        if changes is not None:
            _add_changes(cls, changes)
        for name in inspect.get_annotations(cls):
            default = vars(cls).get(name, dataclasses.MISSING)
            field = default if isinstance(default, StrawberryField) else about(default=default)
            field.description = field.description or _borrowed(like, name)
            if name.endswith("_"):  # `return_`: a word that Python keeps for itself
                field.graphql_name = camel(name)
            setattr(cls, name, field)
        return strawberry.input(cls, one_of=one_of, description=(inspect.getdoc(cls) or "").strip())

    return declare


def limited(rows: Sequence[T], *, field: str) -> Sequence[T]:
    """Refuse an empty list and one of more than 250 rows."""
    if not 0 < len(rows) <= BULK:
        raise Invalid(f"must hold 1 to {BULK} rows", field=field)
    return rows


def values(given: Any, tenant_id: int, *, without: Collection[str] = (), path: str = "") -> dict[str, Any]:
    """What the caller wrote, null included: name → value, nested inputs alike; global ids become ids of this tenant."""
    return {
        field.python_name: _plain(field, value, tenant_id, f"{path}{_name(field)}")
        for field, value in _written(given)
        if field.python_name not in FRAME and field.python_name not in without
    }


def filled(given: Any, tenant_id: int, *, without: Collection[str] = (), path: str = "") -> dict[str, Any]:
    """As `values`, for new records: null means absent, so that the draft's own default holds."""
    found: dict[str, Any] = _without_nulls(values(given, tenant_id, without=without, path=path))
    return found


def targets(key: Any, tenant_id: int, *, field: str) -> dict[str, list[Any]]:
    """The column and value of a key of which exactly one field is given: `{"id": [41]}`, `{"code": ["LED-9W"]}`."""
    path = f"{field}." if field else ""
    return {name: [value] for name, value in values(key, tenant_id, path=path).items()}


def check_texts(given: Any) -> None:
    """Raise `Invalid` for a text that cannot be stored."""
    for field, value in _written(given):
        if isinstance(value, str):
            text(value, field=_name(field), longest=LONGEST_TEXT)


def local_id(global_id: str, type_name: str, tenant_id: int, *, field: str) -> int:
    """The id that a global id means in this tenant; ids of other tenants designate nothing here."""
    found = parsed(global_id, expected=type_name, field=field)
    if found.tenant_id != tenant_id:
        raise NotFound(f"there is no {global_id}", field=field)
    return found.id


def located(error: CallerError, given: Any) -> str | None:
    """The field of a service's error as the caller wrote it; None when it is nothing that can be written here.

    A conflict with the state of the record that the input is about is told of that record's key.
    """
    path: list[str] = []
    for segment in (error.field or "").split("."):
        if isinstance(given, dict):
            path.append(segment)
            continue
        match = _SEGMENT.fullmatch(segment)
        found = _field_called(given, match[1], isinstance(error, NotFound)) if match and _is_input(given) else None
        if found is None or match is None:
            if path:
                break
            continue
        name, given = found
        path.append(name)
        if isinstance(given, list) and match[2] is not None and int(match[2]) < len(given):
            path[-1] += f"[{match[2]}]"
            given = given[int(match[2])]
    return ".".join(path) or (_target(given) if isinstance(error, Conflict) else None)


def _add_changes(cls: type[Any], changes: type[Any]) -> None:
    annotations = inspect.get_annotations(cls)
    for field in _fields(changes):
        name = field.python_name
        if name not in FRAME and name not in annotations:
            annotation: Any = field.type_annotation.raw_annotation if field.type_annotation else Any
            annotations[name] = annotation | None
            options = {OF: field.metadata[OF], CALLED: field.metadata[CALLED]}
            setattr(cls, name, about(field.description or "", default=UNSET, **options))
    cls.__annotations__ = annotations


def _borrowed(like: type[Any] | None, name: str) -> str:
    """The description of the field of a read type; a reference `category_id` may borrow from `category`."""
    known = {field.python_name: field for field in _fields(like)} if like else {}
    source = known.get(name) or known.get(name.removesuffix("_id"))
    if source is None or not source.description:
        raise TypeError(f"{name} needs a description: about(…)")
    return source.description


def _plain(field: StrawberryField, value: Any, tenant_id: int, path: str) -> Any:
    if isinstance(value, list):
        if len(value) > LONGEST:
            raise Invalid(f"holds more than {LONGEST} elements", field=path)
        return [_plain(field, each, tenant_id, f"{path}[{place}]") for place, each in enumerate(value)]
    if _is_input(value):
        return values(value, tenant_id, path=f"{path}.")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        text(value, field=path, longest=LONGEST_TEXT)
        if type_name := field.metadata.get(OF):
            return local_id(value, type_name, tenant_id, field=path)
    return value


def _field_called(given: Any, name: str, in_key_first: bool) -> tuple[str, Any] | None:
    """The path and value of the field that services call `name`: one of the input itself, or the one of a key in it."""
    own = in_key = None
    for field in _fields(type(given)):
        value = getattr(given, field.python_name)
        if _is_key(value):
            [(part, _)] = _written(value)
            if name == _name(field):
                own = (name, value)
            elif name in (_name(part), field.metadata[CALLED]):
                in_key = in_key or (f"{_name(field)}.{_name(part)}", None)
        elif name in (_name(field), field.metadata[CALLED]):
            own = own or (_name(field), value)
    return (in_key or own) if in_key_first else (own or in_key)


def _target(given: Any) -> str | None:
    """The field that names the record which the input is about."""
    if not _is_input(given):
        return None
    about_record = (field for field, value in _written(given) if field.metadata[CALLED] and _names_record(field, value))
    return next(map(_name, about_record), None)


def _names_record(field: StrawberryField, value: Any) -> bool:
    return _is_key(value) or field.python_name == "id"


def _written(given: Any) -> Iterator[tuple[StrawberryField, Any]]:
    for field in _fields(type(given)):
        value = getattr(given, field.python_name)
        if value is not UNSET:
            yield field, value


def _fields(cls: Any) -> Sequence[StrawberryField]:
    fields: Sequence[StrawberryField] = cls.__strawberry_definition__.fields
    return fields


def _name(field: StrawberryField) -> str:
    return field.graphql_name or camel(field.python_name)


def _is_input(value: Any) -> bool:
    return has_object_definition(type(value))


def _is_key(value: Any) -> bool:
    return _is_input(value) and bool(value.__strawberry_definition__.is_one_of)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
