"""A database to measure on: migrated, filled, with callers and what PostGraphile needs."""

from dataclasses import dataclass

import asyncpg

from hub import migrations
from hub.embedded import Engines
from hub.passwords import hashed
from tests.benchmarks.contestants import ACCOUNT, COMPUTED, PASSWORD, USER
from tests.benchmarks.data import Scale, admit, fill


@dataclass(frozen=True, slots=True)
class Site:
    """Where the database is."""

    engines: Engines
    database: str

    @property
    def url(self) -> str:
        """For the superuser, whom no policy binds."""
        return self.engines.app_url("postgres", database=self.database)

    @property
    def sockets(self) -> str:
        return str(self.engines.sockets)

    async def connect(self, **settings: str) -> asyncpg.Connection:
        """A superuser's connection; `role` among the settings makes it somebody else's."""
        return await asyncpg.connect(
            host=self.sockets, user="postgres", database=self.database, server_settings=settings
        )


async def prepare_site(engines: Engines, database: str, scale: Scale, *, skewed: bool = False) -> Site:
    administrator = await Site(engines, "postgres").connect()
    await administrator.execute(f"CREATE DATABASE {database}")
    await administrator.close()
    site = Site(engines, database)
    await migrations.upgrade(site.url)
    connection = await site.connect()
    await fill(connection, scale, skewed=skewed)
    await admit(connection, user=USER, account=ACCOUNT, password_hash=await hashed(PASSWORD))
    for statement in COMPUTED:
        await connection.execute(statement)
    await connection.close()
    return site
