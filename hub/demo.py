"""Data to look at: two tenants with their people, a connection to a sandbox, and goods for its orders. Idempotent."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import col

from hub.context import Actor, Level, Permission, Scope
from hub.crypto import Vault
from hub.db import Database, UnitOfWork
from hub.errors import Conflict
from hub.models.products import Product
from hub.models.syncs import SyncStream
from hub.ports import Registry
from hub.queries.directory import get_tenant_id
from hub.queries.integrations import get_stored
from hub.services import accounts, integrations, nirs, supply, tenants, users
from hub.services.accounts import AccountDraft
from hub.services.nirs import NirDraft
from hub.services.outbox import STOCK_OPTION
from hub.services.receipt_lines import ReceiptLineDraft
from hub.services.tenants import TenantDraft
from hub.services.users import UserDraft
from hub.sync import outbound_stock, runs

PASSWORD = "crossdock-demo"
TENANTS = {"demo": "Depozit Demo SRL", "north": "Nord Logistic SRL"}
USERS = {"integrator": (Level.USER, frozenset(Permission)), "viewer": (Level.VIEWER, frozenset[Permission]())}
OPERATOR = "operator@crossdock.test"
FIRST_GOODS = "DEMO-STOCK"
PIECES = Decimal(60)
LINES_AT_ONCE = 200

_ACTOR = Actor("system", None, "demo")
_HUB = Scope({}, _ACTOR, operator=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoConnection:
    """A sandbox that a demo tenant shall work with; `address` is the setting that moves with the sandbox's port."""

    tenant: str
    code: str
    fields: Mapping[str, str]
    mappings: Mapping[str, str]
    options: Mapping[str, bool]
    address: str = "apiUrl"


async def make_people(database: Database) -> None:
    """The tenants, their users, and the operator's account, as far as they are missing."""
    for slug, name in TENANTS.items():
        with suppress(Conflict):
            await tenants.add(database, _HUB, tenant=TenantDraft(slug=slug, name=name, admin_password=PASSWORD))
        scope = await _inside(database, slug)
        for username, (level, permissions) in USERS.items():
            user = UserDraft(username=username, password=PASSWORD, level=level, permissions=permissions, name=username)
            with suppress(Conflict):
                await database.write(scope, lambda work, user=user: users.add(work, user=user))  # type: ignore[misc]
    with suppress(Conflict):
        account = AccountDraft(email=OPERATOR, password=PASSWORD, name="Operator", operator=True)
        await accounts.add(database, _HUB, account=account)
        for slug in TENANTS:
            await accounts.join(database, _HUB, email=OPERATOR, tenant=slug, level=Level.SUPERADMINISTRATOR)


async def connect(database: Database, connection: DemoConnection, *, registry: Registry, vault: Vault) -> None:
    """Connect a tenant with its sandbox; later starts only follow the sandbox to its new address."""

    async def work_on(work: UnitOfWork) -> None:
        stored = await get_stored(work.session, work.tenant_id, connection.code)
        known = {"code": connection.code, "registry": registry}
        if not stored.fields:
            given = {"fields": connection.fields, "options": connection.options, "mappings": connection.mappings}
            await integrations.save(work, vault=vault, **known, **given)  # type: ignore[arg-type]
            await integrations.activate(work, code=connection.code, registry=registry, vault=vault)
        elif stored.fields.get(connection.address) != connection.fields[connection.address]:
            moved = {connection.address: connection.fields[connection.address]}
            await integrations.save(work, code=connection.code, registry=registry, vault=vault, fields=moved)

    await database.write(await _inside(database, connection.tenant), work_on)


async def stock_up(database: Database, connection: DemoConnection, *, registry: Registry) -> bool:
    """Receive some pieces of each product, once, and let the shop know; False while no products are taken in."""
    scope = await _inside(database, connection.tenant)
    if not await _has_products(database, scope, connection.code):
        return False

    async def work_on(work: UnitOfWork) -> None:
        await _receive_goods(work)
        if connection.options.get(STOCK_OPTION):
            await outbound_stock.confirm(work, registry=registry)

    with suppress(Conflict):  # received at an earlier start
        await database.write(scope, work_on)
        await database.write(scope, supply.recheck)
    return True


async def poll(database: Database, connection: DemoConnection, *, registry: Registry) -> None:
    """Take in what has arrived in the sandbox, sooner than the schedule would, so that there is something to see."""
    scope = await _inside(database, connection.tenant)

    async def work_on(work: UnitOfWork) -> None:
        await runs.start(work, registry=registry, code=connection.code, streams=["orders"], trigger="SCHEDULE")

    with suppress(Conflict):  # somebody has switched it off
        await database.write(scope, work_on)


async def _receive_goods(work: UnitOfWork) -> None:
    products = select(col(Product.id)).where(col(Product.tenant_id) == work.tenant_id).order_by(col(Product.id))
    ids = (await work.session.execute(products)).scalars().all()
    lines = [ReceiptLineDraft(quantity=PIECES, product_id=id_, location_code="A-01") for id_ in ids]
    drafts = [
        NirDraft(
            external_reference=FIRST_GOODS if start == 0 else f"{FIRST_GOODS}-{start // LINES_AT_ONCE + 1}",
            lines=lines[start : start + LINES_AT_ONCE],
            validation_required=False,
            comment="The goods the demo begins with",
        )
        for start in range(0, len(lines), LINES_AT_ONCE)
    ]
    await nirs.add(work, nirs=drafts)


async def _has_products(database: Database, scope: Scope, code: str) -> bool:
    query = select(col(SyncStream.last_success_at)).where(
        col(SyncStream.tenant_id) == scope.tenant_id, col(SyncStream.code) == code, col(SyncStream.stream) == "products"
    )
    async with database.unit_of_work(scope) as work:
        return (await work.session.execute(query)).scalar_one_or_none() is not None


async def _inside(database: Database, slug: str) -> Scope:
    async with database.system_work() as session:
        tenant_id = await get_tenant_id(session, slug)
    return Scope(Scope.of_system(tenant_id).tenants, _ACTOR)
