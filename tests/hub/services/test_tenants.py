"""Tenants and accounts as an operator makes them, proved through the front door: the authenticator."""

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from hub.auth import Authenticator
from hub.context import Actor, Grant, Level, Permission, Scope
from hub.db import Database
from hub.errors import Conflict, HubError, Invalid, NotAllowed, NotFound, Unauthenticated
from hub.models.stock import Location, Warehouse
from hub.models.tenants import AuditEntry, Tenant
from hub.queries.tenants import list_accounts, list_tenants, list_users
from hub.services import accounts, tenants
from hub.services.accounts import AccountDraft
from hub.services.tenants import TenantDraft
from hub.settings import Settings

OPERATOR = Scope({}, Actor("account", 1, "op@hub.test"), operator=True)
ADMINISTRATOR = Scope({1: Grant(Level.SUPERADMINISTRATOR)}, Actor("user", 1, "admin"))
PASSWORD = "a long password"


@pytest.fixture
def authenticator(database: Database) -> Authenticator:
    return Authenticator(database, secret_key="key", settings=Settings())


async def add(database: Database, slug: str, **given: str) -> int:
    draft = TenantDraft(slug=slug, name=f"Tenant {slug}", admin_password=PASSWORD, **given)
    return (await tenants.add(database, OPERATOR, tenant=draft)).id


async def login(authenticator: Authenticator, host: str, name: str, password: str = PASSWORD) -> Scope:
    return await authenticator.by_credentials(
        host=host, credential=f"{name}:{password}", address="127.0.0.1", accounts=True
    )


async def test_new_tenant_is_ready_to_work(database: Database, authenticator: Authenticator) -> None:
    tenant_id = await add(database, "ready")

    scope = await login(authenticator, "ready.localhost", "admin")
    assert scope.tenants[tenant_id] == Grant(Level.SUPERADMINISTRATOR)
    async with database.unit_of_work(scope) as work:
        warehouse = (await work.session.execute(select(Warehouse))).scalar_one()
        locations = (await work.session.execute(select(Location).order_by(text("id")))).scalars().all()
        actions = (await work.session.execute(select(col(AuditEntry.action), col(AuditEntry.actor)))).all()
    assert (warehouse.code, warehouse.is_default) == ("MAIN", True)
    assert [(place.code, place.is_inbound) for place in locations] == [
        ("RECEPTION", True),
        ("A-01", False),
        ("A-02", False),
    ]
    assert set(actions) == {("user.add", "account op@hub.test"), ("tenant.add", "account op@hub.test")}


async def test_password_that_was_not_given_is_generated(database: Database, authenticator: Authenticator) -> None:
    made = await tenants.add(database, OPERATOR, tenant=TenantDraft(slug="generated", name="Generated"))

    assert made.generated_password
    assert await login(authenticator, "generated.localhost", "admin", made.generated_password)


@pytest.mark.parametrize(
    ("given", "error", "field"),
    [
        ({"slug": "Upper"}, Invalid, "slug"),
        ({"slug": "-x"}, Invalid, "slug"),
        ({"slug": "x-"}, Invalid, "slug"),
        ({"slug": "a.b"}, Invalid, "slug"),
        ({"slug": "a\n"}, Invalid, "slug"),
        ({"slug": ""}, Invalid, "slug"),
        ({"slug": "x" * 64}, Invalid, "slug"),
        ({"name": " "}, Invalid, "name"),
        ({"admin_password": "short"}, Invalid, "adminPassword"),
        ({"slug": "taken"}, Conflict, "slug"),
    ],
)
async def test_refused_tenant_leaves_nothing_behind(
    database: Database, given: dict[str, str], error: type[HubError], field: str
) -> None:
    if "taken" not in {tenant.slug for tenant in await list_tenants(database, OPERATOR)}:
        await add(database, "taken")
    before = await list_tenants(database, OPERATOR)

    with pytest.raises(error) as caught:
        fields = {"slug": "fine", "name": "Fine", "admin_password": PASSWORD} | given
        await tenants.add(database, OPERATOR, tenant=TenantDraft(**fields))

    assert caught.value.field == field
    assert await list_tenants(database, OPERATOR) == before


async def test_interrupted_tenant_is_completed_by_the_next_attempt(
    database: Database, authenticator: Authenticator
) -> None:
    async with database.system_work() as session:
        session.add(Tenant(slug="begun", name="Begun", active=False))

    await add(database, "begun")

    assert await login(authenticator, "begun.localhost", "admin")


async def test_disabled_tenant_is_shut_at_once_and_cannot_be_made_again(
    database: Database, authenticator: Authenticator
) -> None:
    await add(database, "shut")
    scope = await login(authenticator, "shut.localhost", "admin")

    await tenants.set_active(database, OPERATOR, slug="shut", active=False)
    with pytest.raises(Unauthenticated):
        await login(authenticator, "shut.localhost", "admin")
    assert not await authenticator.still_valid(scope)
    with pytest.raises(Conflict):
        await add(database, "shut")

    await tenants.set_active(database, OPERATOR, slug="shut", active=True)
    assert await login(authenticator, "shut.localhost", "admin")


