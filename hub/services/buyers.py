"""Who an order is for: a company found by one of its keys, or created from what the order says of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import text

from hub.db import UnitOfWork
from hub.errors import CallerError, HubError, Invalid, NotFound
from hub.services import companies
from hub.services.values import is_id

# Orders that come at the same time for one new company make it once. The keys share a fixed number of turns, because a
# large set would fill the lock table with one lock per key; in order, so that two sets never wait for each other.
_TURNS = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('buyers/' || :tenant, turn)) FROM (
        SELECT DISTINCT abs(hashtext(key) % 64) AS turn FROM unnest(cast(:keys AS text[])) AS k (key) ORDER BY turn
    ) AS t
""")

_BY_KEYS = text("""
    SELECT id, external_reference, third_party_reference, cui FROM companies
    WHERE tenant_id = :tenant AND (id = ANY (cast(:ids AS bigint[]))
        OR external_reference = ANY (cast(:externals AS text[]))
        OR third_party_reference = ANY (cast(:thirds AS text[]))
        OR cui = ANY (cast(:cuis AS text[])))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerDraft:
    """A company as an order names it; the first of id, references and `cui` that is known decides."""

    company_id: int | None = None
    external_reference: str | None = None
    third_party_reference: str | None = None
    name: str | None = None
    cui: str | None = None
    reg_no: str | None = None
    bank: str | None = None
    iban: str | None = None
    address: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None

    @property
    def keys(self) -> set[str]:
        """What another order may find the same company by."""
        return {key for key in (self.external_reference, self.third_party_reference, self.cui) if key}

    def values(self) -> dict[str, Any]:
        """The columns of a new client."""
        columns = asdict(self)
        del columns["company_id"]
        return {**columns, "type": "CLIENT"}


async def find_buyers(work: UnitOfWork, drafts: Sequence[BuyerDraft | None]) -> list[int | HubError | None]:
    """The company that each draft means, None for a new one, or why it means none and cannot make one.

    Nothing is written; what is new, `settle_buyers` makes.
    """
    known = await _known(work, drafts)
    buyers: list[int | HubError | None] = []
    for draft in drafts:
        try:
            found = known.find(draft, new=-len(buyers) - 1)
            buyers.append(None if found is None or found < 0 else found)
        except (Invalid, NotFound) as error:
            buyers.append(error)
    return buyers


async def settle_buyers(work: UnitOfWork, drafts: Sequence[BuyerDraft | None]) -> list[int | None]:
    """The company of each draft, created where it is new; drafts that mean the same new company share it.

    A draft that is given several times, for several orders, is one company even when it has no key.
    """
    found, new = _sorted_out(await _known(work, drafts), drafts)
    if keys := {key for draft in new for key in draft.keys}:
        await work.session.execute(_TURNS, {"tenant": str(work.tenant_id), "keys": sorted(keys)})
        found, new = _sorted_out(await _known(work, drafts), drafts)
    created = await _create(work, new)
    ids = (found[id(draft)] for draft in drafts)
    return [created[-id_ - 1] if id_ is not None and id_ < 0 else id_ for id_ in ids]


@dataclass(slots=True)
class _Known:
    """The companies under the keys that a set of orders uses, new ones included under provisional negative ids."""

    by_id: set[int] = field(default_factory=set)
    by_external_reference: dict[str, int] = field(default_factory=dict)
    by_third_party_reference: dict[str, int] = field(default_factory=dict)
    by_cui: dict[str, list[int]] = field(default_factory=dict)

    def find(self, draft: BuyerDraft | None, *, new: int) -> int | None:
        """The company meant; one that nobody knows is remembered as `new`."""
        if draft is None:
            return None
        if draft.company_id is not None:
            if draft.company_id not in self.by_id:
                raise NotFound(f"{draft.company_id} does not exist", field="company.companyId")
            return draft.company_id
        for key, known in (
            (draft.external_reference, self.by_external_reference),
            (draft.third_party_reference, self.by_third_party_reference),
        ):
            if key is not None and key in known:
                return known[key]
        same_cui = self.by_cui.get(draft.cui, []) if draft.cui else []
        if len(same_cui) == 1:
            return same_cui[0]
        if draft.name is None or not draft.name.strip():
            raise Invalid("is required for a new company", field="company.name")
        self.add(new, draft.external_reference, draft.third_party_reference, draft.cui)
        return new

    def add(self, id_: int, external_reference: str | None, third_party_reference: str | None, cui: str | None) -> None:
        self.by_id.add(id_)
        if external_reference is not None:
            self.by_external_reference[external_reference] = id_
        if third_party_reference is not None:
            self.by_third_party_reference[third_party_reference] = id_
        if cui:
            self.by_cui.setdefault(cui, []).append(id_)


def _sorted_out(known: _Known, drafts: Sequence[BuyerDraft | None]) -> tuple[dict[int, int | None], list[BuyerDraft]]:
    """The company of each draft object, and the drafts of the new ones in the order of their provisional ids."""
    new: list[BuyerDraft] = []
    found: dict[int, int | None] = {}
    for draft in drafts:
        if id(draft) in found:
            continue
        provisional = -len(new) - 1
        found[id(draft)] = known.find(draft, new=provisional)
        if draft is not None and found[id(draft)] == provisional:
            new.append(draft)
    return found, new


async def _known(work: UnitOfWork, drafts: Sequence[BuyerDraft | None]) -> _Known:
    known = _Known()
    named = [draft for draft in drafts if draft is not None]
    ids = {draft.company_id for draft in named if is_id(draft.company_id)}
    externals = {draft.external_reference for draft in named if draft.external_reference is not None}
    thirds = {draft.third_party_reference for draft in named if draft.third_party_reference is not None}
    cuis = {draft.cui for draft in named if draft.cui}
    if not (ids or externals or thirds or cuis):
        return known
    keys = {"ids": list(ids), "externals": list(externals), "thirds": list(thirds), "cuis": list(cuis)}
    for row in await work.session.execute(_BY_KEYS, {"tenant": work.tenant_id, **keys}):
        known.add(*row)
    return known


async def _create(work: UnitOfWork, drafts: Sequence[BuyerDraft]) -> list[int]:
    if not drafts:
        return []
    try:
        outcomes = await companies.upsert(
            work, companies=[(None, draft.values()) for draft in drafts], on_error="raise"
        )
    except CallerError as error:
        error.field = f"company.{error.field}" if error.field else "company"
        raise
    return [outcome.id for outcome in outcomes if outcome.id is not None]
