"""Sends what waits in the outbox: claimed in a batch, pushed with no transaction open, settled with what was answered.

At least once, with an idempotent effect: an entry that was being sent when its worker died waits again, and what is
told is a state (a quantity, a status) or is looked up first, so that telling it twice changes nothing. What is told is
read after the entry was claimed: a change that comes later writes a new entry.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import insert, text

from hub.context import Scope
from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, RecordRejected, RemoteError, Retryable
from hub.models.syncs import DeliveryAttempt
from hub.ports import Outcome, PushResult, Stream, Vendor
from hub.queries.integrations import Connection
from hub.services.outbox import STOCK
from hub.sync import exceptions, outbound_stock
from hub.sync.exceptions import Parked, Trouble
from hub.sync.lease import Lease, LeasedRun, hold
from hub.sync.outside import Exchange, Outside
from hub.sync.tellings import TELLINGS, Batch, Entry

log = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_PUSH = timedelta(seconds=50)
KEPT_BODY = 64 * 1024

_RECLAIM = text("""
    UPDATE outbox AS o SET state = CASE WHEN EXISTS (
            SELECT FROM outbox w WHERE w.tenant_id = o.tenant_id AND w.code = o.code AND w.stream = o.stream
                AND w.key = o.key AND w.state = 'WAITING')
        THEN 'DROPPED' ELSE 'WAITING' END, last_error = :reason
    WHERE o.tenant_id = :tenant AND o.code = :code AND o.stream = :stream AND o.state = 'SENDING'
        AND (cast(:ids AS bigint[]) IS NULL OR o.id = ANY (cast(:ids AS bigint[])))
""")
_CLAIM = text("""
    UPDATE outbox AS o SET state = 'SENDING', attempts = o.attempts + 1
    FROM (
        SELECT tenant_id, id FROM outbox
        WHERE tenant_id = :tenant AND code = :code AND stream = :stream AND state = 'WAITING' AND available_at <= now()
        ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
    ) AS next
    WHERE o.tenant_id = next.tenant_id AND o.id = next.id
    RETURNING o.id, o.key, o.payload
""")
_SETTLE = text("""
    UPDATE outbox AS o SET state = s.state, last_error = s.message, finished_at = now()
    FROM unnest(cast(:ids AS bigint[]), cast(:states AS text[]), cast(:messages AS text[])) AS s (id, state, message)
    WHERE o.tenant_id = :tenant AND o.id = s.id
""")
_COUNT = text("""
    UPDATE sync_runs SET pages = pages + 1, fetched = fetched + :fetched, updated = updated + :sent,
        skipped = skipped + :dropped, parked = parked + :rejected, attempts = 0, error_code = NULL, error_message = NULL
    WHERE tenant_id = :tenant AND id = :run
