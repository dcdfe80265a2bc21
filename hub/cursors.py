"""The cursor of the event log: opaque outside, one position per tenant inside."""

import base64
import binascii
from collections.abc import Mapping

from hub.errors import Invalid


def encode_cursor(positions: Mapping[int, int]) -> str:
    """An opaque text that holds one position per tenant."""
    plain = ",".join(f"{tenant}:{position}" for tenant, position in sorted(positions.items()))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> dict[int, int]:
    """Raises `Invalid` for a text that is no cursor of ours."""
    try:
        plain = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        pairs = (part.split(":") for part in plain.split(","))
        positions = {int(tenant): int(position) for tenant, position in pairs}
    except (ValueError, binascii.Error):
        positions = {}
    if not positions or min(positions.values()) < 0 or encode_cursor(positions) != cursor:
        raise Invalid("is not a cursor of this hub", field="after", hint="use the cursor of an event, unchanged")
    return positions
