"""Re-encrypts every stored secret with the newest key."""

from sqlalchemy import select
from sqlmodel import col

from hub.context import Scope
from hub.crypto import Vault
from hub.db import Database, UnitOfWork
from hub.models.integrations import ConnectorMemory, IntegrationSecret
from hub.models.tenants import Tenant


async def reseal(database: Database, scope: Scope, vault: Vault) -> int:
    """Seal with the newest key whatever an older one has sealed, in all tenants; how many secrets that were."""
    scope.require_operator()
    async with database.system_work() as session:
        tenant_ids = (await session.execute(select(col(Tenant.id)).order_by(col(Tenant.id)))).scalars().all()
    count = 0
    for tenant_id in tenant_ids:
        inside = Scope(Scope.of_system(tenant_id).tenants, scope.actor, operator=True)
        count += await database.write(inside, lambda work: _reseal_tenant(work, vault))
    return count


async def _reseal_tenant(work: UnitOfWork, vault: Vault) -> int:
    count = 0
    secrets = select(IntegrationSecret).where(col(IntegrationSecret.tenant_id) == work.tenant_id).with_for_update()
    for row in (await work.session.execute(secrets)).scalars():
        if not vault.is_current(row.ciphertext):
            row.ciphertext = _resealed(vault, row.ciphertext, work.tenant_id, row.code, row.field)
            count += 1
    memory = select(ConnectorMemory).where(
        col(ConnectorMemory.tenant_id) == work.tenant_id, col(ConnectorMemory.ciphertext).is_not(None)
    )
    for kept in (await work.session.execute(memory.with_for_update())).scalars():
        if kept.ciphertext is not None and not vault.is_current(kept.ciphertext):
            field = memory_field(kept.key)
            kept.ciphertext = _resealed(vault, kept.ciphertext, work.tenant_id, kept.code, field)
            count += 1
    return count


def memory_field(key: str) -> str:
    """The field name under which a secret of a connector's memory is sealed."""
    return f"memory:{key}"


def _resealed(vault: Vault, sealed: bytes, tenant_id: int, code: str, field: str) -> bytes:
    plain = vault.open(sealed, tenant_id=tenant_id, code=code, field=field)
    return vault.seal(plain, tenant_id=tenant_id, code=code, field=field)
