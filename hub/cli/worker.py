"""`hub worker`: the process that synchronises; as many as there is work for."""

import argparse

import uvloop

from hub.cli.place import add_data, external, migrate
from hub.logs import set_up_logging
from hub.settings import Settings
from workers.main import run


def define(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log-json", action="store_true", help="one JSON object a line")
    parser.add_argument("--no-migrations", action="store_true", help="trust that the database is up to date")
    add_data(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    settings = external(arguments.data)
    set_up_logging(settings.log_level, as_json=arguments.log_json)
    uvloop.run(_work(settings, migrations=not arguments.no_migrations))


async def _work(settings: Settings, *, migrations: bool) -> None:
    if migrations:
        await migrate(settings)
    await run(settings)
