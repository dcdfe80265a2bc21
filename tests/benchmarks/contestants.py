"""The servers that are compared: how each is started, asked and stopped. All of them on 127.0.0.1, one process each."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.benchmarks.load import Target, request
from tests.benchmarks.operations import TENANT, Operation

HUB, FLOOR, IDIOMATIC, POSTGRAPHILE = "this hub", "the floor", "idiomatic Strawberry", "PostGraphile 5"
PACKAGE = "postgraphile@5"
USER, ACCOUNT, PASSWORD = "bench", "bench@example.org", "benchmark-password"
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
    """CREATE VIEW stock_per_warehouse AS
       SELECT tenant_id, warehouse_id, sum(quantity) AS quantity, sum(reserved) AS reserved
       FROM stock_items GROUP BY tenant_id, warehouse_id""",
    """COMMENT ON VIEW stock_per_warehouse IS E'@primaryKey tenant_id,warehouse_id\\n'
       '@foreignKey (tenant_id, warehouse_id) references warehouses (tenant_id, id)'""",
)
"""What PostGraphile needs in the database to show stock totals, added up from the stock items as the floor does."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server, a process; `target` makes the request for an operation."""

    name: str
    target: Callable[[Operation], Target]
    port: int
    pid: int

    def memory(self) -> tuple[int, int]:
        """Bytes resident now and at most so far; zeros where the system does not tell."""
        status = Path(f"/proc/{self.pid}/status")
        text = status.read_text() if status.exists() else ""
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", text, re.MULTILINE))
        return int(found.get("VmRSS", 0)) * 1024, int(found.get("VmHWM", 0)) * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def hub(database_url: str, redis_url: str, *, module: str = "hub") -> Iterator[Contestant]:
    """This hub as it is deployed: authentication, row-level security, guards, everything on."""
    port = free_port()
    environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HUB_SECRET_KEY": "k" * 43}
    python = [sys.executable, "-m", module, "serve", "--port", str(port), "--no-migrations"]
    with _running(python, port, environment) as pid:
        yield Contestant(HUB, lambda operation: asking_hub(port, operation.hub), port, pid)


def asking_hub(port: int, query: str, *, tenant: int | None = TENANT, **variables: Any) -> Target:
    """A query by a tenant's user, or without `tenant` by the account that is a member of all, on the bare host."""
    host, login = (f"t{tenant}.localhost", USER) if tenant else ("localhost", ACCOUNT)
    caller = {"Host": f"{host}:{port}", "Authorization": f"Bearer {login}:{PASSWORD}"}
    return _graphql(port, query, variables, **caller)


def asking_floor(port: int, operation: Operation, *tenants: int) -> Target:
    return request(f"{operation.path}?{','.join(map(str, tenants or (TENANT,)))}", port)


@contextmanager
def uvicorn(name: str, module: str, database_url: str) -> Iterator[Contestant]:
    """An ASGI application of this folder."""
    port = free_port()
    command = f"uvicorn tests.benchmarks.{module}:app --port {port} --no-access-log --loop uvloop --http httptools"
    python = [sys.executable, "-m", *command.split(), "--log-level", "warning"]
    with _running(python, port, {"DATABASE_URL": database_url}) as pid:
        if module == "floor":
            yield Contestant(name, lambda operation: asking_floor(port, operation), port, pid)
        else:
            yield Contestant(name, lambda operation: _graphql(port, operation.hub), port, pid)


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
    with _running(command, port, environment, folder) as pid:
        yield Contestant(POSTGRAPHILE, lambda operation: _graphql(port, operation.postgraphile), port, pid)


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
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", PACKAGE]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return "npm took more than five minutes"
    return f"npm says {done.stderr.strip()[-200:]}" if done.returncode else ""


def _graphql(port: int, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> Target:
    body = json.dumps({"query": query} | ({"variables": variables} if variables else {})).encode()
    return request("/graphql", port, body=body, Content_Type="application/json", Accept="application/json", **headers)


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str], folder: Path | None = None) -> Iterator[int]:
    """The process's id, once it listens."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, env=os.environ | environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=said
        ) as process,
    ):
        try:
            _wait(process, port, said)
            yield process.pid
        finally:
            process.terminate()
            process.wait(15)


def _wait(process: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            said.seek(0)
            raise RuntimeError(said.read().decode()[-2000:])
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")
