"""The states of documents as callers name them."""

from __future__ import annotations

import strawberry

from hub.statuses import Status
from schema.planner.inputs import choices
from schema.planner.types import NAMES

DocumentStatus = strawberry.enum(
    Status,
    name="DocumentStatus",
    description="The state of a document; every kind of document uses the same ones.",
)
NAMES["Status"] = DocumentStatus


@choices
class DocumentStatuses:
    """Asks about the state of a document."""

    eq: Status | None
    in_: list[Status] | None
