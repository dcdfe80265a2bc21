"""Beside the three operations: skewed tenants, several tenants at once, a Python resolver, a directive.

Each is measured against a stated partner, in turns, over 16 connections.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks import contestants
from tests.benchmarks.answers import data_of, difference, records, without
from tests.benchmarks.contestants import Contestant, asking_floor, asking_hub
from tests.benchmarks.data import Scale
from tests.benchmarks.load import Target, once
from tests.benchmarks.operations import OPERATIONS, ORDERS, PRODUCTS
from tests.benchmarks.site import Site
from tests.benchmarks.turns import Contest, Effort, Pair, in_turns

CONNECTIONS = 16
LABELLED = PRODUCTS.hub.replace("material", "material label")
INCLUDING = "query ($more: Boolean!) " + PRODUCTS.hub.replace("material", "material @include(if: $more)")
LABEL = "label"
"""The field that only the operation with a Python resolver asks for."""


@dataclass(frozen=True, slots=True)
class Variation:
    """One target and what it is compared with; both give the same answer."""

    what: str
    against: str
    subject: Target
    partner: Target

    @property
    def name(self) -> str:
        return f"{self.what}, against {self.against}"


def of_all_tenants(hub: Contestant, floor: Contestant, scale: Scale) -> list[Variation]:
    tenants = range(1, scale.tenants + 1)
    return [
        Variation(
            f"{operation.name}: {scale.tenants} tenants at once, on the bare host",
            "the floor, a lateral for each tenant",
            asking_hub(hub.port, operation.hub, tenant=None),
            asking_floor(floor.port, operation, *tenants),
        )
        for operation in (PRODUCTS, ORDERS)
    ]


def of_directives(hub: Contestant, floor: Contestant) -> list[Variation]:
    what, subject = f"{PRODUCTS.name}: one with `@include(if: $more)`", asking_hub(hub.port, INCLUDING, more=True)
    return [
        Variation(what, "this hub, without the directive", subject, hub.target(PRODUCTS)),
        Variation(what, "the floor", subject, floor.target(PRODUCTS)),
    ]


def of_resolvers(hub: Contestant, floor: Contestant) -> list[Variation]:
    """`hub` has the field that Python resolves."""
    what, subject = f"{PRODUCTS.name} + one that Python resolves", asking_hub(hub.port, LABELLED)
    return [
        Variation(what, "this hub, without that field", subject, hub.target(PRODUCTS)),
        Variation(what, "the floor, without that field", subject, floor.target(PRODUCTS)),
    ]


def of_skewed_tenants(hub: Contestant, floor: Contestant) -> list[Variation]:
    return [
        Variation(
            f"{operation.name}: the tenant with {share} of all rows",
            "the floor",
            asking_hub(hub.port, operation.hub, tenant=tenant),
            asking_floor(floor.port, operation, tenant),
        )
        for operation in OPERATIONS
        for tenant, share in ((1, "90 %"), (2, "1 %"))
    ]


async def measure_variations(even: Site, skewed: Site, scale: Scale, effort: Effort) -> list[Pair]:
    """On servers of their own, so that what they remember is theirs."""
    redis_url = even.engines.redis_url
    with ExitStack() as stack:
        hub = stack.enter_context(contestants.hub(even.url, redis_url))
        resolving = stack.enter_context(contestants.hub(even.url, redis_url, module="tests.benchmarks.resolver"))
        floor = stack.enter_context(contestants.uvicorn(contestants.FLOOR, "floor", even.url))
        found = [*of_all_tenants(hub, floor, scale), *of_directives(hub, floor), *of_resolvers(resolving, floor)]
        pairs = await _measured(found, effort)
    with ExitStack() as stack:
        hub = stack.enter_context(contestants.hub(skewed.url, redis_url))
        floor = stack.enter_context(contestants.uvicorn(contestants.FLOOR, "floor", skewed.url))
        pairs += await _measured(of_skewed_tenants(hub, floor), effort)
    return pairs


async def _measured(variations: Sequence[Variation], effort: Effort) -> list[Pair]:
    for variation in variations:
        await _check(variation)
    contests = [
        Contest(each.name, CONNECTIONS, {"subject": each.subject, "partner": each.partner}) for each in variations
    ]
    results = await in_turns(contests, effort)
    return [
        Pair(each.what, each.against, *(results[each.name, CONNECTIONS, side] for side in ("subject", "partner")))
        for each in variations
    ]


async def _check(variation: Variation) -> None:
    subject, partner = [without(LABEL, data_of(await once(each))) for each in (variation.subject, variation.partner)]
    differs = difference(partner, subject)
    if differs or not all(records(subject)):
        raise RuntimeError(f"{variation.name}: {differs or records(subject)}")
