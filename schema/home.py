"""The page at `/`: where everything is."""

from starlette.requests import Request
from starlette.responses import HTMLResponse

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Crossdock</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color: #1c2733 }
  h1 { font-weight: 600 } a { color: #0b5cad } code { background: #eef2f6; padding: .1em .3em; border-radius: 3px }
  dt { margin-top: 1rem; font-weight: 600 } dd { margin: 0 }
</style>
<h1>Crossdock</h1>
<p>A GraphQL integration hub for warehouses.</p>
<dl>
  <dt><code>/graphql</code></dt>
  <dd>GraphQL over POST, GET, WebSocket (<code>graphql-transport-ws</code>) and Server-Sent Events.</dd>
  <dt><a href="/docs/rest">/docs/rest</a></dt>
  <dd>The REST interface under <code>/api</code>, route by route
      (<a href="/docs/openapi.json">OpenAPI document</a>).</dd>
  <dt><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a></dt>
  <dd>For the machines that watch over this one.</dd>
</dl>
</html>
"""


async def home(_: Request) -> HTMLResponse:
    return HTMLResponse(PAGE)
