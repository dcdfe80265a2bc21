"""Tells this process at once that logins, rights or tenants changed, so that nothing remembered outlives the commit."""

from sqlalchemy import event
from sqlmodel.ext.asyncio.session import AsyncSession

_count = 0


def count() -> int:
    """How often the directory has changed in this process; what was read at a lower count may be stale."""
    return _count


def announce_after_commit(session: AsyncSession) -> None:
    """Call it in the transaction that changes a user, an account, a membership or a tenant."""
    event.listen(session.sync_session, "after_commit", _announce, once=True)


def _announce(_: object) -> None:
    global _count
    _count += 1
