"""Real engines for every test: one PostgreSQL and one Valkey per test process, one fresh database per test module.

Ask for `database` (opened pools) or `database_url`, `redis` (a client) or `redis_url`.
"""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hub import migrations
from hub.db import Database
from hub.embedded import Engines, start_engines

TEMPLATE = "template_crossdock"

for name in list(os.environ):
    if name.startswith(("HUB_", "PG")) or name in ("DATABASE_URL", "DATABASE_ADMIN_URL", "REDIS_URL"):
        del os.environ[name]


def _stay_at_home(event: str, arguments: tuple[Any, ...]) -> None:
    """No test talks to the world: sockets reach this machine only."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if not host.startswith("127.") and host not in ("localhost", "::1"):
            raise PermissionError(f"a test tried to connect to {host}")


sys.addaudithook(_stay_at_home)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with start_engines(tmp_path_factory.mktemp("engines"), throwaway=True) as engines:
        yield engines


@pytest.fixture(scope="session")
async def administrator(engines: Engines) -> AsyncIterator[AsyncEngine]:
    """Creates and drops databases; the template holds what the migrations make of an empty one."""
    administrator = create_async_engine(
        engines.app_url("postgres", database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    await _execute(administrator, f"CREATE DATABASE {TEMPLATE}")
    await migrations.upgrade(engines.app_url("postgres", database=TEMPLATE))
    yield administrator
    await administrator.dispose()


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"test_{number}" for number in count(1))


@pytest.fixture(scope="module")
async def database_url(
    engines: Engines, administrator: AsyncEngine, database_names: Iterator[str]
) -> AsyncIterator[str]:
    """DATABASE_URL of a hub that works on this module's own database, a copy of the template."""
    name = next(database_names)
    await _execute(administrator, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    yield engines.app_url("postgres", database=name)
    await _execute(administrator, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database(database_url).open()
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def redis_url(engines: Engines) -> AsyncIterator[str]:
    """An empty Valkey."""
    async with Redis.from_url(engines.redis_url) as client:
        await client.flushall()
    yield engines.redis_url


@pytest.fixture(scope="module")
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


async def _execute(administrator: AsyncEngine, statement: str) -> None:
    async with administrator.connect() as connection:
        await connection.execute(text(statement))
