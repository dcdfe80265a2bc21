"""What holds for every mutation: tenant, rights, refusals, idempotency, rows."""

import asyncio
from dataclasses import replace

import pytest

from hub.context import Actor, Grant, Level, Scope
from tests.schema.mutations.desks import RESULTS, Desk, caller, code_of, document_of

LAMP = {"name": "Lamp", "code": "LAMP"}
PRODUCTS = f"{RESULTS} }}"


async def codes(desk: Desk) -> list[str]:
    return [row["code"] for row in await desk.world.rows("SELECT code FROM products ORDER BY id")]


async def test_refusal_names_field_code_and_reason_and_changes_nothing(desk: Desk) -> None:
    await desk.made("productAdd", LAMP)

    again = await desk.change("productAdd", LAMP)

    assert again["userErrors"] == [{"field": "code", "code": "CONFLICT", "message": "LAMP already exists"}]
    assert await codes(desk) == ["LAMP"]


async def test_bare_host_needs_the_tenant_and_writes_into_it_alone(desk: Desk, other_desk: Desk) -> None:
    both = {each.tenant_id: Grant(Level.USER) for each in (desk, other_desk)}
    account = Scope(both, Actor("account", 1, "ana@example.com"))

    assert await desk.refused("productAdd", LAMP, scope=account) == ("tenant", "INVALID")
    assert await desk.refused("productAdd", LAMP | {"tenant": "nowhere"}, scope=account) == ("tenant", "NOT_FOUND")
    await desk.made("productAdd", LAMP | {"tenant": other_desk.world.slug}, scope=account)

    assert await codes(desk) == []
    assert await codes(other_desk) == ["LAMP"]


async def test_slug_of_a_foreign_tenant_is_an_unknown_one(desk: Desk, other_desk: Desk) -> None:
    theirs = LAMP | {"tenant": other_desk.world.slug}

    assert await desk.refused("productAdd", theirs) == ("tenant", "NOT_FOUND")
    assert await codes(other_desk) == []


async def test_rights_of_the_tenant_named_decide(desk: Desk, other_desk: Desk) -> None:
    mixed = Scope(
        {desk.tenant_id: Grant(Level.USER), other_desk.tenant_id: Grant(Level.VIEWER)}, Actor("account", 1, "ana")
    )

    await desk.made("productAdd", LAMP | {"tenant": desk.world.slug}, scope=mixed)
    code = await desk.failed("productAdd", LAMP | {"tenant": other_desk.world.slug}, scope=mixed)

    assert code == "FORBIDDEN"
    assert await codes(other_desk) == []


async def test_missing_right_is_told_before_any_mistake_in_the_input(desk: Desk) -> None:
    viewer = caller(desk.tenant_id, Level.VIEWER)

    assert await desk.failed("productAdd", {"name": "", "code": ""}, scope=viewer) == "FORBIDDEN"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("Category:{mine}:1", "NOT_FOUND"),
        ("Category:{theirs}:1", "NOT_FOUND"),
        ("Product:{mine}:1", "INVALID"),
        ("7", "INVALID"),
    ],
)
async def test_ids_of_other_tenants_and_types_are_refused_by_field(
    desk: Desk, other_desk: Desk, wrong: str, code: str
) -> None:
    await other_desk.made("categoryAdd", {"name": "Theirs"})
    id_ = wrong.format(mine=desk.tenant_id, theirs=other_desk.tenant_id)

    assert await desk.refused("productAdd", LAMP | {"categoryId": id_}) == ("categoryId", code)


async def test_repeated_key_gets_the_first_answer_and_changes_nothing(desk: Desk) -> None:
    keyed = LAMP | {"idempotencyKey": "k1"}

    first = await desk.made("productAdd", keyed)
    again = await desk.made("productAdd", keyed)

    assert first == again
    assert await codes(desk) == ["LAMP"]


async def test_repeated_key_with_another_input_or_mutation_is_refused(desk: Desk) -> None:
    await desk.made("productAdd", LAMP | {"idempotencyKey": "k1"})

    other = {"name": "Other", "code": "OTHER", "idempotencyKey": "k1"}
    assert await desk.refused("productAdd", other) == ("idempotencyKey", "CONFLICT")
    assert await desk.refused("categoryAdd", {"name": "Lamp", "idempotencyKey": "k1"}) == ("idempotencyKey", "CONFLICT")
    assert await codes(desk) == ["LAMP"]


async def test_null_and_absent_are_different_inputs(desk: Desk) -> None:
    await desk.made("productAdd", LAMP | {"sku": "s"})
    change = {"product": {"code": "LAMP"}, "idempotencyKey": "k1"}
    await desk.made("productUpdate", change)

    assert await desk.refused("productUpdate", change | {"sku": None}) == ("idempotencyKey", "CONFLICT")


