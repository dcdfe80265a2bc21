"""This hub with one more field, which only Python can answer: `label` of a product. Takes the commands of `hub`."""

import sys

import strawberry
from strawberry.annotation import StrawberryAnnotation

from hub.cli import main
from schema.planner.fields import python
from schema.planner.types import METADATA
from schema.products import Product

LABEL = python(lambda product: f"{product.code} · {product.name}", "For pickers.", needs=("code", "name"))


def add_label() -> None:
    """To be called before the schema is built."""
    field = strawberry.field(name="label", description=LABEL.description, metadata={METADATA: LABEL})
    field.python_name = "label"
    field.type_annotation = StrawberryAnnotation(str)
    Product.__strawberry_definition__.fields.append(field)  # type: ignore[attr-defined]


if __name__ == "__main__":
    add_label()
    sys.exit(main())
