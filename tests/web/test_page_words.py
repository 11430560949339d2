"""What pages say, word for word, where an earlier wording misled people."""

from decimal import Decimal

import pytest

from app.audit.models import ShownLine
from app.catalog import service as catalog
from app.history.models import Event
from app.payments.classify import NEEDS_REVIEW, Outcome
from app.web.kernel.browsers import browser_name
from app.web.kernel.viewer import HOLDER
from app.web.store import access_log, order_texts
from tests.samples import sample
from tests.web.builders import place, product, submit

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


async def with_a_game(browser) -> None:  # type: ignore[no-untyped-def]
    await submit(browser, "/cart", {"slug": (await product(browser))["slug"], "quantity": "1"})


async def test_the_bill_says_ten_percent_off_with_the_code_and_coins_say_their_minimum(visitor) -> None:
    browser = visitor()
    await catalog.create_discount("WELCOME10", Decimal(10))
    await with_a_game(browser)
    page = (await browser.get("/checkout?discount_code=welcome10")).text
    assert "10 % off with WELCOME10" in page
    assert "10.00 %" not in page
    assert '<small class="num">min. $' in page
    assert '<small class="num">from $' not in page


async def test_the_order_page_says_how_long_the_price_is_held_and_what_then(client, visitor, drain) -> None:
    bought = await place(client)
    await drain()
    page = (await visitor(**bought.bearer).get(f"/orders/{bought.id}")).text
    assert "Price held for" in page
    assert "After that we ask a new amount." in page
    assert "send so that exactly this arrives" in page


async def test_before_the_button_the_page_says_that_a_revealed_key_is_not_refunded(visitor, ready) -> None:
    page = (await visitor(**ready.bearer).get(f"/orders/{ready.id}/success")).text
    warning, button = page.index("Once you reveal it, it can’t be refunded."), page.index("Reveal key")
    assert warning < button


async def test_the_access_log_names_the_reader_the_others_and_their_browsers(visitor, ready) -> None:
    mine = {"user-agent": CHROME, **ready.bearer}
    await visitor(**mine).post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id})
    await visitor(**{"user-agent": "Nosy/1.0"}).get(f"/orders/{ready.id}")
    page = (await visitor(**mine).get(f"/orders/{ready.id}/audit")).text
    assert "You (this browser)" in page
    assert "Chrome on Linux" in page
    assert "Someone else" in page
    elsewhere = (await visitor(**ready.bearer).get(f"/orders/{ready.id}/audit")).text
    assert "Your order link, another browser" in elsewhere
    assert "You (this browser)" not in elsewhere


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (CHROME, "Chrome on Linux"),
        (CHROME.replace("X11; Linux x86_64", "Windows NT 10.0; Win64; x64") + " Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605 Version/17.5 Safari/605", "Safari on Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "Firefox on Android"),
        ("Mozilla/5.0 (compatible)", ""),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.27.0", "python-httpx"),
        ("", ""),
        ("<script>", ""),
    ],
)
def test_a_browser_is_named_as_people_name_it(user_agent: str, words: str) -> None:
    assert browser_name(user_agent) == words


def test_of_another_browser_with_the_orders_link_it_is_not_said_that_it_is_the_reader() -> None:
    entry = sample(ShownLine, actor=HOLDER, ip="203.0.113.7", user_agent=CHROME)
    assert access_log.who(entry, ip="203.0.113.7", user_agent=CHROME) == "You (this browser)"
    assert access_log.who(entry, ip="203.0.113.8", user_agent=CHROME) == "Your order link, another browser"


def test_the_timeline_names_what_arrived_instead_of_something() -> None:
    named = {
        outcome: order_texts.event_text(sample(Event, kind="payment.parked", data={"outcome": outcome}))
        for outcome in NEEDS_REVIEW - {Outcome.LATE}
    }
    assert "A payment needs a decision" not in named.values()
    assert named[Outcome.WRONG_COIN] == "Another coin arrived than the one we asked for"
    assert named[Outcome.FURTHER_DEPOSIT] == "A second payment arrived"
    assert order_texts.event_text(sample(Event, kind="payment.parked")) == "A payment needs a decision"
