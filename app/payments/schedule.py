"""When to look at a payment again. Pure: with every notice lost, these looks alone complete an order in time."""

from datetime import datetime, timedelta

from app.payments.classify import ENDED, IN_FLIGHT, UNCLEAR
from app.payments.states import PaymentStatus

FIRST_LOOK = timedelta(minutes=1)  # while the rate is held: seen within a minute, it leaves two for the rest
FRESH = timedelta(minutes=30)  # the rate is held for 20, and some pay in the last of them
SHARE = 20  # later a payment is looked at after a further twentieth of its age …
RAREST = timedelta(hours=4)  # … but at least so often
RAREST_IN_FLIGHT = timedelta(minutes=2)  # money that was seen is waited for, however old its attempt
GOOD_FOR = timedelta(days=8)  # an address stays good for 7 days (nowpayments.md, 5); one more to be confirmed
SECOND_LOOK = timedelta(hours=1)  # one that ended still takes further deposits: looked at after one hour, two, four, …


def next_look(status: PaymentStatus, outcome: str | None, since: datetime, now: datetime) -> datetime | None:
    """The time of the next look at a payment made at ``since``; None when there is nothing left to come."""
    age = now - since
    if age > GOOD_FOR:
        return None
    if status in ENDED and outcome not in UNCLEAR:
        return now + max(SECOND_LOOK, age)
    wait = FIRST_LOOK if age < FRESH else min(max(FIRST_LOOK, age / SHARE), RAREST)
    return now + (min(wait, RAREST_IN_FLIGHT) if status in IN_FLIGHT else wait)
