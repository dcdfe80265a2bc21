from typing import Any

import pytest

from tests.schema.rest.houses import House


async def codes(house: House, **filters: Any) -> list[str]:
    return [unit["code"] for unit in (await house.post("/api/measurement-unit/read", filters)).data]


async def test_a_unit_is_added_as_the_contract_shows_it(house: House) -> None:
    unit = await house.add("measurement-unit", name="Kilogram", code="kg")

    assert unit == {
        "muId": unit["muId"],
        "name": "Kilogram",
        "code": "kg",
        "details": None,
        "status": True,
        "thirdPartyReference": None,
    }
    again = await house.put("/api/measurement-unit/add", {"name": "x", "code": "kg"})
    assert again.refused(409) == "code: kg already exists"


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", None), ("code", None), ("code", ""), ("status", "on"), ("status", 1), ("thirdPartyReference", " ")],
)
async def test_a_bad_field_is_refused_by_name(house: House, field: str, value: Any) -> None:
    (await house.put("/api/measurement-unit/add", {"name": "a", "code": "a", field: value})).refused(400, field)


async def test_filters_targets_and_status(house: House) -> None:
    first = (await house.add("measurement-unit", name="A", code="a"))["muId"]
    await house.add("measurement-unit", name="B", code="b", status=False)
    await house.add("measurement-unit", name="C", code="c", thirdPartyReference="t")

    assert await codes(house, muIds=[first]) == ["a"]
    assert await codes(house, codes=["b", "c"]) == ["b", "c"]
    assert await codes(house, thirdPartyReferenceIds=["t"]) == ["c"]
    assert await codes(house, status=False) == ["b"]
    changed = await house.post(
        "/api/measurement-unit/update",
        {"muIds": [first], "codes": ["b"], "thirdPartyReferenceIds": ["t"], "updateFields": {"status": False}},
    )
    assert [unit["status"] for unit in changed.data] == [False] * 3
    reset = await house.post("/api/measurement-unit/update", {"codes": ["a"], "updateFields": {"status": None}})
    assert reset.data[0]["status"] is True
    taken = await house.post("/api/measurement-unit/update", {"codes": ["a"], "updateFields": {"code": "b"}})
    taken.refused(409, "code: b already exists")
    assert (await house.delete("/api/measurement-unit/delete", {"codes": ["a"]})).data == [first]


async def test_a_used_unit_cannot_be_deleted(house: House) -> None:
    id_ = (await house.add("measurement-unit", name="A", code="a"))["muId"]
    product = await house.add("product", name="p", code="p", measurementUnitId=id_)

    assert product["measurementUnitId"] == id_
    (await house.delete("/api/measurement-unit/delete", {"muIds": [id_]})).refused(409, "used by a product")
