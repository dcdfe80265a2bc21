"""The command `hub` as people run it: a process of its own, judged by what it prints and how it ends."""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from connectors.registry import REGISTRY
from hub.auth import Authenticator
from hub.context import Grant, Level, Permission, Scope
from hub.crypto import Vault
from hub.db import Database, UnitOfWork
from hub.errors import Unauthenticated
from hub.queries.directory import get_tenant_id
from hub.queries.integrations import get_stored, opened_values
from hub.services import integrations
from hub.settings import Settings
from hub.sync.connection_state import StoredState
from tests.hub.command import Ended, call, run

KEY = "a secret key that is long enough for the doctor"


class Command(Protocol):
    """`hub` inside this process, on the servers of the tests."""

    def __call__(self, *arguments: str, given: str = "", **environment: str) -> Awaitable[Ended]: ...


@pytest.fixture
def servers(database_url: str, redis_url: str) -> dict[str, str]:
    """The environment of a command that works on servers of its own."""
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HUB_SECRET_KEY": KEY}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, servers: dict[str, str]) -> Command:
    def command(*arguments: str, given: str = "", **environment: str) -> Awaitable[Ended]:
        return call(monkeypatch, *arguments, given=given, **(servers | environment))

    return command


@pytest.fixture
def authenticator(database: Database) -> Authenticator:
    return Authenticator(database, secret_key=KEY, settings=Settings())


async def login(authenticator: Authenticator, host: str, credential: str) -> Scope:
    return await authenticator.by_credentials(host=host, credential=credential, address="127.0.0.1", accounts=True)


async def test_tenant_its_users_and_accounts_are_made_and_work(hub: Command, authenticator: Authenticator) -> None:
    made = await hub("tenant", "add", "firma", "--name", "Firma SRL")
    assert (made.code, made.err) == (0, "")
    password = made.out.partition("password ")[2].split()[0]
    tenant_id = (await login(authenticator, "firma.localhost", f"admin:{password}")).tenant_id

    user = ("--tenant", "firma", "--username", "ana")
    options = ("--level", "user", "--permission", "PRODUCTION", "PURCHASE_ORDER", "--permission", "process_outbound")
    added = await hub("user", "add", *user, *options, "--password", "-", given="parola: lungă\n")
    assert (added.code, added.err) == (0, "")
    scope = await login(authenticator, "firma.localhost", "ana:parola: lungă")
    granted = {Permission.PRODUCTION, Permission.PURCHASE_ORDER, Permission.PROCESS_OUTBOUND}
    assert scope.tenants[tenant_id] == Grant(Level.USER, frozenset(granted))

    account = ("--email", "op@firma.test")
    await hub("account", "add", *account, "--password", "long enough", "--operator")
    joined = await hub("account", "join", *account, "--tenant", "firma", "--level", "SUPERADMINISTRATOR")
    assert (joined.code, joined.err) == (0, "")
    scope = await login(authenticator, "localhost", "op@firma.test:long enough")
    assert scope.operator
    assert scope.tenants[tenant_id].level == Level.SUPERADMINISTRATOR

    for arguments, words in (
        (("tenant", "list"), ["firma", "Firma SRL"]),
        (("user", "list", "--tenant", "firma"), ["ana", "USER"]),
        (("account", "list"), ["op@firma.test", "operator", "firma:SUPERADMINISTRATOR"]),
    ):
        listed = await hub(*arguments)
        assert all(word in listed.out for word in words)


async def test_rights_and_passwords_are_changed(hub: Command, database: Database, authenticator: Authenticator) -> None:
    await hub("tenant", "add", "change", "--name", "Change", "--admin-password", "the first one")
    who = ("--tenant", "change", "--username", "eva")
    await hub("user", "add", *who, "--level", "VIEWER", "--password", "the first one")

    assert (await hub("user", "level", *who, "--level", "ADMINISTRATOR")).code == 0
    assert (await hub("user", "password", *who, "--password", "the second one")).code == 0
    scope = await login(authenticator, "change.localhost", "eva:the second one")
    assert scope.allows(Level.ADMINISTRATOR)

    assert (await hub("user", "disable", *who)).code == 0
    assert (await hub("tenant", "disable", "change")).code == 0
    fresh = Authenticator(database, secret_key=KEY, settings=Settings())  # remembers nothing
    for credential in ("eva:the second one", "admin:the first one"):
        with pytest.raises(Unauthenticated):
            await login(fresh, "change.localhost", credential)


