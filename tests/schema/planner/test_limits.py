"""One operation cannot ask for too much, and saying so costs little."""

import pytest

from schema.planner.execute import Planner
from schema.planner.operations import Refused
from tests.schema.planner.conftest import Ask

DEEP = "{ products { nodes { " + "category { products { nodes { " * 8 + "id" + " } } }" * 8 + " } } }"
WIDE = "{ " + " ".join(f"a{n}: products {{ totalCount }}" for n in range(250)) + " }"
LONG = "{ products { nodes { " + "id " * 1200 + "} } }"
BOMB = "{ ...F0 }" + "".join(
    f" fragment F{n} on Query {{ a{n}: products {{ totalCount }} ...F{n + 1} ...F{n + 1} }}" for n in range(25)
)
CYCLE = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
NESTED = "{" * 3000


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (DEEP, "depth 27, at most 20"),
        (WIDE, "aliases 250, at most 200"),
        (LONG, "fields 1202, at most 1000"),
        (BOMB + " fragment F25 on Query { node(id: 1) { id } }", "fields 1[0-9]+|far too many"),
        (CYCLE, "Cannot spread fragment"),
        (NESTED, "Syntax Error|nested too deeply"),
        ("{ " + "x" * 100_001 + " }", "more than 100000 characters"),
        ("{ products(filter: {and: [" + "{}" * 8000 + "]}) { totalCount } }", "more than 10000 tokens"),
        ("{ ...Nobody }", "Unknown fragment"),
        ("query ($a: [[[[[[[[Int]]]]]]]]) { __typename }", "never used"),
    ],
    ids=["deep", "wide", "long", "bomb", "cycle", "nested", "characters", "tokens", "unknown", "list"],
)
def test_a_document_that_is_too_large_is_refused(planner: Planner, document: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        planner.prepare(document)


async def test_an_operation_that_costs_too_much_is_refused(ask: Ask) -> None:
    document = """{ orders(first: 250) { nodes { lines(first: 250) { nodes {
        product { stock(first: 250) { nodes { id } } } } } } } }"""

    with pytest.raises(Refused, match="cost 15813001, at most 100000"):
        await ask(document)


async def test_the_cost_counts_objects_and_follows_the_variables(ask: Ask) -> None:
    document = "query ($n: Int) { products(first: $n) { nodes { code category { name } totalQuantityInStock } } }"

    costs = [(await ask(document, n=n))["extensions"]["cost"] for n in (1, 10, 100)]

    assert costs == [1 + n * 3 for n in (1, 10, 100)]


async def test_counting_costs_more_than_a_field(ask: Ask) -> None:
    costs = [
        (await ask(f"{{ products(first: 1) {{ {part} }} }}"))["extensions"]["cost"]
        for part in ("nodes { id }", "edges { cursor node { id } }", "totalCount", "pageInfo { hasNextPage }")
    ]

    assert costs == [2, 2, 11, 1]


@pytest.mark.parametrize(
    ("document", "name", "said"),
    [
        ("query A { __typename } query B { __typename }", None, "has 2 operations"),
        ("query A { __typename } query B { __typename }", "C", "no operation 'C'"),
        ("fragment F on Query { __typename }", None, "has 0 operations|never used"),
        ("type Product { id: ID }", None, "not executable"),
        ("", None, "Syntax Error"),
    ],
)
def test_it_must_be_clear_what_to_execute(planner: Planner, document: str, name: str | None, said: str) -> None:
    with pytest.raises(Refused, match=said):
        planner.prepare(document, name)


def test_a_named_operation_is_chosen(planner: Planner) -> None:
    document = "query A { __typename } mutation B { __typename }"

    assert [planner.prepare(document, name).kind for name in ("A", "B")] == ["query", "mutation"]


async def test_values_of_the_wrong_type_are_refused(ask: Ask) -> None:
    with pytest.raises(Refused, match=r"Variable '\$n' has invalid value"):
        await ask("query ($n: Int) { products(first: $n) { totalCount } }", n="ten")
    with pytest.raises(Refused, match="Long cannot be"):
        await ask("query ($n: Long) { products(filter: {internalId: {eq: $n}}) { totalCount } }", n=2**63)
