from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import Invalid, NotFound
from hub.services import companies, prices, products
from hub.services.companies import CompanyDraft
from hub.services.outcomes import Effect, Outcome
from hub.services.prices import PriceDraft, PriceListDraft
from tests.hub.sync.worlds import World

TODAY = date(2026, 3, 1)


async def do(world: World, service: Any, **named: Any) -> Any:
    return await world.database.write(world.scope, lambda work: service(work, **named))


async def add_list(world: World, reference: str = "retail") -> int:
    (outcome,) = await do(
        world, prices.upsert_lists, price_lists=[PriceListDraft(external_reference=reference, name="Retail")]
    )
    return int(outcome.id)


def price(code: str, net: str, **fields: Any) -> PriceDraft:
    named = {"price_list_reference": "retail", "product_code": code, "valid_from": TODAY} | fields
    return PriceDraft(net_price=Decimal(net), **named)


async def put(world: World, *drafts: PriceDraft, on_error: str = "raise") -> list[Outcome]:
    return list(await do(world, prices.upsert, prices=drafts, on_error=on_error))


async def test_a_list_is_known_by_its_reference(world: World) -> None:
    first = await add_list(world)

    again = PriceListDraft(external_reference="retail", name="Retail 2026", currency="EUR")
    (outcome,) = await do(world, prices.upsert_lists, price_lists=[again])

    assert (outcome.id, outcome.effect) == (first, Effect.UPDATED)
    for bad in ({"currency": "lei"}, {"currency": "€"}, {"name": ""}, {"external_reference": " "}):
        draft = PriceListDraft(**({"external_reference": "x", "name": "x"} | bad))
        with pytest.raises(Invalid):
            await do(world, prices.upsert_lists, price_lists=[draft])


async def test_prices_are_added_changed_and_left_alone(world: World) -> None:
    await add_list(world)
    for code in ("A", "B", "C"):
        await world.add_product(code)

    first = await put(world, price("A", "1"), price("B", "2"))
    second = await put(world, price("A", "1.00"), price("B", "2.5"), price("C", "3"))

    assert [outcome.effect for outcome in first] == [Effect.ADDED, Effect.ADDED]
    assert [outcome.effect for outcome in second] == [Effect.UNCHANGED, Effect.UPDATED, Effect.ADDED]
    assert [outcome.id for outcome in second[:2]] == [outcome.id for outcome in first]
    assert await world.value("SELECT sum(net_price) FROM prices") == Decimal("6.5")


async def test_a_price_holds_from_its_day_on(world: World) -> None:
    await add_list(world)
    await world.add_product("A")

    await put(world, price("A", "1"), price("A", "2", valid_from=date(2026, 4, 1)))

    assert await world.value("SELECT count(*) FROM prices") == 2
    with pytest.raises(Invalid, match="twice"):
        await put(world, price("A", "3"), price("A", "4"))


async def test_one_bad_price_never_stops_the_others(world: World) -> None:
    list_id = await add_list(world)
    product = await world.add_product("A")
    await world.add_product("B")

    outcomes = await put(
        world,
        price("A", "1", price_list_id=list_id, product_id=product),
        price("NONE", "1"),
        price("B", "-1"),
        price("B", "1", price_list_reference="none"),
        price("B", "1", product_id=product),
        price("B", "1", price_list_reference=None),
        price("B", "2"),
        on_error="skip",
    )

    assert [type(outcome.error) for outcome in outcomes] == [
        type(None),
        NotFound,
        Invalid,
        NotFound,
        Invalid,
        Invalid,
        type(None),
    ]
    with pytest.raises(NotFound):
        await put(world, price("A", "9"), price("NONE", "1"))
    assert await world.value("SELECT sum(net_price) FROM prices") == 3


async def test_a_list_goes_with_its_prices(world: World) -> None:
    list_id = await add_list(world)
    await world.add_product("A")
    (outcome,) = await put(world, price("A", "1"))
    (company,) = await do(world, companies.add, companies=[CompanyDraft(name="c")])
    await do(world, prices.assign, company_id=company, price_list_ids=[list_id])

    assert await do(world, prices.delete_lists, targets={"external_reference": ["retail"]}) == [list_id]

    assert await world.value("SELECT count(*) FROM prices") == 0
    assert await world.value("SELECT count(*) FROM company_price_lists") == 0
    with pytest.raises(NotFound):
        await do(world, prices.delete, price_ids=[outcome.id])


async def test_a_company_buys_by_exactly_the_lists_given(world: World) -> None:
    first, second = await add_list(world, "1"), await add_list(world, "2")
    (company,) = await do(world, companies.add, companies=[CompanyDraft(name="c")])

    await do(world, prices.assign, company_id=company, price_list_ids=[first])
    await do(world, prices.assign, company_id=company, price_list_ids=[second, second])
    rows = await world.rows("SELECT price_list_id FROM company_price_lists")
    assert rows == [{"price_list_id": second}]
    for bad in ({"company_id": 99, "price_list_ids": []}, {"company_id": company, "price_list_ids": [99]}):
        with pytest.raises(NotFound):
            await do(world, prices.assign, **bad)
    await do(world, prices.assign, company_id=company, price_list_ids=[])
    assert await world.value("SELECT count(*) FROM company_price_lists") == 0


async def test_a_product_with_nothing_but_prices_can_be_deleted(world: World) -> None:
    await add_list(world)
    product = await world.add_product("A")
    await put(world, price("A", "1"))

    assert await do(world, products.delete, targets={"id": [product]}) == [product]
    assert await world.value("SELECT count(*) FROM prices") == 0
