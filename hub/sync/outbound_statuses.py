"""What is told about documents: the external status that is mapped to the state they reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from hub.db import UnitOfWork
from hub.queries.integrations import Connection
from hub.records import StatusChange
from hub.services.outbox import NIR_STREAMS, ORDER_STREAMS
from hub.statuses import Status
from hub.sync import references
from hub.sync.references import digest

COMPLETED = {
    "order": "outboundCompletedStatusId",
    "return": "returnCompletedStatusId",
    "nir": "inboundCompletedStatusId",
}
"""The mapping that says what the system is told when a document is validated."""
KINDS = {"orders": "order", "expenditure_receipts": "expenditure_receipt", "nirs": "nir"}
"""Stream a document came in by → how its connector knows it."""

_ORDER = text("""
    SELECT o.id, o.external_order_id AS number, o.awb_external_link AS awb_link FROM orders o
    WHERE o.tenant_id = :tenant AND o.id = :id
""")
_ORDER_OF_RETURN = text("""
    SELECT o.id, o.external_order_id AS number, o.awb_external_link AS awb_link
    FROM returns r JOIN orders o ON o.tenant_id = r.tenant_id AND o.id = r.initial_order_id
    WHERE r.tenant_id = :tenant AND r.id = :id
""")
_NIR = text("""
    SELECT n.id, n.external_reference AS number, cast(NULL AS text) AS awb_link FROM nirs n
    WHERE n.tenant_id = :tenant AND n.id = :id
""")
_DOCUMENTS = {"order": _ORDER, "return": _ORDER_OF_RETURN, "nir": _NIR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A status to be told, and where the document came from."""

    change: StatusChange
    stream: str


async def find_change(work: UnitOfWork, connection: Connection, payload: dict[str, Any]) -> Told | str:
    """The status to be told for an outbox entry, or why there is nothing to tell."""
    document, status = payload["document"], Status(payload["status"])
    status_id = connection.mappings.get(COMPLETED[document], "")
    if not status_id:
        return f"no external status is mapped to {document} {status.name}"
    values = {"tenant": work.tenant_id, "id": payload["document_id"]}
    row = (await work.session.execute(_DOCUMENTS[document], values)).mappings().one_or_none()
    if row is None:
        return f"the {document} is gone"
    for stream in NIR_STREAMS if document == "nir" else ORDER_STREAMS:
        known = await references.find_by_record(work, connection.connector.code, stream, [row["id"]])
        if known:
            change = StatusChange(
                document="return" if document == "return" else KINDS[stream],
                external_key=known[row["id"]].external_key,
                status_id=status_id,
                number=row["number"],
                awb_link=row["awb_link"],
                document_id=payload["document_id"],
            )
            return Told(change=change, stream=stream)
    return f"the {document} did not come from this system"


async def remember(work: UnitOfWork, code: str, told: Sequence[Told]) -> None:
    """Note what the system was told, so that its echo is recognised when it comes back in."""
    for one in told:
        key, sent = one.change.external_key, digest(one.change.status_id)
        await references.remember_sent(work, code, one.stream, key, sent)
