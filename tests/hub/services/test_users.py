import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from hub.auth import Authenticator
from hub.context import Actor, Grant, Level, Permission, Scope
from hub.db import Database
from hub.errors import Conflict, Invalid, NotAllowed, NotFound, Unauthenticated
from hub.models.tenants import AuditEntry, User
from hub.services import tenants, users
from hub.services.tenants import TenantDraft
from hub.services.users import UserDraft
from hub.settings import Settings

OPERATOR = Scope({}, Actor("system", None, "tests"), operator=True)
PASSWORD = "a long password"


@pytest.fixture(scope="module")
async def tenant_id(database: Database) -> int:
    draft = TenantDraft(slug="crew", name="Crew", admin_password=PASSWORD)
    return (await tenants.add(database, OPERATOR, tenant=draft)).id


@pytest.fixture
def authenticator(database: Database) -> Authenticator:
    return Authenticator(database, secret_key="key", settings=Settings())


def scope_of(tenant_id: int, level: Level) -> Scope:
    return Scope({tenant_id: Grant(level)}, Actor("user", 1, "admin"))


async def add(database: Database, tenant_id: int, by: Level = Level.SUPERADMINISTRATOR, **given: Any) -> int:
    fields: dict[str, Any] = {"password": PASSWORD, "level": Level.USER} | given
    draft = UserDraft(**fields)
    return await database.write(scope_of(tenant_id, by), lambda work: users.add(work, user=draft))


async def change(
    database: Database, tenant_id: int, user_id: int, by: Level = Level.SUPERADMINISTRATOR, **changes: Any
) -> None:
    await database.write(scope_of(tenant_id, by), lambda work: users.update(work, user_id=user_id, changes=changes))


async def login(authenticator: Authenticator, name: str, password: str = PASSWORD) -> Scope:
    return await authenticator.by_credentials(
        host="crew.localhost", credential=f"{name}:{password}", address="127.0.0.1"
    )


