"""What a dead letter would do if it were sent round again, by our own rows alone: one pure sentence a job name.

Facts are read here and handed over, so that each sentence can be tested as a table; no provider is asked.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import msgspec

from app.core import clock
from app.core.i18n import N_, _
from app.fulfillment import queries as supply
from app.fulfillment.models import Reservation
from app.inbox import queries as inbox
from app.inbox.models import KeptNotice
from app.keys import queries as keys
from app.mail import queries as mail
from app.mail.models import LetterState
from app.orders import queries as orders
from app.orders.models import Order
from app.payments import queries as payments
from app.payments.models import Payment
from app.queue.aliases import ALIASES
from app.queue.models import DeadLetter
from app.refunds import queries as refunds
from app.refunds.models import Refund
from app.suppliers.registry import title_of
from app.web.kernel.state_names import spoken

KEY_FORGOTTEN = timedelta(hours=24)  # after this Resend would send the same letter again (resend.md, 4)
OPEN = {"reserved", "ready"}
UNKNOWN = N_("Starts over. Each step first checks whether it is already done.")
GONE = N_("Does nothing: what it was about no longer exists.")


class Facts(msgspec.Struct, frozen=True):
    """What the sentences are about; each of them needs a few of these. ``have``: how many keys are here.

    ``offered``: whether a payment of the order stands at the provider. ``open``: states of an order that can be paid.
    ``age``: of the letter.
    """

    order: Order | None = None
    reservation: Reservation | None = None
    have: int = 0
    notice: KeptNotice | None = None
    payment: Payment | None = None
    offered: bool = False
    open: tuple[str, ...] = ()
    mail: LetterState | None = None
    age: timedelta = timedelta()
    refund: Refund | None = None


async def of(job: DeadLetter) -> str:
    """The sentence for one job with its ``args`` as a dict."""
    if job.name not in JOBS:
        return _(UNKNOWN)
    look, say = JOBS[job.name]
    try:
        return say(await look(job))
    except (KeyError, ValueError):
        return _("Its arguments make no sense: it will fail again.")


def reserve(facts: Facts) -> str:
    order, reservation = facts.order, facts.reservation
    if order is None:
        return _(GONE)
    status = reservation.status if reservation else None
    if reservation and status in {"reserved", "ready", "delivered"}:
        where = _(title_of(reservation.supplier))
        return _(
            "Order %(order)s exists at %(where)s: will not buy again.",
            order=reservation.supplier_order_id,
            where=where,
        )
    if order.status != "paid":
        return _("Does nothing: the order is %(status)s.", status=spoken(order.status))
    if status in {"out_of_stock", "cancelled", "refunded"}:
        return _("Does nothing: the supplier does not deliver it. Try or buy again from the order's page.")
    if reservation and reservation.asked_at:
        where = _(title_of(reservation.supplier))
        return _(
            "Ordered once, but the answer was lost: checks at %(where)s first, and buys only if nothing is there.",
            where=where,
        )
    if order.frozen_at:
        return _("Does nothing: the order is being refunded.")
    return _("Nothing was ordered yet: checks at the supplier first, then buys it.")


def check(facts: Facts) -> str:
    reservation = facts.reservation
    if reservation is None or reservation.status not in OPEN:
        return _closed(reservation)
    where = _(title_of(reservation.supplier))
    return _(
        "Asks %(where)s for the status of order %(order)s. Buys nothing.",
        where=where,
        order=reservation.supplier_order_id,
    )


def collect(facts: Facts) -> str:
    reservation = facts.reservation
    if reservation is None or reservation.status not in OPEN:
        return _closed(reservation)
    return _(
        "Fetches the keys of order %(order)s again: %(have)s of %(units)s keys are here, and only missing ones are "
        "kept.",
        order=reservation.supplier_order_id,
        have=facts.have,
        units=reservation.units,
    )


def _closed(reservation: Reservation | None) -> str:
    return (
        _("Does nothing: the reservation is %(status)s already.", status=spoken(reservation.status))
        if reservation
        else _(GONE)
    )


def notice(facts: Facts) -> str:
    row = facts.notice
    if row is None:
        return _(GONE)
    if row.outcome:
        return _(
            "It was applied already (%(outcome)s): Asks the provider for the current state; what is already done is "
            "not done again.",
            outcome=row.outcome,
        )
    return _("Asks the provider for the current state; what is already done is not done again.")


def payment(facts: Facts) -> str:
    order = facts.order
    if order is None:
        return _(GONE)
    if order.status not in facts.open:
        return _("Does nothing: the order is %(status)s.", status=spoken(order.status))
    if facts.offered:
        return _("Asks for one more payment beside the one that stands. No money moves.")
    return _("Asks NOWPayments for a payment and shows its address. No money moves.")


def payment_check(facts: Facts) -> str:
    if facts.payment is None:
        return _(GONE)
    ours = facts.payment.provider_payment_id
    return _("Asks NOWPayments for the status of payment %(ours)s; a status only moves forward.", ours=ours)


def payment_open(facts: Facts) -> str:
    row = facts.payment
    if row is None:
        return _(GONE)
    if row.provider_payment_id or row.status != "waiting":
        return _("Does nothing: the payment is %(status)s and was opened or ended before.", status=spoken(row.status))
    return _("Asks NOWPayments for the merchant's payment and shows its address. No money moves.")


def payment_play(facts: Facts) -> str:
    row = facts.payment
    if row is None:
        return _(GONE)
    if row.status not in {"waiting", "confirming"}:
        return _("Does nothing: the payment is %(status)s.", status=spoken(row.status))
    return _("Simulates the next step of a test payment. No real money moves.")


LETTER_AGED = {
    "pending": N_("Sends the mail. A day has passed: if an earlier try got through unseen, it is sent a second time."),
    "waiting": N_(
        "If it is still of use, sends the mail. A day has passed: if an earlier try got through unseen, it is sent a "
        "second time."
    ),
}
LETTER = {
    "pending": N_("Sends the mail under the key of its first try: what got through then is not sent twice."),
    "waiting": N_(
        "If it is still of use, sends the mail under the key of its first try: what got through then is not sent twice."
    ),
}


def letter(facts: Facts) -> str:
    row = facts.mail
    if row is None:
        return _(GONE)
    if row.status == "sent":
        return _("Mail was sent already: sends nothing.")
    if row.status not in {"pending", "waiting"}:
        return _("Does nothing: the mail is %(status)s.", status=spoken(row.status))
    if facts.age > KEY_FORGOTTEN:
        return _(LETTER_AGED[row.status])
    return _(LETTER[row.status])


def refund(facts: Facts) -> str:
    row = facts.refund
    if row is None:
        return _(GONE)
    if row.status != "processing":
        return _("Does nothing: the refund is %(status)s.", status=spoken(row.status))
    if row.payout_id:
        return _(
            "Asks NOWPayments for the status of payout %(payout_id)s. Pays nothing out a second time.",
            payout_id=row.payout_id,
        )
    if row.asked_at:
        return _(
            "Requested once, but the answer was lost: looks for that payout first, and pays only if it never came."
        )
    return _("Nothing was paid out yet: requests the payout.")


def refund_play(facts: Facts) -> str:
    row = facts.refund
    if row is None:
        return _(GONE)
    if row.status not in {"pending", "processing"}:
        return _("Does nothing: the refund is %(status)s.", status=spoken(row.status))
    return _("Simulates the next step of a test refund. No real money moves.")


def always(words: str) -> Callable[[Facts], str]:
    return lambda _facts: _(words)


def _id(job: DeadLetter, name: str) -> UUID:
    return UUID(job.args[name])


async def _nothing(job: DeadLetter) -> Facts:
    return Facts()


async def _item(job: DeadLetter) -> Facts:
    reservation = await supply.of_item(_id(job, "item_id"))
    order_id = reservation.order_id if reservation else job.subject
    return Facts(reservation=reservation, order=await orders.one(order_id) if order_id else None)


async def _reservation(job: DeadLetter) -> Facts:
    reservation = await supply.one(_id(job, "reservation_id"))
    have = len(await keys.supplier_ids(reservation.item_id)) if reservation else 0
    return Facts(reservation=reservation, have=have)


async def _notice(job: DeadLetter) -> Facts:
    return Facts(notice=await inbox.one(_id(job, "notice_id")))


def _order(*states: str) -> Callable[[DeadLetter], Awaitable[Facts]]:
    async def look(job: DeadLetter) -> Facts:
        order_id = _id(job, "order_id")
        offered = any(row.provider_payment_id for row in await payments.of_order(order_id))
        return Facts(order=await orders.one(order_id), offered=offered, open=states)

    return look


async def _payment(job: DeadLetter) -> Facts:
    return Facts(payment=await payments.one(_id(job, "payment_id")))


async def _mail(job: DeadLetter) -> Facts:
    row = await mail.one(_id(job, "mail_id"))
    return Facts(mail=row, age=clock.now() - row.created_at if row else timedelta())


async def _refund(job: DeadLetter) -> Facts:
    return Facts(refund=await refunds.one(_id(job, "refund_id")))


JOBS: dict[str, tuple[Callable[[DeadLetter], Awaitable[Facts]], Callable[[Facts], str]]] = {
    "fulfillment.reserve": (_item, reserve),
    "fulfillment.check": (_reservation, check),
    "fulfillment.apply_notice": (_notice, notice),
    "fulfillment.resume_stuck": (
        _nothing,
        always("Looks for paid orders that no job is working on. Buys nothing by itself."),
    ),
    "fulfillment.collect": (_reservation, collect),
    "payments.create": (_order("created", "waiting"), payment),
    "payments.top_up": (_order("underpaid", "expired"), payment),
    "payments.create_for_merchant": (_payment, payment_open),
    "payments.simulate": (_payment, payment_play),
    "payments.apply_notice": (_notice, notice),
    "payments.check": (_payment, payment_check),
    "mail.send": (_mail, letter),
    "fulfillment.report_slow": (_nothing, always("Looks for orders whose key takes too long, and reports each once.")),
    "mail.apply_notice": (_nothing, always("Records what the mail provider said about an email. Sends none.")),
    "orders.mail_lookup": (_nothing, always("Emails a link to the address if it has orders.")),
    "refunds.follow": (_refund, refund),
    "refunds.simulate": (_refund, refund_play),
    "refunds.request": (_nothing, always("Opens a refund for what can still be refunded of the order, if anything.")),
    "refunds.check_address": (_nothing, always("Asks NOWPayments whether the address is valid. Pays nothing.")),
    "fulfillment.return_keys": (
        _nothing,
        always("Returns the order's keys to the supplier, except those returned before."),
    ),
    "fulfillment.check_return": (_nothing, always("Asks the supplier what it has paid back, and records what is new.")),
    "webhooks.publish": (
        _nothing,
        always("Sends the merchant the events of this order that it has not been sent yet."),
    ),
    "webhooks.deliver": (_nothing, always("Sends what is due at this endpoint. What was delivered is not sent again.")),
    "webhooks.catch_up": (_nothing, always("Looks for events that merchants have not been sent yet.")),
    "catalog.sync": (_nothing, always("Reads the supplier's catalog again. Buys nothing.")),
    "catalog.sync_rates": (_nothing, always("Reads the exchange rates again and updates all prices.")),
    "catalog.refresh": (_nothing, always("Reads one product from the supplier again. Buys nothing.")),
    "payments.sync_coins": (_nothing, always("Reads the payment provider's coins again.")),
    "payments.close_forgotten": (_nothing, always("Closes orders that have nothing left to wait for. No money moves.")),
    "keys.retire": (_nothing, always("Deletes sealed keys that are past their time, and no others.")),
    "maintenance.purge": (_nothing, always("Deletes finished jobs that are older than a month.")),
    "ledger.prove": (_nothing, always("Checks the ledger of every order. Changes nothing.")),
    "audit.anchor": (_nothing, always("Saves this hour's signed statement to the store, unless it is there already.")),
}
JOBS |= {old: JOBS[name] for name, old in ALIASES.items() if name in JOBS}
