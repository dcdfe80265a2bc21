"""Products as lines of documents name them: by id, by code, or by both when they agree."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.db import UnitOfWork
from hub.errors import Invalid, NotFound
from hub.services.nomenclature import ids_by
from hub.services.products import PRODUCTS


@dataclass(frozen=True, slots=True)
class Choice:
    """What one line says of its product; `path` is the line's place in the request ("components[0]", or "")."""

    product_id: int | None
    code: str | None
    path: str = ""
    code_field: str = "productCode"

    def field(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def check(choices: Sequence[Choice]) -> None:
    for choice in choices:
        if choice.product_id is None and choice.code is None:
            raise Invalid(f"is required, or {choice.code_field}", field=choice.field("productId"))


async def resolve(work: UnitOfWork, choices: Sequence[Choice]) -> list[int]:
    """The products' ids, in the order of `choices`."""
    check(choices)
    by_id = await ids_by(work, PRODUCTS, "id", {c.product_id for c in choices if c.product_id is not None})
    by_code = await ids_by(work, PRODUCTS, "code", {c.code for c in choices if c.code is not None})
    for choice in choices:
        known = by_id.get(choice.product_id), by_code.get(choice.code)
        if None not in (*known, choice.product_id, choice.code) and known[0] != known[1]:
            raise Invalid(f"is not the code of product {choice.product_id}", field=choice.field(choice.code_field))
    found = []
    for choice in choices:
        if choice.product_id is not None and choice.product_id not in by_id:
            raise NotFound(f"product {choice.product_id} does not exist", field=choice.field("productId"))
        if choice.code is not None and choice.code not in by_code:
            raise NotFound(f"product {choice.code} does not exist", field=choice.field(choice.code_field))
        found.append(by_code[choice.code] if choice.product_id is None else by_id[choice.product_id])
    return found
