"""What callers want of orders, new or changed, checked against each other and against everything they refer to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.queries.orders import OrderRow
from hub.services.buyers import BuyerDraft, find_buyers
from hub.services.order_drafts import (
    CHANGEABLE,
    KEYS,
    OrderDraft,
    OrderLineDraft,
    check_columns,
    check_lines,
    check_requirements,
)
from hub.services.order_references import ResolvedLine, refuse_taken, resolve_lines, resolve_warehouses
from hub.services.outcomes import first_refusal
from hub.services.values import camel
from hub.statuses import EDITABLE_ORDER, Status

ALWAYS_CHANGEABLE = frozenset(
    {
        "comment",
        "awb_external_link",
        "invoice_external_link",
        "number_of_packages",
        "number_of_envelopes",
        "third_party_reference",
    }
)
"""What may change in every state but CANCELED."""
ROW = frozenset(column.name for column in fields(OrderRow))
NAMES = {
    "requires_validation": "validationRequired",
    "lines": "orderProducts",
    "requirements": "orderRequirements",
}
"""How callers name what has another name here."""


@dataclass(slots=True, kw_only=True)
class Wish:
    """One order as it shall be: the columns to write, and what replaces its lines, requirements and company, if any.

    `before` is the locked order, None for a new one. `error` is why the wish is refused.
    """

    id: int
    before: OrderRow | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    lines: Sequence[OrderLineDraft] | None = None
    requirements: Sequence[tuple[str, str]] | None = None
    company: BuyerDraft | None = None
    company_id: int | None = None
    """The company that `company` means, when there is one already."""
    clears_company: bool = False
    resolved: Sequence[ResolvedLine] = ()
    error: HubError | None = None

    @property
    def warehouse_id(self) -> int | None:
        """The warehouse asked for, else the one the order has; None for the default one."""
        if "warehouse_id" in self.columns or self.before is None:
            return self.columns.get("warehouse_id")
        return self.before.warehouse_id

    @property
    def differing(self) -> dict[str, Any]:
        """The columns that really get another value."""
        before = self.before
        if before is None:
            return self.columns
        return {name: value for name, value in self.columns.items() if getattr(before, name, ...) != value}

    @property
    def replaces_reservations(self) -> bool:
        return self.before is not None and (self.lines is not None or "warehouse_id" in self.differing)

    @property
    def changes_supply(self) -> bool:
        """True when the order must be served, for the first time or anew."""
        return self.before is None or self.replaces_reservations or "requires_validation" in self.differing

    @property
    def changes_anything(self) -> bool:
        return bool(self.differing) or self.lines is not None or self.requirements is not None

    def after(self, added_at: datetime | None) -> OrderRow:
        """The order's row once the wish is written, in the state that it has until its lines are served."""
        if self.before is not None:
            return replace(self.before, **{name: self.columns[name] for name in self.columns if name in ROW})
        row: dict[str, Any] = {name: self.columns.get(name) for name in ROW}
        return OrderRow(**row | {"id": self.id, "status": Status.IN_PROGRESS, "created_at": added_at})

    def refuse(self, *errors: HubError | None) -> None:
        self.error = first_refusal([self.error, *errors])


def wish_to_add(id_: int, draft: OrderDraft) -> Wish:
    wish = Wish(id=id_, lines=draft.lines, requirements=draft.requirements, company=draft.company)
    _check(wish, {**draft.columns(), "warehouse_id": draft.warehouse_id})
    return wish


def wish_to_change(id_: int, before: OrderRow | None, changes: Mapping[str, Any]) -> Wish:
    """`changes` names columns and `company`, `lines`, `requirements`; a key present is set, None clears."""
    wish = Wish(
        id=id_,
        before=before,
        lines=_list_of(changes, "lines"),
        requirements=_list_of(changes, "requirements"),
        company=changes.get("company"),
        clears_company="company" in changes and changes["company"] is None,
    )
    for name in sorted(changes.keys() - CHANGEABLE):
        raise Invalid("cannot be changed", field=NAMES.get(name, camel(name)))
    columns = {name: value for name, value in changes.items() if name not in ("company", "lines", "requirements")}
    if "warehouse_id" in columns and columns["warehouse_id"] is None:
        wish.refuse(Invalid("is mandatory and cannot be cleared", field="warehouseId"))
    _check(wish, columns)
    if before is None:
        wish.refuse(NotFound(f"{id_} does not exist", field="orderId"))
    else:
        wish.refuse(_forbidden(before, changes))
    return wish


async def examine(work: UnitOfWork, wishes: Sequence[Wish]) -> None:
    """Look up what the wishes refer to; those that cannot be fulfilled get their `error`."""
    warehouses = await resolve_warehouses(work, {wish.warehouse_id for wish in wishes})
    for wish in wishes:
        if wish.warehouse_id not in warehouses:
            wish.refuse(NotFound(f"{wish.warehouse_id} does not exist", field="warehouseId"))
        elif wish.before is None or "warehouse_id" in wish.columns:
            wish.columns["warehouse_id"] = warehouses[wish.warehouse_id]
    with_lines = [wish for wish in wishes if wish.lines]
    found = await resolve_lines(work, [(warehouses.get(wish.warehouse_id), wish.lines or ()) for wish in with_lines])
    for wish, lines in zip(with_lines, found, strict=True):
        if isinstance(lines, HubError):
            wish.refuse(lines)
        else:
            wish.resolved = lines
    for wish, buyer in zip(wishes, await find_buyers(work, [wish.company for wish in wishes]), strict=True):
        if isinstance(buyer, HubError):
            wish.refuse(buyer)
        else:
            wish.company_id = buyer
    keys = [(wish.id, {key: wish.columns.get(key) for key in KEYS}) for wish in wishes]
    for wish, error in zip(wishes, await refuse_taken(work, keys), strict=True):
        wish.refuse(error)


def _check(wish: Wish, columns: Mapping[str, Any]) -> None:
    """What is wrong whatever else there is: the first mistake of each part takes part in the order of checks."""
    warehouse = {"warehouse_id": columns["warehouse_id"]} if "warehouse_id" in columns else {}
    try:
        wish.columns = check_columns({name: value for name, value in columns.items() if name not in warehouse})
        check_lines(wish.lines or ())
        check_requirements(wish.requirements or ())
    except Invalid as error:
        if error.field == "requiresValidation":
            error.field = NAMES["requires_validation"]
        wish.refuse(error)
    wish.columns |= warehouse


def _forbidden(order: OrderRow, changes: Mapping[str, Any]) -> Conflict | None:
    if order.status is Status.CANCELED:
        return Conflict(f"{order.title} is CANCELED (0) and cannot be changed", field="status")
    if order.status in EDITABLE_ORDER:
        return None
    for name in changes:
        if name not in ALWAYS_CHANGEABLE:
            return Conflict(
                f"cannot be changed any more: {order.title} is {order.status.name} ({order.status:d})",
                field=NAMES.get(name, camel(name)),
            )
    return None


def _list_of(changes: Mapping[str, Any], name: str) -> Sequence[Any] | None:
    """What replaces a list; clearing it replaces it by nothing."""
    return (changes[name] or ()) if name in changes else None
