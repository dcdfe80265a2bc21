"""Document states and the transitions between them: one dict per document and one function `move`."""

from collections.abc import Mapping
from enum import IntEnum

from hub.errors import Conflict


class Status(IntEnum):
    """The state of a document; every document uses the same codes."""

    CANCELED = 0
    IN_PROGRESS = 1
    ACTIVE = 2
    VALIDATED = 3
    VALIDATED_WITH_DIFFERENCES = 4
    CLOSED = 5
    WAITING_FOR_SUPPLY = 6
    IN_PICKING = 7
    RETURNED = 8


S = Status
Transitions = Mapping[Status, frozenset[Status]]


def _table(*rows: tuple[Status, set[Status]]) -> Transitions:
    return {source: frozenset(targets) for source, targets in rows}


ORDER: Transitions = _table(
    (S.IN_PROGRESS, {S.IN_PROGRESS, S.ACTIVE, S.WAITING_FOR_SUPPLY, S.CANCELED}),
    (S.ACTIVE, {S.IN_PROGRESS, S.ACTIVE, S.WAITING_FOR_SUPPLY, S.IN_PICKING, S.VALIDATED, S.CANCELED}),
    (
        S.WAITING_FOR_SUPPLY,
        {S.IN_PROGRESS, S.ACTIVE, S.WAITING_FOR_SUPPLY, S.VALIDATED_WITH_DIFFERENCES, S.CANCELED},
    ),
    (S.IN_PICKING, {S.ACTIVE, S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CANCELED}),
    (S.VALIDATED, {S.CLOSED, S.RETURNED}),
    (S.VALIDATED_WITH_DIFFERENCES, {S.CLOSED, S.RETURNED}),
    (S.CLOSED, {S.RETURNED}),
)
RECEIPT: Transitions = _table(
    (S.IN_PROGRESS, {S.ACTIVE, S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CANCELED}),
    (S.ACTIVE, {S.IN_PROGRESS, S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CANCELED}),
)
TRANSFER: Transitions = _table(
    (S.IN_PROGRESS, {S.ACTIVE, S.CANCELED}),
    (S.ACTIVE, {S.IN_PROGRESS, S.VALIDATED, S.CANCELED}),
    (S.VALIDATED, {S.CLOSED}),
)
INVENTORY: Transitions = _table(
    (S.IN_PROGRESS, {S.ACTIVE, S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CANCELED}),
    (S.ACTIVE, {S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CANCELED}),
)
PURCHASE_ORDER: Transitions = _table(
    (S.IN_PROGRESS, {S.ACTIVE, S.VALIDATED_WITH_DIFFERENCES, S.CLOSED, S.CANCELED}),
    (S.ACTIVE, {S.IN_PROGRESS, S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CLOSED, S.CANCELED}),
    (S.VALIDATED, {S.IN_PROGRESS, S.ACTIVE, S.VALIDATED_WITH_DIFFERENCES, S.CLOSED}),
    (S.VALIDATED_WITH_DIFFERENCES, {S.IN_PROGRESS, S.ACTIVE, S.VALIDATED, S.CLOSED}),
)
PRODUCTION_ORDER: Transitions = _table((S.ACTIVE, {S.CLOSED, S.CANCELED}))

READY = frozenset({S.ACTIVE, S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CLOSED, S.IN_PICKING})
PICKED = frozenset({S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES, S.CLOSED, S.RETURNED})
VALIDATED = frozenset({S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES})
EDITABLE_ORDER = frozenset({S.IN_PROGRESS, S.ACTIVE, S.WAITING_FOR_SUPPLY})
EDITABLE = frozenset({S.IN_PROGRESS, S.ACTIVE})
DELETABLE_ORDER = EDITABLE_ORDER | {S.CANCELED}
DELETABLE = EDITABLE | {S.CANCELED}


def move(transitions: Transitions, source: int, target: int, *, document: str) -> Status:
    """Return the new status, or raise `Conflict` when the document may not go there; the same status is allowed."""
    source, target = Status(source), Status(target)
    if source is target or target in transitions.get(source, frozenset()):
        return target
    raise Conflict(
        f"{document} cannot go from {source.name} ({source:d}) to {target.name} ({target:d})", field="status"
    )
