"""What is read: a plain tree of keys, fields, arguments and children."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from schema.planner.shapes import Field, Shape


@dataclass(frozen=True, slots=True)
class Selected:
    """One field under its response key, with its arguments and what is read below it."""

    key: str
    field: Field
    arguments: Mapping[str, Any] = attribute(default_factory=dict)
    children: "Sequence[Selected]" = ()


def everything(shape: Shape) -> Sequence[Selected]:
    """All fields of the shape and of the shapes below it."""
    return [
        Selected(name, field, children=everything(field.target()) if field.target else ())
        for name, field in shape.fields.items()
    ]
