"""Mutations as callers send them: over HTTP, with credentials or a session, on a tenant's host and the bare one."""

import asyncio
from typing import Any

from tests.schema.served import PASSWORD, Served

LOGIN = """mutation ($login: String!, $password: String!) {
    login(input: {login: $login, password: $password}) { token tenants { slug } }
}"""
PRODUCT_ADD = """mutation ($input: ProductAddInput!) {
    productAdd(input: $input) { product { id code sellingPrice } userErrors { field code message } }
}"""
ORDER_ADD = """mutation ($input: OrderAddInput!) {
    orderAdd(input: $input) { order { id status lines { nodes { reservedQuantity } } } userErrors { field code } }
}"""
NIR_ADD = "mutation ($input: NirAddInput!) { nirAdd(input: $input) { userErrors { field code } } }"


async def post(
    served: Served, query: str, *, headers: dict[str, str], host: str | None = None, **variables: Any
) -> Any:
    async with served.http(None, host) as http:
        body = {"query": query, "variables": variables}
        answer = await http.post("/graphql", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def count(served: Served, table: str) -> Any:
    return await served.room.world.value(f"SELECT count(*) FROM {table}")


async def test_session_of_a_login_makes_changes(served: Served) -> None:
    logged_in = await post(served, LOGIN, headers={}, login="clerk", password=PASSWORD)
    session = {"Authorization": f"Bearer {logged_in['data']['login']['token']}"}

    lamp = {"name": "Lamp", "code": "LAMP-HTTP", "sellingPrice": 12.50}
    made = await post(served, PRODUCT_ADD, headers=session, input=lamp)
    again = await post(served, PRODUCT_ADD, headers=session, input=lamp)

    product = made["data"]["productAdd"]["product"]
    assert (product["code"], product["sellingPrice"]) == ("LAMP-HTTP", "12.5")
    assert again["data"]["productAdd"]["product"] is None
    assert again["data"]["productAdd"]["userErrors"] == [
        {"field": "code", "code": "CONFLICT", "message": "LAMP-HTTP already exists"}
    ]


async def test_missing_right_is_an_error_of_the_field_and_changes_nothing(served: Served) -> None:
    viewer = {"Authorization": served.bearer("viewer")}
    before = await count(served, "products")

    answer = await post(served, PRODUCT_ADD, headers=viewer, input={"name": "x", "code": "VIEWER"})

    assert answer["data"] == {"productAdd": None}
    [error] = answer["errors"]
    assert error["path"] == ["productAdd"]
    assert error["extensions"] == {"code": "FORBIDDEN", "hint": "needs USER"}
    assert await count(served, "products") == before


async def test_account_on_the_bare_host_names_the_tenant(served: Served) -> None:
    email = f"op@{served.slug}.test"
    account = {"Authorization": f"Bearer {email}:{PASSWORD}"}
    lamp = {"name": "Lamp", "code": "LAMP-BARE"}

    named = await post(served, PRODUCT_ADD, headers=account, host="localhost", input=lamp | {"tenant": served.slug})
    foreign = await post(served, PRODUCT_ADD, headers=account, host="localhost", input=lamp | {"tenant": "nowhere"})

    assert named["data"]["productAdd"]["userErrors"] == []
    assert foreign["data"]["productAdd"]["userErrors"][0]["field"] == "tenant"


async def test_fifty_identical_orders_with_a_key_are_one_order(served: Served) -> None:
    clerk = {"Authorization": served.bearer("clerk")}
    await post(served, PRODUCT_ADD, headers=clerk, input={"name": "Bulb", "code": "BULB-RUSH"})
    lines = [{"productCode": "BULB-RUSH", "quantity": 10}]
    nir = {"externalReference": "rush", "requiresValidation": False, "lines": lines}
    await post(served, NIR_ADD, headers=clerk, input=nir)
    order = {
        "externalOrderId": "RUSH-1",
        "idempotencyKey": "rush",
        "lines": [{"productCode": "BULB-RUSH", "quantity": "2.5"}],
    }
    before = await count(served, "orders")

    answers = await asyncio.gather(*(post(served, ORDER_ADD, headers=clerk, input=order) for _ in range(50)))

    made = answers[0]["data"]["orderAdd"]["order"]
    assert all(answer["data"] == answers[0]["data"] for answer in answers)
    assert (made["status"], made["lines"]["nodes"]) == ("ACTIVE", [{"reservedQuantity": "2.5"}])
    assert await count(served, "orders") == before + 1
    await served.room.balance()


async def test_change_is_seen_by_the_next_query_of_anybody(served: Served) -> None:
    clerk = {"Authorization": served.bearer("clerk")}
    await post(served, PRODUCT_ADD, headers=clerk, input={"name": "Seen", "code": "SEEN"})

    seen = await served.ask('{ product(code: "SEEN") { name } }', user="viewer")

    assert seen == {"product": {"name": "Seen"}}
