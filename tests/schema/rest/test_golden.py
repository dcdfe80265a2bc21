"""Requests and answers side by side, one file per resource in `golden/`, read and compared to the last digit.

A file is a story of one tenant, about the resources of its first line; a second line may name the integration that is
active in it. Each step is `### title`, the request line (`as USER` when it is not the integrator), the body, an empty
line, the status, the answer; `…` for a step that only prepares. Numbers must be written as they are answered (21 is not
21.0). `<time>` stands for a moment in UTC, `<today>` inside a text for the day as yyyyMMdd. With WRITE_GOLDEN=1 in the
environment the answers are written into the files, to be looked at before they are committed.
"""

import json
import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schema.rest.json_text import Numeral, parse
from schema.rest.table import TABLE
from tests.schema.rest.houses import PASSWORD, House

FILES = sorted((Path(__file__).parent / "golden").glob("*.http"))
WIDTH = 118
PREPARES = "…"
CONNECTED = re.compile(r"^# (?P<code>[A-Z]+) is the active integration$", re.MULTILINE)
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    method: str
    path: str
    user: str
    body: str
    status: str
    answer: str

    def __str__(self) -> str:
        who = "" if self.user == "integrator" else f" as {self.user}"
        body = f"{self.body}\n" if self.body else ""
        return f"### {self.title}\n{self.method} {self.path}{who}\n{body}\n{self.status}\n{self.answer}\n"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_answers_are_as_written(house: House, file: Path) -> None:
    head, steps = read_story(file.read_text(encoding="utf-8"))  # noqa: ASYNC240
    await prepare(house, head)
    if os.environ.get("WRITE_GOLDEN"):
        told = [await retold(house, step) for step in steps]
        file.write_text("\n".join([head, *map(str, told)]), encoding="utf-8")  # noqa: ASYNC240
        pytest.fail(f"{file.name} was written: look at the difference")
    for step in steps:
        status, answer = await ask(house, step)
        assert status == step.status, f"{step.title}: {answer}"
        if step.answer.startswith(("{", "[", '"')):
            assert parse(answer.encode()) == parse(step.answer.encode()), step.title
        elif step.answer != PREPARES:
            assert answer == step.answer, step.title


async def retold(house: House, step: Step) -> Step:
    status, answer = await ask(house, step)
    return replace(step, status=status, answer=PREPARES if step.answer == PREPARES else answer)


def test_every_route_has_an_answer_to_read() -> None:
    told = {
        f"{step.method} {_template(step)}"
        for file in FILES
        for step in read_story(file.read_text(encoding="utf-8"))[1]
        if step.status.startswith("200") and step.answer != PREPARES
    }

    assert told == {f"{route.method} {route.template}" for route in TABLE.routes}


async def prepare(house: House, head: str) -> None:
    if found := CONNECTED.search(head):
        await house.room.world.connect(found["code"])


def read_story(text: str) -> tuple[str, list[Step]]:
    head, *parts = text.split("### ")
    head = head.strip() + "\n"
    steps = []
    for part in parts:
        title, request, *rest = part.rstrip("\n").split("\n")
        line, _, user = request.partition(" as ")
        method, path = line.split(" ", 1)
        end = rest.index("") if "" in rest else len(rest)
        status, *answer = rest[end + 1 :] or [""]
        steps.append(
            Step(title, method, path, user or "integrator", "\n".join(rest[:end]), status, "\n".join(answer).strip())
        )
    return head, steps


async def ask(house: House, step: Step) -> tuple[str, str]:
    """Status and answer as a story writes them."""
    headers = {"Authorization": f"Bearer {step.user}:{PASSWORD}"}
    answer = await house.client.request(step.method, step.path, content=step.body.encode(), headers=headers)
    if answer.headers["content-type"] != "application/json":
        return f"{answer.status_code} {answer.headers['content-type']}", answer.headers.get("content-disposition", "")
    value = _without_times(parse(answer.content))
    return str(answer.status_code), _written(value)


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_times(inner) for inner in value]
    if isinstance(value, str):
        today = f"{datetime.now(UTC):%Y%m%d}"
        return TIME.sub("<time>", value).replace(today, "<today>")
    return value


def _written(value: Any, indent: int = 1) -> str:
    """JSON as people write it: short things on one line, fields side by side, each record of a list on its own."""
    flat = _flat(value)
    if len(flat) + indent <= WIDTH or not isinstance(value, dict | list):
        return flat
    break_ = "\n" + " " * indent
    if isinstance(value, list):
        return "[" + f",{break_}".join(_written(part, indent + 1) for part in value) + "]"
    text = ""
    for name, part in value.items():
        piece = f"{json.dumps(name)}: {_written(part, indent + 1)}"
        line = text.rpartition("\n")[2]
        room = len(line) + len(piece.partition("\n")[0]) + 2 <= WIDTH
        text += (", " if room else f",{break_}") * bool(text) + piece
    return "{" + text + "}"


def _flat(value: Any) -> str:
    if isinstance(value, Numeral):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_flat(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _template(step: Step) -> str:
    methods, _ = TABLE.find(step.path.partition("?")[0].encode())
    return next(iter(methods.values())).template if methods else ""
