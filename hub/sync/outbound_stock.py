"""What is told about stock: the free quantity at the moment of sending, and the brakes that keep a shop from emptying.

A product is told of only once goods of it were ever booked. The first sending of a connection needs a preview and a
confirmation; one that would bring more than a tenth of the quantities to zero stops and asks again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import RowMapping, text

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.ports import Registry
from hub.records import StockLevel
from hub.services import outbox
from hub.sync import references, runs
from hub.sync.references import Reference

STOPPED = "STOCK_PUSH_STOPPED"
TOLERATED_PART = Decimal("0.1")
CONFIRMED = "confirmed"
"""Set in the checkpoint of a run that a person has confirmed: it may bring quantities to zero."""

# Free = in stock, not promised to anybody, not in a locked batch.
_LEVELS = text("""
    SELECT p.id, p.code, p.sku, p.send_to_external, coalesce(p.purchase_price, received.price) AS cost,
        coalesce(s.free, '{}') AS free,
        EXISTS (SELECT FROM stock_movements m WHERE m.tenant_id = p.tenant_id AND m.product_id = p.id) AS booked
    FROM products p
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(w.code, w.free) AS free
        FROM (
            SELECT w.code, sum(CASE WHEN b.locked AND (b.locked_until IS NULL OR b.locked_until > now()) THEN 0
                ELSE i.quantity - i.reserved END)::text AS free
            FROM stock_items i
            JOIN warehouses w ON w.tenant_id = i.tenant_id AND w.id = i.warehouse_id
            LEFT JOIN batches b ON b.tenant_id = i.tenant_id AND b.id = i.batch_id
            WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id
            GROUP BY w.code
        ) AS w
    ) AS s ON true
    LEFT JOIN LATERAL (
        SELECT l.purchase_price AS price
        FROM nir_lines l JOIN nirs n ON n.tenant_id = l.tenant_id AND n.id = l.nir_id
        WHERE l.tenant_id = p.tenant_id AND l.product_id = p.id AND n.status IN (3, 4) AND l.purchase_price IS NOT NULL
        ORDER BY n.validated_at DESC NULLS LAST, l.id DESC
        LIMIT 1
    ) AS received ON p.purchase_price IS NULL
    WHERE p.tenant_id = :tenant AND p.id = ANY (:ids)
""")
_REMEMBER = text("""
    INSERT INTO sent_stock (tenant_id, code, product_id, quantity)
    SELECT :tenant, :code, s.product_id, s.quantity
    FROM unnest(cast(:ids AS bigint[]), cast(:quantities AS numeric[])) AS s (product_id, quantity)
    ON CONFLICT (tenant_id, code, product_id) DO UPDATE SET quantity = excluded.quantity, sent_at = now()
""")
_FREE_NOW = """
    SELECT p.id, p.code, p.name, sent.quantity AS sent, coalesce((
        SELECT sum(CASE WHEN b.locked AND (b.locked_until IS NULL OR b.locked_until > now()) THEN 0
            ELSE i.quantity - i.reserved END)
        FROM stock_items i LEFT JOIN batches b ON b.tenant_id = i.tenant_id AND b.id = i.batch_id
        WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id), 0) AS free
    FROM products p
    LEFT JOIN sent_stock sent ON sent.tenant_id = p.tenant_id AND sent.code = :code AND sent.product_id = p.id
    WHERE p.tenant_id = :tenant AND p.send_to_external
        AND EXISTS (SELECT FROM stock_movements m WHERE m.tenant_id = p.tenant_id AND m.product_id = p.id)
"""
_TOTALS = text(f"""
    SELECT count(*) AS products, count(*) FILTER (WHERE free <= 0) AS zeros,
        count(*) FILTER (WHERE free <= 0 AND sent > 0) AS falling, count(*) FILTER (WHERE free > 0) AS available
    FROM ({_FREE_NOW}) AS levels
""")
_SAMPLE = text(f"SELECT * FROM ({_FREE_NOW}) AS levels ORDER BY (free <= 0) DESC, code LIMIT :limit")
_DIFFERING = text(f"SELECT id FROM ({_FREE_NOW}) AS levels WHERE sent IS DISTINCT FROM greatest(free, 0)")
_ALL = text(f"SELECT id FROM ({_FREE_NOW}) AS levels")
_FALLING = text(f"""
    SELECT count(*) FROM ({_FREE_NOW}) AS levels
    JOIN outbox AS o ON o.tenant_id = :tenant AND o.code = :code AND o.stream = 'stock' AND o.state = 'WAITING'
        AND o.key = levels.id::text
    WHERE sent > 0 AND free <= 0
