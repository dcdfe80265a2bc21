"""Global ids: `Product:1:41` is the product 41 of the tenant 1."""

import re
from typing import NamedTuple

from hub.errors import Invalid

_FORM = re.compile(r"([A-Za-z]{1,40}):([1-9][0-9]{0,18}):([1-9][0-9]{0,18})")
LARGEST = 2**63 - 1


class GlobalId(NamedTuple):
    """The type's name, the tenant's id and the record's id within both."""

    type_name: str
    tenant_id: int
    id: int

    def __str__(self) -> str:
        return f"{self.type_name}:{self.tenant_id}:{self.id}"


def parsed(text: str, *, expected: str | None = None, field: str = "id") -> GlobalId:
    """Raise `Invalid` when `text` is no global id, or one of another type than `expected`."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise Invalid(f"{text[:80]!r} is no global id", field=field, hint=f"write {expected or 'Product'}:1:41")
    found = GlobalId(match[1], int(match[2]), int(match[3]))
    if max(found.tenant_id, found.id) > LARGEST:
        raise Invalid(f"{text[:80]!r} is no global id", field=field)
    if expected is not None and found.type_name != expected:
        raise Invalid(f"{text[:80]!r} is the id of a {found.type_name}, not of a {expected}", field=field)
    return found


def type_of(text: str) -> str:
    """The type that a global id names; empty for a malformed one."""
    match = _FORM.fullmatch(text)
    return match[1] if match else ""
