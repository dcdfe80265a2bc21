"""The one way to the database: reading connections and units of work, both bound to a scope by row-level security.

Three pools, all of roles that cannot bypass the policies: `hub_app` for writing (SQLAlchemy), `hub_app` for reading
(asyncpg, read-only), `hub_system` for the directory and the queues. Only `unit_of_work` and `system_work` commit.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL, Table, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.constraints import IdTaken, translated
from hub.context import Scope
from hub.errors import HubError, Unavailable
from hub.ids import Ids
from hub.models import metadata
from hub.ports import Bell
from hub.readers import SCOPE_SETTING, Readers, ScopedConnection
from hub.rows import columns_of, insertion
from hub.transactions import LOST, Session, savepoint, transaction

T = TypeVar("T")

RETRIED_STATES = frozenset({"40001", "40P01"})
ATTEMPTS = 5

_EVENTS = metadata.tables["events"]
_NOW = text("SELECT now()")
_WRITING = {"role": "hub_app", "jit": "off", "plan_cache_mode": "force_generic_plan"}
"""Writing statements are fixed and find their rows by keys: to plan them anew costs as much as to run them."""
_READING = _WRITING | {"default_transaction_read_only": "on"}
"""Generic plans were measured 1.2 to 1.5 times as fast as planning anew, also where one tenant holds all rows."""
_SYSTEM = {"role": "hub_system", "jit": "off"}


@dataclass(slots=True)
class UnitOfWork:
    """One transaction for one scope: the session, the ids, and the events that become visible with the commit."""

    scope: Scope
    session: Session
    ids: Ids
    events: list[dict[str, Any]] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    endings: dict["Ending", set[int]] = field(default_factory=dict)
    locked: set[tuple[str, int]] = field(default_factory=set)
    """Rows (noun, id) that this transaction has locked on purpose, so that it need not ask for them again."""
    run_id: int | None = None
    """The synchronisation run that writes here; every event says so."""

    @property
    def tenant_id(self) -> int:
        return self.scope.tenant_id

    async def now(self) -> datetime:
        """The database's own time for everything that this transaction writes."""
        moment: datetime = (await self.session.execute(_NOW)).scalar_one()
        return moment

    async def insert(self, table: Table, rows: Sequence[Mapping[str, Any]], *, returning: str = "") -> Sequence[Any]:
        """Store rows of the tenant, all with the same columns, in one statement; one column of them as it is stored."""
        if not rows:
            return []
        columns = {"tenant_id": [self.tenant_id] * len(rows), **columns_of(table, rows)}
        stored = await self.session.execute(insertion(table, tuple(columns), returning), columns)
        return stored.scalars().all() if returning else []

    async def next_id(self, noun: str) -> int:
        return (await self.ids.take(self.tenant_id, noun, 1))[0]

    async def next_ids(self, noun: str, count: int) -> list[int]:
        return await self.ids.take(self.tenant_id, noun, count)

    def emit(
        self, topic: str, kind: str, *, subject_id: int | None = None, run_id: int | None = None, **data: Any
    ) -> None:
        """Append to the event log; `data` is JSON. The listeners are woken after the commit."""
        self.events.append(
            {"topic": topic, "kind": kind, "subject_id": subject_id, "run_id": run_id or self.run_id, "data": data}
        )

    def ring_after_commit(self, topic: str) -> None:
        self.topics.add(topic)

    def at_end(self, ending: "Ending", ids: Iterable[int]) -> None:
        """Call `ending` once, just before the commit, with all the ids that were gathered for it."""
        self.endings.setdefault(ending, set()).update(ids)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is undone alone, with its events; the database's refusals leave as errors of the hub."""
        told, locked = len(self.events), set(self.locked)
        try:
            async with savepoint(self.session):
                yield
        except (DBAPIError, HubError) as error:
            del self.events[told:]
            self.locked = locked
            if isinstance(error, HubError) or _state(error) in RETRIED_STATES:
                raise
            raise translated(error) from error

    async def finish(self) -> None:
        """What belongs to every transaction's end: the gathered endings, then the events."""
        for ending, ids in self.endings.items():
            await ending(self, sorted(ids))
        await _append_events(self)


Ending = Callable[[UnitOfWork, list[int]], Awaitable[None]]


