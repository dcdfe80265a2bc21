"""What the requests and answers of NIRs and returns share: lines that come in, and the scans of a validation."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from hub.models.stock import Scan
from hub.services.receipt_lines import ReceiptLineDraft
from hub.statuses import VALIDATED
from schema.planner.fields import column, reads, via
from schema.rest.requests import Request
from schema.rest.values import Code, Day, Listed, Quantity, Reference, ShortCode


@reads(Scan)
class ScanInfo:
    """Goods counted at the validation; one per serial number where there are any."""

    scanId: int = column(name="id")
    productId: int = column(name="product_id")
    productCode: str = via("product_id", "code")
    productName: str = via("product_id", "name")
    quantity: Decimal
    locationCode: str = via("location_id", "code")
    batchCode: str | None = via("batch_id", "code")
    productionDate: date | None = via("batch_id", "production_date")
    expirationDate: date | None = via("batch_id", "expiration_date")
    sn: str | None = column(name="serial_number")
    ssccCode: str | None = column(name="sscc")
    scanDate: datetime = column(name="scanned_at")
    username: str


class LineRequest(Request):
    """A line of goods that come in."""

    code: Code
    quantity: Quantity
    externalLineId: Reference | None = None
    locationCode: Code | None = None
    batchCode: ShortCode | None = None
    productionDate: Day | None = None
    expirationDate: Day | None = None
    snList: Listed[ShortCode] = []


def is_validated(document: FromClause) -> ColumnElement[bool]:
    found: ColumnElement[bool] = document.c.status.in_(sorted(VALIDATED))
    return found


def drafts(lines: Sequence[LineRequest], **more: Any) -> list[ReceiptLineDraft]:
    """`more` names further columns: column → function of the line."""
    return [
        ReceiptLineDraft(
            code=line.code,
            quantity=line.quantity,
            external_line_id=line.externalLineId,
            location_code=line.locationCode,
            batch_code=line.batchCode,
            production_date=line.productionDate,
            expiration_date=line.expirationDate,
            serial_numbers=tuple(line.snList),
            **{name: read(line) for name, read in more.items()},
        )
        for line in lines
    ]