async def test_refused_change_does_not_use_its_key_up(desk: Desk) -> None:
    assert await desk.refused("productAdd", {"name": " ", "code": "LAMP", "idempotencyKey": "k1"}) == (
        "name",
        "INVALID",
    )

    await desk.made("productAdd", LAMP | {"idempotencyKey": "k1"})


async def test_key_of_another_caller_is_another_key(desk: Desk) -> None:
    await desk.made("productAdd", LAMP | {"idempotencyKey": "k1"})

    colleague = caller(desk.tenant_id, Level.USER, id=8)
    answer = await desk.refused("productAdd", LAMP | {"idempotencyKey": "k1"}, scope=colleague)

    assert answer == ("code", "CONFLICT")


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "\x00"])
async def test_key_must_be_a_text_of_1_to_255_characters(desk: Desk, key: str) -> None:
    assert await desk.refused("productAdd", LAMP | {"idempotencyKey": key}) == ("idempotencyKey", "INVALID")


async def test_fifty_identical_calls_at_once_make_one_record_and_get_one_answer(desk: Desk) -> None:
    keyed = LAMP | {"idempotencyKey": "rush"}

    answers = await asyncio.gather(*(desk.made("productAdd", keyed) for _ in range(50)))

    assert all(answer == answers[0] for answer in answers)
    assert await codes(desk) == ["LAMP"]


async def test_unique_reference_raced_without_a_key_is_taken_once(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.change("productAdd", LAMP) for _ in range(20)))

    made = [answer for answer in answers if not answer["userErrors"]]
    refused = [answer["userErrors"][0] for answer in answers if answer["userErrors"]]
    assert len(made) == 1
    assert {(error["field"], error["code"]) for error in refused} == {("code", "CONFLICT")}


async def test_fingerprints_of_inputs_depend_on_the_secret_of_the_hub(desk: Desk, other_desk: Desk) -> None:
    """Inputs may hold passwords: whoever steals the table cannot try them out."""
    user = {"username": "nora", "password": "correct horse", "level": "USER", "idempotencyKey": "k1"}
    settings = replace(desk.services.settings, secret_key="another secret")
    elsewhere = replace(other_desk, services=replace(desk.services, settings=settings))

    await desk.made("userAdd", user)
    await elsewhere.made("userAdd", user)

    prints = [await each.world.value("SELECT body_hash FROM idempotency_keys") for each in (desk, elsewhere)]
    assert prints[0] != prints[1]


ROWS = [{"name": "One", "code": "ONE"}, {"name": "", "code": "TWO"}, {"name": "Three", "code": "ONE"}]


async def test_abort_makes_all_rows_or_none_and_tells_every_refusal(desk: Desk) -> None:
    answer = await desk.change("productsAdd", {"products": ROWS}, PRODUCTS)

    assert [row["effect"] for row in answer["results"]] == ["ABANDONED", "REFUSED", "REFUSED"]
    assert [error["field"] for error in answer["userErrors"]] == ["products[1].name", "products[2].code"]
    assert await codes(desk) == []


async def test_skip_leaves_refused_rows_out(desk: Desk) -> None:
    answer = await desk.change("productsAdd", {"products": ROWS, "onError": "SKIP"}, PRODUCTS)

    assert answer["userErrors"] == []
    assert [row["effect"] for row in answer["results"]] == ["ADDED", "REFUSED", "REFUSED"]
    assert [row["index"] for row in answer["results"]] == [0, 1, 2]
    assert [error["field"] for row in answer["results"] for error in row["userErrors"]] == [
        "products[1].name",
        "products[2].code",
    ]
    assert await codes(desk) == ["ONE"]


async def test_wrong_id_in_a_row_refuses_that_row_alone(desk: Desk) -> None:
    rows = [{"name": "One", "code": "ONE", "categoryId": "Product:1:1"}, {"name": "Two", "code": "TWO"}]

    answer = await desk.change("productsAdd", {"products": rows, "onError": "SKIP"}, PRODUCTS)

    assert [row["effect"] for row in answer["results"]] == ["REFUSED", "ADDED"]
    assert answer["results"][0]["userErrors"][0]["field"] == "products[0].categoryId"


@pytest.mark.parametrize("number", [0, 251])
async def test_bulk_changes_hold_1_to_250_rows(desk: Desk, number: int) -> None:
    rows = [{"name": "x", "code": f"P{n}"} for n in range(number)]

    assert await desk.refused("productsAdd", {"products": rows}) == ("products", "INVALID")
    keys = [{"code": row["code"]} for row in rows]
    assert await desk.refused("productsDelete", {"products": keys}) == ("products", "INVALID")