async def test_new_user_may_do_what_was_granted(
    database: Database, tenant_id: int, authenticator: Authenticator
) -> None:
    granted = frozenset({Permission.PRODUCTION, Permission.PURCHASE_ORDER})
    await add(database, tenant_id, username="Ștefan cel Mare", permissions=granted)

    scope = await login(authenticator, "Ștefan cel Mare")

    assert scope.tenants[tenant_id] == Grant(Level.USER, granted)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"username": "a:b"}, "username"),
        ({"username": " "}, "username"),
        ({"username": "a\x00"}, "username"),
        ({"username": "x" * 256}, "username"),
        ({"password": "7 chars"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"password": "surrogate \ud800"}, "password"),
        ({"email": "nobody"}, "email"),
        ({"language": "de"}, "language"),
        ({"level": 7}, "level"),
        ({"permissions": frozenset({"FLY"})}, "permissions"),
    ],
)
async def test_wrong_user_is_refused_by_field(
    database: Database, tenant_id: int, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await add(database, tenant_id, **({"username": "fine"} | given))
    assert caught.value.field == field


async def test_username_is_unique_in_its_tenant_alone(database: Database, tenant_id: int) -> None:
    other = (await tenants.add(database, OPERATOR, tenant=TenantDraft(slug="other", name="Other"))).id
    await add(database, tenant_id, username="twin")

    with pytest.raises(Conflict, match="username"):
        await add(database, tenant_id, username="twin")
    await add(database, other, username="twin")


async def test_change_of_rights_counts_at_once(
    database: Database, tenant_id: int, authenticator: Authenticator
) -> None:
    user_id = await add(database, tenant_id, username="rising")
    await login(authenticator, "rising")

    await change(database, tenant_id, user_id, level=Level.ADMINISTRATOR)

    assert (await login(authenticator, "rising")).tenants[tenant_id].level == Level.ADMINISTRATOR


async def test_switching_a_user_off_ends_its_sessions_for_good(
    database: Database, tenant_id: int, authenticator: Authenticator
) -> None:
    user_id = await add(database, tenant_id, username="leaving")
    session = await authenticator.login(host="crew.localhost", login="leaving", password=PASSWORD, address="127.0.0.1")

    await change(database, tenant_id, user_id, active=False)
    with pytest.raises(Unauthenticated):
        await login(authenticator, "leaving")
    await change(database, tenant_id, user_id, active=True)

    assert await login(authenticator, "leaving")
    with pytest.raises(Unauthenticated):
        await authenticator.by_token(host="crew.localhost", token=session.token)


async def test_new_password_replaces_the_old_one_at_once(
    database: Database, tenant_id: int, authenticator: Authenticator
) -> None:
    user_id = await add(database, tenant_id, username="careful")
    await login(authenticator, "careful")

    await database.write(
        scope_of(tenant_id, Level.ADMINISTRATOR),
        lambda work: users.set_password(work, user_id=user_id, password="another password"),
    )

    with pytest.raises(Unauthenticated):
        await login(authenticator, "careful")
    assert await login(authenticator, "careful", "another password")


async def test_renamed_user_logs_in_by_the_new_name_only(
    database: Database, tenant_id: int, authenticator: Authenticator
) -> None:
    user_id = await add(database, tenant_id, username="before")
    await login(authenticator, "before")

    await change(database, tenant_id, user_id, username="after")

    with pytest.raises(Unauthenticated):
        await login(authenticator, "before")
    assert await login(authenticator, "after")


async def test_nobody_gives_or_touches_a_level_above_their_own(database: Database, tenant_id: int) -> None:
    head = await add(database, tenant_id, username="head", level=Level.SUPERADMINISTRATOR)
    hand = await add(database, tenant_id, username="hand")

    for attempt in (
        add(database, tenant_id, by=Level.ADMINISTRATOR, username="usurper", level=Level.SUPERADMINISTRATOR),
        change(database, tenant_id, hand, by=Level.ADMINISTRATOR, level=Level.SUPERADMINISTRATOR),
        change(database, tenant_id, head, by=Level.ADMINISTRATOR, name="Other"),
        database.write(
            scope_of(tenant_id, Level.ADMINISTRATOR),
            lambda work: users.set_password(work, user_id=head, password=PASSWORD),
        ),
        add(database, tenant_id, by=Level.USER, username="friend"),
        change(database, tenant_id, hand, by=Level.USER, name="Other"),
    ):
        with pytest.raises(NotAllowed):
            await attempt


async def test_tenant_never_loses_its_last_superadministrator(database: Database) -> None:
    made = await tenants.add(database, OPERATOR, tenant=TenantDraft(slug="heads", name="Heads"))
    second = await add(database, made.id, username="second", level=Level.SUPERADMINISTRATOR)
    async with database.unit_of_work(Scope.of_system(made.id)) as work:
        first = await users.find_id(work, username="admin")

    results = await asyncio.gather(
        change(database, made.id, first, active=False),
        change(database, made.id, second, level=Level.ADMINISTRATOR),
        return_exceptions=True,
    )

    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
    async with database.unit_of_work(Scope.of_system(made.id)) as work:
        query = select(User).where(col(User.active), col(User.level) == Level.SUPERADMINISTRATOR)
        assert len((await work.session.execute(query)).all()) == 1


async def test_unknown_user_or_column_is_refused(database: Database, tenant_id: int) -> None:
    with pytest.raises(NotFound):
        await change(database, tenant_id, 999, name="Nobody")
    for changes in ({"password_hash": "x"}, {"name": None}, {"active": "yes"}):
        with pytest.raises(Invalid):
            await change(database, tenant_id, 1, **changes)


async def test_audit_tells_what_changed_without_passwords(database: Database, tenant_id: int) -> None:
    user_id = await add(database, tenant_id, username="watched")
    await change(database, tenant_id, user_id, level=Level.VIEWER, email="w@firma.test")

    async with database.unit_of_work(Scope.of_system(tenant_id)) as work:
        query = select(AuditEntry).where(col(AuditEntry.subject) == "watched").order_by(text("id"))
        entries = (await work.session.execute(query)).scalars().all()
    assert [entry.action for entry in entries] == ["user.add", "user.update"]
    assert entries[1].details == {"userId": user_id, "level": 1, "email": "w@firma.test"}
    assert "argon2" not in repr([entry.details for entry in entries])
