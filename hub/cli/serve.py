"""`hub serve`: the API process; GraphQL and REST on one port."""

import argparse
import asyncio
import gc
import logging
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from hub.cli.listening import listen
from hub.cli.place import add_data, external, migrate
from hub.errors import Invalid
from hub.logs import set_up_logging
from hub.settings import Settings
from schema.app import create_app
from schema.doors import guarded

log = logging.getLogger(__name__)

STOP_SECONDS = 3
"""For requests in flight; the hub as a whole stops within 10 s."""


def define(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="serve HTTPS: the certificate chain, PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="and its private key, PEM")
    parser.add_argument("--log-json", action="store_true", help="one JSON object a line")
    parser.add_argument("--no-migrations", action="store_true", help="trust that the database is up to date")
    parser.add_argument("--socket", type=int, help=argparse.SUPPRESS)  # a listening descriptor of hub up
    add_data(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    settings = external(arguments.data)
    set_up_logging(settings.log_level, as_json=arguments.log_json)
    _check_certificate(arguments.certificate, arguments.key)
    handed_over = arguments.socket is not None
    listener = socket.socket(fileno=arguments.socket) if handed_over else listen(arguments.host, arguments.port)
    with listener:
        uvloop.run(_serve(settings, listener, arguments))


async def _serve(settings: Settings, listener: socket.socket, arguments: argparse.Namespace) -> None:
    if not arguments.no_migrations:
        await migrate(settings)
    options = {"ssl_certfile": arguments.certificate, "ssl_keyfile": arguments.key}
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # a look at everything that lives as long as the process took 0.2 s, in the middle of requests
    await run_server(server_config(app, settings, **options), listener)


def server_config(app: Any, settings: Settings, **options: Any) -> uvicorn.Config:
    """How the API is served: what has no limit of its own in uvicorn is guarded."""
    http, socket_ = guarded(settings)
    return uvicorn.Config(
        app,
        http=http,
        ws=socket_,
        ws_max_size=settings.body_limit,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the API itself knows which proxies to trust
        timeout_graceful_shutdown=STOP_SECONDS,
        **options,
    )


async def run_server(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve until a signal asks to stop; then finish what is under way and return, so that the exit code is 0."""
    server = _Server(config)
    log.info("the API listens on port %d", listener.getsockname()[1])

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve(sockets=[listener])
    if not server.started:
        raise Invalid("the API could not start", hint="the reason stands above")


class _Server(uvicorn.Server):
    """uvicorn would send itself the signal again at the end and exit with its number."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _check_certificate(certificate: Path | None, key: Path | None) -> None:
    if certificate is None and key is None:
        return
    if certificate is None or key is None:
        raise Invalid("give both or none", field="--certificate and --key")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"the certificate or its key cannot be used: {error}", field="--certificate") from error
