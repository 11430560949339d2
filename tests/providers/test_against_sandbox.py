"""The three clients against the sandbox as a real process: two readings of the same sheets must agree."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from app.providers.http import ApiKeyRejected, ProviderDown, ProviderError, ProviderProtocolError, ProviderRefused
from app.providers.kinguin import (
    DuplicateOrder,
    InsufficientBalance,
    Kinguin,
    OrderFailed,
    OrderNotFound,
    Product,
    ProductUnavailable,
)
from app.providers.nowpayments import AmountTooSmall, CoinUnavailable, NowPayments, PaymentUnknown
from app.providers.resend import AlreadySent, QuotaExhausted, Resend

pytestmark = pytest.mark.processes
BRIEF = 1.5  # seconds a call may take here, where a fault may hold the line


@pytest.fixture
async def nowpayments(box: Any) -> AsyncIterator[NowPayments]:
    client = NowPayments(f"{box.url}/nowpayments/v1", "sandbox-nowpayments-key", total_seconds=BRIEF)
    yield client
    await client.aclose()


@pytest.fixture
async def kinguin(box: Any) -> AsyncIterator[Kinguin]:
    client = Kinguin(f"{box.url}/kinguin/esa/api", "sandbox-kinguin-key", total_seconds=BRIEF)
    yield client
    await client.aclose()


@pytest.fixture
async def resend(box: Any) -> AsyncIterator[Resend]:
    client = Resend(f"{box.url}/resend", "sandbox-resend-key", total_seconds=BRIEF)
    yield client
    await client.aclose()


def order(**changes: Any) -> dict[str, Any]:
    asked = {"price_amount": Decimal("25.50"), "price_currency": "USD", "order_id": f"o-{uuid4()}"}
    return asked | {"order_description": "Order", "ipn_callback_url": "http://127.0.0.1:9/ipn"} | changes


def letter(**changes: Any) -> dict[str, Any]:
    written = {"sender": "Shop <no-reply@shop.example>", "to": "delivered@resend.dev", "subject": "Hello"}
    written |= {"html": "<p>Hi</p>", "text": "Hi", "tags": {"kind": "test"}, "idempotency_key": f"mail/{uuid4()}"}
    return written | changes


async def product_of(kinguin: Kinguin) -> Product:
    page = await kinguin.products(limit=100)
    return next(one for one in page.results if one.text_quantity > 20 and not one.preorder)


def buy(product: Product, **changes: Any) -> dict[str, Any]:
    asked = {"external_id": str(uuid4()), "product_id": product.product_id, "quantity": 1}
    return asked | {"max_unit_price": product.price} | changes


async def test_nowpayments_is_up_and_lists_coins(nowpayments: NowPayments) -> None:
    await nowpayments.health()
    coins = await nowpayments.coins()
    assert {coin.code for coin in coins} <= await nowpayments.currencies()
    assert [coin.code for coin in coins if coin.has_memo]
    least = await nowpayments.min_amount("btc", payout_coin="usdttrc20", fiat="usd")
    assert least.fiat_equivalent is not None
    assert least.amount > 0
    assert await nowpayments.estimate(Decimal("100"), "usd", "btc") > 0
    with pytest.raises(CoinUnavailable):
        await nowpayments.min_amount("luna", payout_coin="usdttrc20")


async def test_an_invoice_is_paid_and_reported(box: Any, nowpayments: NowPayments) -> None:
    asked = order()
    invoice = await nowpayments.create_invoice(**asked, pay_currency="btc", is_fixed_rate=True)
    opened = await nowpayments.pay_invoice(invoice.id, "BTC")
    assert (opened.status, opened.order_id, opened.pay_currency) == ("waiting", asked["order_id"], "btc")
    assert opened.price_amount == Decimal("25.50")
    assert opened.expires_at is not None
    assert opened.pay_address
    await box.pay(opened.payment_id, "success")
    paid = await nowpayments.payment(opened.payment_id)
    assert (paid.payment_id, paid.status, paid.invoice_id) == (opened.payment_id, "finished", invoice.id)
    assert paid.actually_paid == opened.pay_amount


async def test_memo_coins_carry_their_memo(nowpayments: NowPayments) -> None:
    memo = next(coin.code for coin in await nowpayments.coins() if coin.has_memo)
    opened = await nowpayments.create_payment(**order(), pay_currency=memo)
    assert opened.payin_extra_id


async def test_nowpayments_refusals(box: Any, nowpayments: NowPayments) -> None:
    with pytest.raises(PaymentUnknown):
        await nowpayments.payment("1")
    with pytest.raises(AmountTooSmall):
        await nowpayments.create_payment(**order(price_amount=Decimal("0.01")), pay_currency="btc")
    stranger = NowPayments(f"{box.url}/nowpayments/v1", "wrong")
    with pytest.raises(ApiKeyRejected):
        await stranger.currencies()
    await stranger.aclose()


async def test_a_key_is_bought_found_and_fetched(kinguin: Kinguin) -> None:
    await kinguin.health()
    before, product = await kinguin.balance(), await product_of(kinguin)
    assert product.platform
    assert product.region
    wish = buy(product, quantity=3)
    assert await kinguin.find(wish["external_id"]) is None
    bought = await kinguin.reserve(**wish)
    found = await kinguin.find(wish["external_id"])
    assert found is not None
    assert (found.order_id, found.external_id, found.quantity) == (bought.order_id, wish["external_id"], 3)
    assert bought.charged == before - await kinguin.balance()
    state = await kinguin.get_delivered(bought.order_id)
    assert (state.status, state.delivered) == ("completed", 3)
    keys = await kinguin.keys(bought.order_id)
    assert {key.id for key in keys} == {key.id for key in state.keys}
    assert all(key.media_type == "text/plain" and key.serial.reveal() for key in keys)
    assert [key.status for key in await kinguin.return_keys(bought.order_id)] == ["delivered"] * 3


async def test_the_catalogue_pages_without_gap_or_repeat(kinguin: Kinguin) -> None:
    seen: list[str] = []
    page = await kinguin.products(page=1, limit=25)
    total = page.total or 0
    for number in range(1, total // 25 + 2):
        page = await kinguin.products(page=number, limit=25)
        assert page.odd == ()
        seen += [product.product_id for product in page.results]
    assert len(seen) == len(set(seen)) == total
    one = await kinguin.product(seen[0])
    assert one is not None
    assert one.product_id == seen[0]
    assert (await kinguin.search(one.original_name)).results
    assert await kinguin.product("0" * 24) is None


async def test_partial_delivery_and_images(box: Any, kinguin: Kinguin) -> None:
    product = await product_of(kinguin)
    await box.set_product(product.product_id, partial=1)
    bought = await kinguin.reserve(**buy(product, quantity=2))
    state = await kinguin.get_delivered(bought.order_id)
    assert (state.status, state.delivered, len(await kinguin.keys(bought.order_id))) == ("processing", 1, 1)
    await box.act(bought.order_id, "deliver")
    assert (await kinguin.get_delivered(bought.order_id)).delivered == 2
    await box.set_product(product.product_id, partial=None, image=True)
    pictures = await kinguin.reserve(**buy(product), text_only=False)
    assert (await kinguin.keys(pictures.order_id))[0].media_type.startswith("image/")


async def test_kinguin_refusals(box: Any, kinguin: Kinguin) -> None:
    product = await product_of(kinguin)
    with pytest.raises(ProductUnavailable):
        await kinguin.reserve(**buy(product, max_unit_price=Decimal("0.01")))
    with pytest.raises(ProviderRefused):
        await kinguin.reserve(**buy(product, quantity=0))
    for unknown in (kinguin.get_delivered("NOSUCHORDER"), kinguin.keys("NOSUCHORDER"), kinguin.return_keys("X")):
        with pytest.raises(OrderNotFound):
            await unknown
    await box.set_product(product.product_id, stock=0)
    with pytest.raises(ProductUnavailable):
        await kinguin.reserve(**buy(product))
    await box.reset()
    await box.settings(balance="0.01")
    with pytest.raises(InsufficientBalance):
        await kinguin.reserve(**buy(product))
    stranger = Kinguin(f"{box.url}/kinguin/esa/api", "wrong")
    with pytest.raises(ApiKeyRejected):
        await stranger.balance()
    await stranger.aclose()


async def test_a_used_external_id_is_named_and_twins_are_seen(box: Any, kinguin: Kinguin) -> None:
    wish = buy(await product_of(kinguin))
    first = await kinguin.reserve(**wish)
    with pytest.raises(DuplicateOrder):
        await kinguin.reserve(**wish)
    await box.settings(duplicateMode="accept")
    second = await kinguin.reserve(**wish)
    assert second.order_id != first.order_id
    twins = {first.order_id, second.order_id}
    assert {one.order_id for one in await kinguin.find_all(wish["external_id"])} == twins
    found, again = await kinguin.find(wish["external_id"]), await kinguin.find(wish["external_id"])
    assert found == again
    assert found is not None
    assert found.order_id in twins


async def test_an_order_that_failed_after_all_is_found(box: Any, kinguin: Kinguin) -> None:
    wish = buy(await product_of(kinguin))
    await box.fault("kinguin", "error500_after_effect", count=1, path="/v2/order")
    with pytest.raises(ProviderDown) as down:
        await kinguin.reserve(**wish)
    assert down.value.may_have_happened
    assert await kinguin.find(wish["external_id"]) is not None
    await box.fault("kinguin", "order_failed", count=1)
    with pytest.raises(OrderFailed):
        await kinguin.reserve(**buy(await product_of(kinguin)))


async def test_letters_are_taken_once(box: Any, resend: Resend) -> None:
    await resend.health()
    written = letter()
    sent = await resend.send(**written)
    assert await resend.send(**written) == sent
    with pytest.raises(AlreadySent):
        await resend.send(**written | {"text": "Other"})
    assert [mail["id"] for mail in await box.mail()] == [sent]
    with pytest.raises(ProviderRefused):
        await resend.send(**letter(to="buyer@example.com"))
    stranger = Resend(f"{box.url}/resend", "wrong")
    for asked in (stranger.send(**letter()), stranger.health()):
        with pytest.raises(ApiKeyRejected):
            await asked
    await stranger.aclose()


async def test_mail_limits_say_when(box: Any, resend: Resend) -> None:
    await box.fault("resend", "quota", count=1)
    with pytest.raises(QuotaExhausted):
        await resend.send(**letter())
    await box.fault("resend", "concurrent", count=1)
    with pytest.raises(ProviderDown) as down:
        await resend.send(**letter())
    assert down.value.retry_after


FAULTS: list[tuple[str, type[ProviderError], bool]] = [
    ("error500", ProviderDown, True),
    ("error500_after_effect", ProviderDown, True),
    ("timeout_after_effect", ProviderDown, True),
    ("rate_limit", ProviderDown, False),
    ("html_garbage", ProviderProtocolError, True),
]


@pytest.mark.parametrize(("mode", "error", "happened"), FAULTS)
@pytest.mark.parametrize("provider", ["nowpayments", "kinguin", "resend"])
async def test_faults_have_one_meaning_everywhere(
    box: Any, nowpayments: NowPayments, kinguin: Kinguin, resend: Resend,
    provider: str, mode: str, error: type[ProviderError], happened: bool,
) -> None:  # fmt: skip
    product = await product_of(kinguin)
    calls = {
        "nowpayments": lambda: nowpayments.create_invoice(**order()),
        "kinguin": lambda: kinguin.reserve(**buy(product)),
        "resend": lambda: resend.send(**letter()),
    }
    await box.fault(provider, mode, count=1)
    with pytest.raises(error) as failed:
        await calls[provider]()
    assert type(failed.value) is error
    assert failed.value.may_have_happened is happened
    if mode == "rate_limit":
        assert failed.value.retry_after == 1
    assert await calls[provider]()
