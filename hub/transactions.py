"""One transaction on one connection: statements written as text go straight to the driver, all others by SQLAlchemy.

The engines stand in autocommit, so that BEGIN, COMMIT and savepoints are said here and nowhere else.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import Result, TextClause
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.ext.asyncio import AsyncSession as PlainSession
from sqlalchemy.types import NullType
from sqlmodel.ext.asyncio.session import AsyncSession

LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a connection says that is dead; the last one when the news of it come together with a question."""

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_NOTHING = SimpleResultMetaData(["nothing"])
_WRITTEN: "WeakKeyDictionary[TextClause, _Written | None]" = WeakKeyDictionary()


class _Written:
    """A statement as the driver wants it: numbered parameters, and in which order their values come."""

    __slots__ = ("metadata", "names", "sql")

    def __init__(self, sql: str, names: Sequence[str]) -> None:
        self.sql = sql
        self.names = names
        self.metadata: SimpleResultMetaData | None = None

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] for name in self.names]

    def result(self, rows: Sequence[asyncpg.Record]) -> Result[*tuple[Any, ...]]:
        if rows and self.metadata is None:
            self.metadata = SimpleResultMetaData(list(rows[0].keys()))
        return IteratorResult(self.metadata or _NOTHING, map(tuple, rows))


class Session(AsyncSession):
    """SQLAlchemy's session within a transaction that it neither begins nor ends."""

    def __init__(self, connection: AsyncConnection, driver: asyncpg.Connection) -> None:
        super().__init__(connection, expire_on_commit=False)
        self._driver = driver
        self.after_commit: list[Callable[[], None]] = []

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Result[*tuple[Any, ...]]:
        """A statement by `text` costs the driver's own time; it sees and answers what the driver does."""
        if type(statement) is not TextClause or options or (written := _written(statement)) is None:
            return await PlainSession.execute(self, statement, params, **options)
        await self.store_objects()
        try:
            if isinstance(params, Sequence):
                await self._driver.executemany(written.sql, [written.arguments(values) for values in params])
                return written.result(())
            return written.result(await self._driver.fetch(written.sql, *written.arguments(params or {})))
        except asyncpg.PostgresError as error:
            raise _wrapped(error, written.sql) from error

    async def store_objects(self) -> None:
        """Write what was changed in objects; SQLAlchemy would do it by itself before a statement of its own."""
        if self.in_transaction():  # as SQLAlchemy counts: it was asked something, or given an object
            await self.flush()

    async def say(self, command: str) -> str:
        """A command without parameters; what PostgreSQL says that it did."""
        try:
            return str(await self._driver.execute(command))
        except asyncpg.PostgresError as error:
            raise _wrapped(error, command) from error


@asynccontextmanager
async def transaction(engine: AsyncEngine, settings: Iterable[str] = ()) -> AsyncIterator[Session]:
    """Everything inside becomes true together at the end, or nothing does; `settings` are commands said first."""
    connection, driver = await _begun(engine, "; ".join(("BEGIN", *settings)))
    session = Session(connection, driver)
    try:
        yield session
        await session.store_objects()
        if await session.say("COMMIT") != "COMMIT":  # PostgreSQL rolls back, without an error, what has failed before
            raise RuntimeError("a statement of the transaction had failed: nothing is stored")
        for call in session.after_commit:
            call()
    except BaseException:
        await _give_up(connection, driver)
        raise
    finally:
        if session.in_transaction():
            await session.close()
        await connection.close()


@asynccontextmanager
async def savepoint(session: Session) -> AsyncIterator[None]:
    """What fails inside is undone alone."""
    await session.store_objects()
    await session.say("SAVEPOINT part")  # one inside another hides it until it is released
    try:
        yield
        await session.store_objects()
    except BaseException:
        with suppress(*LOST):
            await session.say("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
        raise
    await session.say("RELEASE SAVEPOINT part")


async def _begun(engine: AsyncEngine, opening: str) -> tuple[AsyncConnection, asyncpg.Connection]:
    """A connection with its transaction begun; those that died in the pool are passed over: nothing was asked yet."""
    pooled = engine.pool.size()  # type: ignore[attr-defined]  # a pool with a queue has a size
    for left in range(pooled, -1, -1):
        connection = await engine.connect()
        try:
            driver = (await connection.get_raw_connection()).driver_connection
            await driver.execute(opening)  # type: ignore[union-attr]
            return connection, driver
        except BaseException as error:
            await connection.invalidate()
            await connection.close()
            if not left or not isinstance(error, (*LOST, asyncpg.OperatorInterventionError)):
                raise
    raise AssertionError("unreachable")


async def _give_up(connection: AsyncConnection, driver: asyncpg.Connection) -> None:
    """Roll back; a connection that cannot even do that is not used again."""
    try:
        await driver.execute("ROLLBACK")
    except BaseException as error:
        await connection.invalidate()
        if not isinstance(error, Exception):
            raise


def _written(statement: TextClause) -> _Written | None:
    """The statement for the driver; None when a parameter has a type, because SQLAlchemy converts its values."""
    try:
        return _WRITTEN[statement]
    except KeyError:
        compiled = statement.compile(dialect=_DIALECT)
        plain = all(isinstance(bind.type, NullType) for bind in compiled.binds.values())
        written = _WRITTEN[statement] = _Written(str(compiled), compiled.positiontup or ()) if plain else None
        return written


def _wrapped(error: asyncpg.PostgresError, sql: str) -> DBAPIError:
    kind = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else DBAPIError
    return kind(sql, None, error, hide_parameters=True)
