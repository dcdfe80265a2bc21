"""Runs the command `hub` for tests: inside this process where that is enough, else as a process of its own."""

import asyncio
import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.__main__ import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


async def call(patch: pytest.MonkeyPatch, *arguments: str, given: str = "", **environment: str) -> Ended:
    """The command in a thread with an event loop of its own; for commands that bring no engines along."""
    out, err = io.StringIO(), io.StringIO()
    with patch.context() as around:
        for name, value in environment.items():
            around.setenv(name, value)
        around.setattr(sys, "stdin", io.StringIO(given))
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = await asyncio.to_thread(main, arguments)
            except SystemExit as end:
                code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


async def run(*arguments: str | Path, **environment: str) -> Ended:
    """The command as a process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hub",
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    return Ended(process.returncode or 0, out.decode(), err.decode())
