"""The documentation is true where a machine can tell: its GraphQL is valid, its links lead somewhere."""

import json
import re
from pathlib import Path

import pytest
from graphql import parse, validate

from schema.graph import build_schema

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
POSTED = re.compile(r"""-d '(\{"query": ".*?"\})'""", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def _operations() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = BLOCK.findall(text)
        plain = [block for block in blocks if re.match(r"(query|mutation|subscription)\b|\{ *[a-z]", block)]
        posted = [json.loads(body.replace("\n", " "))["query"] for body in POSTED.findall(text)]
        found += [(page.name, document) for document in plain + posted]
    return found


OPERATIONS = _operations()


@pytest.mark.parametrize(("page", "document"), OPERATIONS, ids=[f"{p}-{n}" for n, (p, _) in enumerate(OPERATIONS)])
def test_operation_in_the_documentation_is_valid(page: str, document: str) -> None:
    errors = validate(build_schema()._schema, parse(document))

    assert not errors, f"{page}: {errors[0]}\n{document}"


def test_documentation_shows_operations() -> None:
    assert {page for page, _ in OPERATIONS} >= {"README.md", "graphql.md", "first-steps.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [
        target for target in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / target).exists()
    ]

    assert not missing
