"""Uses of an order's received money: each is reserved under the order's lock before it is offered or promised.

Price, top-up, credit and refund take from one sum. What one of them has reserved is not there for the next, so what a
page offers and what a form may ask for come from the same figures (``funds``). Every verb needs the order's lock
(``orders.changing``).
"""

from decimal import Decimal
from uuid import UUID

import msgspec

from app.core import clock, db
from app.core.errors import Conflict
from app.core.i18n import _
from app.core.ids import new_id
from app.core.money import Money
from app.ledger.states import UseKind, UseStatus
from app.orders import service as orders

ZERO = Decimal(0)


class MoneyTaken(Conflict):
    """Another use holds the money. The detail says how much is left."""

    title = "That money is already in use"


class Funds(msgspec.Struct, frozen=True):
    """An order's money and its uses that are not released, in ``currency``.

    ``price``: what the goods cost of it. ``going_back``: refunds asked for or sent, and credit. ``from_price``: the
    part of ``going_back`` that is taken out of the price. ``withdrawn``: the part of the price that units had cost
    which the customer took back.
    """

    currency: str
    received: Decimal
    price: Decimal
    top_up: Decimal
    going_back: Decimal
    from_price: Decimal
    withdrawn: Decimal = ZERO

    @property
    def due(self) -> Decimal:
        """Of the price, what units had cost that the customer took back, as far as it does not go back yet."""
        return max(self.withdrawn - self.from_price, ZERO)

    @property
    def taken(self) -> Decimal:
        """What uses have reserved or spent."""
        return self.price - self.from_price + self.top_up + self.going_back

    @property
    def free(self) -> Money:
        """What no use has reserved; the price of units that the customer took back is none."""
        return Money(max(self.received - self.taken + self.due, ZERO), self.currency)

    @property
    def undecided(self) -> Money:
        """What the customer may decide on: what is free, and what they only keep for a top-up."""
        return Money(self.free.amount + self.top_up, self.currency)

    @property
    def returnable(self) -> Money:
        """What may go back at most: all but what goes back already and what a top-up waits with."""
        return Money(max(self.received - self.going_back - self.top_up, ZERO), self.currency)


async def funds(order_id: UUID) -> Funds:
    """An order's money now; exact under its lock. Raises LookupError for no order."""
    found = await db.fetch_one(_FUNDS, order_id)
    if found is None:
        raise LookupError(f"no order {order_id}")
    return msgspec.convert(dict(found), Funds)


_FUNDS = """SELECT p.currency,
    coalesce((SELECT sum(amount) FROM ledger_entry WHERE order_id = p.id AND account = 'received'), 0) AS received,
    -- What an accepted payment fell short of the price was taken off their part.
    least(u.price, greatest(0, w.cost - greatest(p.total - u.price, 0))) AS withdrawn,
    u.* FROM customer_order p, LATERAL (
      SELECT coalesce(sum(amount) FILTER (WHERE kind = 'price'), 0) AS price,
        coalesce(sum(amount) FILTER (WHERE kind = 'top_up'), 0) AS top_up,
        coalesce(sum(amount) FILTER (WHERE kind IN ('refund', 'credit')), 0) AS going_back,
        coalesce(sum(from_price), 0) AS from_price
      FROM money_use WHERE order_id = p.id AND status <> 'released') u, LATERAL (
      SELECT coalesce(sum(trunc(p.total * unit_price * withdrawn / p.subtotal, 2)), 0) AS cost
      FROM order_item WHERE order_id = p.id AND withdrawn > 0 AND p.subtotal > 0) w
    WHERE p.id = $1"""

# The sum is checked where the row is written: it reads what is committed, so the order's lock must be held.
GUARDED = """INSERT INTO money_use (id, order_id, kind, status, amount, currency, from_price, reference, created_at)
    SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::numeric, $6::text, $7::numeric, $8::text, $9::timestamptz
    WHERE $5::numeric > 0 AND $7::numeric BETWEEN 0 AND $5::numeric
      AND (SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE order_id = $2 AND account = 'received')
        >= $5::numeric - $7::numeric
         + (SELECT coalesce(sum(amount - from_price), 0) FROM money_use WHERE order_id = $2 AND status <> 'released')
      AND (SELECT coalesce(sum(amount) FILTER (WHERE kind = 'price'), 0) - coalesce(sum(from_price), 0)
           FROM money_use WHERE order_id = $2 AND status <> 'released') >= $7::numeric
    RETURNING id"""


async def reserve(order_id: UUID, kind: UseKind, amount: Money, reference: str) -> UUID:
    """Reserve ``amount`` for a use. Returns the use's id.

    A refund takes what units had cost that the customer took back first, then what else is free, then of the price.
    Raises MoneyTaken where that much is not there.
    """
    orders.held(order_id)
    from_price = _from_price(await funds(order_id), amount) if kind is UseKind.REFUND else ZERO
    return await _insert(order_id, kind, UseStatus.RESERVED, amount, from_price, reference)


