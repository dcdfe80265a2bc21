"""Documents: parsed, measured and validated once, then remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    VariableDefinitionNode,
    parse,
    specified_rules,
    type_from_ast,
    validate,
)
from graphql.execution.values import get_variable_values
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from hub.errors import HubError, Invalid
from schema.planner.cache import Bounded
from schema.planner.limits import TOO_MUCH, Limits, check_document

MOST_ERRORS = 20
BYTES_A_TOKEN = 500

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 50_000  # a tenth of the library's: it is spent in 0.1 s


class Refused(Exception):
    """A request that is not executed: no `data` in the answer, only these errors."""

    def __init__(self, errors: Sequence[GraphQLError | HubError]) -> None:
        super().__init__(str(errors[0]))
        self.errors = errors


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document."""

    source: str
    document: DocumentNode
    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variable_types: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """About the bytes that it takes in memory."""
        return len(self.source) + BYTES_A_TOKEN * (self.document.token_count or 0)

    @property
    def kind(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.definition.operation.value

    @property
    def name(self) -> str | None:
        return self.definition.name.value if self.definition.name else None


class Documents:
    """The operations of this process's callers. What is refused is not remembered: its errors keep the document."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, introspection: bool, entries: int = 500) -> None:
        self._schema = schema
        self._limits = limits
        self._introspection = introspection
        self._rules = [*specified_rules, *([] if introspection else [NoSchemaIntrospectionCustomRule])]
        self._known: Bounded[tuple[str, str | None], Operation] = Bounded(entries=entries, weight=24_000_000)

    def prepare(self, source: str, operation_name: str | None = None, *, remember: bool = True) -> Operation:
        """The operation of that name, or the only one; raises `Refused`."""
        known = self._known.get((source, operation_name))
        if known is None:
            known = self._prepared(source, operation_name)
            if remember:
                self._known.put((source, operation_name), known, known.weight)
        return known

    def variables(self, operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the variables as their types read them; raises `Refused`."""
        definitions = operation.definition.variable_definitions or ()
        if not definitions:
            return {}
        values = get_variable_values(
            self._schema, definitions, dict(given), MOST_ERRORS, hide_suggestions=not self._introspection
        )
        if isinstance(values, list):
            raise Refused(values)
        return values.coerced

    def _prepared(self, source: str, operation_name: str | None) -> Operation:
        document = self._parsed(source)
        errors = validate(self._schema, document, self._rules, MOST_ERRORS, hide_suggestions=not self._introspection)
        if any(isinstance(error, ValidationAbortedError) for error in errors[:MOST_ERRORS]):
            raise Refused([Invalid("the document repeats too many fields or fragments", code=TOO_MUCH)])
        if errors:
            raise Refused(errors)
        definition = _chosen(document, operation_name)
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        definitions: Sequence[VariableDefinitionNode] = definition.variable_definitions or ()
        types = {each.variable.name.value: type_from_ast(self._schema, each.type) for each in definitions}
        return Operation(source, document, definition, fragments, types)

    def _parsed(self, source: str) -> DocumentNode:
        if len(source) > self._limits.characters:
            raise Refused([Invalid(f"the document has more than {self._limits.characters} characters", code=TOO_MUCH)])
        try:
            document = parse(source, max_tokens=self._limits.tokens)
            check_document(document, self._limits)
        except (GraphQLError, Invalid) as error:
            raise Refused([error]) from error
        except RecursionError as error:
            raise Refused([Invalid("the document is nested too deeply", code=TOO_MUCH)]) from error
        return document


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name is not None:
        operations = [each for each in operations if each.name is not None and each.name.value == name]
        if not operations:
            raise Refused(
                [Invalid(f"the document has no operation {name!r}", field="operationName", code="BAD_REQUEST")]
            )
    if len(operations) != 1:
        hint = "say which by operationName" if operations else "write a query"
        message = f"the document has {len(operations)} operations"
        raise Refused([Invalid(message, field="operationName", code="BAD_REQUEST", hint=hint)])
    return operations[0]
