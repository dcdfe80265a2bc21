from typing import Any

import pytest

from tests.schema.rest.houses import House


async def names(house: House, **filters: Any) -> list[str]:
    return [category["categoryName"] for category in (await house.post("/api/category/read", filters)).data]


async def test_a_category_is_added_as_the_contract_shows_it(house: House) -> None:
    category = await house.add("category", categoryName="Lighting", externalReference="l")

    assert category == {
        "categoryId": category["categoryId"],
        "externalReference": "l",
        "categoryName": "Lighting",
        "categoryDetails": None,
        "thirdPartyReference": None,
        "active": True,
    }
    assert list(category)[:3] == ["categoryId", "externalReference", "categoryName"]
    again = await house.put("/api/category/add", {"categoryName": "x", "externalReference": "l"})
    assert again.refused(409) == "externalReference: l already exists"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("categoryName", None),
        ("categoryName", " "),
        ("categoryName", {}),
        ("categoryDetails", "x" * 4001),
        ("externalReference", ""),
        ("thirdPartyReference", "x" * 256),
        ("active", 0),
    ],
)
async def test_a_bad_field_is_refused_by_name(house: House, field: str, value: Any) -> None:
    (await house.put("/api/category/add", {"categoryName": "a", field: value})).refused(400, field)


async def test_filters_and_targets(house: House) -> None:
    first = (await house.add("category", categoryName="A"))["categoryId"]
    await house.add("category", categoryName="B", externalReference="b")
    await house.add("category", categoryName="C", thirdPartyReference="c", active=False)

    assert await names(house) == ["A", "B", "C"]
    assert await names(house, categoryIds=[first]) == ["A"]
    assert await names(house, externalReferences=["b", "x"]) == ["B"]
    assert await names(house, thirdPartyReferenceIds=["c"]) == ["C"]
    assert await names(house, active=True) == ["A", "B"]

    everyone = {"categoryIds": [first], "externalReferences": ["b"], "thirdPartyReferenceIds": ["c"]}
    changed = await house.post("/api/category/update", everyone | {"updateFields": {"categoryDetails": "d"}})
    assert [category["categoryDetails"] for category in changed.data] == ["d", "d", "d"]
    keys = await house.post("/api/category/update", everyone | {"updateFields": {"externalReference": "x"}})
    keys.refused(400, "externalReference")
    one = {"categoryIds": [first], "updateFields": {"categoryName": "New", "externalReference": "a"}}
    assert (await house.post("/api/category/update", one)).data[0]["externalReference"] == "a"
    gone = await house.delete("/api/category/delete", {"externalReferences": ["b"], "thirdPartyReferenceIds": ["c"]})
    assert len(gone.data) == 2
    assert await names(house) == ["New"]


async def test_mandatory_fields_cannot_be_cleared(house: House) -> None:
    id_ = (await house.add("category", categoryName="A", active=False))["categoryId"]

    cleared = await house.post("/api/category/update", {"categoryIds": [id_], "updateFields": {"categoryName": None}})
    cleared.refused(400, "categoryName")
    (await house.post("/api/category/update", {"updateFields": {"active": True}})).refused(400)
    (await house.post("/api/category/update", {"categoryIds": [99], "updateFields": {}})).refused(404)


async def test_a_used_category_cannot_be_deleted(house: House) -> None:
    id_ = (await house.add("category", categoryName="A"))["categoryId"]
    await house.add("product", name="p", code="p", categoryId=id_)

    (await house.delete("/api/category/delete", {"categoryIds": [id_]})).refused(409, "used by a product")
    (await house.delete("/api/product/delete", {"productModels": ["p"]})).data  # noqa: B018
    assert (await house.delete("/api/category/delete", {"categoryIds": [id_]})).data == [id_]


async def test_a_viewer_reads_only(house: House) -> None:
    for method, path in (("PUT", "add"), ("POST", "update"), ("DELETE", "delete")):
        (await house.call(method, f"/api/category/{path}", {}, user="viewer")).refused(403)
    assert (await house.post("/api/category/read", user="viewer")).data == []
