"""The sockets in the floor: what the hub needs from outside, what a connector must offer. Protocols and plain data."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from hub.records import Payload

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One call to an external system; at most one of `json`, `form`, `content`. Shows no value that may be secret."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict, repr=False)
    """Query parameters; several values of one name travel as repeated parameters."""
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    timeout: timedelta = timedelta(seconds=30)
    limit: str = "default"
    """Which of the connector's declared rate limits this call spends."""
    judged: frozenset[int] = frozenset()
    """Error statuses (429, 5xx) whose answer the connector judges itself instead of having them raised."""
    private: bool = False
    """A login or the like: neither body may be kept in the delivery attempts."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values to mask in what is kept of this call, beyond the settings' secrets (a session's key)."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class HttpSender(Protocol):
    """Sends one request within the rate limits of its connection.

    Raises `Retryable` (no or cut answer, 5xx), `RateLimited` (429), `NeedsAttention` (address refused, TLS).
    Other statuses are answers: their meaning is the connector's business.
    """

    async def send(self, request: HttpRequest) -> HttpAnswer: ...


class RateBudget(Protocol):
    """A token bucket shared by all workers of one connection."""

    async def take(self, limit: "Limit") -> None:
        """Wait for one token."""

    async def correct(self, limit: "Limit", *, remaining: float | None, per_second: float | None) -> None:
        """Adopt what the vendor's headers say."""


class ConnectionState(Protocol):
    """What a connector remembers beyond its cursor (a session, a map of ids); secret values are kept encrypted."""

    async def get(self, key: str) -> Any | None: ...

    async def put(self, key: str, value: Any, *, secret: bool = False, lives: timedelta | None = None) -> None: ...


class SystemType(StrEnum):
    ERP = "ERP"
    ECOMMERCE = "ECOMMERCE"
    WMS = "WMS"


class Direction(StrEnum):
    IN = "IN"
    OUT = "OUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A token bucket: `per_second` refill, `burst` size, and the answer headers (lower case) that correct it."""

    name: str = "default"
    per_second: float = 1.0
    burst: int = 2
    rate_header: str | None = None
    """Requests per second that the vendor grants."""
    remaining_header: str | None = None
    """Requests left in the vendor's bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some raw records and the checkpoint that is true once all of them are stored.

    `payloads` that are not objects are parked one by one, not the page. `total`: records in the system, when told.
    """

    payloads: Sequence[Any]
    checkpoint: JsonObject
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """One connection as a connector's functions receive it: its settings, its HTTP, its memory, the present moment."""

    config: Any
    http: HttpSender
    state: ConnectionState
    now: datetime
    mappings: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, bool] = field(default_factory=dict)

    def takeover(self, mapping: str = "outboundTakeoverStatusId") -> tuple[str, ...]:
        """The status ids of a mapping that may hold several separated by commas."""
        return tuple(part.strip() for part in self.mappings.get(mapping, "").split(",") if part.strip())


class Outcome(StrEnum):
    DONE = "DONE"
    UNKNOWN = "UNKNOWN"
    """The external system does not know the record: logged, not repeated."""
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What became of one pushed record, in the order of the records pushed."""

    outcome: Outcome
    message: str = ""


Fetch = Callable[[Vendor, JsonObject], AsyncIterator[Page]]
"""(vendor, checkpoint) → pages; the first run's checkpoint is empty. Asynchronous generator."""
Map = Callable[[Vendor, Payload], Any]
"""(vendor, payload) → a record of `hub.records`, or None when the record does not concern the hub (counted as skipped);
pure and total: raises only `RecordRejected` with the path of the field."""
Push = Callable[[Vendor, Sequence[Any]], Awaitable[Sequence[PushResult]]]
"""(vendor, records) → one result per record; raises a `RemoteError` when nothing is known of the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One flow of records in one direction."""

    name: str
    """products, companies, orders, nirs, expenditure_receipts (in); stock, order_statuses, nir_statuses (out)."""
    direction: Direction
    title: str
    option: str | None = None
    """The switch that turns it on (syncOrders, sendStocks …); None = always on while the connection is active."""
    every: timedelta = timedelta(minutes=5)
    batch: int = 100
    """Records per page (in) or per call (out)."""
    fetch: Fetch | None = None
    map: Map | None = None
    key: Callable[[Any], str] | None = None
    """The external key of a raw payload, also of one that cannot be mapped."""
    push: Push | None = None
    fetch_one: Callable[[Vendor, str], Awaitable[Any | None]] | None = None
    """One raw record by its external key: retry of an exception, triggers, callbacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """Everything the hub knows about one external system. A connector module ends with its `SPEC`."""

    code: str
    title: str
    kind: SystemType
    config: type[BaseModel]
    """Settings with camelCase aliases; field metadata: title, description, pattern, default and in `json_schema_extra`
    `"secret": True`, `"masked": True` (a secret shown by its last four characters), `"required_with": "syncNirs"`
    (needed while that option is on). A field `websites: dict[str, SecretStr]` receives the shops' tokens by website id.
    """
    streams: tuple[Stream, ...]
    check: Callable[[Vendor], Awaitable[str]]
    """Proves address, credentials and rights; returns one line for the operator, raises a `RemoteError`."""
    options: tuple[str, ...] = ()
    mappings: Mapping[str, str | None] = field(default_factory=dict)
    """Status mapping → default (None = no default)."""
    limits: tuple[Limit, ...] = (Limit(),)
    busy: frozenset[int] = frozenset({429})
    """Statuses by which this system asks to slow down."""
    required_any: tuple[tuple[str, ...], ...] = ()
    """Groups of settings of which one is needed for activation."""
    secrets: frozenset[str] = frozenset()
    """Names (as the outside sees them) of the settings that are kept encrypted and never shown."""

    def stream(self, name: str) -> Stream | None:
        return next((stream for stream in self.streams if stream.name == name), None)


Registry = Mapping[str, Connector]
"""Connector code → connector; handed in by the composition roots."""


class JobQueue(Protocol):
    """Hands work to the workers. Jobs carry ids only; a lost job is found again from the database by the sweeper."""

    async def put(self, job: str, *args: int | str, job_id: str, delay: timedelta | None = None) -> bool:
        """Enqueue once per `job_id`; False when it waits or runs already."""


class Bell(Protocol):
    """Wake-ups between processes: topics only, no data; a lost one costs a few seconds, never a record."""

    async def ring(self, topic: str) -> None: ...

    def listen(self, *topics: str) -> AsyncGenerator[str, None]:
        """Topics as they ring; an empty text at first and every few seconds: look at the database anyway."""
