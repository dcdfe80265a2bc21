"""Tells this process at once that logins, rights or tenants changed, so that nothing remembered outlives the commit."""

from hub.transactions import Session

_count = 0


def count() -> int:
    """How often the directory has changed in this process; what was read at a lower count may be stale."""
    return _count


def announce_after_commit(session: Session) -> None:
    """Call it in the transaction that changes a user, an account, a membership or a tenant."""
    session.after_commit.append(_announce)


def _announce() -> None:
    global _count
    _count += 1
