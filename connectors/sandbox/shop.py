"""A small shop that the sandboxes share: products with variants, stock, buyers and orders, growing while it runs.

It knows no vendor: each sandbox renders it in its own words. Times are aware UTC, to the second.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connectors.sandbox import catalogue

MOST_ORDERS = 2000
Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(slots=True, kw_only=True)
class Unit:
    """What is sold and stored: a product, or one variant of it."""

    id: int
    sku: str
    ean: str
    name: str
    price: Decimal
    stock: Decimal


@dataclass(slots=True, kw_only=True)
class Product(Unit):
    """A product; one with variants is sold through them."""

    category: str
    vat: int
    updated_at: datetime
    variants: list[Unit] = field(default_factory=list)

    @property
    def units(self) -> Sequence[Unit]:
        return self.variants or [self]


@dataclass(slots=True, kw_only=True)
class Buyer:
    """A person, or a company with its contact."""

    firstname: str
    lastname: str
    phone: str
    email: str
    city: str
    region: str
    address: str
    zipcode: str
    company: str = ""
    cui: str = ""
    reg_no: str = ""


@dataclass(slots=True, kw_only=True)
class Line:
    unit_id: int
    sku: str
    name: str
    quantity: Decimal
    price: Decimal
    vat: int
    goods: bool = True


@dataclass(slots=True, kw_only=True)
class Order:
    id: int
    number: str
    placed_at: datetime
    updated_at: datetime
    status_id: str
    buyer: Buyer
    lines: list[Line]
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Shop:
    """The whole state; orders from the oldest to the newest."""

    products: list[Product]
    orders: list[Order]
    status_new: str
    last_order_id: int = 810

    def units(self) -> Iterator[tuple[Product, Unit]]:
        for product in self.products:
            for unit in product.units:
                yield product, unit

    def unit(self, sku: str) -> tuple[Product, Unit] | None:
        return next((pair for pair in self.units() if pair[1].sku == sku), None)

    def order(self, order_id: int) -> Order | None:
        return next((order for order in self.orders if order.id == order_id), None)

    def set_stock(self, sku: str, quantity: Decimal, at: datetime) -> bool:
        """False when no unit has this sku."""
        if (found := self.unit(sku)) is None:
            return False
        found[1].stock, found[0].updated_at = quantity, at
        return True

    def take(self, wanted: Sequence[tuple[str, Decimal]]) -> list[Line]:
        """Lines for these skus, whose goods leave the shop's own stock; raises KeyError for an unknown sku."""
        found = []
        for sku, quantity in wanted:
            if (pair := self.unit(sku)) is None:
                raise KeyError(sku)
            found.append((*pair, quantity))
        for _, unit, quantity in found:
            unit.stock = max(unit.stock - quantity, Decimal(0))
        return [
            Line(unit_id=unit.id, sku=unit.sku, name=unit.name, quantity=quantity, price=unit.price, vat=product.vat)
            for product, unit, quantity in found
        ]

    def place(self, buyer: Buyer, wanted: Sequence[tuple[str, Decimal]], at: datetime) -> Order:
        """A new order; raises KeyError for an unknown sku."""
        lines = self.take(wanted)
        self.last_order_id += 1
        order = Order(
            id=self.last_order_id,
            number=str(self.last_order_id + 9500),
            placed_at=at,
            updated_at=at,
            status_id=self.status_new,
            buyer=buyer,
            lines=lines,
        )
        self.orders = [*self.orders[1 - MOST_ORDERS :], order]
        return order


def open_shop(
    rng: random.Random, *, products: int, orders: int, statuses: Sequence[str], at: datetime | None = None
) -> Shop:
    """A stocked shop with orders of the last two weeks; the first of `statuses` is that of a new order."""
    at = at or now()
    shop = Shop(products=list(_products(rng, products, at)), orders=[], status_new=statuses[0])
    for index in range(orders):
        moment = at - timedelta(days=14) * (orders - index) / (orders + 1)
        order = random_order(shop, rng, moment.replace(microsecond=0))
        order.status_id = rng.choice([statuses[0]] * 4 + list(statuses))
        if order.status_id != statuses[0]:
            order.updated_at += timedelta(seconds=rng.randrange(60, 3600))
    return shop


def _products(rng: random.Random, count: int, at: datetime) -> Iterator[Product]:
    words = [(group, *product) for group, products in catalogue.CATEGORIES.items() for product in products]
    for index in range(count):
        category, prefix, noun = words[index % len(words)]
        suffix = catalogue.SUFFIXES[index // len(words) % len(catalogue.SUFFIXES)]
        name = f"{noun} {suffix}".strip()
        sku = f"{prefix}-{index + 1:03d}"
        product = Product(
            id=16000 + 10 * index,
            sku=sku,
            ean=f"594{index:010d}",
            name=name.translate(catalogue.WITH_CEDILLA) if index % 2 else name,
            price=Decimal(rng.randrange(500, 60000)) / 100,
            stock=Decimal(rng.randrange(0, 80)),
            category=category,
            vat=11 if category == "Papetărie" else 21,
            updated_at=at - timedelta(days=rng.randrange(1, 300)),
        )
        if index % 4 == 3:
            product.variants = [
                Unit(
                    id=product.id + 1 + place,
                    sku=f"{sku}-{code}",
                    ean=f"595{index:08d}{place:02d}",
                    name=f"{product.name}, {colour}",
                    price=product.price,
                    stock=Decimal(rng.randrange(0, 40)),
                )
                for place, (code, colour) in enumerate(catalogue.COLOURS[: 2 + index % 3])
            ]
        yield product


def random_order(shop: Shop, rng: random.Random, at: datetime) -> Order:
    """An order as they come in: one to four lines, every third buyer a company, now and then a service."""
    units = [unit for _, unit in shop.units()]
    chosen = rng.sample(units, k=min(len(units), rng.choice((1, 1, 2, 2, 3, 4))))
    order = shop.place(random_buyer(rng), [(unit.sku, Decimal(rng.randrange(1, 5))) for unit in chosen], at)
    if order.id % 5 == 0:
        order.lines.append(
            Line(unit_id=0, sku="AMB", name="Ambalaj cadou", quantity=Decimal(1), price=Decimal(9), vat=21, goods=False)
        )
    return order


def random_buyer(rng: random.Random) -> Buyer:
    city, region, zipcode = rng.choice(catalogue.PLACES)
    firstname, lastname = rng.choice(catalogue.FIRST_NAMES), rng.choice(catalogue.LAST_NAMES)
    number = rng.randrange(1000, 10000)
    buyer = Buyer(
        firstname=firstname,
        lastname=lastname.translate(catalogue.WITH_CEDILLA) if number % 2 else lastname,
        phone=f"0722{number:06d}",
        email=f"client{number}@exemplu.test",
        city=city,
        region=region,
        address=f"{rng.choice(catalogue.STREETS)} {rng.randrange(1, 120)}",
        zipcode=zipcode,
    )
    if number % 3 == 0:
        buyer.company = rng.choice(catalogue.COMPANIES)
        buyer.cui = f"RO{7000000 + number}"
        buyer.reg_no = f"J12/{number}/2019"
    return buyer
