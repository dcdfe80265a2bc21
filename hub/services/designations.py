"""Records that callers name by the hub's id, by a key of their own, or by both when they agree."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hub.db import UnitOfWork
from hub.errors import Invalid, NotFound
from hub.services import nomenclature
from hub.services.nomenclature import Nomenclature
from hub.services.values import camel


@dataclass(frozen=True, slots=True)
class Designated:
    """The records that a set of requests names."""

    title: str
    id_field: str
    by_id: Mapping[Any, int]
    by_key: Mapping[Any, int]

    def find(self, id_: int | None, key: str | None) -> int | None:
        """The id meant, None when nothing is named; `NotFound` or `Invalid` name the field that is wrong."""
        found = {
            self._known(self.by_id, id_, self.id_field) if id_ is not None else None,
            self._known(self.by_key, key, self.id_field) if key is not None else None,
        } - {None}
        if len(found) > 1:
            raise Invalid(f"is another {self.title} than {key}", field=self.id_field)
        return found.pop() if found else None

    def require(self, id_: int | None, key: str | None) -> int:
        found = self.find(id_, key)
        if found is None:
            raise Invalid("is required", field=self.id_field)
        return found

    def _known(self, known: Mapping[Any, int], value: Any, field: str) -> int:
        if value not in known:
            raise NotFound(f"no {self.title} is known as {value}", field=field)
        return known[value]


async def designated(
    work: UnitOfWork, what: Nomenclature, column: str, *, ids: Collection[int | None], keys: Collection[str | None]
) -> Designated:
    """Look up everything that is named: by id, and by the unique `column`."""
    return Designated(
        what.title,
        f"{camel(what.noun)}Id",
        await nomenclature.ids_by(work, what, "id", set(ids) - {None}),
        await nomenclature.ids_by(work, what, column, set(keys) - {None}),
    )