def _from_price(now: Funds, amount: Money) -> Decimal:
    """What of an amount that leaves is taken out of the price: what is due of it, and what is more than is free."""
    due = min(now.due, amount.amount)
    more = max(amount.amount - now.free.amount, ZERO)
    return min(due + more, max(now.price - now.from_price, ZERO))


async def _insert(
    order_id: UUID, kind: UseKind, status: UseStatus, amount: Money, from_price: Decimal, reference: str
) -> UUID:
    use_id: UUID | None = await db.fetch_value(
        GUARDED, new_id(), order_id, kind.value, status.value, amount.amount, amount.currency, from_price, reference,
        clock.now(),
    )  # fmt: skip
    if use_id is None:
        left = await funds(order_id)
        raise MoneyTaken(_("Only %(free)s of this order's money is still free. Reload the page.", free=left.free))
    return use_id


async def take_price(order_id: UUID, total: Money, allowed: Decimal) -> None:
    """The order is paid: its price takes what came in, once; at most ``allowed`` of it may be missing.

    What was kept for a top-up has done its duty. Raises MoneyTaken where other uses hold the money.
    """
    orders.held(order_id)
    await release(order_id, UseKind.TOP_UP)
    now = await funds(order_id)
    if now.price or not total.amount:
        return
    amount = min(total, now.free)
    if total.amount - amount.amount > allowed:
        raise MoneyTaken(
            _("The price is %(total)s, and %(free)s of this order's money is still free.", total=total, free=now.free)
        )
    if amount.amount:
        await _insert(order_id, UseKind.PRICE, UseStatus.SPENT, amount, ZERO, f"order:{order_id}")


async def keep_for_top_up(order_id: UUID) -> None:
    """The customer adds the rest: what is there is kept for the price until that attempt has ended."""
    orders.held(order_id)
    await release(order_id, UseKind.TOP_UP)
    now = await funds(order_id)
    if now.free.amount:
        await _insert(order_id, UseKind.TOP_UP, UseStatus.RESERVED, now.free, ZERO, "top_up")


async def give_up(order_id: UUID, use_id: UUID) -> bool:
    """A use makes way for the one that it stood for, in the same transaction. False if it is not reserved any more."""
    orders.held(order_id)
    rows = await db.fetch(
        """UPDATE money_use SET status = 'released', ended_at = $3 WHERE id = $1 AND order_id = $2
           AND status = 'reserved' RETURNING id""",
        use_id, order_id, clock.now(),
    )  # fmt: skip
    return bool(rows)


async def record(order_id: UUID, kind: UseKind, amount: Money, reference: str) -> None:
    """The money is gone for good: what was reserved for it is spent. What nobody had reserved is written down, too."""
    orders.held(order_id)
    from_price = ZERO if kind is UseKind.PRICE else _from_price(await funds(order_id), amount)
    await db.fetch(
        """INSERT INTO money_use (id, order_id, kind, status, amount, currency, from_price, reference, created_at,
             ended_at) VALUES ($1, $2, $3, 'spent', $4, $5, $6, $7, $8, $8)
           ON CONFLICT (order_id, kind, reference) WHERE status <> 'released'
           DO UPDATE SET status = 'spent', ended_at = EXCLUDED.ended_at""",
        new_id(), order_id, kind.value, amount.amount, amount.currency, from_price, reference, clock.now(),
    )  # fmt: skip


async def give_credit(order_id: UUID, amount: Money) -> str:
    """Take ``amount`` of what is free for a credit. Returns the use's reference. Raises MoneyTaken."""
    orders.held(order_id)
    reference = f"credit:{new_id()}"
    now = await funds(order_id)
    from_price = min(now.due, amount.amount)
    await _insert(order_id, UseKind.CREDIT, UseStatus.SPENT, amount, from_price, reference)
    return reference


async def release(order_id: UUID, kind: UseKind, reference: str | None = None) -> bool:
    """It is not used after all: uses of this kind, or the one of this ``reference``. False if there was none."""
    orders.held(order_id)
    rows = await db.fetch(
        """UPDATE money_use SET status = 'released', ended_at = $4 WHERE order_id = $1 AND kind = $2
           AND ($3::text IS NULL OR reference = $3) AND status = 'reserved' RETURNING id""",
        order_id, kind.value, reference, clock.now(),
    )  # fmt: skip
    return bool(rows)


async def reserved(order_id: UUID, kind: UseKind, reference: str | None = None) -> bool:
    """Whether money is reserved for exactly this, or for any use of this kind."""
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM money_use WHERE order_id = $1 AND kind = $2
               AND ($3::text IS NULL OR reference = $3) AND status = 'reserved')""",
            order_id, kind.value, reference,
        )
    )  # fmt: skip
