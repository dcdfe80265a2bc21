"""Products, categories, units, companies and prices: what is written, and what absent and null mean."""

import asyncio
from typing import Any

import pytest

from tests.schema.mutations import stages
from tests.schema.mutations.desks import RESULTS, Desk

FULL = "product { code name sku sellingPrice active category { name } measurementUnit { code } requiresBatchCode }"


async def test_every_value_of_a_new_product_is_kept(desk: Desk) -> None:
    lamp = {
        "name": "Țeavă Ø20 ☃",
        "code": "LAMP",
        "sku": "s-1",
        "sellingPrice": "12.5",
        "categoryId": await stages.category(desk),
        "measurementUnitId": await stages.unit(desk),
        "requiresBatchCode": True,
        "active": False,
    }

    made = await desk.made("productAdd", lamp, FULL)

    assert made["product"] == {
        "code": "LAMP",
        "name": "Țeavă Ø20 ☃",
        "sku": "s-1",
        "sellingPrice": "12.5",
        "active": False,
        "category": {"name": "Lighting"},
        "measurementUnit": {"code": "PCS"},
        "requiresBatchCode": True,
    }


async def test_null_in_a_new_record_means_absent(desk: Desk) -> None:
    nothing = {"sku": None, "categoryId": None, "vatPercentage": None, "categoryExternalReference": None}

    made = await desk.made("productAdd", {"name": "Lamp", "code": "LAMP"} | nothing, FULL)

    assert (made["product"]["sku"], made["product"]["category"], made["product"]["active"]) == (None, None, True)


async def test_absent_stays_and_null_clears(desk: Desk) -> None:
    await stages.product(desk, sku="s-1", sellingPrice="12.5", categoryId=await stages.category(desk))

    changes = {"sku": None, "categoryId": None, "name": "Changed"}
    made = await desk.made("productUpdate", {"product": {"sku": "s-1"}} | changes, FULL)

    product = made["product"]
    assert (product["sku"], product["category"], product["name"]) == (None, None, "Changed")
    assert (product["sellingPrice"], product["code"]) == ("12.5", "LAMP")


@pytest.mark.parametrize("name", ["name", "code", "active", "minimumStock", "requiresSerialNumber"])
async def test_mandatory_values_cannot_be_cleared(desk: Desk, name: str) -> None:
    await stages.product(desk)

    assert await desk.refused("productUpdate", {"product": {"code": "LAMP"}, name: None}) == (name, "INVALID")


async def test_category_by_its_reference_must_be_the_one_named_by_id(desk: Desk) -> None:
    await stages.category(desk, "g-1")
    other = await stages.category(desk, "g-2")
    lamp = {"name": "Lamp", "code": "LAMP"}

    both = {"categoryId": other, "categoryExternalReference": "g-1"}
    assert await desk.refused("productAdd", lamp | both) == ("categoryExternalReference", "INVALID")
    unknown = {"categoryExternalReference": "nowhere"}
    assert await desk.refused("productAdd", lamp | unknown) == ("categoryExternalReference", "NOT_FOUND")
    made = await desk.made("productAdd", lamp | {"categoryExternalReference": "g-1"}, FULL)
    assert made["product"]["category"] == {"name": "Lighting"}


async def test_product_in_stock_can_neither_be_deleted_nor_change_its_traceability(desk: Desk) -> None:
    product = {"product": {"id": await stages.stock(desk)}}

    assert await desk.refused("productDelete", product) == ("product", "CONFLICT")
    assert await desk.refused("productUpdate", product | {"requiresBatchCode": True}) == ("product", "CONFLICT")


async def test_upsert_keeps_what_is_absent_and_needs_a_name_for_what_is_new(desk: Desk) -> None:
    await stages.company(desk, "c-1", type="SUPPLIER", cui="RO1")
    rows = [{"externalReference": "c-1", "segment": "gold"}, {"externalReference": "c-2"}]

    answer = await desk.change(
        "companiesUpsert",
        {"companies": rows, "onError": "SKIP"},
        f"{RESULTS} company {{ externalReference type cui segment }} }}",
    )

    kept = {"externalReference": "c-1", "type": "SUPPLIER", "cui": "RO1", "segment": "gold"}
    assert [row["company"] for row in answer["results"]] == [kept, None]
    assert answer["results"][1]["userErrors"][0]["field"] == "companies[1].name"


async def test_upserts_of_the_same_new_records_at_once_make_each_once(desk: Desk) -> None:
    rows = {"products": [{"code": f"P{n}", "name": f"Product {n}"} for n in range(5)], "onError": "SKIP"}

    answers = await asyncio.gather(*(desk.change("productsUpsert", rows, f"{RESULTS} }}") for _ in range(8)))

    effects = [row["effect"] for answer in answers for row in answer["results"]]
    assert effects.count("ADDED") == 5
    assert set(effects) <= {"ADDED", "UNCHANGED", "REFUSED"}
    assert await desk.world.value("SELECT count(*) FROM products") == 5


async def test_block_ends_the_standing_one_of_its_kind_and_unblock_ends_all(desk: Desk) -> None:
    company = {"company": {"id": await stages.company(desk)}}
    blocks = "company { blocks { nodes { type reason releasedAt } } }"

    await desk.made("companyBlock", company | {"type": "credit", "reason": "late"})
    await desk.made("companyBlock", company | {"type": "credit", "reason": "later"})
    blocked = await desk.made("companyBlock", company | {"type": "legal"}, blocks)
    free = await desk.made("companyUnblock", company, blocks)

    def standing(answer: dict[str, Any]) -> list[Any]:
        return [node["reason"] for node in answer["company"]["blocks"]["nodes"] if node["releasedAt"] is None]

    assert standing(blocked) == ["later", None]
    assert standing(free) == []
    assert len(free["company"]["blocks"]["nodes"]) == 3


async def test_prices_name_lists_and_products_by_any_key(desk: Desk) -> None:
    list_id, product_id = await stages.price_list(desk), await stages.product(desk)
    price = {"netPrice": "9.99", "validFrom": "2026-01-01"}
    rows = [
        price | {"priceListId": list_id, "productCode": "LAMP"},
        price | {"priceListExternalReference": "wholesale", "productId": product_id, "validFrom": "2026-02-01"},
        price | {"priceListId": list_id, "productCode": "NONE"},
        price | {"productCode": "LAMP"},
    ]

    answer = await desk.change(
        "pricesUpsert", {"prices": rows, "onError": "SKIP"}, f"{RESULTS} price {{ netPrice product {{ code }} }} }}"
    )

    assert [row["effect"] for row in answer["results"]] == ["ADDED", "ADDED", "REFUSED", "REFUSED"]
    assert [row["userErrors"][0]["code"] for row in answer["results"][2:]] == ["NOT_FOUND", "INVALID"]


async def test_company_buys_by_exactly_the_lists_set(desk: Desk) -> None:
    company_id = await stages.company(desk)
    first, second = await stages.price_list(desk, "a"), await stages.price_list(desk, "b")
    lists = "company { priceLists { priceList { externalReference } } }"

    await desk.made("companyPriceListsSet", {"companyId": company_id, "priceListIds": [first]})
    changed = await desk.made("companyPriceListsSet", {"companyId": company_id, "priceListIds": [second]}, lists)
    none = await desk.made("companyPriceListsSet", {"companyId": company_id, "priceListIds": []}, lists)

    assert [each["priceList"]["externalReference"] for each in changed["company"]["priceLists"]] == ["b"]
    assert none["company"]["priceLists"] == []
