"""What --demo makes: all can log in, the sandbox is connected, the first orders find goods; twice is like once."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select
from sqlmodel import col

from connectors.registry import REGISTRY
from hub import demo
from hub.auth import Authenticator
from hub.context import Level, Permission, Scope
from hub.crypto import Vault
from hub.db import Database
from hub.demo import DemoConnection
from hub.models.orders import Order
from hub.models.stock import StockItem
from hub.models.syncs import SyncRun, SyncStream
from hub.models.tenants import Account, Tenant, User
from hub.queries.directory import get_tenant_id
from hub.queries.integrations import list_integrations
from hub.services import integrations, orders, products
from hub.services.order_drafts import OrderDraft, OrderLineDraft
from hub.services.products import ProductDraft
from hub.settings import Settings
from hub.statuses import Status

VAULT = Vault("key")
CONNECTION = DemoConnection(
    tenant="demo",
    code="GOMAG",
    fields={"applicationId": "sandbox-key", "applicationUrl": "https://shop.test", "apiUrl": "http://127.0.0.1:8001"},
    mappings={"outboundTakeoverStatusId": "1"},
    options={"syncOrders": True, "sendStocks": True},
)


@pytest.fixture(scope="module")
async def scope(database: Database) -> Scope:
    for _ in range(2):
        await demo.make_people(database)
        await demo.connect(database, CONNECTION, registry=REGISTRY, vault=VAULT)
    async with database.system_work() as session:
        return Scope.of_system(await get_tenant_id(session, "demo"))


async def test_everybody_of_the_demo_can_log_in(database: Database, scope: Scope) -> None:
    authenticator = Authenticator(database, secret_key="key", settings=Settings())
    levels = {"admin": Level.SUPERADMINISTRATOR, "integrator": Level.USER, "viewer": Level.VIEWER}

    for slug in ("demo", "north"):
        for name, level in levels.items():
            found = await authenticator.by_credentials(
                host=f"{slug}.localhost", credential=f"{name}:crossdock-demo", address="127.0.0.1"
            )
            assert found.tenants[found.tenant_id].level == level
            assert found.allows(Level.USER, Permission.PRODUCTION) == (name != "viewer")
    operator = await authenticator.by_credentials(
        host="localhost", credential="operator@crossdock.test:crossdock-demo", address="127.0.0.1", accounts=True
    )
    assert operator.operator
    assert [grant.level for grant in operator.tenants.values()] == [Level.SUPERADMINISTRATOR] * 2


async def test_second_start_makes_nothing_twice(database: Database, scope: Scope) -> None:
    async with database.system_work() as session:
        counts = [
            (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (Tenant, User, Account)
        ]

    assert counts == [2, 6, 1]


async def test_sandbox_is_connected_and_followed_to_a_new_address(database: Database, scope: Scope) -> None:
    moved = replace(CONNECTION, fields={**CONNECTION.fields, "apiUrl": "http://127.0.0.1:9001"})

    await demo.connect(database, moved, registry=REGISTRY, vault=VAULT)

    (gomag,) = [
        info
        for info in await list_integrations(database, scope, registry=REGISTRY, vault=VAULT)
        if info.code == "GOMAG"
    ]
    assert gomag.active
    assert gomag.missing == []
    assert gomag.options == {"syncOrders": True, "sendStocks": True}
    assert gomag.fields["apiUrl"] == "http://127.0.0.1:9001"


async def test_connection_that_somebody_switched_off_stays_off(database: Database, scope: Scope) -> None:
    await database.write(scope, lambda work: integrations.deactivate(work, code="GOMAG", registry=REGISTRY))
    try:
        await demo.connect(database, CONNECTION, registry=REGISTRY, vault=VAULT)

        listed = await list_integrations(database, scope, registry=REGISTRY, vault=VAULT)
        assert [info.code for info in listed if info.active] == []
    finally:
        await database.write(
            scope, lambda work: integrations.activate(work, code="GOMAG", registry=REGISTRY, vault=VAULT)
        )


async def test_first_goods_come_once_the_products_are_there(database: Database, scope: Scope) -> None:
    assert not await demo.stock_up(database, CONNECTION, registry=REGISTRY)
    drafts = [ProductDraft(code=f"P-{number}", name=f"Product {number}") for number in range(3)]
    await database.write(scope, lambda work: products.add(work, products=drafts))
    order = OrderDraft(external_order_id="1", lines=[OrderLineDraft(product_code="P-1", quantity=Decimal(2))])
    await database.write(scope, lambda work: orders.add(work, orders=[order]))
    async with database.unit_of_work(scope) as work:
        walked = {"tenant_id": scope.tenant_id, "code": "GOMAG", "stream": "products", "last_success_at": func.now()}
        await work.session.execute(insert(SyncStream).values(**walked))

    for _ in range(2):
        assert await demo.stock_up(database, CONNECTION, registry=REGISTRY)

    async with database.unit_of_work(scope) as work:
        items = (await work.session.execute(select(col(StockItem.quantity), col(StockItem.reserved)))).all()
        status = (await work.session.execute(select(col(Order.status)))).scalar_one()
        streams = (await work.session.execute(select(col(SyncRun.stream)))).scalars().all()
    assert sorted(map(tuple, items)) == [(demo.PIECES, 0), (demo.PIECES, 0), (demo.PIECES, 2)]
    assert status == Status.ACTIVE
    assert streams == ["stock"]
