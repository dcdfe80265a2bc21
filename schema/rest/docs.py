"""The public pages about the REST layer: `/docs/openapi.json` and `/docs/rest`. They hold no data of anybody."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.rest.openapi import openapi, snapshot_text
from schema.rest.reference import reference
from schema.rest.routes import Table
from schema.rest.table import TABLE

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def docs_routes(table: Table = TABLE) -> list[Route]:
    """Routes for the composition root; both documents are made once."""
    document = openapi(table)
    page = {"Content-Security-Policy": POLICY}
    return [
        Route("/docs/openapi.json", _always(snapshot_text(document), "application/json", {})),
        Route("/docs/rest", _always(reference(document), "text/html; charset=utf-8", page)),
    ]


def _always(text: str, media_type: str, headers: dict[str, str]) -> Callable[[Request], Awaitable[Response]]:
    content = text.encode()

    async def answer(request: Request) -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache", **headers})

    return answer
