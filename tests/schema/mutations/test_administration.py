"""Logins, tenants, accounts, places and batches through the schema."""

import asyncio
from typing import Any

import pytest

from hub.context import Level, Permission
from tests.schema.mutations import stages
from tests.schema.mutations.desks import Desk, caller, code_of
from tests.schema.mutations.samples import numbers

PASSWORD = "correct horse"
LOGIN = """mutation ($login: String!, $password: String!) {
    login(input: {login: $login, password: $password}) {
        token expiresAt username operator tenants { slug level permissions }
    }
}"""


async def log_in(desk: Desk, login: str, password: str = PASSWORD) -> tuple[Any, list[str]]:
    result = await desk.execute(LOGIN, scope=None, login=login, password=password)
    assert result.data is not None
    return result.data["login"], [code_of(error) for error in result.errors or []]


async def test_login_gives_a_session_that_works(desk: Desk) -> None:
    await desk.made(
        "userAdd",
        {"username": "nora", "password": PASSWORD, "level": "USER", "permissions": ["PRODUCTION", "PROCESS_NIRS"]},
    )

    session, _ = await log_in(desk, "nora")
    scope = await desk.services.authenticator.by_token(host=f"{desk.world.slug}.localhost", token=session["token"])

    assert session["username"] == "nora"
    assert session["operator"] is False
    rights = {"level": "USER", "permissions": ["PROCESS_NIRS", "PRODUCTION"]}
    assert session["tenants"] == [{"slug": desk.world.slug} | rights]
    assert scope.allows(Level.USER, Permission.PROCESS_NIRS)


async def test_wrong_login_is_one_and_the_same_error(desk: Desk) -> None:
    await desk.made("userAdd", {"username": "nora", "password": PASSWORD, "level": "USER"})

    for login, password in (("nora", "wrong"), ("nobody", PASSWORD), ("", ""), ("nora:x", PASSWORD), ("\x00", "x")):
        assert await log_in(desk, login, password) == (None, ["UNAUTHENTICATED"])


async def test_user_is_changed_and_shut_out(desk: Desk) -> None:
    await desk.made("userAdd", {"username": "head", "password": PASSWORD, "level": "SUPERADMINISTRATOR"})
    user = {"id": await stages.user(desk)}

    changed = await desk.made(
        "userUpdate",
        user | {"level": "ADMINISTRATOR", "email": "nora@example.com", "permissions": ["PRODUCTION"]},
        "user { level email permissions active }",
    )
    await desk.made("userPasswordSet", user | {"password": "battery staple"})
    entered, _ = await log_in(desk, "nora", "battery staple")
    await desk.made("userUpdate", user | {"active": False})

    rights = {"level": "ADMINISTRATOR", "permissions": ["PRODUCTION"]}
    assert changed["user"] == {"email": "nora@example.com", "active": True} | rights
    assert entered is not None
    assert await log_in(desk, "nora", "battery staple") == (None, ["UNAUTHENTICATED"])


async def test_nobody_gives_more_than_they_have(desk: Desk) -> None:
    administrator = caller(desk.tenant_id, Level.ADMINISTRATOR)
    head = {"username": "head", "password": PASSWORD, "level": "SUPERADMINISTRATOR"}

    assert await desk.failed("userAdd", head, scope=administrator) == "FORBIDDEN"
    assert await desk.world.value("SELECT count(*) FROM users") == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"username": "a:b"}, "username"),
        ({"password": "short"}, "password"),
        ({"email": "nobody"}, "email"),
        ({"language": "xx"}, "language"),
    ],
)
async def test_wrong_user_is_refused_by_field(desk: Desk, fields: dict[str, Any], field: str) -> None:
    user = {"username": "nora", "password": PASSWORD, "level": "USER"}

    assert await desk.refused("userAdd", user | fields) == (field, "INVALID")


async def test_tenant_keeps_its_last_superadministrator(desk: Desk) -> None:
    head = {"username": "head", "password": PASSWORD, "level": "SUPERADMINISTRATOR"}
    made = await desk.made("userAdd", head, "user { id }")

    assert (await desk.refused("userUpdate", {"id": made["user"]["id"], "level": "USER"}))[1] == "CONFLICT"


async def test_operator_makes_a_tenant_that_is_ready_to_work(desk: Desk) -> None:
    slug = f"fresh-{next(numbers)}"

    made = await desk.made(
        "tenantAdd", {"slug": slug, "name": "Fresh"}, "tenant { slug active } generatedPassword", scope=desk.operator
    )
    again = await desk.refused("tenantAdd", {"slug": slug, "name": "Fresh"}, scope=desk.operator)
    seen = await desk.execute("{ hubTenants { slug } accounts { email } }", scope=desk.operator)
    session = await desk.services.authenticator.login(
        host=f"{slug}.localhost", login="admin", password=made["generatedPassword"], address="127.0.0.1"
    )

    assert made["tenant"] == {"slug": slug, "active": True}
    assert again == ("slug", "CONFLICT")
    assert seen.data is not None and {"slug": slug} in seen.data["hubTenants"]
    assert session.scope.allows(Level.SUPERADMINISTRATOR)


