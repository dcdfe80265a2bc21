"""Closed sets of values that records and inputs share, by the names GraphQL shows; their values are stored."""

from enum import Enum

import strawberry
from strawberry import enum_value

from schema.planner.types import NAMES


@strawberry.enum(description="A document of an order that can be printed.")
class PrintDocument(Enum):
    NOTICE = enum_value("NOTICE", description="The notice that goes with the goods.")
    AWB = enum_value("AWB", description="The air waybill of the courier.")
    LABEL = enum_value("LABEL", description="The labels of the parcels.")


@strawberry.enum(description="What somebody may do in a tenant; each level includes those before it.")
class AccessLevel(Enum):
    VIEWER = enum_value(1, description="Read everything operational.")
    USER = enum_value(2, description="Make, change and validate documents and nomenclatures.")
    ADMINISTRATOR = enum_value(3, description="Users, integrations, warehouses and settings.")
    SUPERADMINISTRATOR = enum_value(4, description="Full re-synchronisation.")


@strawberry.enum(description="What somebody of level USER may do beyond it; administrators hold all of them.")
class AccessPermission(Enum):
    PURCHASE_ORDER = enum_value("PURCHASE_ORDER", description="Purchase orders.")
    PROCESS_OUTBOUND = enum_value("PROCESS_OUTBOUND", description="Picking and validation of orders.")
    PROCESS_TRANSFERS = enum_value("PROCESS_TRANSFERS", description="Transfers.")
    PROCESS_INVENTORY = enum_value("PROCESS_INVENTORY", description="Inventories.")
    PRODUCTION = enum_value("PRODUCTION", description="Production orders.")
    PROCESS_NIRS = enum_value("PROCESS_NIRS", description="Validation of NIRs and returns.")
    PROCESS_SSCC = enum_value("PROCESS_SSCC", description="SSCCs.")
    RAMP_SCANNING = enum_value("RAMP_SCANNING", description="Scanning at the ramp.")


NAMES |= {
    each.__name__: each
    for each in (
        PrintDocument,
        AccessLevel,
        AccessPermission,
    )
}
