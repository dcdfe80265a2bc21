"""The nouns an import knows, in the order in which they refer to each other, and how their files name everything.

The fields are those of the REST reads, so that an export made with them can be fed in; what REST computes is ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Column, Date, MetaData, String, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from hub.importing.document_nouns import NIR, ORDER, PRODUCTION_ORDER, PURCHASE_ORDER, RETURN
from hub.importing.entries import Shape
from hub.importing.noun import AT_LOCATION, IN_WAREHOUSE, OF_PRODUCT, OWN_KEYS, Noun, ref
from hub.models.columns import QUANTITY
from hub.services.categories import CATEGORIES
from hub.services.companies import COMPANIES
from hub.services.locations import LOCATIONS
from hub.services.measurement_units import MEASUREMENT_UNITS
from hub.services.products import PRODUCTS
from hub.services.warehouses import WAREHOUSES


@dataclass(frozen=True, slots=True)
class Goods:
    """What a row of opening stock may say; no table keeps it in this form."""

    table: Table
    noun: str = "batch"
    keys: tuple[str, ...] = ("batch_code", "serial_number", "sscc")
    signed: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)


_GOODS = Goods(
    Table(
        "opening_stock",
        MetaData(),
        Column("product_id", BigInteger, nullable=False),
        Column("location_id", BigInteger, nullable=False),
        Column("quantity", QUANTITY, nullable=False),
        Column("batch_code", String(64)),
        Column("production_date", Date),
        Column("expiration_date", Date),
        Column("serial_number", String(64)),
        Column("serial_numbers", ARRAY(Text)),
        Column("sscc", String(64)),
    )
)

WAREHOUSE = Noun(
    name="warehouses",
    shape=Shape(
        what=WAREHOUSES,
        id_field="warehouseId",
        fields={
            "warehouseCode": "code",
            "code": "code",
            "warehouseName": "name",
            "name": "name",
            "isDefault": "is_default",
            "active": "active",
        },
    ),
    same=(("code",),),
    mark="is_default",
)
LOCATION = Noun(
    name="locations",
    shape=Shape(
        what=LOCATIONS,
        id_field="locationId",
        fields={
            "locationCode": "code",
            "code": "code",
            "locationName": "name",
            "name": "name",
            "priority": "priority",
            "isInbound": "is_inbound",
            "active": "active",
        },
        references=(IN_WAREHOUSE,),
    ),
    same=(("code",),),
    mark="is_inbound",
)
CATEGORY = Noun(
    name="categories",
    shape=Shape(
        what=CATEGORIES,
        id_field="categoryId",
        fields={**OWN_KEYS, "categoryName": "name", "categoryDetails": "details", "active": "active"},
    ),
    same=(("external_reference",), ("third_party_reference",), ("name",)),
)
MEASUREMENT_UNIT = Noun(
    name="measurement-units",
    shape=Shape(
        what=MEASUREMENT_UNITS,
        id_field="muId",
        fields={
            "name": "name",
            "code": "code",
            "details": "details",
            "status": "active",
            "thirdPartyReference": "third_party_reference",
        },
    ),
    same=(("code",),),
)
COMPANY = Noun(
    name="companies",
    shape=Shape(
        what=COMPANIES,
        id_field="companyId",
        fields={
            **OWN_KEYS,
            "name": "name",
            "cui": "cui",
            "regNo": "reg_no",
            "bank": "bank",
            "iban": "iban",
            "address": "address",
            "phone": "phone",
            "email": "email",
            "website": "website",
            "type": "type",
            "active": "active",
        },
    ),
    same=(("external_reference",), ("third_party_reference",), ("name",)),
)
PRODUCT = Noun(
    name="products",
    shape=Shape(
        what=PRODUCTS,
        id_field="productId",
        fields={
            "productName": "name",
            "name": "name",
            "productCode": "code",
            "code": "code",
            "sku": "sku",
            "thirdPartyReference": "third_party_reference",
            "vatId": "vat_id",
            "vatPercentage": "vat_percentage",
            "purchasePrice": "purchase_price",
            "sellingPrice": "selling_price",
            "minimumStock": "minimum_stock",
            "requiresSerialNumber": "requires_serial_number",
            "requiresBatchCode": "requires_batch_code",
            "requiresBatchDetails": "requires_batch_details",
            "requiresProductionDate": "requires_production_date",
            "requiresExpirationDate": "requires_expiration_date",
            "width": "width",
            "height": "height",
            "length": "length",
            "weight": "weight",
            "volume": "volume",
            "diameter": "diameter",
            "material": "material",
            "color": "color",
            "active": "active",
        },
        references=(
            ref(
                "category_id",
                categoryId=(CATEGORIES, "id"),
                categoryExternalReference=(CATEGORIES, "external_reference"),
            ),
            ref("measurement_unit_id", measurementUnitId=(MEASUREMENT_UNITS, "id")),
        ),
    ),
    same=(("code",),),
)
STOCK = Noun(
    name="stock",
    shape=Shape(
        what=_GOODS,
        id_field="stockBatchId",
        fields={
            "quantity": "quantity",
            "stockBatchCode": "batch_code",
            "batchCode": "batch_code",
            "productionDate": "production_date",
            "expirationDate": "expiration_date",
            "serialNumber": "serial_number",
            "sn": "serial_number",
            "snList": "serial_numbers",
            "ssccCode": "sscc",
        },
        references=(OF_PRODUCT, AT_LOCATION),
    ),
    same=(),
)

NOUNS = {
    noun.name: noun
    for noun in (
        WAREHOUSE,
        LOCATION,
        CATEGORY,
        MEASUREMENT_UNIT,
        COMPANY,
        PRODUCT,
        STOCK,
        ORDER,
        NIR,
        RETURN,
        PURCHASE_ORDER,
        PRODUCTION_ORDER,
    )
}
"""Stock stands before orders, so that open orders find what they reserve."""
