"""The main job: an order made in a shop is taken in, reserved, picked and told back, whatever befalls the worker."""

import asyncio
from contextlib import aclosing
from typing import Any

from tests.e2e.processes import Hub, eventually

SAVE = """
mutation Save($fields: JSON!, $options: JSON!, $mappings: JSON!) {
  integrationSave(input: {code: "GOMAG", fields: $fields, options: $options, mappings: $mappings}) {
    userErrors { field message }
  }
  integrationActivate(input: {code: "GOMAG"}) { integration { code active } userErrors { field message } }
}
"""
CONFIRM = "mutation { stockPushConfirm(input: {}) { userErrors { message } } }"
START = """
mutation Start($streams: [String!]) {
  syncStart(input: {streams: $streams}) { runs { id stream } userErrors { field message } }
}
"""
RUNS = "{ syncRuns(first: 100) { nodes { stream state fetched created parked errorMessage } } }"
ORDERS = """
query Orders($after: String) {
  orders(first: 250, after: $after) {
    nodes { externalOrderId thirdPartyReference status lines { nodes { quantity reservedQuantity product { code } } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
PRODUCT = """
query Product($code: String) {
  product(code: $code) { totalQuantityInStock totalReservedQuantity totalFreeQuantity }
}
"""
EVENTS = """
subscription {
  syncEvents { cursor kind topic run { stream } order { externalOrderId status } }
}
"""
MAPPINGS = {"outboundTakeoverStatusId": "1", "outboundCompletedStatusId": "9", "outboundDeletedStatusId": "0"}
OPTIONS = {"syncOrders": True, "sendStocks": True}


async def _connect(hub: Hub) -> None:
    fields = {
        "applicationId": "sandbox-key",
        "applicationUrl": "https://magazin.exemplu.test",
        "apiUrl": f"http://127.0.0.1:{hub.shop_port}",
    }
    saved = await hub.graphql(SAVE, fields=fields, options=OPTIONS, mappings=MAPPINGS)
    assert saved["integrationSave"]["userErrors"] == saved["integrationActivate"]["userErrors"] == []
    assert saved["integrationActivate"]["integration"] == {"code": "GOMAG", "active": True}


async def _run(hub: Hub, stream: str) -> None:
    """Start a stream and wait until no run of it is open."""
    started = await hub.graphql(START, streams=[stream])
    assert started["syncStart"]["userErrors"] == []
    await _quiet(hub, stream)


async def _quiet(hub: Hub, *streams: str) -> None:
    def over(data: Any) -> bool:
        states = [run["state"] for run in data["syncRuns"]["nodes"] if run["stream"] in streams]
        return bool(states) and not {"QUEUED", "RUNNING"} & set(states)

    await eventually(lambda: hub.graphql(RUNS), over, f"the end of the runs of {streams}")


async def _orders(hub: Hub) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await hub.graphql(ORDERS, after=after))["orders"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def _goods(hub: Hub, sku: str, quantity: int, reference: str) -> None:
    await hub.rest(
        "PUT",
        "/api/nir/add",
        {
            "externalReference": reference,
            "validationRequired": False,
            "nirProducts": [{"code": sku, "quantity": quantity, "locationCode": "A-01"}],
        },
    )


async def test_order_of_the_shop_is_taken_in_reserved_picked_and_told_back(hub: Hub) -> None:
    await _connect(hub)
    await _run(hub, "products")
    shop = await hub.shop()
    ordered = {line["sku"] for order in shop["orders"] for line in order["lines"]}
    sku = next(each for each in shop["stock"] if each not in ordered)  # the shop's older orders come in as well
    await _goods(hub, sku, 20, "IN-1")
    await hub.graphql(CONFIRM)
    await eventually(hub.shop, lambda state: state["stock"][sku] == "20", "the stock of the NIR in the shop")

    seen: list[Any] = []
    async with aclosing(hub.follow(EVENTS)) as events:  # type: ignore[type-var]
        listening = asyncio.create_task(_collect(events, seen))
        await asyncio.sleep(0)
        made = await hub.shop("POST", "orders", {"lines": [{"sku": sku, "quantity": 3}]})
        await _run(hub, "orders")
        order = await eventually(
            lambda: hub.rest("POST", "/api/order/read", {"externalOrderIds": [made["number"]]}),
            lambda orders: len(orders) == 1,
            "the order in REST",
        )
        await eventually(
            lambda: asyncio.sleep(0, seen),
            lambda told: any((e["order"] or {}).get("externalOrderId") == made["number"] for e in told),
            "the order in the subscription",
        )
        assert not listening.done(), listening.exception()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert len({event["cursor"] for event in seen}) == len(seen)

    assert (order[0]["status"], order[0]["orderProducts"][0]["reservedQuantity"]) == (2, 3)
    stock = (await hub.graphql(PRODUCT, code=sku))["product"]
    assert (stock["totalQuantityInStock"], stock["totalReservedQuantity"]) == ("20", "3")
    await hub.rest("POST", "/api/order/start-picking", {"orderId": order[0]["orderId"]})
    await hub.rest("PATCH", "/api/order/update-status", {"orderId": order[0]["orderId"], "status": 3})

    key = order[0]["thirdPartyReference"]
    await eventually(hub.shop, lambda state: state["statuses"][key] == "9", "the status in the shop")
    await eventually(hub.shop, lambda state: state["stock"][sku] == "17", "the stock left in the shop")


async def _collect(events: Any, seen: list[Any]) -> None:
    async for payload in events:
        seen.append(payload["syncEvents"])


def _tells(events: list[Any], number: str) -> bool:
    return any((event["order"] or {}).get("externalOrderId") == number for event in events)


async def test_kill_9_of_the_worker_in_mid_run_changes_nothing_about_the_end(hub: Hub) -> None:
    before = {order["externalOrderId"] for order in await _orders(hub)}
    made = [(await hub.shop("POST", "orders", {}))["number"] for _ in range(150)]
    await hub.shop("POST", "faults", {"path": "order/read", "kind": "slow", "times": 50})
    await hub.graphql(START, streams=["orders"])

    for _ in range(3):
        await eventually(
            lambda: hub.graphql(RUNS),
            lambda data: any(run["state"] == "RUNNING" for run in data["syncRuns"]["nodes"]),
            "a run under way",
        )
        await hub.kill_worker()
        await hub.start_worker()
    await hub.shop("DELETE", "faults")
    await eventually(
        lambda: _orders(hub),
        lambda orders: {order["externalOrderId"] for order in orders} >= before | set(made),
        "all orders of the shop",
    )
    await _quiet(hub, "orders")

    taken = [order["externalOrderId"] for order in await _orders(hub)]
    assert len(taken) == len(set(taken))
    codes = {line["product"]["code"] for order in await _orders(hub) for line in order["lines"]["nodes"]}
    for code in sorted(codes)[:20]:
        stock = (await hub.graphql(PRODUCT, code=code))["product"]
        assert float(stock["totalReservedQuantity"]) <= float(stock["totalQuantityInStock"])
