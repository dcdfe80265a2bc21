"""Takes the records of one page in: what is new, changed, unchanged, of no concern, or in trouble.

The way of every inbound record, whatever its kind: its payload is mapped (`read`, outside any transaction), compared
with what was seen last (`take_in`), handed to the receiver of its stream (`intake_orders`, `intake_products` …), and in
the end it has an external reference, or an exception that says why not. Nothing is skipped in silence.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from hub.db import UnitOfWork
from hub.errors import RecordRejected
from hub.ports import Connector, Stream, Vendor
from hub.services.outcomes import Effect, Outcome
from hub.sync import exceptions, references
from hub.sync.exceptions import Parked, Trouble
from hub.sync.references import Reference, content_hash, digest

KEY_LENGTH = 255


class Fate(StrEnum):
    """What became of a record; also the name of the run's counter."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where records come from: the stream of a connection, with what its status mappings and options say."""

    connector: Connector
    stream: Stream
    mappings: Mapping[str, str]
    afresh: bool = False
    """A full re-synchronisation: nomenclatures are compared with the hub's own records, not with what was seen last."""

    @property
    def code(self) -> str:
        return self.connector.code

    def statuses(self, mapping: str) -> frozenset[str] | None:
        """The external status ids of a mapping; None when this system does not have the mapping at all."""
        if mapping not in self.connector.mappings:
            return None
        return frozenset(part.strip() for part in self.mappings.get(mapping, "").split(",") if part.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One raw record after mapping: a record, or nothing of concern (None), or trouble."""

    external_key: str
    payload: Any
    record: Any = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A record that is new or changed; `known` is what the hub remembers of it."""

    external_key: str
    record: Any
    known: Reference | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a receiver did with an arrival; what is parked carries its trouble and leaves the reference as it was."""

    fate: Fate
    record_id: int | None = None
    trouble: Trouble | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> "Taken":
        if outcome.error is not None:
            return cls(fate=Fate.PARKED, trouble=Trouble.of(outcome.error))
        return cls(fate=_FATES[outcome.effect], record_id=outcome.id)


_FATES = {Effect.ADDED: Fate.CREATED, Effect.UPDATED: Fate.UPDATED, Effect.UNCHANGED: Fate.UNCHANGED}
SKIPPED = Taken(fate=Fate.SKIPPED)

Receive = Callable[[UnitOfWork, Source, Sequence[Arrival]], Awaitable[Sequence[Taken]]]
"""Takes arrivals of one kind in; one `Taken` per arrival. A record that is refused never stops the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The fates of a page."""

    of: Mapping[Fate, int] = field(default_factory=dict)

    def __getitem__(self, fate: Fate) -> int:
        return self.of.get(fate, 0)

    @property
    def changed(self) -> bool:
        return bool(self[Fate.CREATED] or self[Fate.UPDATED])


def read(source: Source, vendor: Vendor, payloads: Sequence[Any]) -> list[Read]:
    """Map raw records; of several with one key the last counts. Pure: what cannot be mapped becomes trouble."""
    latest: dict[str, Read] = {}
    for payload in payloads:
        one = _read_one(source.stream, vendor, payload)
        latest.pop(one.external_key, None)
        latest[one.external_key] = one
    return list(latest.values())


def _read_one(stream: Stream, vendor: Vendor, payload: Any) -> Read:
    key = _key(stream, payload)
    if not isinstance(payload, Mapping):
        trouble = Trouble(reason="NOT_A_RECORD", message="the system sent something that is not a record")
        return Read(external_key=key, payload=payload, trouble=trouble)
    try:
        record = stream.map(vendor, payload) if stream.map else None
    except RecordRejected as error:
        return Read(external_key=key, payload=payload, trouble=Trouble.of(error))
    except Exception as error:  # a mistake in a connector parks the record it stumbled over, never the page
        trouble = Trouble(reason="MAPPING_FAILED", message=f"the record cannot be read: {error!r}")
        return Read(external_key=key, payload=payload, trouble=trouble)
    own_key = getattr(record, "external_key", "") or key
    return Read(external_key=own_key[:KEY_LENGTH], payload=payload, record=record)


def _key(stream: Stream, payload: Any) -> str:
    try:
        key = stream.key(payload) if stream.key else ""
    except Exception:  # whatever the payload is, it must get a name to be parked under
        key = ""
    key = key.replace("\x00", "").encode("utf-8", "replace").decode()[:KEY_LENGTH]
    return key or f"?{digest(payload)[:32]}"


async def take_in(
    work: UnitOfWork, source: Source, receive: Receive, page: Sequence[Read], *, run_id: int | None = None
) -> Counts:
    """Take a page in inside the caller's transaction."""
    code, stream = source.code, source.stream.name
    await references.take_turn(work, code, stream)
    mapped = [one for one in page if one.record is not None]
    known = await references.find(work, code, stream, [one.external_key for one in mapped])
    fates: dict[str, Taken] = {
        one.external_key: SKIPPED if one.trouble is None else Taken(fate=Fate.PARKED, trouble=one.trouble)
        for one in page
        if one.record is None
    }
    arrivals = []
    for one in mapped:
        reference = known.get(one.external_key)
        if reference is not None and not source.afresh and _is_unchanged(reference, one.record):
            fates[one.external_key] = Taken(fate=Fate.UNCHANGED, record_id=reference.record_id)
        else:
            arrivals.append(Arrival(external_key=one.external_key, record=one.record, known=reference))
    for arrival, taken in zip(arrivals, await receive(work, source, arrivals) if arrivals else [], strict=True):
        fates[arrival.external_key] = taken
    await _remember(work, source, mapped, known, fates)
    await _park(work, source, page, fates, run_id)
    return Counts(of={fate: sum(taken.fate is fate for taken in fates.values()) for fate in Fate})


def _is_unchanged(reference: Reference, record: Any) -> bool:
    """Also true for the echo of what the hub itself sent: only the status is new, and it is the one we wrote."""
    if reference.payload_hash != content_hash(record):
        return False
    status = getattr(record, "status_id", None)
    return status == reference.status_id or reference.sent_hash == digest(status)


async def _remember(
    work: UnitOfWork,
    source: Source,
    mapped: Sequence[Read],
    known: Mapping[str, Reference],
    fates: Mapping[str, Taken],
) -> None:
    fresh = []
    for one in mapped:
        taken = fates[one.external_key]
        if taken.record_id is None or taken.fate is Fate.PARKED:
            continue
        reference = Reference(
            external_key=one.external_key,
            record_id=taken.record_id,
            payload_hash=content_hash(one.record),
            status_id=getattr(one.record, "status_id", None),
        )
        before = known.get(one.external_key)
        if before is None or replace(before, sent_hash=None) != reference:
            fresh.append(reference)
    await references.write(work, source.code, source.stream.name, fresh)


async def _park(
    work: UnitOfWork, source: Source, page: Sequence[Read], fates: Mapping[str, Taken], run_id: int | None
) -> None:
    code, stream = source.code, source.stream.name
    troubled = [
        Parked(external_key=one.external_key, payload=one.payload, trouble=trouble)
        for one in page
        if (trouble := fates[one.external_key].trouble) is not None
    ]
    troubled = await exceptions.not_dismissed(work, code, stream, troubled)
    await exceptions.park(work, code, stream, troubled, run_id=run_id)
    in_order = [key for key, taken in fates.items() if taken.trouble is None]
    await exceptions.resolve(work, code, stream, in_order)
