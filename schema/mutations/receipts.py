"""What the mutations of NIRs and returns share: lines as announced, and goods as counted."""

from datetime import date
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub.services.receipt_lines import CountDraft, ReceiptLineDraft
from schema.inputs import about, inputs
from schema.nirs import NirLine
from schema.returns import ReturnLine


@inputs(like=NirLine)
class GoodsInput:
    """What exactly came: the product by its id, by its code, or by both when they agree."""

    product_id: strawberry.ID | None = about("The product, by its global id.", default=UNSET, of="Product")
    product_code: str | None = about("The product, by its code.", default=UNSET, called="code")
    quantity: Decimal = about("How much; more than 0.")
    location_code: str | None = about(
        "Where it is put; the warehouse's default inbound location when absent.", default=UNSET
    )
    batch_code: str | None = UNSET
    production_date: date | None = UNSET
    expiration_date: date | None = UNSET
    serial_numbers: list[str] | None = about(default=UNSET, called="snList")


@inputs(like=ReturnLine)
class ReturnLineInput(GoodsInput):
    """What a client sends back."""

    external_line_id: str | None = UNSET


@inputs(like=NirLine)
class NirLineInput(GoodsInput):
    """What a supplier delivers."""

    external_line_id: str | None = UNSET
    purchase_price: Decimal | None = UNSET


@inputs()
class NirCountInput(GoodsInput):
    """What was counted, of a line of the NIR or of a product; what is not said is as the line announced it."""

    line_id: strawberry.ID | None = about("The line.", default=UNSET, of="NirLine")
    sscc: str | None = about("The logistic unit (SSCC) it came in.", default=UNSET)


@inputs()
class ReturnCountInput(GoodsInput):
    """What was counted, of a line of the return or of a product; what is not said is as the line announced it."""

    line_id: strawberry.ID | None = about("The line.", default=UNSET, of="ReturnLine")
    sscc: str | None = about("The logistic unit (SSCC) it came in.", default=UNSET)


def line_drafts(lines: list[dict[str, Any]] | None) -> list[ReceiptLineDraft]:
    return [ReceiptLineDraft(**_goods(line)) for line in lines or ()]


def count_drafts(counts: list[dict[str, Any]]) -> list[CountDraft]:
    return [CountDraft(**_goods(count)) for count in counts]


def _goods(columns: dict[str, Any]) -> dict[str, Any]:
    goods = {name: value for name, value in columns.items() if name not in ("product_code", "serial_numbers")}
    return goods | {
        "code": columns.get("product_code"),
        "serial_numbers": tuple(columns.get("serial_numbers") or ()),
    }
