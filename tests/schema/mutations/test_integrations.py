"""Connections through the schema: what is stored, what is never shown, which one is active, what runs."""

import asyncio
import json
from typing import Any

import pytest

from hub.context import Level
from tests.schema.mutations import stages
from tests.schema.mutations.desks import Desk, caller, code_of

PARTS = """{
    code title type active fields options mappings hasCredentials missing lastSyncDate activatedAt stoppedReason
    stockPushConfirmed
    settings { name title help kind required requiredWith secret masked pattern default choices isSet }
}"""
EVERYTHING = f"integration {PARTS}"
SHOP = {"applicationUrl": "https://shop.test", "apiKey": "key-12345678", "apiSecret": "hidden words"}


async def save(desk: Desk, **parts: Any) -> dict[str, Any]:
    made = await desk.made("integrationSave", {"code": "SHOP"} | parts, EVERYTHING)
    integration: dict[str, Any] = made["integration"]
    return integration


async def ask(desk: Desk, selection: str, *, level: Level = Level.ADMINISTRATOR) -> Any:
    result = await desk.execute(f"{{ {selection} }}", scope=caller(desk.tenant_id, level))
    return result.data, [code_of(error) for error in result.errors or []]


async def test_given_replaces_null_removes_and_absent_stays(desk: Desk) -> None:
    await save(desk, fields=SHOP, options={"syncOrders": True}, mappings={"outboundTakeoverStatusId": "3"})

    changed = await save(desk, fields={"apiSecret": None}, options={"sendStocks": True})

    assert changed["fields"]["applicationUrl"] == "https://shop.test"
    assert changed["options"] == {"syncOrders": True, "sendStocks": True}
    assert changed["mappings"] == {"outboundTakeoverStatusId": "3", "outboundDeletedStatusId": "0"}
    assert {each["name"]: each["isSet"] for each in changed["settings"]} == {
        "applicationUrl": True,
        "apiKey": True,
        "apiSecret": False,
        "apiUrl": True,
    }


async def test_secrets_are_shown_nowhere(desk: Desk) -> None:
    saved = await save(desk, fields=SHOP)
    read, _ = await ask(desk, f'integrations {PARTS} integration(code: "SHOP") {PARTS}')
    audit = await desk.world.rows("SELECT details::text, subject FROM audit_entries")
    events = await desk.world.rows("SELECT data::text FROM events")
    stored = await desk.world.rows("SELECT fields::text FROM integrations")

    seen = json.dumps([saved, read]) + str([audit, events, stored])

    assert "hidden words" not in seen
    assert "key-12345678" not in seen
    assert saved["fields"]["apiKey"] == "****5678"
    assert saved["hasCredentials"] is True


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"fields": {"nothing": "x"}}, "fields.nothing"),
        ({"fields": {"applicationUrl": "ftp://x"}}, "fields.applicationUrl"),
        ({"options": {"syncNirs": True}}, "options.syncNirs"),
        ({"options": {"syncOrders": "yes"}}, "options.syncOrders"),
        ({"mappings": {"inboundTakeoverStatusId": "1"}}, "mappings.inboundTakeoverStatusId"),
        ({"mappings": {"outboundTakeoverStatusId": "0"}}, "mappings.outboundTakeoverStatusId"),
        ({"fields": ["applicationUrl"]}, "fields"),
        ({"code": "NOWHERE"}, "code"),
    ],
)
async def test_wrong_settings_are_refused_by_name(desk: Desk, parts: dict[str, Any], field: str) -> None:
    refused = await desk.refused("integrationSave", {"code": "SHOP"} | parts)

    assert refused[0] == field
    assert await desk.world.value("SELECT count(*) FROM integrations") == 0


