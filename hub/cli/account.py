"""`hub account add | join | leave | list | disable | enable | password`."""

import argparse
import asyncio
from typing import Any

from hub.cli.place import OPERATOR, add_data, opened
from hub.cli.values import add_password, add_rights, columns, password_of
from hub.queries.tenants import list_accounts
from hub.services import accounts
from hub.services.accounts import AccountDraft


def define(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = _command(actions, "add", _add, "make an account")
    add_password(add)
    add.add_argument("--name", default="", metavar="N")
    add.add_argument("--operator", action="store_true", help="manages tenants and accounts")
    join = _command(actions, "join", _join, "let an account work in a tenant, or change what it may do there")
    join.add_argument("--tenant", required=True, metavar="SLUG")
    add_rights(join)
    leave = _command(actions, "leave", _leave, "end a membership")
    leave.add_argument("--tenant", required=True, metavar="SLUG")
    _command(actions, "list", _list, "all accounts", one=False)
    for name, active, what in (("disable", False, "shut an account out"), ("enable", True, "let it in again")):
        _command(actions, name, _set_active, what).set_defaults(active=active)
    add_password(_command(actions, "password", _set_password, "replace a password"))


def _command(actions: Any, name: str, action: Any, what: str, *, one: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=what)
    if one:
        parser.add_argument("--email", required=True, metavar="E")
    add_data(parser)
    parser.set_defaults(run=lambda arguments: asyncio.run(action(arguments)))
    return parser


async def _add(arguments: argparse.Namespace) -> None:
    draft = AccountDraft(
        email=arguments.email,
        password=password_of(arguments.password),
        name=arguments.name,
        operator=arguments.operator,
    )
    async with opened(arguments.data) as hub:
        await accounts.add(hub.database, OPERATOR, account=draft)
    print(f"account {arguments.email} is made: hub account join lets it work in a tenant")


async def _join(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        await accounts.join(
            hub.database,
            OPERATOR,
            email=arguments.email,
            tenant=arguments.tenant,
            level=arguments.level,
            permissions=arguments.permissions or (),
        )
    print(f"account {arguments.email} works in {arguments.tenant}: {arguments.level.name}")


async def _leave(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        await accounts.leave(hub.database, OPERATOR, email=arguments.email, tenant=arguments.tenant)
    print(f"account {arguments.email} has left {arguments.tenant}")


async def _list(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        found = await list_accounts(hub.database, OPERATOR)
    rows = [
        (
            account.email,
            "active" if account.active else "disabled",
            "operator" if account.operator else "",
            " ".join(f"{slug}:{level.name}" for slug, level in account.levels.items()),
        )
        for account in found
    ]
    print(columns([("ACCOUNT", "STATE", "", "TENANTS"), *rows]) if rows else "no accounts yet: hub account add")


async def _set_active(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        await accounts.set_active(hub.database, OPERATOR, email=arguments.email, active=arguments.active)
    print(f"account {arguments.email} is {'enabled' if arguments.active else 'disabled'}")


async def _set_password(arguments: argparse.Namespace) -> None:
    password = password_of(arguments.password)
    async with opened(arguments.data) as hub:
        await accounts.set_password(hub.database, OPERATOR, email=arguments.email, password=password)
    print(f"account {arguments.email} has a new password")