async def test_settings_are_the_administrators_own(database: Database) -> None:
    tenant_id = await add(database, "settings")
    scope = Scope({tenant_id: Grant(Level.ADMINISTRATOR)}, Actor("user", 1, "admin"))

    changes = {"purchase_orders_enabled": False, "batch_code_format": "L{productionOrderId}", "name": "New"}
    await tenants.save_settings(database, scope, changes=changes)

    async with database.unit_of_work(scope) as work:
        tenant = (await work.session.execute(select(Tenant))).scalar_one()
    assert (tenant.purchase_orders_enabled, tenant.batch_code_format, tenant.name) == (
        False,
        "L{productionOrderId}",
        "New",
    )
    for wrong in ({"slug": "x"}, {"name": ""}, {"purchase_orders_enabled": None}, {"batch_code_format": "x" * 65}):
        with pytest.raises(Invalid):
            await tenants.save_settings(database, scope, changes=wrong)


async def test_operator_alone_manages_tenants_and_accounts(database: Database) -> None:
    draft = AccountDraft(email="a@b.test", password=PASSWORD)
    for attempt in (
        tenants.add(database, ADMINISTRATOR, tenant=TenantDraft(slug="mine", name="Mine")),
        tenants.set_active(database, ADMINISTRATOR, slug="mine", active=False),
        accounts.add(database, ADMINISTRATOR, account=draft),
        accounts.join(database, ADMINISTRATOR, email="a@b.test", tenant="mine", level=Level.USER),
        accounts.leave(database, ADMINISTRATOR, email="a@b.test", tenant="mine"),
        accounts.set_active(database, ADMINISTRATOR, email="a@b.test", active=False),
        accounts.set_password(database, ADMINISTRATOR, email="a@b.test", password=PASSWORD),
        list_tenants(database, ADMINISTRATOR),
        list_accounts(database, ADMINISTRATOR),
    ):
        with pytest.raises(NotAllowed):
            await attempt


async def test_account_joins_works_and_leaves(database: Database, authenticator: Authenticator) -> None:
    first, second = await add(database, "first"), await add(database, "second")
    await accounts.add(database, OPERATOR, account=AccountDraft(email="Ana@Firma.test", password=PASSWORD))
    join = accounts.join
    await join(database, OPERATOR, email="ana@firma.test", tenant="first", level=Level.USER)
    await join(database, OPERATOR, email="ANA@firma.test", tenant="second", level=Level.VIEWER)

    scope = await login(authenticator, "localhost", "ana@firma.test")
    assert dict(scope.tenants) == {first: Grant(Level.USER), second: Grant(Level.VIEWER)}
    assert not scope.operator

    await join(
        database,
        OPERATOR,
        email="ana@firma.test",
        tenant="first",
        level=Level.USER,
        permissions=[Permission.PRODUCTION],
    )
    assert not await authenticator.still_valid(scope)
    await accounts.leave(database, OPERATOR, email="ana@firma.test", tenant="second")
    scope = await login(authenticator, "localhost", "ana@firma.test")
    assert dict(scope.tenants) == {first: Grant(Level.USER, frozenset({Permission.PRODUCTION}))}
    listed = {account.email: account.levels for account in await list_accounts(database, OPERATOR)}
    assert listed["ana@firma.test"] == {"first": Level.USER}
    for email, tenant in (("ana@firma.test", "second"), ("nobody@firma.test", "first"), ("ana@firma.test", "none")):
        with pytest.raises(NotFound):
            await accounts.leave(database, OPERATOR, email=email, tenant=tenant)


async def test_changes_of_an_account_end_its_sessions_and_stand_in_each_audit(
    database: Database, authenticator: Authenticator
) -> None:
    tenant_id = await add(database, "audited")
    await accounts.add(database, OPERATOR, account=AccountDraft(email="leo@firma.test", password=PASSWORD))
    await accounts.join(database, OPERATOR, email="leo@firma.test", tenant="audited", level=Level.USER)
    session = await authenticator.login(
        host="localhost", login="leo@firma.test", password=PASSWORD, address="127.0.0.1"
    )

    await accounts.set_password(database, OPERATOR, email="leo@firma.test", password="another password")
    with pytest.raises(Unauthenticated):
        await authenticator.by_token(host="localhost", token=session.token)
    assert await login(authenticator, "localhost", "leo@firma.test", "another password")

    await accounts.set_active(database, OPERATOR, email="leo@firma.test", active=False)
    with pytest.raises(Unauthenticated):
        await login(authenticator, "localhost", "leo@firma.test", "another password")

    async with database.unit_of_work(Scope.of_system(tenant_id)) as work:
        query = select(col(AuditEntry.action)).where(col(AuditEntry.subject) == "leo@firma.test").order_by(text("id"))
        actions = (await work.session.execute(query)).scalars().all()
    assert actions == ["account.join", "account.password", "account.disable"]


@pytest.mark.parametrize("email", ["", "ana", "a b@c.test", "a@b@c", "a:b@c.test", "ana@\n"])
async def test_account_needs_an_email_address(database: Database, email: str) -> None:
    with pytest.raises(Invalid, match="email"):
        await accounts.add(database, OPERATOR, account=AccountDraft(email=email, password=PASSWORD))


async def test_account_is_unique_in_the_hub_whatever_its_case(database: Database) -> None:
    await accounts.add(database, OPERATOR, account=AccountDraft(email="one@firma.test", password=PASSWORD))

    with pytest.raises(Conflict, match="email"):
        await accounts.add(database, OPERATOR, account=AccountDraft(email="ONE@firma.test", password=PASSWORD))


async def test_users_are_listed_without_their_passwords(database: Database) -> None:
    tenant_id = await add(database, "listed")

    listed = await list_users(database, Scope.of_system(tenant_id))

    assert [(user.username, user.level) for user in listed] == [("admin", Level.SUPERADMINISTRATOR)]
    assert "argon2" not in repr(listed)