""")


@dataclass(slots=True, kw_only=True)
class Sender:
    """Sends the entries of one outbound stream within one slice."""

    outside: Outside
    lease: Lease
    connection: Connection
    stream: Stream
    _exchanges: list[Exchange] = field(default_factory=list)
    _vendor: Vendor | None = None

    async def begin(self, run: LeasedRun) -> None:
        """Take up what an earlier worker left half sent; raises `Conflict` when sending would empty the shop."""
        self._vendor = self.outside.vendor(self.connection, on_exchange=self._exchanges.append)

        async def action(work: UnitOfWork) -> HubError | None:
            await hold(work, self.lease)
            await work.session.execute(_RECLAIM, self._place | {"reason": "the worker was interrupted", "ids": None})
            if self.stream.name != STOCK or run.checkpoint.get(outbound_stock.CONFIRMED):
                return None
            return await outbound_stock.refuse_to_empty(work, self.connection.connector.code)

        refusal = await self._once_more(action)
        if refusal is not None:
            raise refusal

    async def send_batch(self) -> bool:
        """Send the next entries; False when none waits."""
        batch = await self.outside.database.write(self._scope, self._claim)
        if not batch.size:
            return False
        try:
            results = await self._push([TELLINGS[self.stream.name].handed(record) for record in batch.records])
        except RemoteError as error:
            await self._put_back(batch, error)
            raise
        await self.outside.database.write(self._scope, lambda work: self._settle(work, batch, results))
        self._exchanges.clear()
        return True

    async def _claim(self, work: UnitOfWork) -> Batch:
        await hold(work, self.lease)
        found = (await work.session.execute(_CLAIM, self._place | {"batch": self.stream.batch})).all()
        entries = sorted((Entry(*row) for row in found), key=lambda entry: entry.id)
        return await TELLINGS[self.stream.name].build(work, self.connection, entries) if entries else Batch()

    async def _push(self, records: Sequence[Any]) -> list[PushResult]:
        """One result per record; what the system refuses as a whole is tried one by one."""
        assert self._vendor is not None and self.stream.push is not None, "begin() comes first"
        if not records:
            return []
        try:
            async with asyncio.timeout(LONGEST_PUSH.total_seconds()):
                results = list(await self.stream.push(self._vendor, records))
        except TimeoutError:
            raise Retryable(f"sending {self.stream.name} took longer than {LONGEST_PUSH.seconds} s") from None
        except RecordRejected as error:
            if len(records) == 1:
                return [PushResult(outcome=Outcome.REJECTED, message=str(error))]
            return [result for record in records for result in await self._push([record])]
        if len(results) != len(records):
            raise HubError(f"the connector answered for {len(results)} of {len(records)} records")
        return results

    async def _settle(self, work: UnitOfWork, batch: Batch, results: Sequence[PushResult]) -> None:
        await hold(work, self.lease)
        states: list[tuple[int, str, str | None]] = [(id_, "DROPPED", reason) for id_, reason in batch.dropped.items()]
        names = {Outcome.DONE: "SENT", Outcome.UNKNOWN: "DROPPED", Outcome.REJECTED: "FAILED"}
        pairs = list(zip(batch.entries, results, strict=True))
        states += [(entry.id, names[result.outcome], result.message or None) for entry, result in pairs]
        ids, words, messages = (list(column) for column in zip(*states, strict=True))
        shortened = [message and message[:4000].replace("\x00", "") for message in messages]
        values = {"tenant": work.tenant_id, "ids": ids, "states": words, "messages": shortened}
        await work.session.execute(_SETTLE, values)
        sent = [record for record, result in zip(batch.records, results, strict=True) if result.outcome is Outcome.DONE]
        await TELLINGS[self.stream.name].remember(work, self.connection, sent)
        await self._park_rejected(work, pairs)
        await self._note(work, batch, sent=len(sent), rejected=words.count("FAILED"), dropped=words.count("DROPPED"))

    async def _park_rejected(self, work: UnitOfWork, pairs: Sequence[tuple[Entry, PushResult]]) -> None:
        code, stream = self.connection.connector.code, self.stream.name
        rejected = [
            Parked(
                external_key=entry.key,
                payload=entry.payload,
                trouble=Trouble(reason="REJECTED", message=result.message or "the system refused it"),
            )
            for entry, result in pairs
            if result.outcome is Outcome.REJECTED
        ]
        await exceptions.park(work, code, stream, rejected, run_id=self.lease.run_id)
        done = [entry.key for entry, result in pairs if result.outcome is not Outcome.REJECTED]
        await exceptions.resolve(work, code, stream, done)

    async def _note(self, work: UnitOfWork, batch: Batch, *, sent: int, rejected: int, dropped: int) -> None:
        """The run's counters, the calls that were made, and the event."""
        numbers = {"fetched": batch.size, "sent": sent, "rejected": rejected, "dropped": dropped}
        await work.session.execute(_COUNT, numbers | {"tenant": work.tenant_id, "run": self.lease.run_id})
        await self._keep_attempts(work, batch)
        work.emit(
            "sync",
            "delivery_done",
            run_id=self.lease.run_id,
            code=self.connection.connector.code,
            stream=self.stream.name,
            sent=sent,
            rejected=rejected,
            dropped=dropped,
        )

    async def _put_back(self, batch: Batch, error: HubError) -> None:
        """Nothing is known of the batch: it waits again, with the reason."""
        ids = [*batch.dropped, *(entry.id for entry in batch.entries)]

        async def action(work: UnitOfWork) -> None:
            await hold(work, self.lease)
            await work.session.execute(_RECLAIM, self._place | {"reason": str(error)[:4000], "ids": ids})
            await self._keep_attempts(work, batch)

        await self._once_more(action)
        self._exchanges.clear()

    async def _once_more(self, action: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Waiting again collides with an entry written in the same moment; then that one counts."""
        try:
            return await self.outside.database.write(self._scope, action)
        except Conflict:
            return await self.outside.database.write(self._scope, action)

    async def _keep_attempts(self, work: UnitOfWork, batch: Batch) -> None:
        if not self._exchanges:
            return
        ids = await work.next_ids("delivery_attempt", len(self._exchanges))
        told = [entry.id for entry in batch.entries]
        place = {"tenant_id": work.tenant_id, "code": self.connection.connector.code, "stream": self.stream.name}
        rows = [
            place | {"id": id_, "run_id": self.lease.run_id, "outbox_ids": told} | _attempt(exchange)
            for id_, exchange in zip(ids, self._exchanges, strict=True)
        ]
        await work.session.execute(insert(DeliveryAttempt), rows)

    @property
    def _place(self) -> dict[str, Any]:
        return {
            "tenant": self.lease.tenant_id,
            "code": self.connection.connector.code,
            "stream": self.stream.name,
        }

    @property
    def _scope(self) -> Scope:
        return Scope.of_system(self.lease.tenant_id)


def _attempt(exchange: Exchange) -> dict[str, Any]:
    answered = exchange.status is not None
    refused = exchange.status is not None and exchange.status >= 400
    return {
        "method": exchange.method[:16],
        "url": exchange.url[:2048],
        "status": exchange.status,
        "outcome": "REFUSED" if refused else "ANSWERED" if answered else "NO_ANSWER",
        "message": exchange.error[:4000] or None,
        "request_body": _body(exchange.request_body),
        "answer_body": _body(exchange.answer_body),
        "milliseconds": round(exchange.duration.total_seconds() * 1000),
        "attempted_at": exchange.started_at,
    }


def _body(body: bytes) -> str:
    return body[:KEPT_BODY].decode("utf-8", "replace").replace("\x00", "")
