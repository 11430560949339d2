"""Kinguin as its sheet tells it: buying charges at once and nothing protects from buying twice; keys come by and by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx

from dev.simulation.faults import Faults
from dev.simulation.scheduler import Scheduler
from dev.simulation.wire import Answer, encode

PRODUCTS = 12
STOCK = 100_000
SEARCH_LAG = (0.5, 4.0)  # seconds a new order may stay invisible to search
QUICK, SLOW = (0.5, 8.0), (60.0, 900.0)  # seconds until a key is delivered
REFUSES = 0.4  # chance that it notices an external id it has seen before
PATH = "/webhooks/kinguin"


@dataclass(eq=False)
class Product:
    id: str
    number: int
    price: Decimal
    usual: Decimal
    stock: int = STOCK


@dataclass(eq=False)
class Order:
    """One purchase in the supplier's books. ``keys``: id, serial and status of each."""

    id: str
    external_id: str
    product: Product
    quantity: int
    charged: Decimal
    created: datetime
    visible: datetime
    status: str = "processing"
    keys: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Kinguin:
    """What it does with an external id that it knows is not known (section 6): here it refuses it or charges twice."""

    scheduler: Scheduler
    faults: Faults
    secret: str
    send_webhook: Callable[[str, dict[str, str], bytes], None] = lambda *_: None
    name: str = "kinguin"
    orders: dict[str, Order] = field(default_factory=dict)
    products: list[Product] = field(default_factory=list)
    by_external: dict[str, list[Order]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number in range(PRODUCTS):
            price = Decimal(self.faults.chance.randrange(499, 3999)) / 100
            self.products.append(Product(f"{number:024x}", 1000 + number, price, price))

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, headers: httpx.Headers) -> Answer:
        match (method, path.rsplit("/api", 1)[-1].strip("/").split("/")):
            case ("GET", ["v1", "products"]):
                found = [_product(p) for p in self.products] if query.get("page", "1") == "1" else []
                return 200, {"results": found, "item_count": len(self.products)}
            case ("GET", ["v2", "products", wanted]):
                there = [p for p in self.products if p.id == wanted and p.stock]
                return (200, _product(there[0])) if there else (404, _refusal("HttpClient", 404, "Not found"))
            case ("GET", ["v1", "balance"]):
                return 200, {"balance": Decimal("1000000")}
            case ("POST", ["v2", "order"]):
                return self._buy(body)
            case ("GET", ["v1", "order"]):
                seen = [o for o in self.by_external.get(query["orderExternalId"], []) if o.visible <= self._now()]
                return 200, {"results": [_order(o) for o in seen], "item_count": len(seen)}
            case ("GET", ["v1", "order", wanted]) if wanted in self.orders:
                return 200, _order(self.orders[wanted])
            case ("GET", ["v2", "order", wanted, "keys"]) if wanted in self.orders:
                order = self.orders[wanted]
                return 200, [_key(order, k) for k in order.keys if k["status"] == "DELIVERED"]
            case ("POST", ["v2", "order", wanted, "keys", "return"]) if wanted in self.orders:
                return self._take_back(self.orders[wanted])
        return 404, _refusal("OrderNotFound", 404, "Order not found.")

    def broken(self) -> Answer:
        return 500, _refusal("Error", 500, "An unexpected error occurred.")

    def _now(self) -> datetime:
        return self.scheduler.now()

    def _buy(self, body: dict[str, Any]) -> Answer:
        (row,) = body["products"]
        external_id = body["orderExternalId"]
        opaque = 422, _refusal("OrderFailed", 422, "There was a problem with placing order.")
        if self.faults.strikes("order refused without a reason"):
            return opaque
        if external_id in self.by_external and self.faults.chance.random() < REFUSES:
            detail = f'Order with orderExternalId "{external_id}" already exists.'
            return 422, _refusal("ConstraintViolation", 422, detail) | {"propertyPath": "orderExternalId"}
        product = next(p for p in self.products if p.id == row["productId"])
        if product.price > Decimal(str(row["price"])) or product.stock < row["qty"]:
            return 400, _refusal("ProductUnavailable", 400, "Product is not available in requested price or quantity.")
        order = self._take(external_id, product, row["qty"])
        if self.faults.strikes("order refused without a reason after its effect"):
            return opaque
        return 201, _order(order)

    def _take(self, external_id: str, product: Product, quantity: int) -> Order:
        now, number = self._now(), f"K{len(self.orders):010d}"
        lag = self.faults.chance.uniform(*SEARCH_LAG) if self.faults.strikes("found late by search") else 0
        order = Order(
            number, external_id, product, quantity, product.price * quantity, now, now + timedelta(seconds=lag)
        )
        product.stock -= quantity
        self.orders[number] = order
        self.by_external.setdefault(external_id, []).append(order)
        order.keys = [
            {"id": f"{number}{n}", "serial": f"KEY-{number}-{n}", "status": "PENDING"} for n in range(quantity)
        ]
        self._schedule(order)
        return order

    def _schedule(self, order: Order) -> None:
        """When each key comes, or what comes in its place."""
        faults, chance = self.faults, self.faults.chance
        for ending, fault in (("CANCELED", "cancelled by the supplier"), ("REFUNDED", "refunded by the supplier")):
            if faults.strikes(fault):
                self.scheduler.after(chance.uniform(*SLOW), partial(self._end, order, ending))
                return
        delay = chance.uniform(*(SLOW if faults.strikes("delivered slowly") else QUICK))
        parts = faults.strikes("delivered in parts")
        for key in order.keys:
            self.scheduler.after(delay, partial(self._deliver, order, key))
            delay += chance.uniform(1, 90) if parts else 0

    def _deliver(self, order: Order, key: dict[str, str]) -> None:
        if key["status"] == "PENDING":
            key["status"] = "DELIVERED"
            done = all(k["status"] == "DELIVERED" for k in order.keys)
            order.status = "completed" if done else "processing"
            self._notify(order)

    def _end(self, order: Order, ending: str) -> None:
        order.status = ending.lower()
        for key in order.keys:
            key["status"] = ending
        order.product.stock += order.quantity
        self._notify(order)

    def _take_back(self, order: Order) -> Answer:
        if order.status != "completed" or self._now() - order.created > timedelta(hours=24):
            return 400, _refusal("NoKeysToReturn", 400, "No keys to return.")
        for key in order.keys:
            key["status"] = "RETURNED"
        self.scheduler.after(60, lambda: self._end(order, "REFUNDED"))
        return 200, [{"id": k["id"], "status": k["status"]} for k in order.keys]

    def _notify(self, order: Order) -> None:
        self.scheduler.say(f"kinguin {order.id} is {order.status}")
        said = {"orderId": order.id, "orderExternalId": order.external_id, "status": order.status}
        said["updatedAt"] = self._now().isoformat()
        self.send_webhook(PATH, {"x-event-secret": self.secret, "x-event-name": "order.status"}, encode(said))

    def change(self, product: Product) -> None:
        """Say that a product's price or stock has changed."""
        said = {"kinguinId": product.number, "productId": product.id, "qty": product.stock}
        said["updatedAt"] = self._now().isoformat()
        self.send_webhook(PATH, {"x-event-secret": self.secret, "x-event-name": "product.update"}, encode(said))