async def test_activation_names_what_is_missing_and_then_switches(desk: Desk) -> None:
    await save(desk, fields={"applicationUrl": "https://shop.test"})
    await stages.active_gomag(desk)

    refused = await desk.change("integrationActivate", {"code": "SHOP"})
    await save(desk, fields=SHOP)
    await desk.made("integrationActivate", {"code": "SHOP"})

    assert "apiKey" in refused["userErrors"][0]["message"]
    active, _ = await ask(desk, "integrations { code active }")
    assert [each["code"] for each in active["integrations"] if each["active"]] == ["SHOP"]


async def test_of_many_activated_at_once_one_is_active(desk: Desk) -> None:
    await save(desk, fields=SHOP)
    await stages.gomag(desk)

    codes = ["SHOP", "GOMAG"] * 5
    await asyncio.gather(*(desk.made("integrationActivate", {"code": code}) for code in codes))

    assert await desk.world.value("SELECT count(*) FROM integrations WHERE active") == 1


async def test_api_key_replaces_the_previous_one_and_keeps_the_address(desk: Desk) -> None:
    await save(desk, fields=SHOP | {"apiUrl": "https://other.test"})

    key = {"code": "SHOP", "apiKey": "new-87654321"}
    made = await desk.made("integrationApiKeySave", key, "integration { fields settings { name isSet } }")

    fields = made["integration"]["fields"]
    assert (fields["apiKey"], fields["apiUrl"]) == ("****4321", "https://other.test")
    assert {"name": "apiSecret", "isSet": False} in made["integration"]["settings"]
    assert await desk.refused("integrationApiKeySave", {"code": "GOMAG", "apiKey": "x"}) == ("code", "INVALID")
    assert await desk.refused("integrationApiKeySave", {"code": "SHOP", "apiKey": " "}) == ("apiKey", "INVALID")


async def test_token_of_a_shop_is_set_and_removed(desk: Desk) -> None:
    await stages.shop(desk)
    shop = {"code": "SHOP", "websiteId": "w1"}

    await desk.made("websiteTokenSave", shop | {"token": "hidden token"})
    seen, _ = await ask(desk, 'websites(code: "SHOP") { websiteId name url hasToken }')
    reset = await desk.made("websiteTokenReset", shop, "website { hasToken }")

    assert seen["websites"] == [{"websiteId": "w1", "name": "Shop one", "url": None, "hasToken": True}]
    assert reset["website"] == {"hasToken": False}
    unknown = {"code": "SHOP", "websiteId": "w2", "token": "x"}
    assert await desk.refused("websiteTokenSave", unknown) == ("websiteId", "NOT_FOUND")


async def test_configuration_is_for_administrators_and_the_check_for_everybody(desk: Desk) -> None:
    await stages.active_gomag(desk)

    selection = 'integrations { code } integration(code: "GOMAG") { code } websites(code: "SHOP") { name }'
    data, codes = await ask(desk, f"{selection} integrationCheck lastSyncDate", level=Level.USER)

    assert data == {
        "integrations": None,
        "integration": None,
        "websites": None,
        "integrationCheck": True,
        "lastSyncDate": None,
    }
    assert codes == ["FORBIDDEN"] * 3


async def test_another_tenant_sees_nothing_of_it(desk: Desk, other_desk: Desk) -> None:
    await stages.active_gomag(desk)

    theirs, _ = await ask(other_desk, 'integrationCheck integration(code: "GOMAG") { active hasCredentials }')

    assert theirs == {"integrationCheck": False, "integration": {"active": False, "hasCredentials": False}}


async def test_started_stream_keeps_its_open_run(desk: Desk) -> None:
    await stages.active_gomag(desk)
    start, runs = {"streams": ["orders"]}, "runs { id stream state trigger requestedBy }"

    answers = await asyncio.gather(*(desk.made("syncStart", start, runs) for _ in range(5)))

    assert all(answer == answers[0] for answer in answers)
    [run] = answers[0]["runs"]
    assert (run["stream"], run["state"], run["trigger"], run["requestedBy"]) == ("orders", "QUEUED", "MANUAL", "paula")


