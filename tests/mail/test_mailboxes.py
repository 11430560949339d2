"""One mailbox, many spellings; and how many letters it gets that nobody has paid for, whatever the door."""

import asyncio
from datetime import timedelta

import pytest

from app.core import clock
from app.core.rate_limit import TooManyAttempts
from app.mail import mailboxes
from app.mail.kinds import KINDS
from app.mail.mailboxes import FAMILIES, Family, mailbox

# Letters that no stranger can cause: money has come, or a member of staff has acted.
FOLLOW_MONEY = {
    "payment_sent_back", "payment_failed",
    "payment_seen", "payment_short", "payment_late", "overpaid", "wrong_coin", "money_after_cancel", "sold_out",
    "price_jump", "supplier_delay", "supply_failed", "key_ready", "refund_address", "refund_paid", "refund_rejected",
    "endpoint_disabled",
}  # fmt: skip


def test_every_kind_of_letter_is_limited_or_follows_money() -> None:
    assert set(FAMILIES) & FOLLOW_MONEY == set()
    assert set(KINDS) - FOLLOW_MONEY == set(FAMILIES), "say which family of limits a new letter belongs to"


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("Ann@Shop.Test", "ann@shop.test"),
        ("ann+anything@shop.test", "ann@shop.test"),
        ("a.n.n+x@gmail.com", "ann@gmail.com"),
        ("a.nn@googlemail.com", "ann@gmail.com"),
        ("a.n.n@shop.test", "a.n.n@shop.test"),
        ('"ann"@shop.test', "ann@shop.test"),
        (" ann@shop.test. ", "ann@shop.test"),
        ("info@b\u00fccher.de", "info@xn--bcher-kva.de"),
        ("info@xn--bcher-kva.de", "info@xn--bcher-kva.de"),
        ("+@shop.test", "+@shop.test"),
    ],
)
def test_spellings_of_a_mailbox_count_as_one(given: str, same: str) -> None:
    assert mailbox(given) == same


async def test_families_do_not_use_each_other_up(app) -> None:
    assert all([await mailboxes.is_free(Family.ORDERS, f"ann+{n}@shop.test") for n in range(1000)])
    assert not await mailboxes.is_free(Family.ORDERS, "ann@shop.test")
    await mailboxes.take(Family.LINKS, "ann@shop.test")


async def test_links_to_a_mailbox_end_with_the_hour_and_with_the_day(app) -> None:
    """The tests' setting is 1000 letters a day, so 500 in an hour."""
    await asyncio.gather(*(mailboxes.take(Family.LINKS, "ann@shop.test") for _ in range(500)))
    with pytest.raises(TooManyAttempts):
        await mailboxes.take(Family.LINKS, "ann@shop.test")
    with clock.travelled(timedelta(hours=1, seconds=5)):
        await asyncio.gather(*(mailboxes.take(Family.LINKS, "ann@shop.test") for _ in range(500)))
    with clock.travelled(timedelta(hours=3)), pytest.raises(TooManyAttempts):
        await mailboxes.take(Family.LINKS, "ann@shop.test")
    with clock.travelled(timedelta(days=1, hours=3)):
        await mailboxes.take(Family.LINKS, "ann@shop.test")


async def test_one_caller_mails_so_many_mailboxes_an_hour(app) -> None:
    """The tests' setting is 1000 a mailbox, so 3000 for a caller."""
    for start in range(0, 3000, 100):
        several = (mailboxes.take(Family.LINKS, f"p{start + n}@shop.test", caller="192.0.2.1") for n in range(100))
        await asyncio.gather(*several)
    with pytest.raises(TooManyAttempts):
        await mailboxes.take(Family.LINKS, "another@shop.test", caller="192.0.2.1")
    await mailboxes.take(Family.LINKS, "another@shop.test", caller="192.0.2.2")
