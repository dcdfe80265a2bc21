"""How much one operation may ask for. The document is measured before it is validated, in one pass per fragment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
)

from hub.errors import Invalid
from schema.planner.arguments import Slot, filled
from schema.planner.connections import DEFAULT_SIZE
from schema.planner.fields import Lateral, Many, Python, Summed
from schema.planner.selection import Selected

TOO_MUCH = "LIMIT_EXCEEDED"
LARGEST_PAGE = 250
LIST_SIZE = 10
"""How many records a list without pages is expected to have."""
SUMS = 100
"""How many rows a summary is expected to have."""
COUNT_COST = 10
LONGEST_NUMBER = 400
MOST_OF_A_NODE = 250
"""Arguments, directives or input fields of one node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`fields` and `aliases` count a fragment each time it is spread; `cost` is about one per object read."""

    characters: int = 100_000
    tokens: int = 10_000
    depth: int = 20
    fields: int = 1_000
    aliases: int = 200
    cost: int = 100_000


@dataclass(frozen=True, slots=True)
class Size:
    depth: int = 0
    fields: int = 0
    aliases: int = 0


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Raise `Invalid` when an operation is too deep or too wide; cheap for any document, valid or not."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    measure = _Measure(fragments)
    parts = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    sizes = [measure.size(each.selection_set) for each in parts]
    sizes += [measure.fragment(name) for name in fragments]
    _check_nodes(document)
    for name in ("depth", "fields", "aliases"):
        most, limit = max((getattr(size, name) for size in sizes), default=0), getattr(limits, name)
        if most > limit:
            raise _refused(name, most, limit)
    total = sum(size.fields for size in sizes)
    if total > 2 * limits.fields:
        raise _refused("fields of all operations and fragments", total, 2 * limits.fields)


def _check_nodes(document: DocumentNode) -> None:
    """No node has endless arguments or directives, no value is what a database does not take."""
    level: list[Node] = [document]
    while level:
        for node in level:
            if isinstance(node, StringValueNode) and "\0" in node.value:
                raise Invalid("U+0000 is not text", code="BAD_REQUEST")
            if isinstance(node, IntValueNode | FloatValueNode) and len(node.value) > LONGEST_NUMBER:
                raise _refused("digits of a number", len(node.value), LONGEST_NUMBER)
            for name in ("arguments", "directives", "fields"):
                found = len(getattr(node, name, None) or ())
                if found > MOST_OF_A_NODE:
                    raise _refused(f"{name} in one place", found, MOST_OF_A_NODE)
        level = [inner for node in level for inner in _inside(node)]


def _inside(node: Node) -> Iterator[Node]:
    for key in node.keys:
        value = getattr(node, key, None)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, list | tuple):
            yield from value


class _Measure:
    """Sizes of selection sets with every fragment measured once; a cycle counts as nothing and is refused later."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, Size] = {}

    def fragment(self, name: str) -> Size:
        if name not in self._known:
            self._known[name] = Size()
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[name] = self.size(fragment.selection_set)
        return self._known[name]

    def size(self, selections: SelectionSetNode | None) -> Size:
        depth = fields = aliases = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                inner = self.size(node.selection_set)
                if node.name.value.startswith("__"):
                    inner = Size(1, inner.fields, inner.aliases)
                size = Size(inner.depth + 1, inner.fields + 1, inner.aliases + (node.alias is not None))
            elif isinstance(node, FragmentSpreadNode):
                size = self.fragment(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                size = self.size(node.selection_set)
            depth, fields, aliases = max(depth, size.depth), fields + size.fields, aliases + size.aliases
        return Size(depth, fields, aliases)


def check_pages(selected: Sequence[Selected], variables: Mapping[str, Any], path: str = "") -> None:
    """Raise `Invalid` for a page size that is out of range."""
    for item in selected:
        where = f"{path}{item.key}"
        if item.field.connection and item.refused is None:
            _check_page(item, variables, where)
        check_pages(item.children, variables, f"{where}.")


def _check_page(item: Selected, variables: Mapping[str, Any], where: str) -> None:
    if "first" in item.arguments and "last" in item.arguments:
        raise Invalid("give first or last, not both", field=where)
    for name in ("first", "last"):
        size = filled(item.arguments.get(name), variables)
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise Invalid(f"must be 1 to {LARGEST_PAGE}, not {size}", field=f"{where}.{name}")


def has_variable_sizes(selected: Sequence[Selected]) -> bool:
    """Some page size is not known before the variables are."""
    return any(
        any(isinstance(item.arguments.get(name), Slot) for name in ("first", "last"))
        or has_variable_sizes(item.children)
        for item in selected
    )


def cost_of(selected: Sequence[Selected], variables: Mapping[str, Any]) -> int:
    """About the number of objects and sub-selects that the answer needs at most."""
    return sum(_cost(item, variables) for item in selected if item.refused is None)


def check_cost(cost: int, limits: Limits) -> None:
    if cost > limits.cost:
        raise _refused("cost", cost, limits.cost)


def _cost(item: Selected, variables: Mapping[str, Any]) -> int:
    if isinstance(item.field.source, Lateral | Python):
        return 1
    if not item.field.connection:
        times = {Many: LIST_SIZE, Summed: SUMS}.get(type(item.field.source), 1)
        return times * (1 + cost_of(item.children, variables)) if item.target else 0
    size = filled(item.arguments.get("last", item.arguments.get("first", DEFAULT_SIZE)), variables)
    cost = 1
    for part in item.children:
        if part.field.name == "nodes":
            cost += size * (1 + cost_of(part.children, variables))
        elif part.field.name == "edges":
            cost += size * sum(1 + cost_of(each.children, variables) for each in part.children if each.target)
        elif part.field.name == "totalCount":
            cost += COUNT_COST
    return int(cost)


def _refused(what: str, found: int, limit: int) -> Invalid:
    number = str(found) if found < 10**9 else "far too many"
    return Invalid(f"the operation is too large: {what} {number}, at most {limit}", code=TOO_MUCH)