async def test_refusal_is_one_line_on_the_standard_error(hub: Command) -> None:
    await hub("tenant", "add", "refuse", "--name", "Refuse")
    user = ("user", "add", "--tenant", "refuse", "--level", "USER", "--username")
    for arguments, word in (
        (("tenant", "add", "refuse", "--name", "Again"), "already"),
        (("tenant", "add", "Not A Label", "--name", "X"), "slug"),
        ((*user, "a:b", "--password", "long enough"), "colon"),
        ((*user, "ana", "--password", "short"), "8 characters"),
        ((*user, "ana"), "--password"),
        (("user", "list", "--tenant", "nobody"), "nobody"),
        (("user", "disable", "--tenant", "refuse", "--username", "admin"), "last active superadministrator"),
        (("sync", "start", "--tenant", "refuse"), "no active integration"),
    ):
        refused(await hub(*arguments), word)
    refused(await hub("tenant", "list", DATABASE_URL="postgresql://127.0.0.1:1/none"), "database")
    refused(await hub("key", "rotate", HUB_SECRET_KEY=","), "HUB_SECRET_KEY")


def refused(ended: Ended, word: str) -> None:
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("hub: ")
    assert ended.err.count("\n") == 1
    assert word in ended.err


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["user", "add", "--level", "KING"], ["tenant", "add"], ["up", "-p"]]
)
async def test_command_that_is_not_understood_ends_with_2(hub: Command, arguments: list[str]) -> None:
    ended = await hub(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert "usage: hub" in ended.err


async def test_doctor_says_what_is_wrong(hub: Command, tmp_path: Path) -> None:
    well = await hub("doctor")
    assert (well.code, "WRONG" in well.out) == (0, False), well

    for variable, value, subject in (
        ("REDIS_URL", f"unix://{tmp_path}/none", "Redis"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/none", "database"),
        ("HUB_SECRET_KEY", "short", "secret key"),
    ):
        ended = await hub("doctor", **{variable: value})
        wrong = [line for line in ended.out.splitlines() if line.startswith("WRONG")]
        assert ended.code == 1
        assert [subject in line for line in wrong] == [True]


async def test_doctor_finds_a_table_that_is_not_protected(hub: Command, database_url: str) -> None:
    administrator = create_async_engine(database_url, poolclass=NullPool)
    async with administrator.begin() as connection:
        await connection.execute(text("ALTER TABLE orders DISABLE ROW LEVEL SECURITY"))

    ended = await hub("doctor")

    async with administrator.begin() as connection:
        await connection.execute(text("ALTER TABLE orders ENABLE ROW LEVEL SECURITY"))
    assert ended.code == 1
    assert "not behind row-level security: orders" in ended.out


async def test_rotation_seals_every_secret_anew(hub: Command, database: Database) -> None:
    await hub("tenant", "add", "sealed", "--name", "Sealed")
    async with database.system_work() as session:
        scope = Scope.of_system(await get_tenant_id(session, "sealed"))
    vault = Vault(KEY)
    config = {"code": "GOMAG", "fields": {"applicationId": "key-of-the-shop"}, "registry": REGISTRY}
    await database.write(scope, lambda work: integrations.save(work, vault=vault, **config))  # type: ignore[arg-type]
    await StoredState(database, scope.tenant_id, "GOMAG", vault).put("session", "abc", secret=True)

    ended = await hub("key", "rotate", HUB_SECRET_KEY=f"another key,{KEY}")

    assert (ended.code, ended.err) == (0, "")
    assert "2 secrets" in ended.out
    renewed = Vault("another key")
    async with database.unit_of_work(scope) as work:
        stored = await get_stored(work.session, scope.tenant_id, "GOMAG")
    opened = opened_values(stored, scope.tenant_id, REGISTRY["GOMAG"], renewed)
    assert opened["applicationId"] == "key-of-the-shop"
    assert await StoredState(database, scope.tenant_id, "GOMAG", renewed).get("session") == "abc"
    lost = await hub("doctor", HUB_SECRET_KEY="a key that is long enough but not the right one")
    assert "do not open with this key: sealed GOMAG" in lost.out


async def test_synchronisation_is_shown_and_steered(hub: Command, database: Database) -> None:
    await hub("tenant", "add", "synced", "--name", "Synced")
    async with database.system_work() as session:
        scope = Scope.of_system(await get_tenant_id(session, "synced"))
    fields = {"applicationId": "key-of-the-shop", "applicationUrl": "https://shop.test"}

    async def connect(work: UnitOfWork) -> None:
        given = {"fields": fields, "options": {"syncOrders": True}, "mappings": {"outboundTakeoverStatusId": "1"}}
        await integrations.save(work, code="GOMAG", registry=REGISTRY, vault=Vault(KEY), **given)  # type: ignore[arg-type]
        await integrations.activate(work, code="GOMAG", registry=REGISTRY, vault=Vault(KEY))

    await database.write(scope, connect)
    tenant = ("--tenant", "synced")

    started = await hub("sync", "start", "orders", *tenant)
    again = await hub("sync", "start", "orders", *tenant)
    assert (started.code, started.err) == (0, "")
    assert again.out == started.out
    for command in (("sync", "list"), ("watch", "--once")):
        shown = await hub(*command, *tenant)
        assert shown.code == 0
        assert "GOMAG orders" in shown.out
        assert "QUEUED" in shown.out
    run_id = started.out.split()[1]
    assert (await hub("sync", "cancel", run_id, *tenant)).code == 0
    assert "CANCELED" in (await hub("sync", "list", *tenant)).out
    resynced = await hub("sync", "resync", *tenant)
    assert resynced.out.count(",") == 1
    refused(await hub("sync", "start", "flights", *tenant), "flights")
    refused(await hub("sync", "cancel", "999", *tenant), "999")
    refused(await hub("sync", "retry", "999", *tenant), "999")
    refused(await hub("watch", "--tenant", "nobody"), "nobody")


async def test_folder_alone_is_enough_and_nothing_keeps_running(tmp_path: Path) -> None:
    made = await run("tenant", "add", "alone", "--name", "Alone", "--data", tmp_path / "data")

    assert (made.code, made.err) == (0, "")
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "data" / "running.json").exists()


REFUSALS = """
import contextlib, io, json, os, sys
from hub.__main__ import main

for environment, arguments in json.loads(sys.argv[1]):
    os.environ.update(environment)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
    for name in environment:
        del os.environ[name]
"""


async def test_up_and_serve_say_in_one_line_why_they_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    data = str(tmp_path / "data")
    free = ["up", "--port", "0", "--data"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        cases: list[tuple[dict[str, str], list[str], str]] = [
            ({}, ["up", "--port", port, "--data", data], port),
            ({}, ["up", "--port", "70000", "--data", data], "70000"),
            ({}, [*free, str(tmp_path / "file" / "data")], "file"),
            ({}, [*free, str(tmp_path / "full")], "not empty"),
            ({}, [*free, data, "--host", "no such host"], "no such host"),
            ({"DATABASE_URL": "postgresql://127.0.0.1/x"}, [*free, data], "REDIS_URL"),
            ({"HUB_POOL_SIZE": "many"}, [*free, data], "HUB_POOL_SIZE"),
            ({}, ["sandbox", "gomag", "--port", port], port),
        ]
        given = json.dumps([case[:2] for case in cases])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "-c", REFUSALS, given, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 60)

    for line, (_, _, word) in zip(printed.decode().splitlines(), cases, strict=True):
        code, _, err = json.loads(line)  # progress may have been printed before
        refused(Ended(code, "", err), word)
    assert not (tmp_path / "data").exists()
