"""What NIRs and returns have in common: how they are found, locked, cancelled and deleted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, select, update
from sqlalchemy import delete as delete_rows

from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models import metadata
from hub.queries.conditions import among
from hub.queries.places import find_warehouse
from hub.services import document_changes
from hub.services.document_changes import step
from hub.services.nomenclature import Targets
from hub.services.receipt_lines import ReceiptLine, delete_lines
from hub.services.values import camel, is_id
from hub.statuses import DELETABLE, EDITABLE, RECEIPT, Status, move

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptKind:
    """Which tables a kind of receipt lives in, and how callers name its list of lines."""

    kind: str
    title: str
    documents: Table
    lines: Table
    parent: str
    lines_field: str

    @property
    def line_noun(self) -> str:
        return f"{self.kind}_line"


NIR = ReceiptKind(
    kind="nir",
    title="NIR",
    documents=metadata.tables["nirs"],
    lines=metadata.tables["nir_lines"],
    parent="nir_id",
    lines_field="nirProducts",
)
RETURN = ReceiptKind(
    kind="return",
    title="return",
    documents=metadata.tables["returns"],
    lines=metadata.tables["return_lines"],
    parent="return_id",
    lines_field="returnedProducts",
)


async def find(work: UnitOfWork, kind: ReceiptKind, column: str, values: Collection[Any]) -> list[int]:
    """The ids of the documents with these values of a unique column; `NotFound` names the first that is unknown."""
    key = kind.documents.columns[column]
    possible = [value for value in values if column != "id" or is_id(value)]
    found = await work.session.execute(
        select(key, kind.documents.c.id).where(kind.documents.c.tenant_id == work.tenant_id, among(key, possible))
    )
    ids = {value: int(id_) for value, id_ in found}
    for value in values:
        if value not in ids:
            field = f"{kind.kind}Id" if column == "id" else camel(column)
            raise NotFound(f"no {kind.title} has {field} {value}", field=field)
    return list(ids.values())


async def find_all(work: UnitOfWork, kind: ReceiptKind, targets: Targets) -> list[int]:
    """The ids of all documents meant by the lists (column → values), ascending."""
    if not any(targets.values()):
        raise Invalid(f"name at least one {kind.title}", hint="fill one of the target lists")
    found = [await find(work, kind, column, values) for column, values in targets.items() if values]
    return sorted({id_ for ids in found for id_ in ids})


async def find_one(
    work: UnitOfWork, kind: ReceiptKind, *, document_id: int | None, external_reference: str | None
) -> int:
    """The document that the id and the reference mean; both must mean the same one."""
    if document_id is None and external_reference is None:
        raise Invalid("is required", field=f"{kind.kind}Id", hint="or externalReference")
    found = set()
    if document_id is not None:
        found.update(await find(work, kind, "id", [document_id]))
    if external_reference is not None:
        found.update(await find(work, kind, "external_reference", [external_reference]))
    if len(found) > 1:
        raise NotFound(
            f"{kind.title} {document_id} has another external reference than {external_reference}",
            field="externalReference",
        )
    return found.pop()


async def lock(work: UnitOfWork, kind: ReceiptKind, ids: Collection[int]) -> list[dict[str, Any]]:
    """The documents, unchanged by others until the end; `NotFound` when one is gone."""
    found = await work.session.execute(
        select(kind.documents)
        .where(
            kind.documents.c.tenant_id == work.tenant_id, among(kind.documents.c.id, [id_ for id_ in ids if is_id(id_)])
        )
        .order_by(kind.documents.c.id)
        .with_for_update(key_share=True)
    )
    rows = [dict(row) for row in found.mappings()]
    for id_ in sorted(set(ids) - {row["id"] for row in rows}):
        raise NotFound(f"no {kind.title} has the id {id_}", field=f"{kind.kind}Id")
    return rows


async def read_lines(work: UnitOfWork, kind: ReceiptKind, document_id: int) -> list[ReceiptLine]:
    found = await work.session.execute(
        select(kind.lines)
        .where(kind.lines.c.tenant_id == work.tenant_id, kind.lines.c[kind.parent] == document_id)
        .order_by(kind.lines.c.position)
    )
    rows = [dict(row) for row in found.mappings()]
    names = [name for name in ReceiptLine.__slots__ if name in kind.lines.columns]
    return [
        ReceiptLine(**{name: row[name] for name in names} | {"serial_numbers": tuple(row["serial_numbers"])})
        for row in rows
    ]


async def warehouse_of(work: UnitOfWork, warehouse_id: int | None) -> int:
    """The warehouse named, or the default one."""
    found = await find_warehouse(work.session, work.tenant_id, warehouse_id)
    if found is None:
        raise NotFound(f"no warehouse has the id {warehouse_id}", field="warehouseId")
    return found


async def refuse_taken(work: UnitOfWork, kind: ReceiptKind, values: Row, *, own_id: int | None = None) -> None:
    """`Conflict` when another document has one of the keys among `values`."""
    for key in ("external_reference", "third_party_reference"):
        if values.get(key) is None:
            continue
        found = await work.session.execute(
            select(kind.documents.c.id).where(
                kind.documents.c.tenant_id == work.tenant_id, kind.documents.c[key] == values[key]
            )
        )
        if found.scalar_one_or_none() not in (None, own_id):
            raise Conflict(f"{values[key]} already exists", field=camel(key))


async def write(work: UnitOfWork, kind: ReceiptKind, document_id: int, values: Row) -> None:
    await work.session.execute(
        update(kind.documents)
        .where(kind.documents.c.tenant_id == work.tenant_id, kind.documents.c.id == document_id)
        .values(**values, updated_at=func.now())
    )


def refuse_settled(kind: ReceiptKind, document: Row) -> None:
    """Raise `Conflict` unless the document is still open (1 or 2)."""
    if document["status"] not in EDITABLE:
        state = Status(document["status"])
        raise Conflict(
            f"{kind.title} {document['external_reference']} is {state.name} ({state:d}) and can no longer change",
            field="status",
        )


async def cancel(work: UnitOfWork, kind: ReceiptKind, ids: Collection[int]) -> list[int]:
    """Documents that are not validated yet become 0; what is cancelled already stays so."""
    steps = []
    for row in await lock(work, kind, ids):
        move(RECEIPT, row["status"], Status.CANCELED, document=kind.title)
        if row["status"] != Status.CANCELED:
            await write(work, kind, row["id"], {"status": int(Status.CANCELED)})
        steps.append(step(row["id"], row["status"], Status.CANCELED, externalReference=row["external_reference"]))
    await document_changes.record(work, kind=kind.kind, steps=steps)
    return [one.document_id for one in steps]


async def delete(work: UnitOfWork, kind: ReceiptKind, ids: Collection[int]) -> list[int]:
    """Documents in status 0, 1, 2 are gone with their lines; their keys are free again."""
    for row in await lock(work, kind, ids):
        if row["status"] not in DELETABLE:
            raise Conflict(
                f"{kind.title} {row['external_reference']} is validated and cannot be deleted", field="status"
            )
    await delete_lines(work, kind.lines, kind.parent, ids)
    await work.session.execute(
        delete_rows(kind.documents).where(kind.documents.c.tenant_id == work.tenant_id, among(kind.documents.c.id, ids))
    )
    document_changes.deleted(work, kind=kind.kind, ids=ids)
    return sorted(ids)