def _refusal(kind: str, status: int, detail: str) -> dict[str, Any]:
    return {"kind": kind, "status": status, "detail": detail}


def _product(product: Product) -> dict[str, Any]:
    offer = {"offerId": f"of{product.id}", "price": product.price, "qty": product.stock, "textQty": product.stock}
    return {
        "kinguinId": product.number, "productId": product.id, "name": f"Game {product.number}", "platform": "Steam",
        "price": product.price, "qty": product.stock, "textQty": product.stock, "totalQty": product.stock,
        "regionalLimitations": "REGION FREE", "regionId": 3, "releaseDate": "2020-01-01", "offers": [offer],
    }  # fmt: skip


def _order(order: Order) -> dict[str, Any]:
    keys = [{"id": key["id"], "status": key["status"]} for key in order.keys]
    row = {"productId": order.product.id, "qty": order.quantity, "price": order.product.price, "keys": keys}
    return {
        "orderId": order.id, "orderExternalId": order.external_id, "status": order.status, "products": [row],
        "paymentPrice": order.charged, "totalQty": order.quantity, "createdAt": order.created.isoformat(),
    }  # fmt: skip


def _key(order: Order, key: dict[str, str]) -> dict[str, Any]:
    return {"id": key["id"], "serial": key["serial"], "type": "text/plain", "productId": order.product.id}