@pytest.mark.parametrize(
    ("input", "field", "code"),
    [
        ({"streams": ["nothing"]}, "streams", "NOT_FOUND"),
        ({"streams": ["stock"]}, "streams", "CONFLICT"),
        ({"code": "SHOP"}, "code", "CONFLICT"),
        ({"code": "NOWHERE"}, "code", "NOT_FOUND"),
    ],
)
async def test_stream_that_cannot_start_is_refused_by_name(
    desk: Desk, input: dict[str, Any], field: str, code: str
) -> None:
    await stages.active_gomag(desk)

    assert await desk.refused("syncStart", input) == (field, code)


async def test_nothing_starts_without_an_active_connection(desk: Desk) -> None:
    assert (await desk.refused("syncStart", {}))[1] == "CONFLICT"
    assert (await desk.refused("integrationResync", {}))[1] == "CONFLICT"
    assert (await desk.refused("stockPushConfirm", {}))[1] == "CONFLICT"


async def test_cancelled_run_is_over_and_cannot_end_otherwise(desk: Desk) -> None:
    run = {"id": await stages.run(desk)}

    cancelled = await desk.made("syncCancel", run, "run { state }")
    await desk.made("syncCancel", run)

    assert cancelled["run"] == {"state": "CANCELED"}


async def test_second_resynchronisation_answers_with_the_runs_of_the_first(desk: Desk) -> None:
    await stages.active_gomag(desk)

    first, second = [await desk.made("integrationResync", {}, "runs { id trigger stream }") for _ in range(2)]

    assert first == second
    assert {run["trigger"] for run in first["runs"]} == {"RESYNC"}


async def test_parked_record_is_retried_by_users_and_dismissed_by_administrators(desk: Desk) -> None:
    exception = {"id": await stages.exception(desk)}

    await desk.made("exceptionRetry", exception, scope=caller(desk.tenant_id, Level.USER))
    dismissed = await desk.made("exceptionDismiss", exception, "exception { state resolvedBy }")

    assert dismissed["exception"] == {"state": "DISMISSED", "resolvedBy": "paula"}
    assert await desk.world.value("SELECT count(*) FROM inbox") == 1
    assert await desk.refused("exceptionRetry", exception) == ("id", "CONFLICT")


async def test_called_for_record_is_queued_once_while_it_waits(desk: Desk) -> None:
    record = {"stream": "orders", "externalKey": "77"}
    assert (await desk.refused("syncRecord", record))[1] == "CONFLICT"
    await stages.active_gomag(desk)

    first, second = [await desk.made("syncRecord", record, "jobId") for _ in range(2)]
    gone = await desk.made("syncRecord", record | {"deleted": True}, "jobId")

    assert first == second != gone
    assert await desk.refused("syncRecord", record | {"stream": "stock"}) == ("stream", "NOT_FOUND")
    assert await desk.refused("syncRecord", record | {"externalKey": " "}) == ("externalKey", "INVALID")
    product = {"stream": "products", "deleted": True}
    assert await desk.refused("syncRecord", record | product) == ("deleted", "INVALID")


async def test_stock_is_looked_at_before_it_is_sent(desk: Desk) -> None:
    await stages.active_gomag(desk)
    await stages.stock(desk, quantity=10)
    await desk.made("orderAdd", {"externalOrderId": "1", "lines": [{"productCode": "LAMP", "quantity": 4}]})
    preview = "stockPushPreview { products zeros fallingToZero levels { productId code quantity sent } }"

    seen, _ = await ask(desk, preview)
    refused, codes = await ask(desk, preview, level=Level.USER)

    level = {"productId": desk.id("Product", 1), "code": "LAMP", "quantity": "6", "sent": None}
    assert seen["stockPushPreview"] == {"products": 1, "zeros": 0, "fallingToZero": 0, "levels": [level]}
    assert (refused["stockPushPreview"], codes) == (None, ["FORBIDDEN"])
