"""Filter arguments → SQL conditions."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import GraphQLInputObjectType, get_named_type
from sqlalchemy import BigInteger, ColumnElement, Select, Text, and_, false, func, literal_column, or_, select, true

from hub.models.search import SearchWord
from hub.search import terms
from schema.planner.arguments import BLANK, Slot
from schema.planner.ids import parsed
from schema.planner.inputs import QUESTION, Combined, Compared, Identified, Related, Some, Words
from schema.planner.json_text import constant
from schema.planner.parameters import Parameters, clean
from schema.planner.rows import Row, element

Condition = ColumnElement[bool]
HIGHEST = "\U0010ffff"
"""Sorts behind every text that begins the same."""


class Filters:
    """Writes the conditions of one statement."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    def condition(self, row: Row, type_: GraphQLInputObjectType, given: Mapping[str, Any]) -> Condition:
        """All that is asked of a row; an empty filter asks nothing."""
        return and_(true(), *self._conditions(row, type_, given))

    def _conditions(self, row: Row, type_: GraphQLInputObjectType, given: Mapping[str, Any]) -> Iterator[Condition]:
        for name, value in given.items():
            definition = type_.fields[name].extensions["strawberry-definition"]
            match definition.metadata[QUESTION]:
                case Compared(column, None):
                    yield from self._compared(row[column or definition.python_name], value)
                case Compared(_, expression) if expression is not None:
                    yield from self._compared(element(expression(row.alias)), value)
                case Identified(type_name, key):
                    yield from self._identified(row, key, type_name, value)
                case Words():
                    yield from self._worded(row, value)
                case Combined(operator):
                    yield self._combined(row, type_, operator, value)
                case Related(key, table):
                    target = row.fresh(table)
                    yield self._exists(target, target["id"] == row[key], row, type_.fields[name].type, value)
                case Some(key, table):
                    child = row.fresh(table)
                    yield self._exists(child, child[key] == row["id"], row, type_.fields[name].type, value)

    def _compared(self, column: ColumnElement[Any], value: Any) -> Iterator[Condition]:
        if not isinstance(value, Mapping):
            yield _same(column, value)
            return
        for operator, operand in value.items():
            yield from self._operated(column, operator, operand)

    def _operated(self, column: ColumnElement[Any], operator: str, operand: Any) -> Iterator[Condition]:
        bind = self._parameters.bind
        match operator:
            case "isNull":
                yield column.is_(None) if operand else column.is_not(None)
            case "eq" if _is_fixed(operand):
                yield _same(column, operand)
            case "in" if isinstance(operand, tuple) and any(map(_is_fixed, operand)):
                yield or_(false(), *(_same(column, each) for each in operand))
            case "eq":
                yield column == bind(operand, column.type)
            case "in":
                yield column == func.any(self._parameters.array(operand, column.type))
            case "lt":
                yield column < bind(operand, column.type)
            case "lte":
                yield column <= bind(operand, column.type)
            case "gt":
                yield column > bind(operand, column.type)
            case "gte":
                yield column >= bind(operand, column.type)
            case "startsWith":
                yield column >= bind(operand, column.type)
                yield column < bind(operand, column.type, lambda text: clean(text) + HIGHEST)
            case _:
                raise TypeError(f"no meaning for the operator {operator}")

    def _identified(self, row: Row, key: str, type_name: str, value: Mapping[str, Any]) -> Iterator[Condition]:
        for operator, operand in value.items():
            if operator == "isNull":
                yield row[key].is_(None) if operand else row[key].is_not(None)
                continue
            texts = (operand,) if operator == "eq" else operand
            tenants = self._parameters.array(texts, BigInteger(), lambda ids: [_id(each, type_name)[1] for each in ids])
            ids = self._parameters.array(texts, BigInteger(), lambda ids: [_id(each, type_name)[2] for each in ids])
            wanted = func.unnest(tenants, ids).table_valued("tenant_id", "id").render_derived(name="wanted")
            yield row[key].in_(select(wanted.c.id).where(wanted.c.tenant_id == row.tenant))

    def _worded(self, row: Row, text: Any) -> Iterator[Condition]:
        """The longest term finds the rows by the index of words, then every term is looked for in them."""
        if (isinstance(text, Slot) and text.hint == BLANK) or (isinstance(text, str) and not text.strip()):
            return
        lowest = self._parameters.bind(text, Text(), lambda given: _longest(given))
        highest = self._parameters.bind(text, Text(), lambda given: _longest(given) + HIGHEST)
        wanted = self._parameters.array(text, Text(), lambda given: terms(clean(given)))
        word = row.fresh(SearchWord.__table__)  # type: ignore[attr-defined]
        yield (
            select(literal_column("1"))
            .select_from(word.from_clause())
            .where(
                word.tenant == row.tenant,
                word["noun"] == row.table.name,
                word["word"] >= lowest,
                word["word"] < highest,
                word["record_id"] == row["id"],
            )
            .exists()
        )
        term = func.unnest(wanted, type_=Text).table_valued("term").render_derived(name="terms")
        blank = constant(" ")
        tokens = blank.op("||")(func.search_tokens(row["search"]))
        missing: Select[Any] = select(literal_column("1")).where(func.strpos(tokens, blank.op("||")(term.c.term)) == 0)
        yield ~missing.select_from(term).exists()

    def _combined(self, row: Row, type_: GraphQLInputObjectType, operator: str, value: Any) -> Condition:
        if operator == "not":
            return self.condition(row, type_, value).is_not(true())
        conditions = [self.condition(row, type_, each) for each in value]
        return and_(true(), *conditions) if operator == "and" else or_(false(), *conditions)

    def _exists(self, target: Row, joined: Condition, row: Row, type_: Any, value: Mapping[str, Any]) -> Condition:
        inner = get_named_type(type_)
        assert isinstance(inner, GraphQLInputObjectType)
        condition = self.condition(target, inner, value)
        found: Select[Any] = select(literal_column("1")).select_from(target.from_clause())
        return found.where(target.tenant == row.tenant, joined, condition).exists()


def _is_fixed(value: Any) -> bool:
    """A Boolean or a value of an enum: part of the statement, not a parameter."""
    return isinstance(value, bool) or hasattr(value, "value")


def _same(column: ColumnElement[Any], value: Any) -> Condition:
    return column.is_(value) if isinstance(value, bool) else column == getattr(value, "value", value)


def _id(text: str, type_name: str) -> tuple[str, int, int]:
    return parsed(text, expected=type_name)


def _longest(text: str) -> str:
    """Without a term nothing is found: no word lies between these bounds."""
    found = terms(clean(text))
    return found[0] if found else HIGHEST
