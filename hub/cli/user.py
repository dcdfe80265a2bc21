"""`hub user add | list | disable | enable | password | level`."""

import argparse
import asyncio
from typing import Any

from hub.cli.place import add_data, opened
from hub.cli.values import add_password, add_rights, columns, password_of
from hub.queries.tenants import list_users
from hub.services import users
from hub.services.users import LANGUAGES, UserDraft


def define(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = _command(actions, "add", _add, "make a login")
    add_password(add)
    add_rights(add)
    add.add_argument("--name", default="", metavar="N")
    add.add_argument("--email", metavar="E")
    add.add_argument("--language", default="ro", choices=LANGUAGES)
    _command(actions, "list", _list, "the logins of a tenant", one=False)
    for name, active, what in (("disable", False, "shut a login out"), ("enable", True, "let it in again")):
        _command(actions, name, _change, what).set_defaults(changes={"active": active})
    add_password(_command(actions, "password", _set_password, "replace a password"))
    add_rights(_command(actions, "level", _set_level, "say what a login may do"))


def _command(actions: Any, name: str, action: Any, what: str, *, one: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=what)
    parser.add_argument("--tenant", required=True, metavar="SLUG")
    if one:
        parser.add_argument("--username", required=True, metavar="U")
    add_data(parser)
    parser.set_defaults(run=lambda arguments: asyncio.run(action(arguments)))
    return parser


async def _add(arguments: argparse.Namespace) -> None:
    draft = UserDraft(
        username=arguments.username,
        password=password_of(arguments.password),
        level=arguments.level,
        permissions=frozenset(arguments.permissions or ()),
        name=arguments.name,
        email=arguments.email,
        language=arguments.language,
    )
    async with opened(arguments.data) as hub:
        scope = await hub.inside(arguments.tenant)
        await hub.database.write(scope, lambda work: users.add(work, user=draft))
    print(f"user {arguments.username} of {arguments.tenant} is made: {arguments.level.name}")


async def _list(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        found = await list_users(hub.database, await hub.inside(arguments.tenant))
    rows = [
        (user.username, user.level.name, "active" if user.active else "disabled", " ".join(user.permissions))
        for user in found
    ]
    print(columns([("USER", "LEVEL", "STATE", "PERMISSIONS"), *rows]))


async def _set_level(arguments: argparse.Namespace) -> None:
    arguments.changes = {"level": arguments.level}
    if arguments.permissions is not None:
        arguments.changes["permissions"] = frozenset(arguments.permissions)
    await _change(arguments)


async def _change(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        scope = await hub.inside(arguments.tenant)
        async with hub.database.unit_of_work(scope) as work:
            user_id = await users.find_id(work, username=arguments.username)
        await hub.database.write(scope, lambda work: users.update(work, user_id=user_id, changes=arguments.changes))
    print(f"user {arguments.username} of {arguments.tenant} is changed")


async def _set_password(arguments: argparse.Namespace) -> None:
    password = password_of(arguments.password)
    async with opened(arguments.data) as hub:
        scope = await hub.inside(arguments.tenant)
        async with hub.database.unit_of_work(scope) as work:
            user_id = await users.find_id(work, username=arguments.username)
        await hub.database.write(scope, lambda work: users.set_password(work, user_id=user_id, password=password))
    print(f"user {arguments.username} of {arguments.tenant} has a new password")
