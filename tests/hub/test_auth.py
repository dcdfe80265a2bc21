"""Logins against a real directory: users of two tenants, accounts, refusals that all look alike."""

from dataclasses import dataclass, field

import pytest
from sqlalchemy import Executable, delete, insert, update
from sqlmodel import col

from hub import changes
from hub.auth import Authenticator, bearer_credential
from hub.context import Actor, Grant, Level, Permission, Scope
from hub.db import Database
from hub.errors import Unauthenticated
from hub.models.tenants import Account, Membership, Tenant, User
from hub.passwords import DECOY, HASHER
from hub.settings import Settings

SECRET = "a secret key that only tests know"
PASSWORD = "correct:horse ș"
HASH = HASHER.hash(PASSWORD)
HERE = "127.0.0.1"


@dataclass
class Clock:
    """A clock that tests set forward."""

    time: float = 1_750_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Directory:
    """Two tenants, each with a user `ana`, and an account in both."""

    database: Database
    clock: Clock = field(default_factory=Clock)

    def authenticator(self, secret_key: str = SECRET) -> Authenticator:
        return Authenticator(
            self.database,
            secret_key=secret_key,
            settings=Settings(base_domain="hub.test"),
            clock=self.clock,
            ticks=self.clock,
        )

    async def change(self, statement: Executable, *, here: bool) -> None:
        """What another process does, or (`here`) a service of this one."""
        async with self.database.system_work() as session:
            await session.execute(statement)
            if here:
                changes.announce_after_commit(session)


@pytest.fixture(scope="module")
async def directory_rows(database: Database) -> None:
    async with database.system_work() as session:
        await session.execute(
            insert(Tenant),
            [
                {"id": 1, "slug": "one", "name": "One"},
                {"id": 2, "slug": "two", "name": "Two"},
                {"id": 3, "slug": "closed", "name": "Closed", "active": False},
            ],
        )
        await session.execute(insert(Account), [{"id": 9, "email": "op@hub.test", "password_hash": HASH}])


@pytest.fixture
async def directory(database: Database, directory_rows: None) -> Directory:
    async with database.system_work() as session:
        for table in (User, Membership):
            await session.execute(delete(table))
        await session.execute(update(Account).values(active=True, operator=True, credential_version=1))
        await session.execute(
            insert(User),
            [
                {"password_hash": HASH, "active": True, "permissions": [], **row}
                for row in (
                    {"tenant_id": 1, "id": 1, "username": "ana", "level": 2, "permissions": ["PRODUCTION", "GONE"]},
                    {"tenant_id": 2, "id": 1, "username": "ana", "level": 1},
                    {"tenant_id": 3, "id": 1, "username": "ana", "level": 4},
                    {"tenant_id": 1, "id": 2, "username": "gone", "level": 4, "active": False},
                )
            ],
        )
        await session.execute(
            insert(Membership),
            [
                {"tenant_id": 1, "account_id": 9, "level": 4, "permissions": []},
                {"tenant_id": 2, "account_id": 9, "level": 1, "permissions": []},
                {"tenant_id": 3, "account_id": 9, "level": 4, "permissions": []},
            ],
        )
    return Directory(database)


async def refused(authenticator: Authenticator, credential: str, host: str = "one.hub.test", **options: bool) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await authenticator.by_credentials(host=host, credential=credential, address=HERE, **options)
    assert str(caught.value) == "Invalid API KEY"


async def test_user_works_in_the_tenant_of_the_host_with_its_own_rights(directory: Directory) -> None:
    authenticator = directory.authenticator()

    one = await authenticator.by_credentials(host="ONE.hub.test:8000", credential=f"ana:{PASSWORD}", address=HERE)
    two = await authenticator.by_credentials(host="two.hub.test", credential=f"ana:{PASSWORD}", address=HERE)

    assert dict(one.tenants) == {1: Grant(Level.USER, frozenset({Permission.PRODUCTION}))}
    assert dict(two.tenants) == {2: Grant(Level.VIEWER)}
    assert one.actor == Actor("user", 1, "ana")
    assert not one.operator


