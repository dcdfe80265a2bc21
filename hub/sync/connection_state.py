"""What a connector remembers beyond its cursor: kept in the database, secrets sealed, until it expires."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.context import Scope
from hub.crypto import Vault
from hub.db import Database, UnitOfWork
from hub.errors import NeedsAttention
from hub.models.integrations import ConnectorMemory


class StoredState:
    """The `ConnectionState` of one connection; each call is a transaction of its own."""

    def __init__(self, database: Database, tenant_id: int, code: str, vault: Vault) -> None:
        self._database = database
        self._scope = Scope.of_system(tenant_id)
        self._tenant_id = tenant_id
        self._code = code
        self._vault = vault

    async def get(self, key: str) -> Any | None:
        """What was put under the key, None when nothing was or when it has expired."""

        async def read(work: UnitOfWork) -> Any | None:
            query = select(ConnectorMemory).where(*self._place(key))
            return (await work.session.execute(query)).scalar_one_or_none()

        row: ConnectorMemory | None = await self._database.write(self._scope, read)
        if row is None or (row.expires_at is not None and row.expires_at <= datetime.now(UTC)):
            return None
        if row.ciphertext is None:
            return row.value
        try:
            plain = self._vault.open(row.ciphertext, tenant_id=self._tenant_id, code=self._code, field=_field(key))
        except NeedsAttention:  # sealed with a key that is gone: a session can be had again
            return None
        return json.loads(plain)

    async def put(self, key: str, value: Any, *, secret: bool = False, lives: timedelta | None = None) -> None:
        """Remember a JSON value; None forgets the key."""

        async def write(work: UnitOfWork) -> None:
            if value is None:
                await work.session.execute(delete(ConnectorMemory).where(*self._place(key)))
                return
            row = {
                "value": None if secret else value,
                "ciphertext": self._seal(key, value) if secret else None,
                "expires_at": datetime.now(UTC) + lives if lives is not None else None,
                "updated_at": datetime.now(UTC),
            }
            statement = insert(ConnectorMemory).values(tenant_id=self._tenant_id, code=self._code, key=key, **row)
            await work.session.execute(
                statement.on_conflict_do_update(index_elements=["tenant_id", "code", "key"], set_=row)
            )

        await self._database.write(self._scope, write)

    def _seal(self, key: str, value: Any) -> bytes:
        return self._vault.seal(json.dumps(value), tenant_id=self._tenant_id, code=self._code, field=_field(key))

    def _place(self, key: str) -> tuple[Any, ...]:
        return (
            col(ConnectorMemory.tenant_id) == self._tenant_id,
            col(ConnectorMemory.code) == self._code,
            col(ConnectorMemory.key) == key,
        )


def _field(key: str) -> str:
    return f"memory:{key}"
