"""One sample of each mutation of the administration: connections, runs, places, logins, tenants, accounts."""

from tests.schema.mutations import stages
from tests.schema.mutations.desks import Desk
from tests.schema.mutations.samples import GONE, Input, numbers, sample


@sample("integration { code fields options mappings hasCredentials missing }")
async def integration_save(desk: Desk) -> Input:
    return {"code": "GOMAG", "fields": {"applicationId": "key-12345678"}, "options": {"syncOrders": True}}


@sample("integration { code active }")
async def integration_activate(desk: Desk) -> Input:
    await stages.gomag(desk)
    return {"code": "GOMAG"}


@sample("integration { code active }")
async def integration_deactivate(desk: Desk) -> Input:
    await stages.active_gomag(desk)
    return {"code": "GOMAG"}


@sample("integration { fields }")
async def integration_api_key_save(desk: Desk) -> Input:
    return {"code": "SHOP", "apiKey": "key-12345678", "apiSecret": "hidden words"}


@sample("website { websiteId hasToken }")
async def website_token_save(desk: Desk) -> Input:
    await stages.shop(desk)
    return {"code": "SHOP", "websiteId": "w1", "token": "hidden token"}


@sample("website { websiteId hasToken }")
async def website_token_reset(desk: Desk) -> Input:
    await stages.shop(desk)
    return {"code": "SHOP", "websiteId": "w1"}


@sample("runs { stream state }")
async def integration_resync(desk: Desk) -> Input:
    await stages.active_gomag(desk)
    return {}


@sample("runs { stream state }")
async def sync_start(desk: Desk) -> Input:
    await stages.active_gomag(desk)
    return {"code": "GOMAG", "streams": ["products", "orders"]}


@sample("run { state }")
async def sync_cancel(desk: Desk) -> Input:
    return {"id": await stages.run(desk)}


@sample("jobId")
async def sync_record(desk: Desk) -> Input:
    await stages.active_gomag(desk)
    return {"stream": "orders", "externalKey": "77", "deleted": True}


@sample("exception { state }")
async def exception_retry(desk: Desk) -> Input:
    return {"id": await stages.exception(desk)}


@sample("exception { state }")
async def exception_dismiss(desk: Desk) -> Input:
    return {"id": await stages.exception(desk)}


@sample("run { stream }")
async def stock_push_confirm(desk: Desk) -> Input:
    await stages.active_gomag(desk)
    return {}


@sample("warehouse { id code locations { nodes { code isInbound } } }")
async def warehouse_add(desk: Desk) -> Input:
    return {"code": "NORTH", "name": "North", "isDefault": True}


@sample("warehouse { name }")
async def warehouse_update(desk: Desk) -> Input:
    return {"warehouse": {"code": "SOUTH"}, "name": "Changed"}


@sample(GONE)
async def warehouse_delete(desk: Desk) -> Input:
    await desk.made("warehouseAdd", {"code": "NORTH", "name": "North"})
    return {"warehouse": {"code": "NORTH"}}


@sample("location { id code priority }")
async def location_add(desk: Desk) -> Input:
    return {"code": "A-03", "warehouseId": desk.id("Warehouse", 1), "priority": 5}


@sample("location { name }")
async def location_update(desk: Desk) -> Input:
    return {"location": {"code": "A-02"}, "name": "Changed"}


@sample(GONE)
async def location_delete(desk: Desk) -> Input:
    return {"location": {"code": "A-02"}}


@sample("batches { code isLocked }")
async def batch_lock(desk: Desk) -> Input:
    return {"batchIds": [await stages.batch(desk)], "days": 3, "reason": "recall"}


@sample("batches { code isLocked }")
async def batch_unlock(desk: Desk) -> Input:
    batch_id = await stages.batch(desk)
    await desk.made("batchLock", {"batchIds": [batch_id]})
    return {"batchIds": [batch_id]}


@sample("user { id username level permissions }")
async def user_add(desk: Desk) -> Input:
    login = {"username": "nora", "password": "correct horse", "level": "USER"}
    return login | {"permissions": ["PROCESS_NIRS"], "email": "nora@example.com"}


@sample("user { name level }")
async def user_update(desk: Desk) -> Input:
    await desk.made("userAdd", {"username": "head", "password": "correct horse", "level": "SUPERADMINISTRATOR"})
    return {"id": await stages.user(desk), "name": "Changed", "level": "VIEWER", "active": False}


@sample("user { username }")
async def user_password_set(desk: Desk) -> Input:
    return {"id": await stages.user(desk), "password": "battery staple"}


@sample("tenant { slug active } generatedPassword")
async def tenant_add(desk: Desk) -> Input:
    return {"slug": f"new-{next(numbers)}", "name": "New"}


@sample("tenant { slug active }")
async def tenant_active_set(desk: Desk) -> Input:
    return {"slug": desk.world.slug, "active": True}


@sample("tenant { name purchaseOrdersEnabled }")
async def tenant_settings_update(desk: Desk) -> Input:
    return {"name": "Changed", "purchaseOrdersEnabled": False}


async def account(desk: Desk) -> str:
    email = f"ana-{next(numbers)}@example.com"
    await desk.made("accountAdd", {"email": email, "password": "correct horse"}, scope=desk.operator)
    return email


@sample("account { email operator }")
async def account_add(desk: Desk) -> Input:
    return {"email": f"ana-{next(numbers)}@example.com", "password": "correct horse", "name": "Ana"}


@sample("account { memberships { tenant level } }")
async def account_join(desk: Desk) -> Input:
    email = await account(desk)
    return {"email": email, "tenant": desk.world.slug, "level": "USER", "permissions": ["PRODUCTION"]}


@sample("account { email memberships { tenant } }")
async def account_leave(desk: Desk) -> Input:
    email = await account(desk)
    membership = {"email": email, "tenant": desk.world.slug}
    await desk.made("accountJoin", membership | {"level": "USER"}, scope=desk.operator)
    return membership


@sample("account { active }")
async def account_active_set(desk: Desk) -> Input:
    return {"email": await account(desk), "active": False}


@sample("account { email }")
async def account_password_set(desk: Desk) -> Input:
    return {"email": await account(desk), "password": "battery staple"}