@pytest.mark.parametrize(
    ("host", "credential"),
    [
        ("one.hub.test", "ana:wrong password"),
        ("one.hub.test", f"nobody:{PASSWORD}"),
        ("one.hub.test", f"gone:{PASSWORD}"),
        ("one.hub.test", f"Ana:{PASSWORD}"),
        ("one.hub.test", f"ana :{PASSWORD}"),
        ("closed.hub.test", f"ana:{PASSWORD}"),
        ("unknown.hub.test", f"ana:{PASSWORD}"),
        ("elsewhere.test", f"ana:{PASSWORD}"),
        ("hub.test", f"ana:{PASSWORD}"),
        ("127.0.0.1", f"ana:{PASSWORD}"),
        ("one.hub.test", ""),
        ("one.hub.test", "ana"),
        ("one.hub.test", "ana:"),
        ("one.hub.test", f":{PASSWORD}"),
        ("one.hub.test", f"ana\x00:{PASSWORD}"),
        ("one.hub.test", f"ana\ud800:{PASSWORD}"),
        ("one.hub.test", f"ana:{PASSWORD}" + " " * 5000),
        ("one.hub.test", f"op@hub.test:{PASSWORD}"),
    ],
)
async def test_every_wrong_credential_gets_the_same_refusal(directory: Directory, host: str, credential: str) -> None:
    await refused(directory.authenticator(), credential, host)


@pytest.mark.parametrize(
    ("header", "credential"),
    [
        (b"Bearer ana:secret", "ana:secret"),
        (b"bEARER \t  ana:se cret ", "ana:se cret"),
        ("Bearer ana:ș".encode(), "ana:ș"),
        (b"", None),
        (b"Bearer", None),
        (b"Bearerana:secret", None),
        (b"Basic YW5hOnNlY3JldA==", None),
        (b"Bearer ana:\xff\xfe", None),
        (b"Bearer ana:" + b"x" * 4096, None),
    ],
)
def test_header_holds_a_credential_after_bearer(header: bytes, credential: str | None) -> None:
    if credential is not None:
        assert bearer_credential(header) == credential
        return
    with pytest.raises(Unauthenticated, match=r"^Invalid API KEY$"):
        bearer_credential(header)


async def test_account_works_where_accounts_are_let_in(directory: Directory) -> None:
    authenticator = directory.authenticator()
    credential = f"OP@hub.test:{PASSWORD}"

    bare = await authenticator.by_credentials(host="hub.test", credential=credential, address=HERE, accounts=True)
    one = await authenticator.by_credentials(host="two.hub.test", credential=credential, address=HERE, accounts=True)

    assert {tenant: grant.level for tenant, grant in bare.tenants.items()} == {1: Level.SUPERADMINISTRATOR, 2: 1}
    assert dict(one.tenants) == {2: Grant(Level.VIEWER)}
    assert bare.operator
    assert bare.actor == Actor("account", 9, "op@hub.test")
    await refused(authenticator, credential, "unknown.hub.test", accounts=True)
    await refused(authenticator, credential, "closed.hub.test", accounts=True)
    await refused(authenticator, credential, "hub.test")


async def test_change_made_in_this_process_counts_at_once(directory: Directory) -> None:
    authenticator = directory.authenticator()
    scope = await authenticator.by_credentials(host="one.hub.test", credential=f"ana:{PASSWORD}", address=HERE)
    assert await authenticator.still_valid(scope)

    await directory.change(update(User).where(col(User.tenant_id) == 1).values(level=1), here=True)

    assert not await authenticator.still_valid(scope)
    scope = await authenticator.by_credentials(host="one.hub.test", credential=f"ana:{PASSWORD}", address=HERE)
    assert scope.tenants[1].level == Level.VIEWER

    await directory.change(update(User).where(col(User.tenant_id) == 1).values(active=False), here=True)

    assert not await authenticator.still_valid(scope)
    await refused(authenticator, f"ana:{PASSWORD}")


async def test_change_made_elsewhere_counts_within_ten_seconds(directory: Directory) -> None:
    authenticator = directory.authenticator()
    scope = await authenticator.by_credentials(host="one.hub.test", credential=f"ana:{PASSWORD}", address=HERE)

    new_hash = HASHER.hash("another password")
    changed = update(User).where(col(User.tenant_id) == 1).values(password_hash=new_hash, credential_version=2)
    await directory.change(changed, here=False)

    assert await authenticator.by_credentials(host="one.hub.test", credential=f"ana:{PASSWORD}", address=HERE)
    directory.clock.time += 10
    assert not await authenticator.still_valid(scope)
    await refused(authenticator, f"ana:{PASSWORD}")
    assert await authenticator.by_credentials(host="one.hub.test", credential="ana:another password", address=HERE)


