"""What an import knows of one noun, and the records that many nouns name in the same way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.importing.entries import Reference, Shape
from hub.services.locations import LOCATIONS
from hub.services.nomenclature import Nomenclature
from hub.services.products import PRODUCTS
from hub.services.warehouses import WAREHOUSES


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


def ref(column: str, **fields: tuple[Nomenclature, str]) -> Reference:
    return Reference(column=column, fields=fields)


OWN_KEYS = {"externalReference": "external_reference", "thirdPartyReference": "third_party_reference"}
IN_WAREHOUSE = ref("warehouse_id", warehouseId=(WAREHOUSES, "id"), warehouseCode=(WAREHOUSES, "code"))
AT_LOCATION = ref("location_id", locationCode=(LOCATIONS, "code"))
OF_PRODUCT = ref("product_id", productId=(PRODUCTS, "id"), productCode=(PRODUCTS, "code"))
