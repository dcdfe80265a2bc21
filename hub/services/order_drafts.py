"""Orders as callers describe them, checked by themselves: nothing here looks at other records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.errors import Invalid
from hub.models import metadata
from hub.services.buyers import BuyerDraft
from hub.services.values import checked, decimal, text

ORDERS = metadata.tables["orders"]
LINES = "orderProducts"
REQUIREMENTS = "orderRequirements"
KEYS = ("external_order_id", "third_party_reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLineDraft:
    """The product by id or by code (both must agree); with `location_code` the goods come from there only."""

    quantity: Decimal
    product_id: int | None = None
    product_code: str | None = None
    external_line_id: str | None = None
    location_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """An order to be added; without `warehouse_id` it is for the default warehouse.

    `released` False keeps an order of an external system from being picked until that system says so.
    """

    external_order_id: str
    third_party_reference: str | None = None
    warehouse_id: int | None = None
    order_type: int = 1
    requires_validation: bool = True
    released: bool = True
    comment: str | None = None
    awb_external_link: str | None = None
    invoice_external_link: str | None = None
    number_of_envelopes: int | None = None
    number_of_packages: int | None = None
    placed_at: datetime | None = None
    company: BuyerDraft | None = None
    lines: Sequence[OrderLineDraft] = ()
    requirements: Sequence[tuple[str, str]] = ()

    def columns(self) -> dict[str, Any]:
        """What goes into the order's own row, apart from the warehouse and the company."""
        return {name: getattr(self, name) for name in _OWN}


_OWN = (
    "external_order_id",
    "third_party_reference",
    "order_type",
    "requires_validation",
    "released",
    "comment",
    "awb_external_link",
    "invoice_external_link",
    "number_of_envelopes",
    "number_of_packages",
    "placed_at",
)
CHANGEABLE = frozenset({*_OWN, "warehouse_id", "company", "lines", "requirements"}) - {"released"}
"""What an update may name."""


def check_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The order's own columns as they are stored; `Invalid` for the first that cannot be."""
    row = checked(ORDERS, columns, keys=KEYS)
    if row.get("order_type", 1) not in (1, 2):
        raise Invalid("must be 1 (client order) or 2 (expenditure receipt)", field="orderType")
    for name, field_ in (("number_of_envelopes", "numberOfEnvelopes"), ("number_of_packages", "numberOfPackages")):
        if (row.get(name) or 0) < 0:
            raise Invalid("must not be negative", field=field_)
    return row


def check_lines(lines: Sequence[OrderLineDraft]) -> None:
    """Raise `Invalid` for the first line that is wrong whatever products there are."""
    seen: set[str] = set()
    for position, line in enumerate(lines):
        path = f"{LINES}[{position}]"
        decimal(line.quantity, field=f"{path}.quantity", above=Decimal(0))
        if line.external_line_id is None:
            continue
        text(line.external_line_id, field=f"{path}.externalLineId", longest=255, blank=False)
        if line.external_line_id in seen:
            raise Invalid(f"{line.external_line_id} is given twice", field=f"{path}.externalLineId")
        seen.add(line.external_line_id)


def check_requirements(requirements: Sequence[tuple[str, str]]) -> None:
    for position, (name, value) in enumerate(requirements):
        path = f"{REQUIREMENTS}[{position}]"
        text(name, field=f"{path}.name", longest=255, blank=False)
        text(value, field=f"{path}.value", longest=4000, blank=False)
