"""The planner without a server around it: the hub's own statements."""

from dataclasses import dataclass
from typing import Any

from hub.context import Grant, Level, Scope
from schema.graph import build_schema
from schema.planner.execute import Planner, scope_values
from schema.planner.operations import Operation
from schema.planner.plans import Plan, Rights, plan_of
from tests.benchmarks.operations import TENANT

SETTINGS = {
    "timezone": "UTC",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "default_transaction_read_only": "on",
    "hub.tenants": str(TENANT),
}
"""What the hub sets on its reading connections, and the tenant as for a caller of one."""


@dataclass(frozen=True, slots=True)
class Planning:
    """Plans operations for a user who may read in one tenant."""

    planner: Planner
    scope: Scope

    @classmethod
    def start(cls) -> "Planning":
        return cls(Planner(build_schema()), Scope({TENANT: Grant(Level.VIEWER)}))

    def plan(self, operation: Operation) -> Plan:
        rights = Rights(self.scope, {}, {})
        return plan_of(self.planner.schema, self.planner.shapes, operation, {}, rights, several=False)

    def arguments(self, plan: Plan) -> list[Any]:
        return plan.arguments({"": scope_values(self.scope)})
