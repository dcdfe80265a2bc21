import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.app import Running, running

QUIET = {"seed": 3, "order_every": 0, "rate": 5000, "burst": 5000}


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[Running]:
    async with running("gomag", **QUIET) as it:
        yield it


@pytest.fixture
async def http(served: Running) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Apikey": "sandbox-key", "ApiShop": "magazin.exemplu.test", "User-Agent": "Test/1"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers) as http:
        yield http


async def read(http: httpx.AsyncClient, path: str = "order/read", **params: str) -> Any:
    return (await http.get(f"/api/v1/{path}/json", params=params)).json()


async def write(http: httpx.AsyncClient, path: str, data: Any) -> Any:
    return (await http.post(f"/api/v1/{path}/json", data={"data": json.dumps(data)})).json()


async def state(http: httpx.AsyncClient) -> Any:
    return (await http.get("/_sandbox/state")).json()


async def test_the_shop_looks_like_one(http: httpx.AsyncClient) -> None:
    shop = await state(http)
    text = json.dumps(shop, ensure_ascii=False)
    companies = [order["buyer"]["company"] for order in shop["orders"]]

    assert len(shop["stock"]) >= 120 and len(shop["orders"]) == 60
    assert any(product["variants"] for product in shop["products"])
    assert "ș" in text and "ş" in text
    assert any(companies) and not all(companies)
    assert len({order["status_id"] for order in shop["orders"]}) > 4


