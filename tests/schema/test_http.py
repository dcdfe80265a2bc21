"""GraphQL over HTTP as its specification and its public audit want it, and hostile requests refused cheaply."""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from hub.settings import Settings
from schema.edge import Edge
from schema.http import BadRequest, negotiated
from tests.schema.served import PASSWORD, Served, furnished, serving

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"
ME = "{ __typename }"
NAMED = "query A { a: __typename } query B { b: __typename }"
LOGIN = "mutation ($u: String!, $p: String!) { login(input: {login: $u, password: $p}) { token } }"
ADD = 'mutation { productAdd(input: {code: "X", name: "X"}) { product { id } userErrors { code } } }'


def errors_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The errors of a request that was not executed, each with a code."""
    body = answer.json()
    assert "data" not in body and body["errors"], body
    assert all(error["message"] and error["extensions"]["code"] for error in body["errors"])
    return list(body["errors"])


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}; charset=utf-8, {JSON}; q=0.9", RESPONSE),
        (f"{JSON}; q=0.5, {RESPONSE}; q=0.9", RESPONSE),
        (f"{RESPONSE}; q=0, {JSON}", JSON),
        (f"text/html, {JSON}; q=nonsense, */*; q=0.1", JSON),
        (EVENTS, EVENTS),
    ],
)
def test_the_answer_has_the_type_that_is_asked_for(accept: str, media_type: str) -> None:
    assert negotiated(accept) == media_type


@pytest.mark.parametrize("accept", ["text/html", "application/xml, image/*", f"{JSON}; q=0"])
def test_other_types_are_not_acceptable(accept: str) -> None:
    with pytest.raises(BadRequest) as caught:
        negotiated(accept)
    assert caught.value.status == 406


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_queries_are_answered_over_post_and_get(served: Served, accept: str) -> None:
    headers = {"Accept": accept}
    async with served.http() as http:
        answers = [
            await http.post("/graphql", json={"query": ME}, headers=headers),
            await http.get("/graphql", params={"query": ME}, headers=headers),
            await http.post("/graphql", json={"query": NAMED, "operationName": "A"}, headers=headers),
        ]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert {answer.headers["Content-Type"] for answer in answers} == {accept}
    assert answers[0].json()["data"] == {"__typename": "Query"} and answers[2].json()["data"] == {"a": "Query"}
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in answers)
    assert all(answer.headers["X-Content-Type-Options"] == "nosniff" for answer in answers)


async def test_variables_come_as_json_over_get(served: Served) -> None:
    query = "query ($code: String) { product(code: $code) { id } }"
    async with served.http() as http:
        good = await http.get("/graphql", params={"query": query, "variables": '{"code": "none"}'})
        bad = await http.get("/graphql", params={"query": query, "variables": "{nonsense"})

    assert good.json()["data"] == {"product": None}
    assert bad.status_code == 400 and errors_of(bad)[0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": ""}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": NAMED}, "BAD_REQUEST"),
        ({"query": NAMED, "operationName": "C"}, "BAD_REQUEST"),
        ({"query": "query ($n: Int!) { products(first: $n) { totalCount } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ products(first: 0) { nodes { id } } }"}, "INVALID"),
        (
            {"query": "mutation ($i: ProductAddInput!) { productAdd(input: $i) { userErrors { code } } }"},
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ],
)
async def test_what_is_not_executed_is_400_where_the_type_allows(served: Served, body: Any, code: str) -> None:
    async with served.http() as http:
        strict = await http.post("/graphql", json=body, headers={"Accept": RESPONSE})
        tolerant = await http.post("/graphql", json=body, headers={"Accept": JSON})
        streamed = await http.post("/graphql", json=body, headers={"Accept": EVENTS})

    assert [strict.status_code, tolerant.status_code, streamed.status_code] == [400, 200, 400]
    assert streamed.headers["Content-Type"] == JSON
    for answer in (strict, tolerant, streamed):
        assert errors_of(answer)[0]["extensions"]["code"] == code


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_405_and_the_allowed_ones_named(served: Served, method: str) -> None:
    async with served.http() as http:
        answer = await http.request(method, "/graphql", json={"query": ME})

    assert answer.status_code == 405 and answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("accept", [JSON, RESPONSE, EVENTS])
async def test_get_never_mutates(served: Served, accept: str) -> None:
    async with served.http() as http:
        answer = await http.get("/graphql", params={"query": ADD}, headers={"Accept": accept})
        found = await http.post("/graphql", json={"query": '{ product(code: "X") { id } }'})

    assert answer.status_code == 405 and answer.headers["Allow"] == "POST"
    assert found.json()["data"] == {"product": None}


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
     "text/plain; application/json", "application/json; charset=latin-1", "application/graphql", "application/json-x"],
)  # fmt: skip
async def test_content_types_that_browsers_send_unasked_are_415(served: Served, content_type: str) -> None:
    async with served.http() as http:
        answer = await http.post("/graphql", content=json.dumps({"query": ADD}), headers={"Content-Type": content_type})

    assert answer.status_code == 415 and errors_of(answer)


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", 'Application/JSON; charset="utf-8"; x=y'])
async def test_json_is_known_by_its_type_alone(served: Served, content_type: str) -> None:
    async with served.http() as http:
        answer = await http.post("/graphql", content=json.dumps({"query": ME}), headers={"Content-Type": content_type})

    assert answer.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"42", b'"text"', b"{}", b"\xff\xfe\x00", b'[{"query": "{ __typename }"}]',
     b"[" + b'{"query": "{ __typename }"},' * 999 + b'{"query": "{ __typename }"}]',
     b'{"query": {"a": 1}}', b'{"query": "{ __typename }", "variables": [1]}', b"[" * 100_000, b"9" * 5_000,
     b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
     b'{"query": "{ __typename }", "variables": {"a": 1e99999999}}',
     b'{"query": "{ __typename }", "variables": {"a": "\\u0000"}}',
     b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
     b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}"],
)  # fmt: skip
async def test_bodies_that_are_no_request_are_400(served: Served, body: bytes) -> None:
    async with served.http() as http:
        answer = await http.post("/graphql", content=body, headers={"Content-Type": JSON})

    assert answer.status_code == 400 and errors_of(answer)[0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_body_that_is_too_large_is_413(served: Served) -> None:
    async with served.http() as http:
        answer = await http.post("/graphql", json={"query": "{" + "a " * 2_500_000 + "}"})

    assert answer.status_code == 413 and "2097152" in errors_of(answer)[0]["message"]


FLOOD = {
    "depth 500": "{a" * 500 + "}" * 500,
    "aliases": "{" + " ".join(f"a{n}: __typename" for n in range(1_000)) + "}",
    "directives": "{ __typename " + "@skip(if: false) " * 10_000 + "}",
    "directives of one field": "{ __typename " + "@a " * 4_000 + "}",
    "fields": "{" + "__typename " * 10_000 + "}",
    "same fields": "{" + "products(first: 1) { nodes { id } } " * 300 + "}",
    "arguments": "{ products(" + "first: 1 " * 3_000 + ") { totalCount } }",
    "doubling": "{...f0}"
    + "".join(f" fragment f{n} on Query {{...f{n + 1} ...f{n + 1}}}" for n in range(40))
    + " fragment f40 on Query {__typename}",
    "cycle": "{...a} fragment a on Query {...b} fragment b on Query {...a}",
    "long cycle": "{...f0}" + "".join(f" fragment f{n} on Query {{...f{(n + 1) % 900}}}" for n in range(900)),
    "many fragments": "{"
    + " ".join(f"...f{n}" for n in range(300))
    + "}"
    + "".join(f" fragment f{n} on Query {{products(first: 1) {{nodes {{id}}}}}}" for n in range(300)),
    "document": "{ products(filter: {code: {in: [" + '"aaaaaaaaaaaa" ' * 9_000 + "]}}) { totalCount } }",
    "deep list": "{ products(first: " + "[" * 4_000 + "]" * 4_000 + ") { totalCount } }",
    "U+0000": '{ product(code: "a\\u0000") { id } }',
    "U+0000 in braces": '{ product(code: "a\\u{0}") { id } }',
    "surrogate": '{ product(code: "\\ud800") { id } }',
    "negative page": "{ products(first: -1) { nodes { id } } }",
    "huge page": "{ products(first: 1000000) { nodes { id } } }",
    "huge number": "{ products(first: " + "9" * 5_000 + ") { nodes { id } } }",
    "cost": """{ orders(first: 250) { nodes { lines(first: 250) { nodes {
        product { stock(first: 250) { nodes { id } } } } } } } }""",
    "cursor": '{ products(first: 1, after: "nonsense") { nodes { id } } }',
    "cursor of bytes": '{ products(first: 1, after: "////") { nodes { id } } }',
    "id": '{ node(id: "nonsense") { id } }',
    "huge id": '{ node(id: "Product:1:' + "9" * 400 + '") { id } }',
}  # fmt: skip


@pytest.mark.parametrize("document", FLOOD.values(), ids=FLOOD)
async def test_a_hostile_document_is_refused_and_the_next_is_answered(served: Served, document: str) -> None:
    async with served.http() as http:
        answer = await http.post("/graphql", json={"query": document}, headers={"Accept": RESPONSE})
        after = await http.post("/graphql", json={"query": ME})

    assert 400 <= answer.status_code < 500, answer.text
    assert errors_of(answer)[0]["extensions"]["code"] != "INTERNAL"
    assert after.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("document", FLOOD.values(), ids=FLOOD)
async def test_a_stranger_pays_for_nothing(served: Served, document: str) -> None:
    async with served.http(None) as http:
        answer = await http.post("/graphql", json={"query": document})

    assert answer.status_code == 401 and errors_of(answer)[0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "document",
    ["{ products { totalCount } }", "{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }', "{",
     "{ __typename products { totalCount } }", "{ ...F } fragment F on Query { __typename }", "{ ... { __typename } }",
     "subscription { orderChanges { cursor } }", "query A { __typename } query B { products { totalCount } }", "#"],
)  # fmt: skip
async def test_strangers_may_ask_for_nothing_but_login(served: Served, document: str) -> None:
    async with served.http(None) as http:
        answer = await http.post("/graphql", json={"query": document, "operationName": "A"})
        streamed = await http.get("/graphql", params={"query": document}, headers={"Accept": EVENTS})

    for refused in (answer, streamed):
        assert refused.status_code == 401 and refused.headers["WWW-Authenticate"] == "Bearer"
        assert errors_of(refused)[0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_stranger_logs_in_and_works(served: Served) -> None:
    async with served.http(None) as http:
        typename = await http.post("/graphql", json={"query": "{ a: __typename }"})
        login = await http.post("/graphql", json={"query": LOGIN, "variables": {"u": "viewer", "p": PASSWORD}})
        token = login.json()["data"]["login"]["token"]
        work = await http.post(
            "/graphql",
            json={"query": "{ products { totalCount } }"},
            headers={"Authorization": f"Bearer {token}"},
        )

    assert typename.json()["data"] == {"a": "Query"}
    assert work.json()["data"] == {"products": {"totalCount": 0}}


async def test_wrong_credentials_and_unknown_tenants_look_alike(served: Served) -> None:
    told = set()
    for host, credentials in (
        (served.host, "admin:wrong"),
        (served.host, f"nobody:{PASSWORD}"),
        ("nowhere.localhost", f"admin:{PASSWORD}"),
        ("example.org", f"admin:{PASSWORD}"),
        ("127.0.0.1", f"admin:{PASSWORD}"),
        (served.host, "nonsense"),
        (served.host, "\xff:\xfe"),
    ):
        async with served.http(None, host=host) as http:
            headers = {"Authorization": f"Bearer {credentials}".encode("latin-1"), "X-Request-Id": "same"}
            answer = await http.post("/graphql", json={"query": ME}, headers=headers)
        told.add((answer.status_code, answer.text))

    assert len(told) == 1 and next(iter(told))[0] == 401


async def test_an_answer_carries_the_callers_request_id_or_a_new_one(served: Served) -> None:
    async with served.http() as http:
        ids = [
            (await http.post("/graphql", json={"query": ME}, headers={"X-Request-Id": given})).headers["X-Request-Id"]
            for given in ("abc-123", "x" * 65, "no spaces", "<script>")
        ]
        others = [await http.get(path) for path in ("/", "/nowhere", "/healthz", "/docs/rest")]

    assert ids[0] == "abc-123" and all(len(new) == 32 for new in ids[1:])
    assert all(answer.headers["X-Request-Id"] for answer in others)


async def test_introspection_and_suggestions_can_be_closed(door_settings: Settings) -> None:
    async with serving(replace(door_settings, introspection=False)) as (services, port):
        hub = await furnished(services, port)
        async with hub.http() as http:
            for query in ("{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }'):
                answer = await http.post("/graphql", json={"query": query}, headers={"Accept": RESPONSE})
                assert answer.status_code == 400 and "introspection" in answer.text.lower()
            typo = await http.post("/graphql", json={"query": "{ product { id } }"})
            wrong = await http.post("/graphql", json={"query": "{ prodcts { id } }"})

    assert "Did you mean" not in typo.text + wrong.text


async def test_limits_are_settings(door_settings: Settings) -> None:
    settings = replace(door_settings, document_depth=2, body_limit=300)
    async with serving(settings) as (services, port):
        hub = await furnished(services, port)
        async with hub.http() as http:
            deep = await http.post("/graphql", json={"query": "{ products { nodes { id } } }"})
            large = await http.post("/graphql", json={"query": "{ __typename }" + " " * 300})

    assert errors_of(deep)[0]["extensions"]["code"] == "LIMIT_EXCEEDED" and "depth 3, at most 2" in deep.text
    assert large.status_code == 413


async def test_what_breaks_is_masked_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("secret of the house")

    transport = httpx.ASGITransport(Edge(broken, Settings()))
    with caplog.at_level(logging.ERROR):
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.get("/", headers={"X-Request-Id": "quoted"})

    assert answer.status_code == 500 and answer.headers["X-Request-Id"] == "quoted"
    assert errors_of(answer)[0]["extensions"] == {"code": "INTERNAL", "requestId": "quoted"}
    assert "secret" not in answer.text and "secret of the house" in caplog.text and "quoted" in caplog.text


async def test_others_are_answered_while_hostile_documents_come(served: Served) -> None:
    async with served.http() as http, served.http() as other:
        attacks = [http.post("/graphql", json={"query": document}) for document in list(FLOOD.values())[:8]]
        answers, mine = await asyncio.gather(
            asyncio.gather(*attacks), other.get("/graphql", params={"query": quote(ME, safe="{} ")})
        )

    assert mine.json()["data"] == {"__typename": "Query"} and all(answer.status_code < 500 for answer in answers)
