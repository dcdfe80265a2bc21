from typing import Any

import pytest

from tests.schema.rest.houses import House


async def names(house: House, **filters: Any) -> list[str]:
    return [company["name"] for company in (await house.post("/api/company/read", filters)).data]


async def test_only_the_name_is_mandatory(house: House) -> None:
    company = await house.add("company", name="Lumen SA")

    assert company == {
        "companyId": company["companyId"],
        "externalReference": None,
        "name": "Lumen SA",
        "cui": None,
        "regNo": None,
        "bank": None,
        "iban": None,
        "address": None,
        "phone": None,
        "email": None,
        "website": None,
        "type": "CLIENT",
        "active": True,
        "thirdPartyReference": None,
    }


async def test_every_field_is_kept(house: House) -> None:
    fields = {
        "externalReference": "c-1",
        "name": "Ștefan",
        "cui": "not checked",
        "regNo": "J40/1",
        "bank": "B",
        "iban": "not an iban",
        "address": "x" * 1000,
        "phone": 40721,
        "email": "not an address",
        "website": "w",
        "type": "BOTH",
        "active": False,
        "thirdPartyReference": "t-1",
    }

    company = await house.add("company", **fields)

    assert company == fields | {"companyId": company["companyId"], "phone": "40721"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("type", "PARTNER"),
        ("type", "client"),
        ("type", 1),
        ("address", "x" * 1001),
        ("cui", ["RO1"]),
        ("externalReference", " "),
        ("active", "true"),
    ],
)
async def test_a_bad_field_is_refused_by_name(house: House, field: str, value: Any) -> None:
    (await house.put("/api/company/add", {"name": "a", field: value})).refused(400, field)


async def test_clients_and_suppliers_include_those_that_are_both(house: House) -> None:
    for type in ("CLIENT", "SUPPLIER", "BOTH"):
        await house.add("company", name=type, type=type, cui=f"RO-{type}")

    assert await names(house, type="CLIENT") == ["CLIENT", "BOTH"]
    assert await names(house, type="SUPPLIER") == ["SUPPLIER", "BOTH"]
    assert await names(house, type="BOTH") == ["BOTH"]
    assert await names(house, cuis=["RO-CLIENT", "x"]) == ["CLIENT"]
    (await house.post("/api/company/read", {"type": "x"})).refused(400, "type")


async def test_references_are_unique_and_tax_numbers_are_not(house: House) -> None:
    first = (await house.add("company", name="a", cui="RO1", externalReference="e", thirdPartyReference="t"))[
        "companyId"
    ]
    second = (await house.add("company", name="a", cui="RO1"))["companyId"]

    for key, value in (("externalReference", "e"), ("thirdPartyReference", "t")):
        (await house.put("/api/company/add", {"name": "b", key: value})).refused(409, f"{key}: {value} already exists")
        taken = await house.post("/api/company/update", {"companyIds": [second], "updateFields": {key: value}})
        taken.refused(409, key)
        own = await house.post("/api/company/update", {"companyIds": [first], "updateFields": {key: value}})
        assert own.data[0]["companyId"] == first


async def test_a_company_of_a_document_cannot_be_deleted(house: House) -> None:
    supplier = (await house.add("company", name="s", type="SUPPLIER", externalReference="s"))["companyId"]
    unused = (await house.add("company", name="u", externalReference="u"))["companyId"]
    await house.add("nir", externalReference="n", supplierId=supplier)

    (await house.delete("/api/company/delete", {"externalReferences": ["s", "u"]})).refused(409, "used by a NIR")
    assert (await house.delete("/api/company/delete", {"externalReferences": ["u"]})).data == [unused]
    assert (await house.delete("/api/nir/delete", {"externalReferences": ["n"]})).status == 200
    assert (await house.delete("/api/company/delete", {"companyIds": [supplier]})).data == [supplier]


async def test_a_reference_is_checked_exactly(house: House) -> None:
    await house.add("company", name="a", thirdPartyReference="a/b")

    for path, known in (("a%2Fb", True), ("a%2FB", False)):
        answer = await house.get(f"/api/company/third-party-reference/{path}/check", user="viewer")
        assert (answer.status, answer.body) == (200, known)
