from decimal import Decimal
from typing import Any

import pytest

from hub.errors import Invalid, NotFound
from hub.services import shipments
from hub.services.outcomes import Effect
from hub.services.shipments import ShipmentDraft
from tests.hub.sync.worlds import World


async def do(world: World, service: Any, **named: Any) -> Any:
    return await world.database.write(world.scope, lambda work: service(work, **named))


@pytest.fixture
async def ledger(world: World) -> World:
    """An order that something leaves for."""
    await world.run(
        "INSERT INTO orders (tenant_id, id, external_order_id, warehouse_id, status, order_type, search) "
        "VALUES (:tenant, 1, 'WEB-1', 1, 3, 1, '')",
        tenant=world.tenant_id,
    )
    return world


async def test_a_shipment_is_known_by_its_reference(ledger: World) -> None:
    draft = ShipmentDraft(external_reference="S-1", external_order_id="WEB-1", carrier="DPD", parcels=2)

    (added,) = await do(ledger, shipments.upsert, shipments=[draft])
    (same,) = await do(ledger, shipments.upsert, shipments=[draft])
    tracked = ShipmentDraft(external_reference="S-1", order_id=1, carrier="DPD", parcels=2, tracking_number="T")
    (changed,) = await do(ledger, shipments.upsert, shipments=[tracked])

    assert [one.effect for one in (added, same, changed)] == [Effect.ADDED, Effect.UNCHANGED, Effect.UPDATED]
    assert await ledger.value("SELECT tracking_number FROM shipments") == "T"
    for bad, error in (
        (ShipmentDraft(external_reference="S-2"), Invalid),
        (ShipmentDraft(external_reference="S-2", order_id=99), NotFound),
        (ShipmentDraft(external_reference=" ", order_id=1), Invalid),
        (ShipmentDraft(external_reference="S-2", order_id=1, parcels=-1), Invalid),
        (ShipmentDraft(external_reference="S-2", order_id=1, weight=Decimal(-1)), Invalid),
    ):
        with pytest.raises(error):
            await do(ledger, shipments.upsert, shipments=[bad])
    assert await do(ledger, shipments.delete, targets={"external_reference": ["S-1"]}) == [added.id]