async def test_repeated_bulk_key_gets_the_first_rows_again(desk: Desk) -> None:
    bulk = {"products": ROWS, "onError": "SKIP", "idempotencyKey": "bulk"}

    first = await desk.change("productsAdd", bulk, PRODUCTS)
    again = await desk.change("productsAdd", bulk, PRODUCTS)

    assert again == first
    assert await codes(desk) == ["ONE"]


async def test_aborted_bulk_change_does_not_use_its_key_up(desk: Desk) -> None:
    await desk.change("productsAdd", {"products": ROWS, "idempotencyKey": "bulk"}, PRODUCTS)

    await desk.made("productsAdd", {"products": ROWS[:1], "idempotencyKey": "bulk"})


async def test_rows_are_changed_and_deleted_by_any_key(desk: Desk) -> None:
    await desk.made("productsAdd", {"products": [{"name": f"P{n}", "code": f"C{n}", "sku": f"S{n}"} for n in range(3)]})
    changes = [
        {"product": {"code": "C0"}, "name": "by code"},
        {"product": {"sku": "S1"}, "name": "by sku"},
        {"product": {"code": "NONE"}, "name": "nobody"},
        {"product": {"sku": "S2"}, "name": "P2"},
    ]

    changed = await desk.change("productsUpdate", {"products": changes, "onError": "SKIP"}, PRODUCTS)
    keys = [{"code": "C0"}, {"sku": "S1"}, {"sku": "gone"}]
    deleted = await desk.change("productsDelete", {"products": keys, "onError": "SKIP"}, PRODUCTS)

    assert [row["effect"] for row in changed["results"]] == ["UPDATED", "UPDATED", "REFUSED", "UNCHANGED"]
    assert changed["results"][2]["userErrors"][0]["field"] == "products[2].product.code"
    assert [row["effect"] for row in deleted["results"]] == ["DELETED", "DELETED", "REFUSED"]
    assert deleted["results"][2]["userErrors"][0]["field"] == "products[2].sku"
    assert await codes(desk) == ["C2"]


async def test_target_that_is_unknown_is_named_by_its_key(desk: Desk) -> None:
    unknown_id = {"product": {"id": desk.id("Product", 99)}, "name": "x"}
    unknown_code = {"product": {"code": "NONE"}, "code": "NEW"}

    assert await desk.refused("productUpdate", unknown_id) == ("product.id", "NOT_FOUND")
    assert await desk.refused("productUpdate", unknown_code) == ("product.code", "NOT_FOUND")


async def test_two_mutations_of_one_document_are_two_transactions(desk: Desk) -> None:
    result = await desk.execute(
        """mutation {
            a: productAdd(input: {name: "A", code: "A"}) { userErrors { code } }
            b: productAdd(input: {name: "B", code: "A"}) { userErrors { code } }
            c: productAdd(input: {name: "C", code: "C"}) { userErrors { code } }
        }""",
        scope=desk.admin,
    )

    assert result.data == {
        "a": {"userErrors": []},
        "b": {"userErrors": [{"code": "CONFLICT"}]},
        "c": {"userErrors": []},
    }
    assert await codes(desk) == ["A", "C"]


async def test_answer_that_asks_for_too_much_is_refused_before_anything_is_made(desk: Desk) -> None:
    rows = {"products": [{"name": f"P{n}", "code": f"P{n}"} for n in range(250)]}
    wide = document_of("productsAdd", "results { product { stock(first: 250) { nodes { location { code } } } } }")
    long = document_of("productAdd", "product { stock(first: 251) { nodes { id } } }")

    refused = [
        await desk.execute(wide, scope=desk.admin, input=rows),
        await desk.execute(long, scope=desk.admin, input=LAMP),
    ]

    assert [code_of(error) for result in refused for error in result.errors or []] == ["LIMIT_EXCEEDED", "INVALID"]
    assert await codes(desk) == []


async def test_variables_and_fragments_may_shape_the_answer(desk: Desk) -> None:
    result = await desk.execute(
        """mutation ($input: ProductAddInput!, $full: Boolean!, $first: Int) {
            productAdd(input: $input) { product { ...Shown } userErrors { code } }
        }
        fragment Shown on Product { code name @include(if: $full) stock(first: $first) { nodes { id } } }""",
        scope=desk.admin,
        input=LAMP,
        full=False,
        first=3,
    )

    assert result.errors is None
    assert result.data == {"productAdd": {"product": {"code": "LAMP", "stock": {"nodes": []}}, "userErrors": []}}
