"""Validation with what the picker found, and a long life of orders against the arithmetic in plain Python."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.context import Actor, Grant, Level, Scope
from hub.db import Database
from hub.errors import CallerError, Conflict, Invalid, NotAllowed, NotFound
from hub.services import order_moves, orders, supply
from hub.services.order_drafts import OrderLineDraft
from hub.services.order_validation import PickDraft, validate
from tests.hub.services.stockrooms import A02, Stockroom, new_stockroom

D = Decimal


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Stockroom]:
    room = await new_stockroom(database)
    yield room
    await room.balance(orders=True)


async def picked(room: Stockroom, order_id: int, *picks: tuple[int, int | str], **options: Any) -> int:
    """Validate with picks of (line number, quantity), and tell the status."""
    lines = await room.line_ids(order_id)
    drafts = [PickDraft(line_id=lines[number], quantity=D(quantity)) for number, quantity in picks]
    await room.do(validate, order_id=order_id, picks=drafts, **options)
    return await room.status(order_id)


async def scanned(room: Stockroom) -> list[tuple[str, str | None, str | None, Decimal]]:
    rows = await room.world.rows(
        "SELECT l.code AS place, b.code AS batch, s.serial_number, s.quantity FROM scans s "
        "JOIN locations l ON l.tenant_id = s.tenant_id AND l.id = s.location_id "
        "LEFT JOIN batches b ON b.tenant_id = s.tenant_id AND b.id = s.batch_id "
        "WHERE s.document_kind = 'order' ORDER BY s.id"
    )
    return [(row["place"], row["batch"], row["serial_number"], row["quantity"]) for row in rows]


async def test_everything_found_is_validated(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2), ("LAMP", 1))

    assert await picked(room, order, (0, 1), (1, 1), (0, 1), number_of_packages=3, number_of_envelopes=0) == 3

    assert await room.stock(lamp) == [("A-01", None, D(2), D(0))]
    assert await room.world.rows("SELECT number_of_packages, number_of_envelopes, picker_username FROM orders") == [
        {"number_of_packages": 3, "number_of_envelopes": 0, "picker_username": "paula"}
    ]
    assert await scanned(room) == [("A-01", None, None, D(1))] * 3


async def test_without_picks_everything_reserved_is_picked(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5)
    full, waiting = await room.order("W-1", ("LAMP", 3)), await room.order("W-2", ("LAMP", 3))

    for order in (full, waiting):
        await room.do(validate, order_id=order)

    assert [await room.status(full), await room.status(waiting)] == [3, 4]
    assert await room.stock(lamp) == []


async def test_what_the_picker_did_not_find_is_released(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 3), ("LAMP", 2))
    await room.do(order_moves.start_picking, order_id=order)

    assert await picked(room, order, (0, 2)) == 4

    assert await room.lines(order) == [(D(3), D(0), D(2)), (D(2), D(0), D(0))]
    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]


async def test_differences_need_a_picking_that_was_started(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 3))

    with pytest.raises(Conflict, match="cannot go from ACTIVE"):
        await picked(room, order, (0, 2))

    assert await room.stock(lamp) == [("A-01", None, D(5), D(3))]


async def test_goods_found_elsewhere_are_taken_from_what_is_free_there(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK")
    await room.receive(milk, 2, batch="SOON", expires="2030-01-01")
    await room.receive(milk, 3, A02, batch="LATE", expires="2031-01-01")
    order, other = await room.order("W-1", ("MILK", 2)), await room.order("W-2", ("MILK", 1))
    [line] = await room.line_ids(order)
    late = {"line_id": line, "location_code": "A-02", "batch_code": "LATE"}

    await room.do(validate, order_id=order, picks=[PickDraft(quantity=D(2), **late)])

    assert await room.stock(milk) == [("A-01", "SOON", D(2), D(0)), ("A-02", "LATE", D(1), D(1))]
    assert await scanned(room) == [("A-02", "LATE", None, D(2))]
    [line] = await room.line_ids(other)
    await room.do(order_moves.start_picking, order_id=other)
    third = await room.order("W-3", ("MILK", 1))
    [third_line] = await room.line_ids(third)
    with pytest.raises(Conflict, match="stock insufficient: 1 of product MILK needed from A-02, 0 free"):
        await room.do(validate, order_id=third, picks=[PickDraft(quantity=D(1), **late | {"line_id": third_line})])


async def test_serial_numbers_leave_one_by_one(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await room.receive(drill, 4, serials=("S1", "S2", "S3", "S4"))
    order = await room.order("W-1", ("DRILL", 2))
    [line] = await room.line_ids(order)

    picks = [PickDraft(line_id=line, quantity=D(2), serial_numbers=("S4", "S1"))]
    await room.do(validate, order_id=order, picks=picks)

    assert [item[1] for item in await room.stock(drill)] == ["S2", "S3"]
    assert [scan[2] for scan in await scanned(room)] == ["S1", "S4"]
    again = await room.order("W-2", ("DRILL", 1))
    [line] = await room.line_ids(again)
    with pytest.raises(Conflict, match="DRILL"):
        picks = [PickDraft(line_id=line, quantity=D(1), serial_numbers=("S4",))]
        await room.do(validate, order_id=again, picks=picks)


async def test_half_a_piece_cannot_be_picked(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await room.receive(drill, 2, serials=("S1", "S2"))
    order = await room.order("W-1", ("DRILL", 2))
    await room.do(order_moves.start_picking, order_id=order)

    with pytest.raises(Conflict, match="stock insufficient"):
        await picked(room, order, (0, "1.5"))

    assert await picked(room, order, (0, 1)) == 4
    assert [item[1:] for item in await room.stock(drill)] == [("S2", D(1), D(0))]


@pytest.mark.parametrize(
    ("pick", "error", "field"),
    [
        ({"quantity": D(0)}, Invalid, "picks[0].quantity"),
        ({"quantity": D(4)}, Invalid, "picks.quantity"),
        ({"line_id": 99}, NotFound, "picks[0].lineId"),
        ({"location_code": "B-01"}, NotFound, "picks[0].locationCode"),
        ({"batch_code": "B7"}, NotFound, "picks[0].batchCode"),
        ({"serial_numbers": ("S1",)}, Invalid, "picks[0].serialNumbers"),
        ({"serial_numbers": ("S1", "S1")}, Invalid, "picks[0].serialNumbers"),
    ],
)
async def test_picks_that_cannot_be_are_refused(
    room: Stockroom, pick: dict[str, Any], error: type[CallerError], field: str
) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 3))
    [line] = await room.line_ids(order)

    with pytest.raises(error) as refusal:
        await room.do(validate, order_id=order, picks=[PickDraft(**{"line_id": line, "quantity": D(2)} | pick)])

    assert refusal.value.field == field
    assert await room.stock(lamp) == [("A-01", None, D(5), D(3))]


async def test_an_order_is_validated_once_and_never_with_nothing(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 3))
    await room.do(order_moves.start_picking, order_id=order)
    with pytest.raises(Conflict, match="nothing is picked"):
        await picked(room, order)
    with pytest.raises(Invalid, match="numberOfPackages"):
        await picked(room, order, (0, 3), number_of_packages=-1)

    await picked(room, order, (0, 3))
    for picks in (None, [PickDraft(line_id=(await room.line_ids(order))[0], quantity=D(1))]):
        with pytest.raises(Conflict):
            await room.do(validate, order_id=order, picks=picks)

    assert await room.stock(lamp) == [("A-01", None, D(2), D(0))]


async def test_parallel_pickers_of_one_order_book_it_once(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 9)
    order = await room.order("W-1", ("LAMP", 3))

    ended = await asyncio.gather(*(picked(room, order, (0, 3)) for _ in range(6)), return_exceptions=True)

    assert sum(isinstance(end, Conflict) for end in ended) == 5
    assert await room.stock(lamp) == [("A-01", None, D(6), D(0))]


async def test_only_those_who_may_process_outbound_validate(room: Stockroom) -> None:
    order = await room.order("W-1")
    clerk = Scope({room.tenant_id: Grant(Level.USER)}, Actor("user", 8, "carl"))

    with pytest.raises(NotAllowed):
        await room.database.write(clerk, lambda work: validate(work, order_id=order))


# --- a long life ------------------------------------------------------------------------------------------------------

PRODUCTS = ("P0", "P1")
BEGINNING: list[tuple[str, Any, Any]] = [
    ("receive", "P0", D(12)),
    ("receive", "P1", D("7.5")),
    ("add", [("P0", D(4)), ("P1", D("2.5"))], True),
    ("add", [("P1", D(6)), ("P0", D(1))], True),
]
quantities = st.decimals(min_value="0.5", max_value=9, places=1)
order_lines = st.lists(st.tuples(st.sampled_from(PRODUCTS), quantities), max_size=3)
some_order = st.integers(0, 2)
actions = st.one_of(
    st.tuples(st.just("receive"), st.sampled_from(PRODUCTS), quantities),
    st.tuples(st.just("add"), order_lines, st.booleans()),
    st.tuples(st.just("replace"), some_order, order_lines),
    st.tuples(st.just("status"), some_order, st.sampled_from((7, 3, 2, 4, 0, 5, 8, 1, 6))),
    st.tuples(st.just("status"), some_order, st.sampled_from((7, 3, 4))),
    st.tuples(st.just("delete"), some_order, st.none()),
    st.tuples(st.just("recheck"), st.none(), st.none()),
)
RULES = {1: {0}, 2: {7, 3, 0}, 6: {4, 0}, 7: {2, 3, 0}, 3: {5, 8}, 4: {5, 8}, 5: {8}, 8: set(), 0: set()}


@dataclass
class Model:
    """The arithmetic of the contract in a few lines: stock and orders of one warehouse."""

    stock: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(PRODUCTS, D(0)))
    orders: list[dict[str, Any]] = field(default_factory=list)

    def free(self, product: str) -> Decimal:
        lines = [line for order in self.orders for line in order["lines"]]
        return self.stock[product] - sum((line["reserved"] for line in lines if line["product"] == product), D(0))

    def serve(self, order: dict[str, Any]) -> None:
        for line in order["lines"]:
            line["reserved"] += min(line["quantity"] - line["reserved"], self.free(line["product"]))
        covered = all(line["reserved"] == line["quantity"] for line in order["lines"])
        order["status"] = 1 if not order["lines"] else 2 if covered else 6
        if order["status"] == 2 and not order["validated"]:
            self.pick(order, 3)

    def pick(self, order: dict[str, Any], status: int) -> None:
        for line in order["lines"]:
            self.stock[line["product"]] -= line["reserved"]
            line["picked"], line["reserved"] = line["reserved"], D(0)
        order["status"] = status

    def apply(self, name: str, one: Any, two: Any) -> bool:
        """Do it, and tell whether it was allowed."""
        order = self.orders[one] if name in ("replace", "status", "delete") and one < len(self.orders) else None
        if name == "receive":
            self.stock[one] += two
        elif name == "add":
            self.orders.append({"lines": self.lines(one), "validated": two, "status": 1})
            self.serve(self.orders[-1])
        elif name == "recheck":
            for waiting in [order for order in self.orders if order["status"] == 6]:
                self.serve(waiting)
        elif order is None:
            return False
        elif name == "replace":
            if order["status"] not in (1, 2, 6):
                return False
            order["lines"] = self.lines(two)
            self.serve(order)
        elif name == "delete":
            if order["status"] not in (0, 1, 2, 6):
                return False
            self.orders.remove(order)
        elif two != order["status"]:
            return self.move(order, two)
        return True

    def move(self, order: dict[str, Any], status: int) -> bool:
        if status not in RULES[order["status"]]:
            return False
        if status == 4 and not any(line["reserved"] for line in order["lines"]):
            return False
        if status in (3, 4):
            self.pick(order, status)
        elif status == 0:
            for line in order["lines"]:
                line["reserved"] = D(0)
        order["status"] = status
        return True

    @staticmethod
    def lines(pairs: list[tuple[str, Decimal]]) -> list[dict[str, Any]]:
        return [{"product": name, "quantity": number, "reserved": D(0), "picked": D(0)} for name, number in pairs]


@dataclass
class Life:
    """The same actions done to the hub."""

    room: Stockroom
    products: dict[str, int]
    orders: list[int] = field(default_factory=list)

    async def apply(self, name: str, one: Any, two: Any) -> bool:
        try:
            await self._apply(name, one, two)
        except (Conflict, IndexError):
            return False
        return True

    async def _apply(self, name: str, one: Any, two: Any) -> None:
        room = self.room
        if name == "receive":
            await room.receive(self.products[one], two)
        elif name == "add":
            self.orders.append(await room.order(f"W-{len(self.orders)}-{id(one)}", *one, requires_validation=two))
        elif name == "recheck":
            await room.do(supply.recheck)
        elif name == "replace":
            drafts = [OrderLineDraft(product_code=code, quantity=quantity) for code, quantity in two]
            await room.do(orders.update, targets={"id": [self.orders[one]]}, changes={"lines": drafts})
        elif name == "delete":
            await room.do(orders.delete, targets={"id": [self.orders[one]]})
            del self.orders[one]
        else:
            await room.do(order_moves.change_status, order_id=self.orders[one], status=two)

    async def state(self) -> Any:
        stock = {name: sum((i[2] for i in await self.room.stock(id_)), D(0)) for name, id_ in self.products.items()}
        return stock, [(await self.room.status(id_), await self.room.lines(id_)) for id_ in self.orders]


def expected(model: Model) -> Any:
    shown = [
        (order["status"], [(line["quantity"], line["reserved"], line["picked"]) for line in order["lines"]])
        for order in model.orders
    ]
    return model.stock, shown


async def new_life(database: Database) -> Life:
    room = await new_stockroom(database)
    return Life(room, {name: await room.world.add_product(name) for name in PRODUCTS})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(actions, min_size=4, max_size=14))
@example([("status", 0, 7), ("delete", 0, None), ("status", 0, 3), ("status", 1, 4), ("add", [("P0", D(9))], False)])
@example(
    [("replace", 0, [("P1", D(3))]), ("status", 1, 0), ("recheck", None, None), ("status", 0, 3), ("status", 0, 8)]
)
async def test_any_sequence_of_actions_ends_as_the_arithmetic_says(
    database: Database, script: list[tuple[str, Any, Any]]
) -> None:
    model, life = Model(), await new_life(database)

    for action in [*BEGINNING, *script]:
        assert await life.apply(*action) == model.apply(*action), action

    assert await life.state() == expected(model)
    await life.room.balance(orders=True)


async def test_whatever_happens_at_once_every_figure_stays_true(database: Database) -> None:
    life = await new_life(database)
    for name in PRODUCTS:
        await life.apply("receive", name, D(30))
    await asyncio.gather(*(life.apply("add", [("P0", D(3)), ("P1", D(2 + n % 3))], n % 3 > 0) for n in range(12)))

    await asyncio.gather(
        *(life.apply("status", n, (0, 7, 3, 2, 4)[n % 5]) for n in range(12)),
        *(life.apply("add", [("P1", D(2)), ("P0", D(1))], n % 2 > 0) for n in range(8)),
        *(life.apply("recheck", None, None) for _ in range(4)),
        *(life.apply("replace", n, [("P0", D(n)), ("P1", D(1))]) for n in range(1, 12, 2)),
        *(life.apply("receive", name, D(5)) for name in PRODUCTS * 2),
    )

    await life.room.balance(orders=True)
    await life.apply("recheck", None, None)
    await life.room.balance(orders=True)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(actions, min_size=10, max_size=60))
async def test_any_long_sequence_of_actions_ends_as_the_arithmetic_says(
    database: Database, script: list[tuple[str, Any, Any]]
) -> None:
    model, life = Model(), await new_life(database)

    for action in [*BEGINNING, *script]:
        assert await life.apply(*action) == model.apply(*action), action
        assert await life.state() == expected(model), action

    await life.room.balance(orders=True)
