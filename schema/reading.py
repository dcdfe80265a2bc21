"""Reads records back for the answers of mutations, with the selection that the caller made below the field."""

from collections.abc import Mapping, Sequence
from typing import Any

from schema.planner.nodes import read_nodes


async def read_back(info: Any, type_name: str, tenant_id: int, ids: Sequence[int]) -> Mapping[int, Any]:
    """Id → record, for those that exist; one statement."""
    return await read_nodes(info, type_name, tenant_id, ids)