""")
_TOLD = text("SELECT count(*) FROM sent_stock WHERE tenant_id = :tenant AND code = :code AND quantity > 0")
_ASK_AGAIN = text("UPDATE integrations SET stock_push_confirmed = false WHERE tenant_id = :tenant AND code = :code")
_CONFIRM = text("UPDATE integrations SET stock_push_confirmed = true WHERE tenant_id = :tenant AND code = :code")
_MARK = text("""
    UPDATE sync_runs SET checkpoint = checkpoint || '{"confirmed": true}' WHERE tenant_id = :tenant AND id = :run
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPreview:
    product_id: int
    code: str
    name: str
    quantity: Decimal
    sent: Decimal | None
    """What the system was told last; None when it was never told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPreview:
    """What a full sending would tell: products, how many of them 0, how many that are not 0 there now become 0."""

    products: int
    zeros: int
    falling_to_zero: int
    levels: list[LevelPreview]
    """A part of them, those at zero first."""


async def preview(work: UnitOfWork, *, registry: Registry, limit: int = 100) -> StockPreview:
    """What sending all stock now would tell the active system. ADMINISTRATOR."""
    work.scope.require(Level.ADMINISTRATOR)
    values = {"tenant": work.tenant_id, "code": await _stock_code(work, registry)}
    totals = (await work.session.execute(_TOTALS, values)).mappings().one()
    sample = (await work.session.execute(_SAMPLE, values | {"limit": limit})).mappings()
    levels = [
        LevelPreview(
            product_id=row["id"],
            code=row["code"],
            name=row["name"],
            quantity=max(row["free"], Decimal(0)),
            sent=row["sent"],
        )
        for row in sample
    ]
    return StockPreview(
        products=totals["products"], zeros=totals["zeros"], falling_to_zero=totals["falling"], levels=levels
    )


async def confirm(work: UnitOfWork, *, registry: Registry) -> int:
    """A person has seen the preview: send all stock now, and its changes from now on; the run's id. ADMINISTRATOR."""
    work.scope.require(Level.ADMINISTRATOR)
    code = await _stock_code(work, registry)
    values = {"tenant": work.tenant_id, "code": code}
    await work.session.execute(_CONFIRM, values)
    everything = (await work.session.execute(_ALL, values)).scalars().all()
    await _enqueue(work, code, everything)
    (run_id,) = await runs.start(work, registry=registry, code=code, streams=[outbox.STOCK])
    await work.session.execute(_MARK, {"tenant": work.tenant_id, "run": run_id})
    work.emit("sync", "stock_push_confirmed", run_id=run_id, code=code, products=len(everything))
    return run_id


async def enqueue_differing(work: UnitOfWork, code: str) -> int:
    """Have those sent whose free quantity is not what was told last: a batch became free by time, an entry was lost."""
    differing = (await work.session.execute(_DIFFERING, {"tenant": work.tenant_id, "code": code})).scalars().all()
    await _enqueue(work, code, differing)
    return len(differing)


async def refuse_to_empty(work: UnitOfWork, code: str) -> Conflict | None:
    """The reason not to send what waits now; from then on a person must confirm again. A single product never stops."""
    values = {"tenant": work.tenant_id, "code": code}
    falling = (await work.session.execute(_FALLING, values)).scalar_one()
    told = (await work.session.execute(_TOLD, values)).scalar_one()
    if falling < 2 or falling <= told * TOLERATED_PART:
        return None
    await work.session.execute(_ASK_AGAIN, values)
    work.emit("sync", "stock_push_stopped", code=code, falling=falling, told=told)
    return Conflict(
        f"{falling} of {told} quantities would become 0: nothing was sent",
        code=STOPPED,
        hint="look at the preview; confirm it if it is right",
    )


async def find_levels(
    work: UnitOfWork, code: str, ids: Collection[int]
) -> tuple[dict[int, StockLevel], dict[int, str]]:
    """The levels to be told now, by product; and why others are not told."""
    rows = (await work.session.execute(_LEVELS, {"tenant": work.tenant_id, "ids": sorted(ids)})).mappings().all()
    known = await references.find_by_record(work, code, "products", ids)
    levels: dict[int, StockLevel] = {}
    untold: dict[int, str] = dict.fromkeys(ids, "the product is gone")
    for row in rows:
        if not row["booked"]:
            untold[row["id"]] = "no goods of it were ever booked"
        elif not row["send_to_external"]:
            untold[row["id"]] = "the product is not to be sent to the outside"
        else:
            levels[row["id"]] = _level(row, known.get(row["id"]))
            del untold[row["id"]]
    return levels, untold


async def remember(work: UnitOfWork, code: str, levels: Sequence[StockLevel]) -> None:
    """Note what the system was told."""
    if levels:
        ids, quantities = [level.product_id for level in levels], [level.quantity for level in levels]
        values = {"tenant": work.tenant_id, "code": code, "ids": ids, "quantities": quantities}
        await work.session.execute(_REMEMBER, values)


def _level(row: RowMapping, reference: Reference | None) -> StockLevel:
    free = {code: Decimal(quantity) for code, quantity in row["free"].items()}
    return StockLevel(
        product_id=row["id"],
        code=row["code"],
        sku=row["sku"],
        quantity=sum(free.values(), Decimal(0)),
        external_key=reference.external_key if reference else None,
        cost=row["cost"],
        by_warehouse=free,
    )


async def _enqueue(work: UnitOfWork, code: str, ids: Sequence[int]) -> None:
    if ids:
        await outbox.put(work, code, outbox.STOCK, {str(id_): {"product_id": id_} for id_ in ids})


async def _stock_code(work: UnitOfWork, registry: Registry) -> str:
    connection = await runs.active_connection(work, registry)
    if connection is None or not connection.options.get(outbox.STOCK_OPTION):
        raise Conflict("no active integration sends stock", hint=f"switch on {outbox.STOCK_OPTION} and activate it")
    return connection.connector.code
