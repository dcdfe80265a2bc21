"""Administrators may look at the statement behind an answer, where the hub allows it."""

from dataclasses import replace

from hub.settings import Settings
from tests.schema.served import furnished, serving

QUERY = {"query": "{ products(first: 2) { nodes { code } } }"}
ASKED = {"Crossdock-Explain": "1"}


async def test_administrators_see_the_statement_its_rows_and_its_times(door_settings: Settings) -> None:
    async with serving(replace(door_settings, explain=True)) as (services, port):
        served = await furnished(services, port)
        async with served.http("admin") as admin, served.http("viewer") as viewer:
            told = (await admin.post("/graphql", json=QUERY, headers=ASKED)).json()
            silent = (await admin.post("/graphql", json=QUERY)).json()
            refused = (await viewer.post("/graphql", json=QUERY, headers=ASKED)).json()

    plan = told["extensions"]["plan"]
    assert plan["sql"].startswith("SELECT") or plan["sql"].startswith("WITH")
    assert plan["postgresql"]["Execution Time"] > 0
    assert "Actual Rows" in plan["postgresql"]["Plan"]
    assert told["data"] == silent["data"] == refused["data"]
    assert "plan" not in silent["extensions"]
    assert "plan" not in refused["extensions"]


async def test_plans_are_closed_unless_the_hub_opens_them(door_settings: Settings) -> None:
    async with serving(door_settings) as (services, port):
        served = await furnished(services, port)
        async with served.http("admin") as admin:
            answer = (await admin.post("/graphql", json=QUERY, headers=ASKED)).json()

    assert "plan" not in answer["extensions"]
