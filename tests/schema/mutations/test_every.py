"""Every mutation: refused to whoever lacks its right and for foreign ids, made for the others, its answer read back."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from hub.context import Level, Permission, Scope
from hub.models import metadata
from schema.planner.fields import Right
from schema.writing import NEEDS, OPERATOR, told
from tests.schema.mutations import administration_samples, document_samples  # noqa: F401  # they declare samples
from tests.schema.mutations.desks import Desk, caller, schema
from tests.schema.mutations.samples import SAMPLES

REFUSED_ROWS = ("REFUSED", "ABANDONED")
JSON = (".fields", ".options", ".mappings")
MAY_BE_EMPTY = (".userErrors", ".missing", ".memberships")
TABLES = [table.name for table in metadata.sorted_tables if "tenant_id" in table.columns and table.name != "id_blocks"]
DIRECTORY = ("tenants", "accounts", "memberships")


def fields() -> dict[str, Any]:
    """Every mutation but the login → what is declared of it."""
    declared = schema()._schema.mutation_type.fields  # type: ignore[union-attr]
    return {
        name: field.extensions["strawberry-definition"].metadata for name, field in declared.items() if name != "login"
    }


def without_right(desk: Desk, needs: Any) -> Iterator[Scope]:
    """Callers who nearly have the right."""
    if needs == OPERATOR:
        yield desk.admin
        return
    assert isinstance(needs, Right)
    for level in Level:
        if level < needs.level:
            yield caller(desk.tenant_id, level, *Permission)
    if needs.permission is not None:
        others = [permission for permission in Permission if permission is not needs.permission]
        yield caller(desk.tenant_id, Level.USER, *others)


def with_right(desk: Desk, needs: Any) -> Scope:
    """A caller who has the right and nothing else."""
    if needs == OPERATOR:
        return desk.operator
    return caller(desk.tenant_id, needs.level, *([needs.permission] if needs.permission else []))


def with_foreign_ids(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The input with one global id replaced by that of the same record of another tenant, and the place of that id."""
    if isinstance(value, dict):
        for name, member in value.items():
            inside = with_foreign_ids(member, f"{path}.{name}" if path else name)
            yield from ((place, value | {name: changed}) for place, changed in inside)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            inside = with_foreign_ids(member, f"{path}[{index}]")
            yield from ((place, [*value[:index], changed, *value[index + 1 :]]) for place, changed in inside)
    elif isinstance(value, str) and (match := re.fullmatch(r"([A-Z]\w+):(\d+):(\d+)", value)):
        yield path, f"{match[1]}:{int(match[2]) + 1}:{match[3]}"


def fingerprints(tables: Iterable[str], where: str = "") -> str:
    """One row per table: its name, how many rows, and a sum over all of their values."""
    return " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS rows, coalesce(sum(hashtext(t::text)::bigint), 0) AS sum "
        f"FROM {name} t {where}"
        for name in tables
    )


async def everything(desk: Desk) -> list[Any]:
    """A fingerprint of all that the tenant has, and of the hub's directory."""
    own = await desk.world.rows(fingerprints(TABLES, "WHERE tenant_id = :tenant"), tenant=desk.tenant_id)
    async with desk.services.database.system_work() as session:
        rows = (await session.execute(text(fingerprints(DIRECTORY)))).all()
    return [*own, *rows]


def assert_filled(value: Any, path: str) -> None:
    """Nothing that was asked for is null."""
    assert value is not None, path
    if isinstance(value, dict) and not path.endswith(JSON):
        for name, member in value.items():
            assert_filled(member, f"{path}.{name}")
    if isinstance(value, list) and not path.endswith(MAY_BE_EMPTY):
        assert value, path
        for member in value:
            assert_filled(member, path)


def test_every_mutation_has_a_sample() -> None:
    assert set(SAMPLES) == set(fields())


def test_rights_stand_in_the_descriptions() -> None:
    declared = schema()._schema.mutation_type.fields  # type: ignore[union-attr]

    for name, field in fields().items():
        assert declared[name].description.endswith(told(field[NEEDS])), name


@pytest.mark.parametrize("mutation", sorted(SAMPLES))
async def test_mutation_is_made_with_its_right_and_own_ids_only(desk: Desk, mutation: str) -> None:
    sample, needs = SAMPLES[mutation], fields()[mutation][NEEDS]
    input = await sample.prepare(desk)
    before = await everything(desk)

    for scope in without_right(desk, needs):
        assert await desk.failed(mutation, input, scope=scope) == "FORBIDDEN", scope
    for field, foreign in with_foreign_ids(input):
        assert await desk.refused(mutation, foreign) == (field, "NOT_FOUND"), field
    assert await everything(desk) == before

    payload = await desk.made(mutation, input, sample.answer, scope=with_right(desk, needs))
    assert await everything(desk) != before
    for answer in payload.get("results") or [payload]:
        assert answer.get("effect") not in REFUSED_ROWS
        assert_filled(answer, mutation)


async def test_administrators_hold_every_permission(desk: Desk) -> None:
    administrator = caller(desk.tenant_id, Level.ADMINISTRATOR)

    await desk.made("nirValidate", await SAMPLES["nirValidate"].prepare(desk), scope=administrator)


async def test_caller_without_credentials_is_refused(desk: Desk) -> None:
    assert await desk.failed("productAdd", {"name": "Lamp", "code": "LAMP"}, scope=None) == "UNAUTHENTICATED"


async def test_operator_is_no_member_of_a_tenant(desk: Desk) -> None:
    lamp = {"name": "Lamp", "code": "LAMP"}

    assert await desk.refused("productAdd", lamp, scope=desk.operator) == ("tenant", "INVALID")
    named = lamp | {"tenant": desk.world.slug}
    assert await desk.refused("productAdd", named, scope=desk.operator) == ("tenant", "NOT_FOUND")
