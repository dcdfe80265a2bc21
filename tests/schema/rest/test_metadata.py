from typing import Any

import pytest

from schema.rest.unpaged import CHUNK
from tests.schema.rest.houses import House


async def read(house: House, path: str, body: Any = None) -> list[Any]:
    return list((await house.post(f"/api/metadata/{path}", body, user="viewer")).data)


async def test_products_in_a_few_words(house: House) -> None:
    first = (await house.add("product", name="a", code="A", thirdPartyReference="t"))["productId"]
    second = (await house.add("product", name="b", code="B", active=False))["productId"]

    one = {"id": first, "thirdPartyReference": "t", "externalReference": None, "model": "A", "active": True}
    two = {"id": second, "thirdPartyReference": None, "externalReference": None, "model": "B", "active": False}
    assert await read(house, "product") == [one, two]
    assert await read(house, "product", {"active": True}) == [one]
    assert await read(house, "product", {"thirdPartyReferenceIds": ["t", "x"]}) == [one]
    assert await read(house, "product", {"models": ["B", "x"], "active": False}) == [two]
    assert await read(house, "product", {"models": ["B"], "thirdPartyReferenceIds": ["t"]}) == []
    assert await read(house, "product/by_model", {"models": ["B", "A", "none"]}) == [one, two]
    assert await read(house, "product/by_model", {"models": ["B", "A"], "active": True}) == [one]


async def test_by_model_needs_models(house: House) -> None:
    for body in ({}, {"models": []}, {"models": None}, {"active": True}):
        (await house.post("/api/metadata/product/by_model", body)).refused(400, "models")
    (await house.post("/api/metadata/product/by_model")).refused(400)


@pytest.mark.parametrize("records", [2500, CHUNK, 2 * CHUNK + 5])
async def test_every_record_is_told_however_many_there_are(house: House, records: int) -> None:
    await house.run(
        "INSERT INTO products (tenant_id, id, name, code, minimum_stock, search, active) "
        "SELECT :tenant, n, 'p' || n, 'p' || n || :odd, 0, '', n % 2 = 0 FROM generate_series(1000, :last) n",
        tenant=house.tenant_id,
        last=999 + records,
        odd='{"id":7,',
    )

    found = await read(house, "product")

    assert [record["id"] for record in found] == list(range(1000, 1000 + records))
    active = await read(house, "product", {"active": True})
    assert [record["id"] for record in active] == list(range(1000, 1000 + records, 2))


async def test_categories_in_a_few_words(house: House) -> None:
    id_ = (await house.add("category", categoryName="a", externalReference="e", thirdPartyReference="t"))["categoryId"]
    await house.add("category", categoryName="b", active=False)

    one = {"id": id_, "thirdPartyReference": "t", "externalReference": "e", "model": None, "active": True}
    assert await read(house, "category", {"active": True, "models": ["ignored"]}) == [one]
    assert await read(house, "category", {"thirdPartyReferenceIds": ["t"]}) == [one]
    assert len(await read(house, "category")) == 2


async def test_a_cancelled_order_is_not_active(house: House) -> None:
    for id_, status in ((1, 6), (2, 0)):
        await house.run(
            "INSERT INTO orders (tenant_id, id, external_order_id, third_party_reference, warehouse_id, status, "
            "order_type, search) VALUES (:tenant, :id, :number, :reference, 1, :status, 1, '')",
            tenant=house.tenant_id,
            id=id_,
            number=f"WEB-{id_}",
            reference=f"t{id_}",
            status=status,
        )

    one = {"id": 1, "thirdPartyReference": "t1", "externalReference": "WEB-1", "model": None, "active": True}
    two = {"id": 2, "thirdPartyReference": "t2", "externalReference": "WEB-2", "model": None, "active": False}
    assert await read(house, "order") == [one, two]
    assert await read(house, "order", {"active": True}) == [one]
    assert await read(house, "order", {"active": False}) == [two]
    assert await read(house, "order", {"thirdPartyReferenceIds": ["t2"]}) == [two]
