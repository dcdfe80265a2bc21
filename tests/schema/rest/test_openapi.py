"""The description of the REST layer: complete, committed, and readable without the outside world."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx
from starlette.applications import Starlette

from schema.rest.docs import docs_routes
from schema.rest.openapi import SNAPSHOT, openapi, snapshot_text
from schema.rest.shapes import SCHEMAS
from schema.rest.table import TABLE

DOCUMENT = openapi()


def test_the_committed_document_is_the_one_that_the_routes_make() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == snapshot_text(DOCUMENT), "run `python -m schema.rest.openapi`"


def test_every_route_is_described() -> None:
    described = {(method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations}

    assert described == {(route.method, route.template) for route in TABLE.routes}


def test_names_of_operations_are_unique() -> None:
    ids = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]

    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere() -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)))

    for reference in references:
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    assert f"{SCHEMAS}OrderInfo" in references


def test_answers_carry_every_key_of_their_objects() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    assert schemas["PurchaseOrderDTO"]["required"] == list(schemas["PurchaseOrderDTO"]["properties"])
    assert schemas["ClientBaseResponse"]["required"] == ["message", "status"]


async def page(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=list(docs_routes())))
    async with httpx.AsyncClient(transport=transport, base_url="http://anywhere") as client:
        return await client.get(path)


async def test_the_document_is_public() -> None:
    answer = await page("/docs/openapi.json")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == json.loads(json.dumps(DOCUMENT))


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self.targets |= {str(named["href"])} if "href" in named else set()
        self.anchors |= {str(named["id"])} if "id" in named else set()
        self.sources += [str(value) for name, value in attributes if name == "src" or tag in ("link", "script")]


async def test_the_page_needs_nothing_from_outside_and_its_links_hold() -> None:
    answer = await page("/docs/rest")
    links = Links()
    links.feed(answer.text)

    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert links.sources == []
    assert {target for target in links.targets if not target.startswith("#")} == {"/docs/openapi.json"}
    assert {target[1:] for target in links.targets if target.startswith("#")} <= links.anchors


async def test_every_route_stands_on_the_page() -> None:
    text = (await page("/docs/rest")).text

    for route in TABLE.routes:
        assert f"</span>{route.template}</code>" in text
        assert route.title in text