class Database:
    """The pools of one process. `open` it once, `close` it at the end."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        read_timeout: timedelta = timedelta(seconds=10),
        pgbouncer: bool = False,
        bell: Bell | None = None,
    ) -> None:
        self._url = make_url(url).set(drivername="postgresql+asyncpg")
        self._pool_size = pool_size
        self._read_timeout = read_timeout
        self._pgbouncer = pgbouncer
        self._writers = self._engine(_WRITING, pool_size)
        self._system = self._engine(_SYSTEM, max(3, pool_size // 2))
        self._readers: Readers | None = None
        self.ids = Ids(self.system_work)
        self.bell = bell

    async def open(self) -> "Database":
        reading = _READING | {"statement_timeout": str(int(self._read_timeout.total_seconds() * 1000))}
        pool = await asyncpg.create_pool(
            **_connect_arguments(self._url),
            min_size=1,
            max_size=self._pool_size,
            statement_cache_size=200,  # each may take some hundred kB of the backend
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,  # the statements of the planner are longer than the default allows
            reset=_keep_settings,
            connection_class=ScopedConnection,
            server_settings=self._at_start(reading),
        )
        self._readers = Readers(pool, said=_said_locally(reading) if self._pgbouncer else "")
        return self

    async def close(self) -> None:
        if self._readers is not None:
            await self._readers.close()
            self._readers = None
        await self._writers.dispose()
        await self._system.dispose()

    def reading(self, scope: Scope) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A read-only connection that sees the scope's tenants only."""
        assert self._readers is not None, "the database is not open"
        return self._readers.reading(scope)

    @asynccontextmanager
    async def unit_of_work(self, scope: Scope) -> AsyncIterator[UnitOfWork]:
        """One transaction: everything inside becomes true together at the end, or nothing does.

        Database errors leave as `hub.errors`: a taken key is `Conflict`, a broken CHECK too.
        """
        async with self._transaction(self._writers, f"SET LOCAL {SCOPE_SETTING} = '{scope.key}'") as session:
            work = UnitOfWork(scope, session, self.ids)
            yield work
            await work.finish()
        await self._ring(work)

    async def write(self, scope: Scope, action: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run `action` in a unit of work; deadlocks and serialisation failures are tried again.

        So is, once, what wanted an id that an import has brought along meanwhile.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.unit_of_work(scope) as work:
                    return await action(work)
            except IdTaken:
                if attempt > 1:
                    raise
                self.ids.forget(scope.tenants)
            except DBAPIError as error:
                if _state(error) not in RETRIED_STATES:
                    raise
                if attempt == ATTEMPTS:
                    raise Unavailable("too many writers at once", hint="try again in a moment") from error
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def system_work(self) -> AsyncIterator[Session]:
        """One transaction of `hub_system`: directory and queue tables of all tenants, nothing else."""
        async with self._transaction(self._system) as session:
            yield session

    async def _ring(self, work: UnitOfWork) -> None:
        if self.bell is None:
            return
        for topic in sorted(work.topics | ({"events"} if work.events else set())):
            await self.bell.ring(topic)

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine, *settings: str) -> AsyncIterator[Session]:
        if self._pgbouncer:
            settings = (_said_locally(_WRITING if engine is self._writers else _SYSTEM), *settings)
        try:
            async with transaction(engine, settings) as session:
                yield session
        except IntegrityError as error:
            raise translated(error) from error
        except DBAPIError as error:
            if _state(error) in RETRIED_STATES:
                raise
            raise translated(error) from error
        except LOST as error:
            raise Unavailable("the database does not answer", hint="try again in a moment") from error

    def _engine(self, settings: Mapping[str, str], pool_size: int) -> AsyncEngine:
        return create_async_engine(
            self._url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            isolation_level="AUTOCOMMIT",  # hub/transactions.py says BEGIN
            connect_args={
                "server_settings": self._at_start(settings),
                "statement_cache_size": 300,
                "max_cached_statement_lifetime": 0,
            },
        )

    def _at_start(self, settings: Mapping[str, str]) -> dict[str, str]:
        """What a connection begins with. PgBouncer lets only what it follows itself pass to the server."""
        followed = {"timezone": "UTC", "application_name": f"crossdock-{settings['role']}"}
        return followed if self._pgbouncer else {**settings, **followed}


async def _append_events(work: UnitOfWork) -> None:
    if work.events:
        ids = await work.next_ids("event", len(work.events))
        await work.insert(_EVENTS, [{"id": id_, **row} for id_, row in zip(ids, work.events, strict=True)])


async def _keep_settings(connection: asyncpg.Connection) -> None:
    """Nothing is reset between readers: `reading` keeps the one setting that matters."""


def _said_locally(settings: Mapping[str, str]) -> str:
    """The same at the beginning of a transaction, behind a pooler that hands out another connection for each."""
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())


def _connect_arguments(url: URL) -> dict[str, Any]:
    query = {name: value for name, value in url.query.items() if isinstance(value, str)}
    return {
        "host": query.pop("host", url.host),
        "port": int(query.pop("port", url.port or 5432)),
        "user": url.username,
        "password": url.password,
        "database": url.database,
        **query,
    }


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", "") or "")