async def test_hub_is_for_operators_alone(desk: Desk) -> None:
    result = await desk.execute("{ hubTenants { slug } accounts { email } }", scope=desk.admin)

    assert result.data == {"hubTenants": None, "accounts": None}
    assert [code_of(error) for error in result.errors or []] == ["FORBIDDEN", "FORBIDDEN"]


async def test_account_joins_changes_its_rights_and_leaves(desk: Desk) -> None:
    email = f"ana-{next(numbers)}@example.com"
    await desk.made("accountAdd", {"email": email, "password": PASSWORD}, scope=desk.operator)
    join = {"email": email, "tenant": desk.world.slug}
    memberships = "account { memberships { tenant level } }"

    await desk.made("accountJoin", join | {"level": "VIEWER"}, scope=desk.operator)
    joined = await desk.made(
        "accountJoin", join | {"level": "USER", "permissions": ["PRODUCTION"]}, memberships, scope=desk.operator
    )
    session, _ = await log_in(desk, email)
    left = await desk.made("accountLeave", join, memberships, scope=desk.operator)

    assert joined["account"]["memberships"] == [{"tenant": desk.world.slug, "level": "USER"}]
    assert session["tenants"] == [{"slug": desk.world.slug, "level": "USER", "permissions": ["PRODUCTION"]}]
    assert left["account"]["memberships"] == []
    assert await log_in(desk, email) == (None, ["UNAUTHENTICATED"])
    assert await desk.refused("accountLeave", join, scope=desk.operator) == ("tenant", "NOT_FOUND")


async def test_settings_of_a_tenant_are_changed_by_its_administrators(desk: Desk) -> None:
    settings = "tenant { name purchaseOrdersEnabled batchCodeFormat }"

    changed = await desk.made(
        "tenantSettingsUpdate", {"batchCodeFormat": "L{yy}{MM}{dd}", "name": "New name"}, settings
    )

    assert changed["tenant"] == {
        "name": "New name",
        "purchaseOrdersEnabled": True,
        "batchCodeFormat": "L{yy}{MM}{dd}",
    }
    assert await desk.refused("tenantSettingsUpdate", {"name": None}) == ("name", "INVALID")


async def test_default_warehouse_is_always_exactly_one(desk: Desk) -> None:
    await desk.made("warehouseAdd", {"code": "NORTH", "name": "North"})
    codes = ["NORTH", "SOUTH", "MAIN"] * 3

    await asyncio.gather(
        *(desk.change("warehouseUpdate", {"warehouse": {"code": code}, "isDefault": True}) for code in codes)
    )

    assert await desk.world.value("SELECT count(*) FROM warehouses WHERE is_default") == 1
    default = await desk.world.value("SELECT code FROM warehouses WHERE is_default")
    off = {"warehouse": {"code": default}, "isDefault": False}
    assert await desk.refused("warehouseUpdate", off) == ("isDefault", "CONFLICT")
    assert await desk.refused("warehouseDelete", {"warehouse": {"code": default}}) == ("warehouse", "CONFLICT")


async def test_place_in_use_stays(desk: Desk) -> None:
    await stages.stock(desk)
    await desk.made("orderAdd", {"externalOrderId": "1", "warehouseId": desk.id("Warehouse", 2)})

    assert await desk.refused("locationDelete", {"location": {"code": "A-01"}}) == ("location", "CONFLICT")
    assert await desk.refused("warehouseDelete", {"warehouse": {"code": "SOUTH"}}) == ("warehouse", "CONFLICT")
    inbound = {"location": {"code": "RECEPTION"}, "isInbound": False}
    assert await desk.refused("locationUpdate", inbound) == ("isInbound", "CONFLICT")
    assert await desk.refused("locationAdd", {"code": "A-01", "warehouseId": desk.id("Warehouse", 1)}) == (
        "code",
        "CONFLICT",
    )


async def test_goods_of_a_locked_batch_are_not_reserved(desk: Desk) -> None:
    batch = {"batchIds": [await stages.batch(desk)]}
    wish = {"lines": [{"productCode": "FOOD", "quantity": 2}]}

    await desk.made("batchLock", batch | {"reason": "recall"})
    locked = await desk.made("orderAdd", {"externalOrderId": "1"} | wish, "order { status }")
    await desk.made("batchUnlock", batch)
    free = await desk.made("orderAdd", {"externalOrderId": "2"} | wish, "order { status }")

    assert (locked["order"]["status"], free["order"]["status"]) == ("WAITING_FOR_SUPPLY", "ACTIVE")
    assert await desk.refused("batchLock", batch | {"days": 0}) == ("days", "INVALID")
    assert await desk.refused("batchLock", {"batchIds": []}) == ("batchIds", "INVALID")


async def test_notification_for_an_unknown_user_is_refused(desk: Desk) -> None:
    hello = {"title": "Hello", "message": "World"}

    everybody = await desk.made("notificationAdd", hello, "notification { title }")
    await desk.made("notificationAdd", hello)

    assert everybody["notification"] == {"title": "Hello"}
    assert await desk.world.value("SELECT count(*) FROM notifications") == 2
    unknown = hello | {"recipientId": desk.id("User", 99)}
    assert await desk.refused("notificationAdd", unknown) == ("recipientId", "NOT_FOUND")
