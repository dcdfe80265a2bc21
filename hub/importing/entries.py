"""What a record says, read by the shape of its noun: columns, records it names, lines; or why it cannot be taken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Table

from hub.errors import HubError, Invalid
from hub.importing.cells import id_for, list_for, value_for
from hub.importing.files import Record
from hub.services.nomenclature import OWN, Nomenclature, Row
from hub.services.values import camel, checked, text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """A column that holds the id of another record, which any of `fields` names: by its id or by one of its keys."""

    column: str
    fields: Mapping[str, tuple[Nomenclature, str]]


LISTS = frozenset({"serial_numbers"})


class Described(Protocol):
    """What must be known of the table that a record goes to."""

    @property
    def table(self) -> Table: ...
    @property
    def noun(self) -> str: ...
    @property
    def keys(self) -> tuple[str, ...]: ...
    @property
    def signed(self) -> tuple[str, ...]: ...
    @property
    def defaults(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How files write a record or a line: the field of its id, field → column, and the records it names."""

    what: Described
    id_field: str
    fields: Mapping[str, str]
    references: tuple[Reference, ...] = ()

    def field_of(self, column: str) -> str:
        """How files call a column."""
        for name, own in self.fields.items():
            if own == column:
                return name
        for reference in self.references:
            if reference.column == column:
                return next(iter(reference.fields))
        return self.id_field if column == "id" else camel(column)

    def renamed(self, name: str | None, values: Mapping[str, Any]) -> str:
        """The field that a service calls by its column, as this file calls it."""
        own = [field for field, column in self.fields.items() if camel(column) == name]
        used = [field for field in own if field in values]
        if own:
            return (used or own)[0]
        column = next((column.name for column in self.what.table.columns if camel(column.name) == name), None)
        return self.field_of(column) if column else name or ""


@dataclass(slots=True)
class Part:
    """A record or a line as the file says it; `columns` becomes complete when what it names has been looked up."""

    shape: Shape
    path: str
    id: int | None = None
    columns: Row = field(default_factory=dict)
    named: dict[Reference, dict[str, Any]] = field(default_factory=dict)

    def at(self, name: str) -> str:
        """The path of a field in the record."""
        return f"{self.path}{name}"

    def at_column(self, column: str) -> str:
        return self.at(self.shape.field_of(column))


@dataclass(slots=True)
class Entry:
    """One record of a file; `error` is why it is refused."""

    record: Record
    main: Part
    lines: dict[str, list[Part]] = field(default_factory=dict)
    error: HubError | None = None

    @property
    def parts(self) -> Iterator[Part]:
        yield self.main
        for lines in self.lines.values():
            yield from lines

    def refuse(self, error: HubError) -> None:
        self.error = self.error or error


def read_entry(shape: Shape, lines: Mapping[str, Shape], record: Record) -> Entry:
    """The record by its shape; the first mistake becomes its error."""
    entry = Entry(record, Part(shape, ""), error=record.error)
    if record.error is not None:
        return entry
    try:
        entry.main = _part(shape, "", record.values, record.textual)
        for name, line_shape in lines.items():
            given = list_for(record.values.get(name), field=name, textual=record.textual)
            entry.lines[name] = [
                _part(line_shape, f"{name}[{position}].", line, False) for position, line in enumerate(given)
            ]
    except Invalid as error:
        entry.refuse(error)
    return entry


def missing_column(part: Part, row: Row) -> Invalid | None:
    """`Invalid` for the first column that must have a value and has none."""
    for column in part.shape.what.table.columns:
        if column.name not in OWN | row.keys():
            return Invalid("is required", field=part.at_column(column.name))
    return None


def _part(shape: Shape, path: str, values: Any, textual: bool) -> Part:
    if not isinstance(values, dict):
        raise Invalid("must be an object", field=path.removesuffix("."))
    part = Part(shape, path)
    part.id = id_for(values.get(shape.id_field), field=part.at(shape.id_field), textual=textual)
    for name, column in shape.fields.items():
        if name in values:
            kind = shape.what.table.columns[column]
            value = value_for(kind, values[name], field=part.at(name), textual=textual)
            if value is None and not kind.nullable:
                continue  # the column's default
            if part.columns.setdefault(column, value) != value:
                raise Invalid(f"differs from {shape.field_of(column)}", field=part.at(name))
    _check(part, values)
    for reference in shape.references:
        for name, (what, key) in reference.fields.items():
            if values.get(name) is not None:
                value = _value(what, key, values[name], part.at(name), textual)
                part.named.setdefault(reference, {})[name] = value
            elif name in values and shape.what.table.columns[reference.column].nullable:
                part.columns[reference.column] = None  # unless another field names the record
    return part


def _check(part: Part, values: Mapping[str, Any]) -> None:
    """Lengths, ranges and signs, as the table can hold them."""
    what = part.shape.what
    try:
        checked(what.table, part.columns, keys=what.keys, signed=what.signed)
        for column in part.columns.keys() & LISTS:
            for item in part.columns[column] or ():
                text(item, field=camel(column), longest=64, blank=False)
    except Invalid as error:
        raise Invalid(error.message, field=part.at(part.shape.renamed(error.field, values)), hint=error.hint) from error


def _value(what: Described, column: str, given: Any, path: str, textual: bool) -> Any:
    """A key of another record."""
    value = value_for(what.table.columns[column], given, field=path, textual=textual)
    try:
        return checked(what.table, {column: value}, keys=what.keys, signed=what.signed)[column]
    except Invalid as error:
        raise Invalid(error.message, field=path, hint=error.hint) from error
