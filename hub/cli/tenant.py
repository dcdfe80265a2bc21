"""`hub tenant add | list | disable | enable`."""

import argparse
import asyncio
from typing import Any

from hub.cli.place import OPERATOR, add_data, opened
from hub.cli.values import columns, password_of
from hub.queries.tenants import list_tenants
from hub.services import tenants
from hub.services.tenants import ADMINISTRATOR, TenantDraft


def define(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a tenant with its superadministrator, warehouse and locations")
    add.add_argument("slug", help="its name in host names: a-z, 0-9, hyphens")
    add.add_argument("--name", required=True, metavar="N", help="the company's name")
    add.add_argument("--admin-password", metavar="P", help="generated and printed once when missing; - reads a line")
    _command(add, _add)
    _command(actions.add_parser("list", help="all tenants"), _list)
    for name, active, what in (("disable", False, "shut a tenant out"), ("enable", True, "let it in again")):
        action = actions.add_parser(name, help=what)
        action.add_argument("slug")
        action.set_defaults(active=active)
        _command(action, _set_active)


def _command(parser: argparse.ArgumentParser, action: Any) -> None:
    add_data(parser)
    parser.set_defaults(run=lambda arguments: asyncio.run(action(arguments)))


async def _add(arguments: argparse.Namespace) -> None:
    given = arguments.admin_password
    password = None if given is None else password_of(given)
    async with opened(arguments.data) as hub:
        draft = TenantDraft(slug=arguments.slug, name=arguments.name, admin_password=password)
        made = await tenants.add(hub.database, OPERATOR, tenant=draft)
        print(f"tenant {made.slug} is made; its host is {made.slug}.{hub.settings.base_domain}")
    if made.generated_password:
        print(f"superadministrator {ADMINISTRATOR}, password {made.generated_password} (shown only now)")
    else:
        print(f"superadministrator {ADMINISTRATOR}, with the password you gave")


async def _list(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        found = await list_tenants(hub.database, OPERATOR)
    rows = [(tenant.slug, "active" if tenant.active else "disabled", tenant.name) for tenant in found]
    print(columns([("TENANT", "STATE", "NAME"), *rows]) if rows else "no tenants yet: hub tenant add SLUG --name N")


async def _set_active(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        await tenants.set_active(hub.database, OPERATOR, slug=arguments.slug, active=arguments.active)
    print(f"tenant {arguments.slug} is {'enabled' if arguments.active else 'disabled'}")
