"""What the fuzzer does not know by itself: the words of our descriptions, and how GraphQL tells of a bug."""

from decimal import Decimal

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

DAYS = st.dates().map(lambda day: f"{day.year:04}-{day:%m-%d}")
MOMENTS = st.datetimes().map(lambda moment: f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}Z")
DECIMALS = st.decimals(Decimal(-1_000_000), Decimal(1_000_000), places=4).map(str)
LONGS = st.integers(1 - 2**63, 2**63 - 1).map(str)

schemathesis.openapi.format("dd.MM.yyyy", st.dates().map(lambda day: f"{day:%d.%m}.{day.year:04}"))
schemathesis.graphql.scalar("Date", DAYS.map(nodes.String))
schemathesis.graphql.scalar("DateTime", MOMENTS.map(nodes.String))
schemathesis.graphql.scalar("Decimal", DECIMALS.map(nodes.String))
schemathesis.graphql.scalar("Long", LONGS.map(nodes.String))
schemathesis.graphql.scalar("JSON", st.text(max_size=20).map(nodes.String))


@schemathesis.check
def no_bug_behind_graphql(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A refusal is an answer; a bug is no JSON, a status from 500, or an error without a code or with INTERNAL."""
    assert response.status_code < 500, response.text
    codes = [error.get("extensions", {}).get("code") for error in response.json().get("errors", [])]
    assert "INTERNAL" not in codes, response.text
    assert all(codes), response.text
