"""The servers that are compared: how each is started, asked and stopped. All of them on 127.0.0.1, one process each."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.load import Target, request
from tests.benchmarks.operations import TENANT, Operation

POSTGRAPHILE = "postgraphile@5"
PASSWORD = "benchmark-password"
PRESET = """
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";
export default {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.URL, schemas: ["public"], poolConfig: { max: 10 } })],
  grafserv: { port: Number(process.env.PORT), host: "127.0.0.1", graphiql: false, websockets: false },
};
"""
COMPUTED = (
    "CREATE TYPE stock_of AS (quantity numeric, reserved numeric, free numeric)",
    """CREATE FUNCTION products_stock(p products) RETURNS stock_of LANGUAGE sql STABLE AS $$
       SELECT coalesce(sum(i.quantity), 0), coalesce(sum(i.reserved), 0), coalesce(sum(CASE WHEN i.batch_id IS NOT NULL
           AND EXISTS (SELECT 1 FROM batches AS b WHERE b.tenant_id = i.tenant_id AND b.id = i.batch_id AND b.locked
               AND (b.locked_until IS NULL OR b.locked_until > now())) THEN 0 ELSE i.quantity - i.reserved END), 0)
       FROM stock_items AS i WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id $$""",
)
"""What PostGraphile needs in the database to show stock totals."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server; `target` makes the request for an operation."""

    name: str
    target: Callable[[Operation], Target]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def hub(database_url: str, redis_url: str) -> Iterator[Contestant]:
    """This hub as it is deployed: authentication, row-level security, guards, everything on."""
    port = free_port()
    environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HUB_SECRET_KEY": "k" * 43}
    python = [sys.executable, "-m", "hub", "serve", "--port", str(port), "--no-migrations"]
    with _running(python, port, environment):
        yield Contestant("this hub", lambda operation: _graphql(port, "/graphql", operation.hub, **_caller(port)))


def _caller(port: int) -> dict[str, str]:
    return {"Host": f"t{TENANT}.localhost:{port}", "Authorization": f"Bearer bench:{PASSWORD}"}


@contextmanager
def uvicorn(name: str, module: str, database_url: str) -> Iterator[Contestant]:
    """An ASGI application of this folder."""
    port = free_port()
    command = f"uvicorn tests.benchmarks.{module}:app --port {port} --no-access-log --loop uvloop --http httptools"
    python = [sys.executable, "-m", *command.split(), "--log-level", "warning"]
    with _running(python, port, {"DATABASE_URL": database_url}):
        if module == "floor":
            yield Contestant(name, lambda operation: request(f"{operation.path}?{TENANT}", port))
        else:
            yield Contestant(name, lambda operation: _graphql(port, "/graphql", operation.hub))


@contextmanager
def postgraphile(folder: Path, node: str, sockets: str, database: str) -> Iterator[Contestant | None]:
    """PostGraphile from npm; None, with a note, where it cannot be installed."""
    trouble = _trouble(node) or _install(folder)
    if trouble:
        sys.stdout.write(f"PostGraphile is left out: {trouble}\n")
        yield None
        return
    port = free_port()
    (folder / "graphile.config.mjs").write_text(PRESET)
    environment = {
        "URL": f"postgres://postgres@/{database}?host={sockets}",
        "PORT": str(port),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    command = [node, "node_modules/postgraphile/dist/cli-run.js", "--config", "graphile.config.mjs"]
    with _running(command, port, environment, folder):
        yield Contestant("PostGraphile 5", lambda operation: _graphql(port, "/graphql", operation.postgraphile))


def _trouble(node: str) -> str:
    """Why this node cannot run it; empty when it can."""
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return f"{node} does not run; --node names another"
    return "" if int(version.strip("v\n").split(".")[0]) >= 22 else f"it needs node 22, not {version.strip()}"


def _install(folder: Path) -> str:
    """Why it could not be installed; empty when it is."""
    if (folder / "node_modules/postgraphile/package.json").exists():
        return ""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is missing"
    (folder / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", POSTGRAPHILE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return f"npm says {done.stderr.strip()[-200:]}" if done.returncode else ""


def _graphql(port: int, path: str, query: str, **headers: str) -> Target:
    body = json.dumps({"query": query}).encode()
    return request(path, port, body=body, Content_Type="application/json", Accept="application/json", **headers)


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str], folder: Path | None = None) -> Iterator[None]:
    with subprocess.Popen(
        command, env=os.environ | environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            _wait(process, port)
            yield
        finally:
            process.terminate()
            process.wait(15)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(process.stderr.read().decode()[-2000:])
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")
