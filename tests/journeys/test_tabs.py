"""Many tabs of one browser, on HTTP/1.1, which allows six connections: they share one stream, and none stands still."""

import re

from playwright.async_api import BrowserContext, Page, Request, expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Visitor
from tests.journeys.merchant_pages import Site
from tests.journeys.samples import pays
from tests.journeys.shopper import Shopper
from tests.journeys.test_interruptions import TABS

MANY = 8
EVENTS = re.compile(r"/(orders/[^/]+|embed)/events")


class Streams:
    """The streams that a browser holds open just now, by its tabs."""

    def __init__(self, context: BrowserContext) -> None:
        self._begun_ones: set[Request] = set()
        self.most = 0
        context.on("request", self._begun)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)

    @property
    def open(self) -> set[Request]:
        """A tab that is closed says no more of its own."""
        return {request for request in self._begun_ones if not request.frame.page.is_closed()}

    def _ended(self, request: Request) -> None:
        self._begun_ones.discard(request)

    def _begun(self, request: Request) -> None:
        if EVENTS.search(request.url):
            self._begun_ones.add(request)
            self.most = max(self.most, len(self.open))


async def _tabs(visitor: Visitor, path: str) -> list[Page]:
    pages = [visitor.page, *[await visitor.context.new_page() for _ in range(MANY - 1)]]
    for page in pages:
        await page.goto(path)
        await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    return pages


async def test_eight_tabs_of_an_open_order_share_one_stream_and_the_shop_goes_on(
    env: UpEnvironment, invite: Invite
) -> None:
    order, visitor = await Shopper.orders(env), await invite()
    await order.payment_id()
    await visitor.context.add_cookies([order.cookie])
    await visitor.never_polls()
    streams = Streams(visitor.context)
    pages = await _tabs(visitor, order.page)
    for page in pages:
        await expect(page.locator("#status[data-stream=up]")).to_be_attached()
    assert (len(streams.open), streams.most) == (1, 1)
    shop = await visitor.context.new_page()
    await shop.goto("/")
    await expect(shop.get_by_role("heading", level=1)).to_be_visible()
    await order.pays("confirming")
    for page in pages:
        await expect(page.get_by_role("heading", name="Payment seen, waiting for confirmations")).to_be_visible()
    # Whoever streams goes away: another one takes its place.
    (stream,) = streams.open
    owner = stream.frame.page
    await owner.close()
    await until(lambda: len(streams.open) == 1 and stream not in streams.open, "another tab streams")
    await order.pays("finished")
    for page in pages:
        if page is not owner:
            await expect(page).to_have_url(re.compile("/success$"))
    assert streams.most <= 2, "the next one may begin while the last one's end is being told"


async def test_a_hidden_tab_lets_its_stream_go_and_has_it_again_when_it_is_shown(
    env: UpEnvironment, invite: Invite
) -> None:
    order, visitor = await Shopper.orders(env), await invite()
    await order.payment_id()
    await visitor.context.add_cookies([order.cookie])
    await visitor.context.add_init_script(TABS)
    streams = Streams(visitor.context)
    first, second = visitor.page, await visitor.context.new_page()
    await first.goto(order.page)
    await until(lambda: len(streams.open) == 1, "the first tab streams")
    await first.evaluate("turnTo(true)")
    await until(lambda: not streams.open, "it lets go")
    await second.goto(order.page)
    await until(lambda: len(streams.open) == 1, "the second one streams")
    await first.evaluate("turnTo(false)")
    await expect(first.locator("#status[data-stream=up]")).to_be_attached()
    assert len(streams.open) == 1
    await second.evaluate("turnTo(true)")
    await until(lambda: {one.frame.page for one in streams.open} == {first}, "the first one streams again")


async def test_tabs_of_different_orders_all_open_and_all_move(env: UpEnvironment, invite: Invite) -> None:
    visitor = await invite()
    visitor.expects("status of 404|^answer 404")  # of an order whose cookie the next one's has replaced
    orders = [await Shopper.orders(env) for _ in range(MANY)]
    streams = Streams(visitor.context)
    pages = []
    for order in orders:
        await order.payment_id()
        page = await visitor.context.new_page()
        await visitor.context.clear_cookies()
        await visitor.context.add_cookies([order.cookie])
        await page.goto(order.page)
        await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
        pages.append(page)
    assert streams.most == 1
    last, order = pages[-1], orders[-1]
    await order.pays("confirming")
    await expect(last.get_by_role("heading", name="Payment seen, waiting for confirmations")).to_be_visible()


async def test_eight_tabs_with_an_open_checkout_share_one_stream_and_each_sees_it_paid(
    site: Site, invite: Invite
) -> None:
    visitor = await invite()
    streams = Streams(visitor.context)
    order_id = await site.order()
    pages = [visitor.page, *[await visitor.context.new_page() for _ in range(MANY - 1)]]
    for page in pages:
        await site.shows(page, order_id, f'<script src="{site.env.url}/checkout.js"></script>')
        await page.get_by_role("button", name="Pay").click()
        await expect(site.frame(page).get_by_role("radio", name="Card")).to_be_visible()
    assert streams.most == 1
    await pays(site.frame(pages[-1]), "Card", "4242 4242 4242 4242")
    for page in pages:
        await expect(site.frame(page).get_by_role("heading", name="Paid", exact=True)).to_be_visible()
