"""The customer names an address: by the mailed link alone, once, and so that a wrong one changes nothing."""

import asyncio

import pytest

from app.accounts.service import LinkSpent
from app.core import db
from app.refunds import claim, queries, service
from app.refunds.addresses import BadAddress
from tests.builders import EMAIL, NOW, count, events, job_names, rows
from tests.refunds.builders import (
    ADDRESS,
    ADMIN,
    asked,
    checked,
    claimed,
    later,
    link_of_purpose,
    paid_for,
    refund,
    token,
    underpaid,
    usd,
)


@pytest.fixture
def kit(app):
    return app.state.kit


async def test_looking_at_a_link_changes_nothing_however_often(kit, box) -> None:
    made = await asked(await underpaid(kit, box))
    before = await rows()
    for _ in range(3):
        found = await claim.look(token(made))
        assert found is not None
        assert found.id == made.id
    assert await rows() == before


async def test_a_named_address_is_kept_and_sent_to_be_checked(kit, box) -> None:
    made = await asked(await underpaid(kit, box))
    await claimed(made, address=f" {ADDRESS} ")
    kept = await refund(made.id)
    assert (kept.address, kept.coin, kept.memo) == (ADDRESS, "usdttrc20", None)
    assert kept.claimed_at is not None
    assert kept.checked_at is None
    assert "refunds.check_address" in await job_names()
    assert await count("link", "purpose = 'refund' AND used_at IS NOT NULL") == 1


@pytest.mark.parametrize(
    ("coin", "address", "memo", "field"),
    [
        ("usdttrc20", "", "", "address"),
        ("usdttrc20", "0x" + "0" * 40, "", "address"),
        ("usdttrc20", ADDRESS, "12", "memo"),
        ("nosuchcoin", ADDRESS, "", "coin"),
        ("xrp", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "abc", "memo"),
    ],
)
async def test_a_wrong_address_is_named_and_nothing_changes(kit, box, coin, address, memo, field) -> None:
    made = await asked(await underpaid(kit, box))
    before = await rows()
    with pytest.raises(BadAddress) as raised:
        await claimed(made, coin=coin, address=address, memo=memo)
    assert raised.value.field == field
    assert await rows() == before
    await claimed(made)


async def test_a_link_is_used_once_and_of_two_at_once_one_address_counts(kit, box) -> None:
    made = await asked(await underpaid(kit, box))
    addresses = [ADDRESS, "TFake" + "y" * 29]

    async def one(address: str) -> str | None:
        try:
            await claimed(made, address=address)
        except LinkSpent:
            return None
        return address

    done = [address for address in await asyncio.gather(*map(one, addresses * 5)) if address]
    assert len(done) == 1
    assert (await refund(made.id)).address == done[0]
    before = await rows()
    with pytest.raises(LinkSpent):
        await claimed(made)
    assert await rows() == before


async def test_no_other_link_names_an_address(kit, box) -> None:
    made = await asked(await underpaid(kit, box))
    first = token(made)
    await claim.send_link_again(made.id)
    forged = token(made)[:-4] + "AAAA"
    links = [first, forged, ""] + [
        await link_of_purpose(EMAIL, purpose, made.order_id) for purpose in ("order", "login", "refund")
    ]
    target = await claim.parse("usdttrc20", ADDRESS, "")
    before = await rows()
    for link in links:
        assert await claim.look(link) is None
        with pytest.raises(LinkSpent):
            await claim.claim(link, target)
    with later(days=15), pytest.raises(LinkSpent):
        await claim.claim(token(await refund(made.id)), target)
    assert await rows() == before
    await claimed(await refund(made.id))


async def test_each_refund_of_an_order_has_a_link_of_its_own(kit, box) -> None:
    order_id = await paid_for(kit, box)
    first, second = await asked(order_id, usd("1.00")), await asked(order_id, usd("2.00"))
    await claimed(second)
    assert (await refund(first.id)).claimed_at is None
    assert (await refund(second.id)).claimed_at is not None


async def test_an_address_that_the_provider_takes_waits_for_an_admin(kit, box) -> None:
    made = await checked(kit, await asked(await underpaid(kit, box)))
    assert made.checked_at is not None
    assert [r.id for r in await queries.waiting()] == [made.id]


async def test_an_address_that_the_provider_refuses_is_asked_for_again_with_words(kit, box, drain) -> None:
    made = await asked(await underpaid(kit, box))
    await claimed(made)
    await db.fetch(
        "UPDATE refund SET address = 'TFake' WHERE id = $1", made.id
    )  # our look at the shape is as strict as the sandbox's
    await drain(only="refunds.check_address")
    now = await refund(made.id)
    assert (now.claimed_at, now.address, now.checked_at) == (None, None, None)
    assert "USDTTRC20 address" in now.error
    assert now.link_id != made.link_id
    assert await count("mail", "kind = 'refund_address'") == 1
    assert (await events(now.order_id))[-1] == "refund.address_refused"
    await claimed(now)
    assert (await refund(made.id)).error is None


async def test_an_amount_below_the_coins_least_is_said_with_the_least(kit, box, drain) -> None:
    made = await asked(await paid_for(kit, box), usd("0.40"))
    await claimed(made)
    await drain(only="refunds.check_address")
    now = await refund(made.id)
    assert now.error == ("$0.40 is too little to send in USDTTRC20: the minimum is 1 USDTTRC20. Choose another coin.")
    assert now.claimed_at is None


async def test_with_the_provider_down_the_check_waits_and_the_claim_stands(kit, box, drain) -> None:
    made = await asked(await underpaid(kit, box))
    await claimed(made)
    await box.fault("nowpayments", "error500", count=2, path="/payout/validate-address")
    await drain(later=True, only="refunds.check_address")
    now = await refund(made.id)
    assert now.checked_at is not None
    assert now.address == ADDRESS


async def test_a_check_that_comes_twice_or_late_changes_nothing(kit, box) -> None:
    made = await checked(kit, await asked(await underpaid(kit, box)))
    await service.fail(made.id, "no", ADMIN)
    before = await rows()
    await claim.check_address(made.id, payouts=kit.payouts, commit=NOW)
    assert await rows() == before


async def test_the_link_is_mailed_again_only_while_it_is_needed(kit, box) -> None:
    made = await asked(await underpaid(kit, box))
    await claim.send_link_again(made.id)
    assert await count("mail", "kind = 'refund_asked'") == 2
    await claimed(await refund(made.id))
    before = await rows()
    with pytest.raises(service.NotDecidable):
        await claim.send_link_again(made.id)
    assert await rows() == before
