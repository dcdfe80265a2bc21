from decimal import Decimal
from typing import Any

import pytest

from hub.errors import Conflict, Invalid, NotFound
from hub.services import companies
from hub.services.companies import CompanyDraft
from hub.services.outcomes import Effect
from tests.hub.sync.worlds import World


async def add(world: World, name: str, **fields: Any) -> int:
    draft = CompanyDraft(name=name, **fields)
    (id_,) = await world.database.write(world.scope, lambda work: companies.add(work, companies=[draft]))
    return id_


async def update(world: World, id_: int, **changes: Any) -> list[int]:
    return await world.database.write(
        world.scope, lambda work: companies.update(work, targets={"id": [id_]}, changes=changes)
    )


async def test_only_the_name_is_mandatory_and_references_are_unique(world: World) -> None:
    await add(world, "Lumen SA", cui="RO1", external_reference="c-1")

    assert await add(world, "Lumen SA", cui="RO1")
    with pytest.raises(Conflict, match="externalReference: c-1 already exists"):
        await add(world, "Other", external_reference="c-1")
    with pytest.raises(Invalid, match="name"):
        await add(world, "")


async def test_the_type_is_one_of_three(world: World) -> None:
    id_ = await add(world, "a", type="BOTH")

    with pytest.raises(Invalid, match="CLIENT, SUPPLIER, BOTH"):
        await add(world, "b", type="PARTNER")
    with pytest.raises(Invalid, match="CLIENT, SUPPLIER, BOTH"):
        await update(world, id_, type="client")
    assert await world.value("SELECT type FROM companies WHERE id = :id", id=id_) == "BOTH"


async def test_companies_are_searched_by_name_and_tax_number(world: World) -> None:
    id_ = await add(world, "Ștefan & Fiii", cui="RO99")

    await update(world, id_, email="Office@Stefan.ro")

    assert await world.value("SELECT search FROM companies WHERE id = :id", id=id_) == (
        "stefan & fiii\nro99\noffice@stefan.ro"
    )


async def test_a_company_of_a_document_cannot_be_deleted(world: World) -> None:
    used, unused = await add(world, "used", type="SUPPLIER"), await add(world, "unused")
    await world.run(
        "INSERT INTO nirs (tenant_id, id, external_reference, warehouse_id, status, search, supplier_id) "
        "VALUES (:tenant, 1, 'n', 1, 1, '', :id)",
        tenant=world.tenant_id,
        id=used,
    )

    with pytest.raises(Conflict, match=f"company {used} is used by a NIR"):
        await world.database.write(world.scope, lambda work: companies.delete(work, targets={"id": [used, unused]}))
    assert await world.database.write(world.scope, lambda work: companies.delete(work, targets={"id": [unused]})) == [
        unused
    ]
    with pytest.raises(NotFound):
        await update(world, unused, name="gone")


async def test_segment_and_credit_are_kept(world: World) -> None:
    id_ = await add(world, "a")

    await update(world, id_, segment="gold", credit_limit=Decimal("1000.50"), credit_used=Decimal(1), payment_days=30)

    (row,) = await world.rows("SELECT segment, credit_limit, payment_days FROM companies WHERE id = :id", id=id_)
    assert row == {"segment": "gold", "credit_limit": Decimal("1000.5"), "payment_days": 30}


async def test_a_block_stands_until_it_is_released_and_stays_as_history(world: World) -> None:
    id_ = await add(world, "a")

    async def block(type: str, reason: str) -> None:
        await world.database.write(
            world.scope, lambda work: companies.block(work, targets={"id": [id_]}, type=type, reason=reason)
        )

    await block("CREDIT", "over the limit")
    await block("LEGAL", "insolvency")
    await block("CREDIT", "still over the limit")
    await world.database.write(world.scope, lambda work: companies.unblock(work, targets={"id": [id_]}, type="LEGAL"))

    standing = await world.rows("SELECT type, reason FROM company_blocks WHERE released_at IS NULL")
    assert standing == [{"type": "CREDIT", "reason": "still over the limit"}]
    assert await world.value("SELECT count(*) FROM company_blocks") == 3


async def test_a_page_of_companies_is_taken_in(world: World) -> None:
    id_ = await add(world, "a", external_reference="a")

    outcomes = await world.database.write(
        world.scope,
        lambda work: companies.upsert(
            work,
            companies=[
                (id_, {"name": "a", "phone": "1"}),
                (None, {"name": "b", "type": "NONE"}),
                (None, {"name": "c", "external_reference": "a"}),
                (None, {"name": "d", "external_reference": "d"}),
            ],
        ),
    )

    assert [outcome.effect for outcome in outcomes] == [
        Effect.UPDATED,
        Effect.REFUSED,
        Effect.REFUSED,
        Effect.ADDED,
    ]
