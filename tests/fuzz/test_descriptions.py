"""Both faces hold what their own descriptions say, whatever a caller makes of them.

Schemathesis reads the description from the running hub, sends what it allows and what it forbids, and judges every
answer. The same inputs each time, so that a failure can be had again; its report shows each as a curl command.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.schema.rest.houses import PASSWORD, House

HERE = Path(__file__).parent
REST = ("/docs/openapi.json", "integrator", "--checks", "all", "--exclude-checks", "no_bug_behind_graphql")
GRAPHQL = ("/graphql", "admin", "--checks", "no_bug_behind_graphql", "--mode", "positive")


async def attack(house: House, folder: Path, path: str, user: str, *options: str) -> None:
    """Run the fuzzer beside this process; its report is the message of a failure."""
    arguments = ["--config-file", str(HERE / "schemathesis.toml"), "run", f"{house.client.base_url}{path}"]
    headers = {"Host": house.client.headers["Host"], "Authorization": f"Bearer {user}:{PASSWORD}"}
    for name, value in headers.items():
        arguments += ["--header", f"{name}: {value}"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parent.parent), "NO_PROXY": "*"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "schemathesis.cli", *arguments, "--no-color", "--generation-deterministic", *options),
        env=environment | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks"},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        report, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, report.decode()


async def test_rest_answers_as_described(house: House, tmp_path: Path) -> None:
    await attack(house, tmp_path, *REST, "--phases", "examples,fuzzing", "--max-examples", "1")


async def test_nothing_that_graphql_allows_meets_a_bug(house: House, tmp_path: Path) -> None:
    await attack(
        house, tmp_path, *GRAPHQL, "--phases", "fuzzing", "--max-examples", "1", "--include-name-regex", "Query"
    )


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_rest_answers_as_described_at_length(house: House, tmp_path: Path) -> None:
    await attack(house, tmp_path, *REST, "--max-examples", "15")


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_nothing_that_graphql_allows_meets_a_bug_at_length(house: House, tmp_path: Path) -> None:
    await attack(house, tmp_path, *GRAPHQL, "--max-examples", "10")
