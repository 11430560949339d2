"""The checkout in a merchant's page: another origin, a strict content policy, a real browser."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import FrameLocator, Page, Route, expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.journeys.browsing import OVERFLOW, PHONE, Invite, Visitor
from tests.journeys.samples import Sample, paid, pays, uncovered

AUDIT = Path(__file__).with_name("access.js").read_text()
NOT_IN_A_FRAME = {"0 of nav", "0 of body > header, body > div > header"}
NARROW = {"viewport": {"width": 320, "height": 568}, "color_scheme": "dark"}
FOCUS = "(document.activeElement.shadowRoot || document).activeElement?.tagName"


async def test_a_card_is_paid_with_in_the_shops_own_page(sample: Sample, customer: Visitor) -> None:
    page = customer.page
    async with page.expect_response(re.compile("/embed/events")) as stream:
        frame = await sample.buys(page)
    assert (await (await stream.value).header_value("content-type") or "").startswith("text/event-stream")
    assert page.url.startswith(f"{sample.url}/pay/"), "the customer never leaves the shop"
    await expect(frame.get_by_role("heading", name="$24.00")).to_be_visible()
    await pays(frame, "Card", "4242 4242 4242 4242")
    await expect(frame.get_by_text("Card ending in 4242")).to_be_visible()
    await paid(customer)
    assert await customer.context.cookies() == [], "nobody set a cookie"


async def test_a_declined_card_is_told_once_and_upi_pays_after_it(sample: Sample, customer: Visitor) -> None:
    page = customer.page
    frame = await sample.buys(page)
    await pays(frame, "Card", "4000 0000 0000 0002")
    await expect(frame.get_by_role("heading", name="That did not work")).to_be_visible()
    await expect(frame.get_by_text("The payment was declined. You were not charged.")).to_be_visible()
    await expect(page.locator("#said")).to_contain_text("declined")
    await frame.get_by_role("button", name="Try again").click()
    await pays(frame, "UPI", "fail@test")
    await expect(frame.get_by_role("heading", name="That did not work")).to_be_visible()
    await frame.get_by_role("button", name="Try again").click()
    await pays(frame, "UPI", "success@test")
    await expect(frame.get_by_text("success@test")).to_be_visible()
    await paid(customer)


CALLS = """([key, orderId]) => {
  window.calls = [];
  const note = (name) => (it) => window.calls.push([name, it.status, it.paid, it.payment?.status, it.reason]);
  window.checkout = new BitLoot.Checkout({ key, orderId, onSuccess: note('success'), onFailure: note('failure'),
    onClose: note('close') });
  window.checkout.open();
}"""


async def ready(sample: Sample, page: Page, url: str | None = None) -> tuple[str, FrameLocator]:
    """The shop's page with an open checkout that writes its callbacks down: the order's id and the frame."""
    await page.goto(url or sample.url)
    await page.get_by_role("button", name="Buy").click()
    await expect(page.locator("#pay")).to_be_enabled()
    order_id = await page.locator("#pay").get_attribute("data-order")
    assert order_id is not None
    await page.locator("#pay").focus()
    await page.evaluate(CALLS, [sample.merchant["publishable"], order_id])
    frame = page.frame_locator("bitloot-checkout iframe")
    await expect(frame.locator("#state, .embed-refused")).to_be_visible()
    await uncovered(page)
    return order_id, frame


async def calls(page: Page) -> list[list[object]]:
    return list(await page.evaluate("window.calls"))


async def test_each_callback_comes_once_whatever_is_pressed(sample: Sample, customer: Visitor) -> None:
    page = customer.page
    await customer.never_polls()
    _, frame = await ready(sample, page)
    await page.evaluate("checkout.open(), checkout.open()")
    await expect(page.locator("iframe")).to_have_count(1)
    await pays(frame, "Card", "4000 0000 0000 9995")
    await expect(frame.get_by_text("There is not enough money")).to_be_visible()
    await frame.get_by_role("button", name="Try again").click()
    await pays(frame, "Card", "4242 4242 4242 4242")
    await expect(frame.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    await until(lambda: page.evaluate("calls.length >= 2"), "it is told")
    await frame.get_by_role("button", name="Back to Poster & Sons").click()
    await expect(page.locator("iframe")).to_have_count(0)
    await page.evaluate("checkout.close(), checkout.close(), checkout.open()")
    await expect(frame.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    await page.evaluate("checkout.close()")
    await until(lambda: page.evaluate("calls.length >= 3"), "it is told that nothing new came of the second opening")
    assert await calls(page) == [
        ["failure", "waiting", False, "failed", "insufficient_funds"],
        ["success", "fulfilled", True, "success", "paid"],
        ["close", "fulfilled", True, "success", "closed"],
    ]


async def test_closed_in_the_middle_of_a_payment_the_page_is_told_how_it_ended(
    sample: Sample, customer: Visitor
) -> None:
    page = customer.page
    order_id, frame = await ready(sample, page)
    assert await page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"
    await pays(frame, "Card", "4242 4242 4242 4242")
    await expect(frame.locator("[data-phase=processing]")).to_be_visible()
    await frame.locator("#headline").press("Escape")
    await expect(page.locator("iframe")).to_have_count(0)
    await expect(page.locator("#pay")).to_be_focused()
    assert await page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"
    await until(lambda: page.evaluate("calls.length"), "the page learns of it")
    assert await calls(page) == [["success", "fulfilled", True, "success", "paid"]]
    assert (await sample.api("GET", f"/orders/{order_id}"))["status"] == "fulfilled"


async def test_until_its_script_has_come_it_stays_covered_and_nothing_can_be_pressed(
    sample: Sample, customer: Visitor
) -> None:
    page = customer.page
    come = await customer.lacks("**/js/embed.js*")
    looked: list[str] = []
    page.on("request", lambda asked: looked.append(asked.url) if asked.resource_type == "fetch" else None)
    await page.clock.install()
    await page.goto(sample.url)
    await page.get_by_role("button", name="Buy").click()
    await page.get_by_role("button", name="Pay now").click()
    frame = page.frame_locator("iframe")
    await expect(frame.locator("#state")).to_be_attached()
    await page.clock.fast_forward(2000)
    await page.evaluate("fetch('/').then((answer) => answer.text())")
    assert looked, "the page's own looks are seen"
    assert not [url for url in looked if url.endswith("/checkout.js")], "it asks why the frame says nothing"
    await expect(page.get_by_text("Opening the checkout…")).to_be_visible()
    card = frame.get_by_role("radio", name="Card")
    await card.focus()
    await expect(card).not_to_be_focused()
    come.set()
    await uncovered(page)
    await card.focus()
    await expect(card).to_be_focused()


async def test_opened_offline_it_says_so_and_goes_on_by_itself(sample: Sample, customer: Visitor) -> None:
    page = customer.page
    customer.expects("ERR_INTERNET_DISCONNECTED")
    await page.goto(sample.url)
    await page.get_by_role("button", name="Buy").click()
    await expect(page.locator("#pay")).to_be_enabled()
    await customer.context.set_offline(True)
    await page.get_by_role("button", name="Pay now").click()
    await expect(page.get_by_text("You are offline. The checkout goes on as soon as you are back.")).to_be_visible()
    await customer.context.set_offline(False)
    await expect(page.frame_locator("iframe").get_by_role("radio", name="Card")).to_be_visible()
    await expect(page.get_by_text("You are offline")).to_be_hidden()


async def test_offline_in_the_middle_of_a_payment_nothing_is_told_until_the_server_can_be_asked(
    sample: Sample, customer: Visitor
) -> None:
    page = customer.page
    customer.expects("ERR_INTERNET_DISCONNECTED")
    order_id, frame = await ready(sample, page)
    await pays(frame, "UPI", "success@test")
    await expect(frame.locator("[data-phase=approve]")).to_be_visible()
    await customer.context.set_offline(True)
    await expect(frame.get_by_text("No connection right now. Nothing is lost")).to_be_visible()

    async def fulfilled() -> bool:
        return bool((await sample.api("GET", f"/orders/{order_id}"))["status"] == "fulfilled")

    await until(fulfilled, "it is paid meanwhile")
    assert await calls(page) == []
    await customer.context.set_offline(False)
    await expect(frame.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    await expect(frame.get_by_text("No connection right now")).to_be_hidden()
    await until(lambda: page.evaluate("calls.length"), "success is told")
    assert [call[0] for call in await calls(page)] == ["success"]


async def test_the_frames_word_alone_is_no_success(sample: Sample, customer: Visitor) -> None:
    page = customer.page
    unpaid = asyncio.Event()

    async def not_yet(route: Route) -> None:
        answer = await route.fetch()
        said = await answer.json()
        held = {"status": "waiting", "paid": False, "payment": None} if not unpaid.is_set() else {}
        await route.fulfill(response=answer, json=said | held)

    await page.route("**/embed/orders/*", not_yet)
    _, frame = await ready(sample, page)
    await pays(frame, "Card", "4242 4242 4242 4242")
    async with page.expect_response("**/embed/orders/*"):
        await expect(frame.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    async with page.expect_response("**/embed/orders/*"):
        pass  # asked again, and still no
    assert await calls(page) == []
    unpaid.set()
    await until(lambda: page.evaluate("calls.length"), "success is told")
    assert [call[:3] for call in await calls(page)] == [["success", "fulfilled", True]]


async def test_what_other_windows_say_is_not_listened_to(sample: Sample, customer: Visitor) -> None:
    page = customer.page
    _, frame = await ready(sample, page)

    async def high() -> int:
        box = await page.locator("bitloot-checkout iframe").bounding_box()
        return round(box["height"]) if box else 0  # the dialog's growing ends a hair's breadth off

    sized = "document.querySelector('bitloot-checkout').shadowRoot.querySelector('dialog').style.length"
    await until(lambda: page.evaluate(sized), "it is as high as what it shows")
    before = await high()
    # The page itself and a frame of its own: neither is the gateway's frame.
    await page.evaluate("""() => {
      for (const type of ['close', 'moved', 'ready', 'height'])
        window.postMessage({ bitloot: { type, height: 900 } }, '*');
    }""")
    # And the gateway's origin in another frame than the checkout's.
    await page.evaluate(
        "(url) => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))",
        (await page.locator("bitloot-checkout iframe").get_attribute("src")),
    )
    other = page.frame_locator("body > iframe")
    await expect(other.locator("#state")).to_be_visible()
    await other.locator("#headline").press("Escape")
    await expect(frame.get_by_role("radio", name="Card")).to_be_visible()
    assert await high() == before
    assert await calls(page) == []


async def test_by_keyboard_alone_the_focus_stays_in_the_dialog_and_a_payment_is_made(
    sample: Sample, customer: Visitor
) -> None:
    page = customer.page
    await page.goto(sample.url)
    await page.keyboard.press("Tab")
    await page.get_by_role("button", name="Buy").press("Enter")
    await expect(page.get_by_role("button", name="Pay now")).to_be_enabled()
    await page.get_by_role("button", name="Pay now").press("Enter")
    frame = page.frame_locator("iframe")
    await expect(frame.locator("#headline")).to_be_focused()
    seen = set()
    for key in ["Tab"] * 16 + ["Shift+Tab"] * 16:
        await page.keyboard.press(key)
        where = await page.evaluate(FOCUS)
        assert where in {"BUTTON", "IFRAME", "SPAN"}, f"{key} leads to {where}, out of the dialog"
        seen.add(where)
    assert {"BUTTON", "IFRAME"} <= seen, "both the dialog's own button and the frame are reached"
    await frame.get_by_label("Card number").focus()
    await page.keyboard.type("4242424242424241")
    await expect(frame.get_by_label("Card number")).to_have_value("4242 4242 4242 4241")
    await page.keyboard.press("Tab")
    await page.keyboard.type("1230")
    await expect(frame.get_by_label("Expires")).to_have_value("12 / 30")
    await page.keyboard.press("Tab")
    await page.keyboard.type("123")
    customer.expects("status of 400|^answer 400")
    await page.keyboard.press("Enter")
    number = frame.get_by_label("Card number")
    await expect(number).to_be_focused()
    await expect(number).to_have_attribute("aria-invalid", "true")
    await expect(number).to_have_accessible_description("Check the card number.")
    await expect(number).to_have_value("4242 4242 4242 4241")
    await page.keyboard.press("End")
    await page.keyboard.press("Backspace")
    await page.keyboard.type("2")
    await page.keyboard.press("Enter")
    await expect(frame.locator("#headline")).to_be_focused()
    await paid(customer)


async def test_on_a_narrow_dark_screen_everything_fits(sample: Sample, invite: Invite) -> None:
    for options in (NARROW, PHONE):
        visitor = await invite(**options)
        page = visitor.page
        frame = await sample.buys(page)
        body = frame.locator("html")
        for way in ("Card", "UPI", "Crypto"):
            await frame.get_by_role("radio", name=way, exact=True).check()
            too_wide, culprits = await body.evaluate(OVERFLOW)
            assert too_wide <= 0, f"{way}: {culprits}"
            assert culprits == [], way
        await frame.get_by_role("button", name="Show where to pay").click()
        await expect(frame.locator("#pay-address")).to_be_visible()
        too_wide, culprits = await body.evaluate(OVERFLOW)
        assert (too_wide <= 0, culprits) == (True, [])
        box, width = await page.locator("iframe").bounding_box(), options["viewport"]["width"]  # type: ignore[index]
        assert box is not None
        assert (box["x"], box["width"]) == (0, width), "on a phone it takes the whole screen"
        if options is NARROW:
            assert await body.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 18, 16)"
        await page.get_by_role("button", name="Close the checkout").click()
        await expect(page.locator("iframe")).to_have_count(0)


async def test_coins_are_shown_with_address_and_countdown_and_another_way_can_be_chosen(
    sample: Sample, invite: Invite
) -> None:
    visitor = await invite(permissions=["clipboard-read", "clipboard-write"])
    page = visitor.page
    frame = await sample.buys(page)
    await frame.get_by_role("radio", name="Crypto").check()
    await frame.get_by_role("radio", name="Litecoin").check()
    await frame.get_by_role("button", name="Show where to pay").click()
    address = frame.locator("#pay-address")
    await expect(address).to_be_visible()
    await expect(frame.get_by_role("img", name="QR code")).to_be_visible()
    await expect(frame.get_by_text("Price held for")).to_contain_text(re.compile(r"\d+:\d\d"))
    await frame.get_by_role("button", name="Copy address").click()
    await visitor.has_copied(await address.inner_text())
    await paid(visitor)


async def test_a_look_alike_origin_gets_the_calm_page_and_no_word_of_the_order(sample: Sample, invite: Invite) -> None:
    visitor = await invite()
    visitor.expects("status of 404|^answer 404")
    page = visitor.page
    for host in ("localhost", "127.0.0.1.localhost", "shop.localhost"):
        _, frame = await ready(sample, page, f"http://{host}:{sample.port}")
        await expect(frame.get_by_role("heading", name="This checkout can’t be shown")).to_be_visible()
        await expect(frame.get_by_text("$24.00")).to_have_count(0)
        await until(lambda: page.evaluate("calls.length"), "it is told that it was refused")
        await page.get_by_role("button", name="Close the checkout").click()
        await expect(page.locator("iframe")).to_have_count(0)
        assert await calls(page) == [["failure", "unknown", False, None, "refused"]]


async def test_an_allowed_origin_claimed_by_another_is_refused_by_the_browser(
    env: UpEnvironment, sample: Sample, invite: Invite
) -> None:
    order_id = await sample.order()
    visitor = await invite()
    visitor.expects("frame-ancestors|ERR_BLOCKED_BY_RESPONSE|status of 404|^answer 404|ERR_FAILED|Framing|chrome-error")
    page = visitor.page
    await page.goto(f"http://localhost:{sample.port}/")
    await page.evaluate(
        """([src, id]) => {
          const frame = Object.assign(document.createElement('iframe'), { src, id });
          return new Promise((done) => { frame.onload = done; document.body.append(frame); });
        }""",
        [f"{env.url}/embed/checkout?key={sample.merchant['publishable']}&order={order_id}&origin={sample.url}", "own"],
    )
    inside = page.frames[-1]
    assert "embed/checkout" not in inside.url or await inside.locator("#state").count() == 0


async def test_a_pinned_version_runs_and_a_changed_one_does_not(
    env: UpEnvironment, sample: Sample, invite: Invite
) -> None:
    visitor = await invite()
    page = visitor.page
    version = re.search(r"BitLoot checkout ([\d.]+)\.", (await env.http.get("/checkout.js")).text)
    assert version is not None
    pinned = f"{env.url}/sdk/{version[1]}/checkout.js"
    source = (await env.http.get(pinned)).text
    loads = """([src, integrity]) => new Promise((done) => {
      delete window.PaymentGateway;
      const it = Object.assign(document.createElement('script'), { src, integrity, crossOrigin: 'anonymous' });
      it.onload = it.onerror = () => done(typeof window.PaymentGateway);
      document.head.append(it);
    })"""
    digest = """crypto.subtle.digest('SHA-384', new TextEncoder().encode(s))
      .then((it) => btoa(String.fromCharCode(...new Uint8Array(it))))"""
    await page.goto(sample.url)
    good = await page.evaluate(f"(s) => {digest}", source)
    await page.evaluate(
        "window.trustedTypes.createPolicy('default', { createScriptURL: (it) => it })"
    )  # the test adds scripts
    assert await page.evaluate(loads, [pinned, f"sha384-{good}"]) == "function"
    visitor.expects("integrity|Subresource")
    bad = "sha384-" + "A" * 64
    assert await page.evaluate(loads, [pinned, bad]) == "undefined"


async def test_the_page_is_told_what_it_did_wrong(sample: Sample, customer: Visitor) -> None:
    page = customer.page
    await page.goto(sample.url)
    await page.get_by_role("button", name="Buy").click()
    await expect(page.locator("#pay")).to_be_enabled()
    said = "(given) => { try { new PaymentGateway(given) } catch (error) { return error.message } }"
    assert "publishable key" in await page.evaluate(said, {"key": "bls_secret", "orderId": "x"})
    assert "orderId" in await page.evaluate(said, {"key": sample.merchant["publishable"]})


async def test_every_state_of_the_frame_has_structure_names_and_contrast(sample: Sample, invite: Invite) -> None:
    visitor = await invite(reduced_motion="reduce", viewport={"width": 320, "height": 900})
    visitor.expects("status of 404|^answer 404")
    page = visitor.page
    frame = f"/embed/checkout?key={sample.merchant['publishable']}&origin={sample.url}"

    async def owes_nothing() -> None:
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            found = [fault for fault in await page.evaluate(AUDIT) if fault not in NOT_IN_A_FRAME]
            assert found == [], theme
        await visitor.fits()

    await page.goto(f"{frame}&order=none")
    await owes_nothing()
    await page.goto(f"{frame}&order={await sample.order()}")
    for way in ("UPI", "Crypto", "Card"):
        await page.get_by_role("radio", name=way, exact=True).check()
        await owes_nothing()
    await page.get_by_role("button", name="Pay $").locator("visible=true").click()
    await expect(page.get_by_text("Fill this in.")).to_be_visible()
    await owes_nothing()
    for number, phase in (("4000 0000 0000 0002", "failed"), ("4242 4242 4242 4242", "paid")):
        await page.get_by_role("button", name=number).click()
        await page.get_by_role("button", name="Pay $").locator("visible=true").click()
        await expect(page.locator("[data-phase=processing]")).to_be_visible()
        await owes_nothing()
        await expect(page.locator(f"[data-phase={phase}]")).to_be_visible()
        await owes_nothing()
        if phase == "failed":
            await page.get_by_role("button", name="Try again").click()
