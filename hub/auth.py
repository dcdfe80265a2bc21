"""Who is calling: from credentials or a session token to a `Scope`, or one and the same refusal.

A verified credential is remembered in this process under a keyed hash; the user's state and rights behind it are read
again after a few seconds, and at once when they change in this process.
"""

import asyncio
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hub import changes, tokens
from hub.context import Actor, Scope
from hub.db import Database
from hub.errors import Unauthenticated
from hub.guessing import Guesses
from hub.hosts import tenant_label
from hub.keys import KeyRing
from hub.passwords import Line, matches
from hub.queries.directory import ACCOUNT, Identity, Subject, find_identities, get_identity
from hub.recent import Flights, Recent
from hub.settings import Settings

__all__ = ["Authenticator", "LoginToken", "bearer_credential", "refusal", "tenant_label"]

FRESH = 5.0
"""Seconds for which a user's rights are believed; with a socket's own pace of looking it stays below 10."""
LONGEST = 4096
SESSION = timedelta(hours=8)

_BEARER = re.compile(rb"bearer[ \t]+(.*)", re.IGNORECASE | re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LoginToken:
    """A session: the token to send as `Bearer`, when it ends, and what its owner may do."""

    token: str
    expires_at: datetime
    scope: Scope


def refusal() -> Unauthenticated:
    """The one answer to every wrong credential; it never says what was wrong."""
    return Unauthenticated("Invalid API KEY")


def bearer_credential(header: bytes) -> str:
    """The credential in an `Authorization` header as it came over the wire; raises the refusal."""
    found = _BEARER.fullmatch(header.strip(b" \t"))
    if found is None or len(header) > LONGEST:
        raise refusal()
    try:
        return found[1].decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal() from error


class Authenticator:
    """The logins of one process. Its answers are at most a few seconds old."""

    def __init__(
        self,
        database: Database,
        *,
        secret_key: str,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._settings = settings
        self._keys = KeyRing(secret_key)
        self._clock = clock
        self._ticks = ticks
        self._pepper = secrets.token_bytes(32)
        self._line = Line()
        self._guesses = Guesses(ticks)
        self._verified: Recent[bytes, tuple[Subject, str, str]] = Recent()
        self._known: Recent[Subject, _Sighting] = Recent()
        self._scopes: Recent[tuple[Subject, str | None], tuple[Identity, Scope]] = Recent()
        self._flights = Flights()

    async def by_credentials(self, *, host: str, credential: str, address: str, accounts: bool = False) -> Scope:
        """The scope of `login:password` on this host; accounts (e-mail as login) only where they are let in."""
        login, colon, password = credential.partition(":")
        if not (colon and login and password) or len(credential) > LONGEST:
            raise refusal()
        if "\x00" in login or _SURROGATE.search(credential):
            raise refusal()
        slug = tenant_label(host, self._settings.base_domain)
        mac = hmac.digest(self._pepper, f"{accounts:d}{slug!r}\n{credential}".encode(), "sha256")
        scope = await self._remembered(mac, slug)
        if scope is not None:
            return scope
        key, began = f"{slug!r}\n{login}", time.monotonic()
        suspicion = self._guesses.suspicion(key, address)
        verified = await self._flights.share(
            (mac, changes.count()), lambda: self._verify(slug, login, password, accounts=accounts, suspicion=suspicion)
        )
        scope = None if verified is None else _scope_on(verified, slug)
        if verified is None or scope is None:
            waited = time.monotonic() - began
            await asyncio.sleep(max(0.0, self._guesses.refuse(key, address) - waited))
            raise refusal()
        self._guesses.accept(key)
        self._verified.put(mac, (verified.subject, verified.login, verified.password_hash))
        return scope

    async def by_token(self, *, host: str, token: str) -> Scope:
        """The scope of a session token on this host, with the rights its owner has now."""
        claims = tokens.read(self._keys, token, now=self._clock())
        if claims is None:
            raise refusal()
        identity = await self._current(Subject(claims.kind, claims.id, claims.tenant_id))
        if identity is None or identity.credential_version != claims.credential_version:
            raise refusal()
        scope = _scope_on(identity, tenant_label(host, self._settings.base_domain))
        if scope is None:
            raise refusal()
        return replace(scope, expires_at=claims.expires_at)

    async def by_header(self, *, host: str, header: bytes, address: str, accounts: bool = False) -> Scope:
        """The scope of an `Authorization` header; session tokens are taken where accounts are."""
        credential = bearer_credential(header)
        if accounts and tokens.is_token(credential):
            return await self.by_token(host=host, token=credential)
        return await self.by_credentials(host=host, credential=credential, address=address, accounts=accounts)

    async def login(self, *, host: str, login: str, password: str, address: str) -> LoginToken:
        """Start a session of a user or an account."""
        if ":" in login:
            raise refusal()
        credential = f"{login}:{password}"
        scope = await self.by_credentials(host=host, credential=credential, address=address, accounts=True)
        expires_at = datetime.fromtimestamp(int(self._clock()), UTC) + SESSION
        claims = tokens.Claims(
            kind=scope.actor.kind,
            id=scope.actor.id or 0,
            tenant_id=0 if scope.actor.kind == ACCOUNT else scope.tenant_id,
            credential_version=scope.credential_version,
            expires_at=int(expires_at.timestamp()),
        )
        return LoginToken(tokens.issue(self._keys, claims), expires_at, scope)

    async def still_valid(self, scope: Scope) -> bool:
        """Whether a scope given earlier (to a socket, say) still says what its owner may do."""
        if scope.actor.id is None:
            return True
        if 0 < scope.expires_at <= self._clock():
            return False
        tenant_id = 0 if scope.actor.kind == ACCOUNT else scope.tenant_id
        identity = await self._current(Subject(scope.actor.kind, scope.actor.id, tenant_id))
        if identity is None or identity.credential_version != scope.credential_version:
            return False
        granted = dict(identity.tenants.values())
        kept = all(granted.get(tenant) == grant for tenant, grant in scope.tenants.items())
        return kept and identity.operator == scope.operator

    async def _remembered(self, mac: bytes, slug: str | None) -> Scope | None:
        entry = self._verified.get(mac)
        if entry is None:
            return None
        subject, login, password_hash = entry
        identity = await self._current(subject)
        if identity is not None and (identity.login, identity.password_hash) == (login, password_hash):
            scope = self._scope_again(identity, slug)
            if scope is not None:
                return scope
        self._verified.forget(mac)
        return None

    def _scope_again(self, identity: Identity, slug: str | None) -> Scope | None:
        """The scope as it was made for the same sighting: most requests come from few callers."""
        known = self._scopes.get((identity.subject, slug))
        if known is not None and known[0] is identity:
            return known[1]
        scope = _scope_on(identity, slug)
        if scope is not None:
            self._scopes.put((identity.subject, slug), (identity, scope))
        return scope

    async def _verify(
        self, slug: str | None, login: str, password: str, *, accounts: bool, suspicion: float
    ) -> Identity | None:
        async with self._line.turn(suspicion):
            seen = self._now()
            async with self._database.system_work() as session:
                candidates = await find_identities(session, slug=slug, login=login, accounts=accounts)
            for identity in candidates:
                if await matches(password, identity.password_hash):
                    self._known.put(identity.subject, _Sighting(identity, *seen))
                    return identity if identity.active else None
            if not candidates:
                await matches(password, None)
        return None

    async def _current(self, subject: Subject) -> Identity | None:
        """The identity as it is now or was a few seconds ago; None when it may not log in."""
        sighting = self._known.get(subject)
        if sighting is None or not sighting.is_fresh(*self._now()):
            sighting = await self._flights.share((subject, changes.count()), lambda: self._look(subject))
        return sighting.identity if sighting.identity is not None and sighting.identity.active else None

    async def _look(self, subject: Subject) -> "_Sighting":
        seen = self._now()
        async with self._database.system_work() as session:
            sighting = _Sighting(await get_identity(session, subject), *seen)
        self._known.put(subject, sighting)
        return sighting

    def _now(self) -> tuple[float, int]:
        return self._ticks(), changes.count()


@dataclass(frozen=True, slots=True)
class _Sighting:
    """An identity as it was when the database was asked."""

    identity: Identity | None
    at: float
    changes: int

    def is_fresh(self, now: float, changes: int) -> bool:
        return self.changes == changes and now - self.at < FRESH


def _scope_on(identity: Identity, slug: str | None) -> Scope | None:
    """What the identity may do on a host: the bare host shows an account all its tenants, and a user nothing."""
    if slug is not None:
        tenants = dict([identity.tenants[slug]]) if slug in identity.tenants else None
    else:
        tenants = dict(identity.tenants.values()) if identity.subject.kind == ACCOUNT else None
    if tenants is None:
        return None
    return Scope(
        tenants,
        Actor(identity.subject.kind, identity.subject.id, identity.login),
        identity.operator,
        credential_version=identity.credential_version,
    )
