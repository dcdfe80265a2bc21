"""Warehouses and their locations, kept by administrators."""

import strawberry
from strawberry import UNSET

from hub.services import locations, warehouses
from hub.services.locations import LocationDraft
from hub.services.warehouses import WarehouseDraft
from schema.answers import Deleted, Json, Record, answer
from schema.inputs import about, inputs
from schema.planner.fields import ADMINISTRATOR
from schema.warehouses import Location, Warehouse
from schema.writing import Call, Change, mutation

WAREHOUSE = answer("WarehousePayload", warehouse=Record("Warehouse", "The warehouse as it is now."))
WAREHOUSE_DELETED = answer(
    "WarehouseDeletePayload", deleted_id=Deleted("Warehouse", "The id of the warehouse that is gone.")
)
LOCATION = answer("LocationPayload", location=Record("Location", "The location as it is now."))
LOCATION_DELETED = answer(
    "LocationDeletePayload", deleted_id=Deleted("Location", "The id of the location that is gone.")
)


@inputs(one_of=True, like=Warehouse)
class WarehouseKey:
    """Names one warehouse by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Warehouse")
    code: str | None = UNSET


@inputs(like=Warehouse)
class WarehouseInput:
    """A warehouse to be added, with a location where goods arrive."""

    code: str
    name: str
    is_default: bool = False
    active: bool = True


@inputs()
class WarehouseAddInput(Change, WarehouseInput):
    """A warehouse to be added, with a location where goods arrive."""

    inbound_location_code: str | None = about(
        "The code of that location; the warehouse's code and `-RECEPTION` when absent.", default=UNSET
    )


@inputs(changes=WarehouseInput)
class WarehouseUpdateInput(Change):
    """New values of a warehouse: what is absent stays."""

    warehouse: WarehouseKey = about("Which warehouse.", called="warehouseId")


@inputs()
class WarehouseDeleteInput(Change):
    """A warehouse to be deleted."""

    warehouse: WarehouseKey = about("Which warehouse.", called="warehouseId")


@inputs(one_of=True, like=Location)
class LocationKey:
    """Names one location by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Location")
    code: str | None = UNSET


@inputs(like=Location)
class LocationInput:
    """A location to be added."""

    code: str
    name: str | None = about("Its name; its code when absent.", default=UNSET)
    priority: int = 100
    is_inbound: bool = False
    active: bool = True


@inputs()
class LocationAddInput(Change, LocationInput):
    """A location to be added; the first one of a warehouse is where goods arrive."""

    warehouse_id: strawberry.ID = about("The warehouse it is in.", of="Warehouse")


@inputs(changes=LocationInput)
class LocationUpdateInput(Change):
    """New values of a location: what is absent stays."""

    location: LocationKey = about("Which location.", called="locationId")


@inputs()
class LocationDeleteInput(Change):
    """A location to be deleted."""

    location: LocationKey = about("Which location.", called="locationId")


@mutation(WAREHOUSE, needs=ADMINISTRATOR)
async def warehouse_add(call: Call, input: WarehouseAddInput) -> Json:
    """Adds a warehouse; a default one takes over from the present one."""
    [warehouse_id] = await warehouses.add(call.work, warehouses=[WarehouseDraft(**call.filled(input))])
    return {"warehouse": warehouse_id}


@mutation(WAREHOUSE, needs=ADMINISTRATOR)
async def warehouse_update(call: Call, input: WarehouseUpdateInput) -> Json:
    """Changes a warehouse, or makes it the default one."""
    key, changes = call.targets(input.warehouse, "warehouse"), call.values(input, "warehouse")
    [warehouse_id] = await warehouses.update(call.work, targets=key, changes=changes)
    return {"warehouse": warehouse_id}


@mutation(WAREHOUSE_DELETED, needs=ADMINISTRATOR)
async def warehouse_delete(call: Call, input: WarehouseDeleteInput) -> Json:
    """Deletes a warehouse that no document names, with its locations; never the default one."""
    [warehouse_id] = await warehouses.delete(call.work, targets=call.targets(input.warehouse, "warehouse"))
    return {"deleted_id": warehouse_id}


@mutation(LOCATION, needs=ADMINISTRATOR)
async def location_add(call: Call, input: LocationAddInput) -> Json:
    """Adds a location."""
    [location_id] = await locations.add(call.work, locations=[LocationDraft(**call.filled(input))])
    return {"location": location_id}


@mutation(LOCATION, needs=ADMINISTRATOR)
async def location_update(call: Call, input: LocationUpdateInput) -> Json:
    """Changes a location, or makes it the one where goods arrive."""
    key, changes = call.targets(input.location, "location"), call.values(input, "location")
    [location_id] = await locations.update(call.work, targets=key, changes=changes)
    return {"location": location_id}


@mutation(LOCATION_DELETED, needs=ADMINISTRATOR)
async def location_delete(call: Call, input: LocationDeleteInput) -> Json:
    """Deletes a location that nothing was ever put on; never the one where goods arrive."""
    [location_id] = await locations.delete(call.work, targets=call.targets(input.location, "location"))
    return {"deleted_id": location_id}
