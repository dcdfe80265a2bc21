"""The documents an import knows, and how their files name everything: as the REST reads do."""

from collections.abc import Mapping

from hub.importing.entries import Reference, Shape
from hub.importing.noun import AT_LOCATION, IN_WAREHOUSE, OF_PRODUCT, OWN_KEYS, Noun, ref
from hub.models.movements import ProductionComponent, ProductionOrder, PurchaseOrder, PurchaseOrderLine
from hub.models.nirs import Nir, NirLine, Return, ReturnLine
from hub.models.orders import Order, OrderLine, OrderRequirement
from hub.services.companies import COMPANIES
from hub.services.nomenclature import Nomenclature
from hub.services.order_drafts import KEYS as ORDER_KEYS
from hub.services.products import PRODUCTS

REFERENCES = ("external_reference", "third_party_reference")
ORDERS = Nomenclature(model=Order, noun="order", keys=ORDER_KEYS, searched=ORDER_KEYS)
NIRS = Nomenclature(model=Nir, noun="nir", keys=REFERENCES, searched=REFERENCES)
RETURNS = Nomenclature(model=Return, noun="return", keys=REFERENCES)
PURCHASE_ORDERS = Nomenclature(model=PurchaseOrder, noun="purchase_order", keys=())
PRODUCTION_ORDERS = Nomenclature(model=ProductionOrder, noun="production_order", keys=("third_party_reference",))


def _line(model: type, noun: str, fields: Mapping[str, str], *references: Reference, id_field: str) -> Shape:
    return Shape(
        what=Nomenclature(model=model, noun=noun, keys=("external_line_id",)),
        id_field=id_field,
        fields=fields,
        references=references,
    )


_RECEIVED = ref("product_id", productId=(PRODUCTS, "id"), code=(PRODUCTS, "code"))
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
    **OWN_KEYS,
    "status": "status",
    "requiresValidation": "requires_validation",
    "comment": "comment",
    "dateAdded": "created_at",
    "dateValidated": "validated_at",
}

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
            IN_WAREHOUSE,
            ref(
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
            ref(
                "product_id",
                productId=(PRODUCTS, "id"),
                productCode=(PRODUCTS, "code"),
                productModel=(PRODUCTS, "code"),
            ),
            AT_LOCATION,
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
        references=(IN_WAREHOUSE, ref("supplier_id", supplierId=(COMPANIES, "id"))),
    ),
    same=(("external_reference",),),
    lines={
        "nirProducts": _line(
            NirLine,
            "nir_line",
            {**_RECEIPT_LINE, "purchasePrice": "purchase_price"},
            _RECEIVED,
            AT_LOCATION,
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
            IN_WAREHOUSE,
            ref("company_id", companyId=(COMPANIES, "id"), externalClientId=(COMPANIES, "external_reference")),
            ref("initial_order_id", initialExternalOrderId=(ORDERS, "external_order_id")),
        ),
    ),
    same=(("external_reference",),),
    lines={
        "returnedProducts": _line(
            ReturnLine, "return_line", _RECEIPT_LINE, _RECEIVED, AT_LOCATION, id_field="returnProductId"
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
        references=(IN_WAREHOUSE, ref("supplier_id", supplier=(COMPANIES, "id"))),
    ),
    same=(("ordered_on", "supplier_id"),),
    lines={
        "products": _line(
            PurchaseOrderLine,
            "purchase_order_line",
            {"quantity": "quantity", "receivedQuantity": "received_quantity", "price": "price"},
            OF_PRODUCT,
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
        references=(IN_WAREHOUSE, OF_PRODUCT),
    ),
    same=(("third_party_reference",),),
    lines={
        "components": _line(
            ProductionComponent,
            "production_component",
            {"quantity": "quantity"},
            ref(
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
