"""Writes down who changed what in the administration of a tenant."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from hub.db import UnitOfWork
from hub.models.tenants import AuditEntry


async def record(work: UnitOfWork, action: str, subject: str, details: Mapping[str, Any] | None = None) -> None:
    """Append one entry; `action` is noun.verb, `details` is JSON without secrets."""
    actor = work.scope.actor
    await work.session.execute(
        insert(AuditEntry).values(
            tenant_id=work.tenant_id,
            id=await work.next_id("audit_entry"),
            actor=f"{actor.kind} {actor.name}"[:255],
            action=action,
            subject=subject[:255],
            details=dict(details or {}),
        )
    )
