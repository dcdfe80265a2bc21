"""The nouns an import knows, in the order in which they refer to each other, and how their files name everything.

The fields are those of the REST reads, so that an export made with them can be fed in; what REST computes is ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Column, Date, MetaData, String, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from hub.importing.entries import Reference, Shape
from hub.models.columns import QUANTITY
from hub.models.movements import ProductionComponent, ProductionOrder, PurchaseOrder, PurchaseOrderLine
from hub.models.nirs import Nir, NirLine, Return, ReturnLine
from hub.models.orders import Order, OrderLine, OrderRequirement
from hub.services.categories import CATEGORIES
from hub.services.companies import COMPANIES
from hub.services.locations import LOCATIONS
from hub.services.measurement_units import MEASUREMENT_UNITS
from hub.services.nomenclature import Nomenclature
from hub.services.order_drafts import KEYS as ORDER_KEYS
from hub.services.products import PRODUCTS
from hub.services.warehouses import WAREHOUSES

REFERENCES = ("external_reference", "third_party_reference")
ORDERS = Nomenclature(model=Order, noun="order", keys=ORDER_KEYS, searched=ORDER_KEYS)
NIRS = Nomenclature(model=Nir, noun="nir", keys=REFERENCES, searched=REFERENCES)
RETURNS = Nomenclature(model=Return, noun="return", keys=REFERENCES)
PURCHASE_ORDERS = Nomenclature(model=PurchaseOrder, noun="purchase_order", keys=())
PRODUCTION_ORDERS = Nomenclature(model=ProductionOrder, noun="production_order", keys=("third_party_reference",))


@dataclass(frozen=True, slots=True)
class Goods:
    """What a row of opening stock may say; no table keeps it in this form."""

    table: Table
    noun: str = "batch"
    keys: tuple[str, ...] = ("batch_code", "serial_number", "sscc")
    signed: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noun:
    """`same` tells whether the record that has an id already is the same one: the first of its sets of columns that the
    file fills must agree. `mark` is the column that exactly one record has.
    """

    name: str
    shape: Shape
    same: tuple[tuple[str, ...], ...]
    lines: Mapping[str, Shape] = field(default_factory=dict)
    parent: str | None = None
    """The column in which lines name their document; None for nomenclatures."""
    statuses: frozenset[int] = frozenset()
    mark: str | None = None


def _ref(column: str, **fields: tuple[Nomenclature, str]) -> Reference:
    return Reference(column=column, fields=fields)


def _line(model: type, noun: str, fields: Mapping[str, str], *references: Reference, id_field: str) -> Shape:
    return Shape(
        what=Nomenclature(model=model, noun=noun, keys=("external_line_id",)),
        id_field=id_field,
        fields=fields,
        references=references,
    )


_OWN_KEYS = {"externalReference": "external_reference", "thirdPartyReference": "third_party_reference"}
_WAREHOUSE = _ref("warehouse_id", warehouseId=(WAREHOUSES, "id"), warehouseCode=(WAREHOUSES, "code"))
_LOCATION = _ref("location_id", locationCode=(LOCATIONS, "code"))
_PRODUCT = _ref("product_id", productId=(PRODUCTS, "id"), productCode=(PRODUCTS, "code"))
_RECEIVED = _ref("product_id", productId=(PRODUCTS, "id"), code=(PRODUCTS, "code"))
_RECEIPT_LINE = {
    "quantity": "quantity",
    "validatedQuantity": "validated_quantity",
    "externalLineId": "external_line_id",
    "batchCode": "batch_code",
    "productionDate": "production_date",
    "expirationDate": "expiration_date",
    "snList": "serial_numbers",
}
_RECEIPT = {
    **_OWN_KEYS,
    "status": "status",
    "requiresValidation": "requires_validation",
    "comment": "comment",
    "dateAdded": "created_at",
    "dateValidated": "validated_at",
}

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
        references=(_WAREHOUSE,),
    ),
    same=(("code",),),
    mark="is_inbound",
)
CATEGORY = Noun(
    name="categories",
    shape=Shape(
        what=CATEGORIES,
        id_field="categoryId",
        fields={**_OWN_KEYS, "categoryName": "name", "categoryDetails": "details", "active": "active"},
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
            **_OWN_KEYS,
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
            _ref(
                "category_id",
                categoryId=(CATEGORIES, "id"),
                categoryExternalReference=(CATEGORIES, "external_reference"),
            ),
            _ref("measurement_unit_id", measurementUnitId=(MEASUREMENT_UNITS, "id")),
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
        references=(_PRODUCT, _LOCATION),
    ),
    same=(),
)
ORDER = Noun(
    name="orders",
    shape=Shape(
        what=ORDERS,
        id_field="orderId",
        fields={
            "externalOrderId": "external_order_id",
            "thirdPartyReference": "third_party_reference",
            "status": "status",
            "orderType": "order_type",
            "requiresValidation": "requires_validation",
            "dateAdded": "created_at",
            "comment": "comment",
            "awbExternalLink": "awb_external_link",
            "invoiceExternalLink": "invoice_external_link",
            "numberOfEnvelopes": "number_of_envelopes",
            "numberOfPackages": "number_of_packages",
        },
        references=(
            _WAREHOUSE,
            _ref(
                "company_id",
                companyId=(COMPANIES, "id"),
                companyExternalReference=(COMPANIES, "external_reference"),
                companyThirdPartyReference=(COMPANIES, "third_party_reference"),
            ),
        ),
    ),
    same=(("external_order_id",),),
    lines={
        "orderProducts": _line(
            OrderLine,
            "order_line",
            {"externalLineId": "external_line_id", "quantity": "quantity", "pickedQuantity": "picked_quantity"},
            _ref(
                "product_id",
                productId=(PRODUCTS, "id"),
                productCode=(PRODUCTS, "code"),
                productModel=(PRODUCTS, "code"),
            ),
            _LOCATION,
            id_field="orderProductId",
        ),
        "orderRequirements": _line(
            OrderRequirement, "order_requirement", {"name": "name", "value": "value"}, id_field="orderRequirementId"
        ),
    },
    parent="order_id",
    statuses=frozenset(range(9)),
)
NIR = Noun(
    name="nirs",
    shape=Shape(
        what=NIRS,
        id_field="nirId",
        fields={**_RECEIPT, "packagingType": "packaging_type"},
        references=(_WAREHOUSE, _ref("supplier_id", supplierId=(COMPANIES, "id"))),
    ),
    same=(("external_reference",),),
    lines={
        "nirProducts": _line(
            NirLine,
            "nir_line",
            {**_RECEIPT_LINE, "purchasePrice": "purchase_price"},
            _RECEIVED,
            _LOCATION,
            id_field="nirProductId",
        )
    },
    parent="nir_id",
    statuses=frozenset(range(5)),
)
RETURN = Noun(
    name="returns",
    shape=Shape(
        what=RETURNS,
        id_field="returnId",
        fields=_RECEIPT,
        references=(
            _WAREHOUSE,
            _ref("company_id", companyId=(COMPANIES, "id"), externalClientId=(COMPANIES, "external_reference")),
            _ref("initial_order_id", initialExternalOrderId=(ORDERS, "external_order_id")),
        ),
    ),
    same=(("external_reference",),),
    lines={
        "returnedProducts": _line(
            ReturnLine, "return_line", _RECEIPT_LINE, _RECEIVED, _LOCATION, id_field="returnProductId"
        )
    },
    parent="return_id",
    statuses=frozenset(range(5)),
)
PURCHASE_ORDER = Noun(
    name="purchase-orders",
    shape=Shape(
        what=PURCHASE_ORDERS,
        id_field="purchaseOrderId",
        fields={
            "date": "ordered_on",
            "arrivalDate": "arrival_date",
            "status": "status",
            "comment": "comment",
            "documentNumber": "document_number",
            "dateAdded": "created_at",
        },
        references=(_WAREHOUSE, _ref("supplier_id", supplier=(COMPANIES, "id"))),
    ),
    same=(("ordered_on", "supplier_id"),),
    lines={
        "products": _line(
            PurchaseOrderLine,
            "purchase_order_line",
            {"quantity": "quantity", "receivedQuantity": "received_quantity", "price": "price"},
            _PRODUCT,
            id_field="id",
        )
    },
    parent="purchase_order_id",
    statuses=frozenset(range(6)),
)
PRODUCTION_ORDER = Noun(
    name="production-orders",
    shape=Shape(
        what=PRODUCTION_ORDERS,
        id_field="productionOrderId",
        fields={
            "thirdPartyReference": "third_party_reference",
            "quantity": "quantity",
            "producedQuantity": "produced_quantity",
            "status": "status",
            "comment": "comment",
            "dateAdded": "created_at",
            "dateClosed": "closed_at",
            "batchCode": "batch_code",
        },
        references=(_WAREHOUSE, _PRODUCT),
    ),
    same=(("third_party_reference",),),
    lines={
        "components": _line(
            ProductionComponent,
            "production_component",
            {"quantity": "quantity"},
            _ref(
                "product_id",
                productId=(PRODUCTS, "id"),
                productCode=(PRODUCTS, "code"),
                code=(PRODUCTS, "code"),
            ),
            id_field="componentId",
        )
    },
    parent="production_order_id",
    statuses=frozenset({0, 2, 5}),
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