async def test_the_same_seed_makes_the_same_shop(http: httpx.AsyncClient) -> None:
    async with running("gomag", **QUIET) as twin, httpx.AsyncClient(base_url=twin.url) as other:
        assert [p["price"] for p in (await state(other))["products"]] == [
            p["price"] for p in (await state(http))["products"]
        ]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Apikey": ""}, 101),
        ({"Apikey": "wrong"}, 101),
        ({"ApiShop": "https://other.test"}, 102),
        ({"User-Agent": "PostmanRuntime/7"}, 103),
    ],
)
async def test_who_asks_wrongly_gets_an_error_with_http_200(
    http: httpx.AsyncClient, headers: dict[str, str], code: int
) -> None:
    answer = await http.get("/api/v1/order/read/json", headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (200, code)


async def test_who_shows_no_key_gets_the_known_words(served: Running) -> None:
    async with httpx.AsyncClient(base_url=served.url) as stranger:
        assert await read(stranger) == {"error": 100, "message": "Missing Api User"}


async def test_the_shop_may_be_named_with_scheme(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/order/read/json", headers={"ApiShop": "https://magazin.exemplu.test"})

    assert "orders" in answer.json()


async def test_limits_are_told_and_kept() -> None:
    async with (
        running("gomag", **{**QUIET, "rate": 0.001, "burst": 2}) as it,
        httpx.AsyncClient(base_url=it.url) as http,
    ):
        answers = [await http.get("/api/v1/order/read/json") for _ in range(3)]
        write = await http.post("/api/v1/order/status/json")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["api-ratelimit-read-remaining"] for answer in answers] == ["1", "0", "0"]
    assert write.status_code == 200 and write.headers["api-ratelimit-write"] == "0.001"


async def test_lists_are_paged_newest_first_and_filtered(http: httpx.AsyncClient) -> None:
    first, last = await read(http, limit="25", page="1"), await read(http, limit="25", page="3")
    ids = [int(order["id"]) for order in first["orders"].values()]
    number = next(iter(first["orders"].values()))["number"]

    assert (first["total"], first["pages"], len(first["orders"]), len(last["orders"])) == ("60", 3, 25, 10)
    assert ids == sorted(ids, reverse=True)
    assert (await read(http, page="9"))["orders"] == []
    assert list((await read(http, id=str(ids[3])))["orders"]) == [str(ids[3])]
    assert [order["number"] for order in (await read(http, number=number))["orders"].values()] == [number]
    assert (await read(http, updated="2999-01-01"))["total"] == "0"
    assert (await read(http, status="6", dateFrom="2999-01-01"))["total"] == "60"
    statuses = {str(order["statusId"]) for order in (await read(http, statusIds="1,9"))["orders"].values()}
    assert statuses == {"1", "9"}


async def test_variants_come_when_asked_for(http: httpx.AsyncClient) -> None:
    plain = await read(http, "product/read")
    full = await read(http, "product/read", addVersions="true")

    assert not any("versions" in product for product in plain["products"].values())
    assert any("versions" in product for product in full["products"].values())


@pytest.mark.parametrize(
    "data",
    [
        {"orders": [{"order": "811", "status": 9}]},
        {"orders": [{"order": 811, "status": "9"}]},
        {"orders": [{"order": 811, "status": "Livrată"}]},
        {"orders": [{"order": 10311, "status": 9}]},
        {"orders": [{"order": 811, "status": 99}]},
        {"orders": "all"},
        [],
        None,
    ],
)
async def test_a_status_in_any_other_form_changes_nothing(http: httpx.AsyncClient, data: Any) -> None:
    before = (await state(http))["statuses"]

    assert await write(http, "order/status", data) == {"error": "404", "message": ["NO DATA"]}
    assert (await state(http))["statuses"] == before


async def test_forms_are_read_urlencoded_or_multipart_but_no_json_body(http: httpx.AsyncClient) -> None:
    async def set_status(status: int, how: str) -> str:
        data = {"orders": [{"order": 812, "status": status}]}
        text = json.dumps(data)
        forms: dict[str, dict[str, Any]] = {
            "urlencoded": {"data": {"data": text}},
            "multipart": {"files": {"data": (None, text)}},
            "json": {"json": data},
        }
        await http.post("/api/v1/order/status/json", **forms[how])
        return str((await state(http))["statuses"]["812"])

    assert await set_status(4, "urlencoded") == "4"
    assert await set_status(5, "multipart") == "5"
    assert await set_status(6, "json") == "5"


async def test_stock_is_set_and_unknown_skus_are_named(http: httpx.AsyncClient) -> None:
    lines = [{"sku": "LMP-001", "stock": 77}, {"sku": "NO-1", "stock": 1}, {"sku": "APL-002", "quantity": 5}]

    answer = await write(http, "product/inventory", lines)

    assert answer["error"] == "200" and "NO-1" in str(answer["message"]) and "APL-002" in str(answer["message"])
    assert (await state(http))["stock"]["LMP-001"] == "77"
    assert (await write(http, "product/inventory", lines[1:]))["error"] == "404"
    assert (await write(http, "product/inventory", lines * 40))["error"] == "400"


async def test_order_in_the_status_of_deleted_ones_is_still_read(http: httpx.AsyncClient) -> None:
    order = (await http.post("/_sandbox/orders", json={})).json()

    await http.post(f"/_sandbox/orders/{order['id']}", json={"status": "0"})

    orders = (await read(http, "order/read", id=order["id"]))["orders"]
    assert orders[str(order["id"])]["statusId"] == "0"


async def test_orders_are_added_changed_and_removed_by_hand(http: httpx.AsyncClient) -> None:
    line = {"sku": "LMP-001", "quantity": "2"}
    order = (await http.post("/_sandbox/orders", json={"lines": [line]})).json()
    path = f"/_sandbox/orders/{order['id']}"

    changed = (await http.post(path, json={"status": "6", "lines": [line, line]})).json()

    assert [shown["sku"] for shown in order["lines"]] == ["LMP-001"]
    assert changed["status_id"] == "6" and len(changed["lines"]) == 2
    assert (await http.post("/_sandbox/orders", json={"lines": [{"sku": "?"}]})).status_code == 400
    assert (await http.post("/_sandbox/orders")).status_code == 200
    assert (await http.delete(path)).status_code == 200
    assert (await http.post(path)).status_code == 404


async def test_a_note_stays_with_its_order(http: httpx.AsyncClient) -> None:
    assert (await write(http, "order/note/add", {"id": 815, "note": "Fragil"}))["error"] == "200"
    assert (await write(http, "order/note/add", {"id": "?", "note": "Fragil"}))["error"] == "404"

    assert [order["notes"] for order in (await state(http))["orders"] if order["id"] == 815] == [["Fragil"]]


async def fault(http: httpx.AsyncClient, **fault: Any) -> None:
    (await http.post("/_sandbox/faults", json={"path": "order/read", **fault})).raise_for_status()


async def test_faults_come_as_often_as_asked_and_where_asked(http: httpx.AsyncClient) -> None:
    await fault(http, kind="status", status=503, times=2, skip=1, headers={"Retry-After": "3"})

    statuses = [(await http.get(f"/api/v1/{path}/json")).status_code for path in ["product/read"] + ["order/read"] * 4]

    assert statuses == [200, 200, 503, 503, 200]


async def test_a_cut_answer_ends_in_mid_body(http: httpx.AsyncClient) -> None:
    await fault(http, kind="cut")

    with pytest.raises(httpx.RemoteProtocolError):
        await http.get("/api/v1/order/read/json")


async def test_garbage_and_slowness(http: httpx.AsyncClient) -> None:
    await fault(http, kind="garbage")
    await fault(http, kind="slow", seconds=0.01)

    assert (await http.get("/api/v1/order/read/json")).text.startswith("<html>")
    assert "orders" in await read(http)


async def test_a_fault_may_take_effect_and_still_look_like_a_failure(http: httpx.AsyncClient) -> None:
    await fault(http, path="order/status", kind="status", status=500, effect=True)

    answer = await http.post("/api/v1/order/status/json", data={"data": '{"orders":[{"order":820,"status":7}]}'})

    assert answer.status_code == 500 and (await state(http))["statuses"]["820"] == "7"


async def test_unknown_faults_are_refused_and_all_can_be_forgotten(http: httpx.AsyncClient) -> None:
    for wrong in ({"kind": "no such"}, {}, {"kind": "cut", "times": "often"}):
        assert (await http.post("/_sandbox/faults", json={"path": "x", **wrong})).status_code == 400
    await fault(http, kind="garbage")
    await http.delete("/_sandbox/faults")

    assert (await state(http))["pending"] == []
    assert "orders" in await read(http)


async def test_calls_are_listed(http: httpx.AsyncClient) -> None:
    await read(http, page="4")

    assert (await state(http))["calls"][-1] == {"method": "GET", "path": "/api/v1/order/read/json", "query": "page=4"}


async def test_new_orders_come_by_themselves() -> None:
    async with running("gomag", **{**QUIET, "order_every": 0.01}) as it:
        latest = it.sandbox.shop.orders[-1]
        for _ in range(2000):
            if it.sandbox.shop.orders[-1].id >= latest.id + 3:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("no new order came")


async def test_the_shop_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "gomag.json"
    async with running("gomag", state=file, **QUIET) as it, httpx.AsyncClient(base_url=it.url) as http:
        added = (await http.post("/_sandbox/orders")).json()

    async with running("gomag", state=file, **{**QUIET, "seed": 99}) as it, httpx.AsyncClient(base_url=it.url) as http:
        assert (await state(http))["orders"][-1] == added


async def test_an_unreadable_file_makes_a_new_shop(tmp_path: Path) -> None:
    file = tmp_path / "gomag.json"
    file.write_text("{")

    async with running("gomag", state=file, **QUIET) as it:
        assert len(it.sandbox.shop.orders) == 60


async def test_a_sandbox_runs_as_its_own_process_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from connectors.sandbox.app import serve; serve('gomag', port=0, seed=1, order_every=0)",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    line = (await process.stdout.readline()).decode()

    process.send_signal(signal.SIGTERM)

    assert line.startswith("GoMag sandbox at http://127.0.0.1:")
    assert await asyncio.wait_for(process.wait(), 20) == 0
