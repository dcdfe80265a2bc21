"""Brings a database to the version of this code: tables, roles and row-level security."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

LOCK = 0x63726F7373  # one migration at a time per database


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


async def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing, as the administrator of `url`; several processes may call it at once."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        await connection.commit()
        await connection.run_sync(_run, "upgrade", revision)
        await connection.commit()
    await engine.dispose()


async def downgrade(url: str, revision: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run, "downgrade", revision)
        await connection.commit()
    await engine.dispose()


async def pending(url: str) -> list[str]:
    """The revisions that the database lacks, oldest first."""
    script = ScriptDirectory.from_config(configuration())
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        current = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    await engine.dispose()
    wanted = [entry.revision for entry in script.walk_revisions()][::-1]
    return wanted if current is None else wanted[wanted.index(current) + 1 :]


def _run(connection: Connection, direction: str, revision: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)
