"""Where the hub is: its settings, engines and database, for a command that works beside a running hub or alone."""

import argparse
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from hub.context import Actor, Scope
from hub.db import Database
from hub.embedded import join_engines
from hub.embedded.folder import open_folder
from hub.errors import Invalid, Unavailable
from hub.keys import key_of_folder
from hub.queries.directory import get_tenant_id
from hub.settings import Settings

COMMAND_LINE = Actor("system", None, "command line")
OPERATOR = Scope({}, COMMAND_LINE, operator=True)


@dataclass(frozen=True, slots=True)
class Hub:
    """An opened hub, in the hands of whoever may start its programs."""

    settings: Settings
    database: Database

    async def inside(self, slug: str) -> Scope:
        """The command line at work in one tenant; raises `NotFound`."""
        async with self.database.system_work() as session:
            tenant_id = await get_tenant_id(session, slug)
        return Scope(Scope.of_system(tenant_id).tenants, COMMAND_LINE)


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(".crossdock"),
        metavar="DIR",
        help="the data folder of the embedded engines (.crossdock); unused with DATABASE_URL",
    )


@contextmanager
def located(data: Path) -> Iterator[Settings]:
    """The settings with every address filled in; joins the engines of a running hub, or runs them meanwhile."""
    settings = Settings.from_environment()
    if settings.database_url:
        yield with_key(settings, data)
        return
    with join_engines(data) as engines:
        settings = replace(settings, database_url=engines.database_url, redis_url=engines.redis_url)
        yield with_key(settings, data)


def external(data: Path) -> Settings:
    """The settings of a process that brings no engines of its own; raises `Invalid` naming what is missing."""
    settings = Settings.from_environment()
    for name, url in (("DATABASE_URL", settings.database_url), ("REDIS_URL", settings.redis_url)):
        if not url:
            raise Invalid("is missing", field=name, hint="or use hub up, which brings PostgreSQL and Valkey along")
    return with_key(settings, data)


def with_key(settings: Settings, data: Path) -> Settings:
    """The settings with a secret key: HUB_SECRET_KEY, else the key file of the data folder, made when missing."""
    if settings.secret_key:
        return settings
    return replace(settings, secret_key=key_of_folder(open_folder(data).root))


async def migrate(settings: Settings) -> list[str]:
    """Bring the database to this version; the revisions that were applied."""
    from hub import migrations  # alembic, which most commands and all child processes do without

    url = settings.database_admin_url or settings.database_url
    try:
        missing = await migrations.pending(url)
        if missing:
            await migrations.upgrade(url)
    except (OSError, DBAPIError, PostgresError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise Unavailable(f"the database cannot be brought to this version: {reason}", hint="hub doctor") from error
    return missing


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Hub]:
    """The hub's database, migrated, for the time of one command."""
    with located(data) as settings:
        await migrate(settings)
        database = await Database(settings.database_url, pool_size=2, pgbouncer=settings.pgbouncer).open()
        try:
            yield Hub(settings, database)
        finally:
            await database.close()