async def test_closing_a_tenant_ends_its_logins(directory: Directory) -> None:
    authenticator = directory.authenticator()
    account = f"op@hub.test:{PASSWORD}"
    bare = await authenticator.by_credentials(host="hub.test", credential=account, address=HERE, accounts=True)
    await authenticator.by_credentials(host="two.hub.test", credential=f"ana:{PASSWORD}", address=HERE)

    await directory.change(update(Tenant).where(col(Tenant.id) == 2).values(active=False), here=True)

    try:
        await refused(authenticator, f"ana:{PASSWORD}", "two.hub.test")
        assert not await authenticator.still_valid(bare)
        bare = await authenticator.by_credentials(host="hub.test", credential=account, address=HERE, accounts=True)
        assert set(bare.tenants) == {1}
    finally:
        await directory.change(update(Tenant).where(col(Tenant.id) == 2).values(active=True), here=True)


async def test_session_token_is_its_owner_until_it_expires(directory: Directory) -> None:
    authenticator = directory.authenticator()

    login = await authenticator.login(host="one.hub.test", login="ana", password=PASSWORD, address=HERE)
    scope = await authenticator.by_token(host="one.hub.test", token=login.token)

    assert (scope.tenants, scope.actor) == (login.scope.tenants, login.scope.actor)
    assert ":" not in login.token
    header = f"Bearer {login.token}".encode()
    assert await authenticator.by_header(host="one.hub.test", header=header, address=HERE, accounts=True) == scope
    for host in ("two.hub.test", "hub.test", "unknown.hub.test"):
        with pytest.raises(Unauthenticated):
            await authenticator.by_token(host=host, token=login.token)
    with pytest.raises(Unauthenticated):  # REST takes credentials only
        await authenticator.by_header(host="one.hub.test", header=header, address=HERE)
    directory.clock.time = login.expires_at.timestamp()
    with pytest.raises(Unauthenticated):
        await authenticator.by_token(host="one.hub.test", token=login.token)


async def test_session_token_of_an_account_works_on_each_of_its_hosts(directory: Directory) -> None:
    authenticator = directory.authenticator()

    token = (await authenticator.login(host="hub.test", login="op@hub.test", password=PASSWORD, address=HERE)).token

    assert set((await authenticator.by_token(host="127.0.0.1:8000", token=token)).tenants) == {1, 2}
    assert set((await authenticator.by_token(host="two.hub.test", token=token)).tenants) == {2}


async def test_new_password_ends_sessions(directory: Directory) -> None:
    authenticator = directory.authenticator()
    token = (await authenticator.login(host="one.hub.test", login="ana", password=PASSWORD, address=HERE)).token

    await directory.change(update(User).where(col(User.tenant_id) == 1).values(credential_version=2), here=True)

    with pytest.raises(Unauthenticated):
        await authenticator.by_token(host="one.hub.test", token=token)


async def test_token_that_was_tampered_with_or_signed_with_another_key_is_refused(directory: Directory) -> None:
    authenticator = directory.authenticator()
    token = (await authenticator.login(host="one.hub.test", login="ana", password=PASSWORD, address=HERE)).token
    foreign = (
        await directory.authenticator("another").login(
            host="one.hub.test", login="ana", password=PASSWORD, address=HERE
        )
    ).token

    head, body, signature = token.split(".")
    for wrong in (
        foreign,
        f"{head}.{body[:-2]}AA.{signature}",
        f"{head}.{body}.{signature[:-1]}",
        f"{head}.{body}.",
        f"{head}.{body}",
        "cd1..",
        "cd1.é.é",
        "",
    ):
        with pytest.raises(Unauthenticated):
            await authenticator.by_token(host="one.hub.test", token=wrong)


async def test_rotated_key_still_reads_the_tokens_of_the_older_one(directory: Directory) -> None:
    old = directory.authenticator("old key")
    token = (await old.login(host="one.hub.test", login="ana", password=PASSWORD, address=HERE)).token

    assert await directory.authenticator("new key,old key").by_token(host="one.hub.test", token=token)


async def test_system_scope_stays_valid(directory: Directory) -> None:
    assert await directory.authenticator().still_valid(Scope.of_system(1))


def test_decoy_costs_what_a_real_hash_costs() -> None:
    assert not HASHER.check_needs_rehash(DECOY)
