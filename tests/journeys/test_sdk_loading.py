"""Every way in which a page can come to have checkout.js: each opens the checkout of the gateway it came from."""

import re

import pytest
from playwright.async_api import expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Visitor
from tests.journeys.merchant_pages import Site

# What stands in the page's head; {any} is the file without a version, {one} a version of it, both without their ending.
WAYS = {
    "a script tag": '<script src="{any}.js"></script>',
    "a script tag that is deferred": '<script defer src="{any}.js"></script>',
    "a script tag that waits for nobody": '<script async src="{any}.js"></script>',
    "a version's script tag": '<script src="{one}.js" crossorigin="anonymous"></script>',
    "a script tag of a module": '<script type="module" src="{any}.js"></script>',
    "a version's script tag of a module": '<script type="module" src="{one}.js"></script>',
    "import() of the script": '<script>import("{any}.js")</script>',
    "import() of a version's script": '<script type="module">await import("{one}.js")</script>',
    "an import of the script for its effect": '<script type="module">import "{one}.js"</script>',
    "an import of the module": """<script type="module">
        import {{ PaymentGateway }} from "{any}.mjs";
        delete window.PaymentGateway; window.Own = PaymentGateway</script>""",
    "an import of a version's module": """<script type="module">
        import {{ Checkout }} from "{one}.mjs"; delete window.PaymentGateway; window.Own = Checkout</script>""",
    "import() of the module": """<script>import("{one}.mjs").then((it) => {{
        delete window.PaymentGateway; window.Own = it.PaymentGateway }})</script>""",
    "a script that another script adds": """<script>
        document.head.append(Object.assign(document.createElement("script"), {{ src: "{one}.js" }}))</script>""",
    "an optimiser that fetches and evaluates it": """<script type="x-text/javascript" src="{one}.js"></script>
        <script>fetch("{one}.js").then((it) => it.text()).then((text) => (0, eval)(text))</script>""",
    "an optimiser that hides its address": """<script type="x-text/javascript" data-later-src="{one}.js"></script>
        <script>fetch("{one}.js").then((it) => it.text()).then((text) => new Function(text)())</script>""",
    "an optimiser that leaves no trace": """<script>fetch("{any}.js").then((it) => it.text()).then((text) => {{
        performance.clearResourceTimings(); new Function(text)() }})</script>""",
    "an optimiser that makes a blob of it": """<script>fetch("{one}.js").then((it) => it.blob()).then((blob) => {{
        const src = URL.createObjectURL(blob);
        document.head.append(Object.assign(document.createElement("script"), {{ src }})) }})</script>""",
    "an optimiser that writes it into the page": "<script>{text}</script>",
    "a bundle of CommonJS modules": '<script src="{shop}/bundle.js"></script>',
    "a bundle named as our file, in the shop's root": '<script src="{shop}/checkout.js"></script>',
    "a loader of modules by names": """<script>window.define = () => {{ throw Error("no anonymous module") }};
        window.define.amd = {{}}</script><script src="{any}.js"></script>""",
    "twice": '<script src="{any}.js"></script><script type="module" src="{one}.js"></script>',
    "under another base address": '<base href="https://elsewhere.example/"><script src="{any}.js"></script>',
}  # fmt: skip


async def version(env: UpEnvironment) -> str:
    found = re.search(r"BitLoot checkout ([\d.]+)\.", (await env.http.get("/checkout.js")).text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("way", WAYS)
async def test_it_opens_the_checkout_however_it_was_loaded(
    way: str, env: UpEnvironment, site: Site, customer: Visitor
) -> None:
    page = customer.page
    text = (await env.http.get("/checkout.js")).text
    bundle = f"""(() => {{ const files = {{ "./checkout.js": (module, exports) => {{ {text} }} }};
      const module = {{ exports: {{}} }}; files["./checkout.js"](module, module.exports);
      delete window.PaymentGateway; window.Own = module.exports.PaymentGateway }})()"""
    for name in ("bundle.js", "checkout.js"):
        site.put(f"/{name}", bundle, "text/javascript")
    names = {"any": f"{env.url}/checkout", "one": f"{env.url}/sdk/{await version(env)}/checkout"}
    script = WAYS[way].format(**names, shop=site.url, text=text)
    await site.shows(page, await site.order(), script)
    await page.wait_for_function("!!(window.Own || window.PaymentGateway)")
    await page.evaluate("checkout(window.Own || window.PaymentGateway).open()")
    await expect(site.frame(page).get_by_role("heading", name="$24.00")).to_be_visible()
    assert page.frames[-1].url.startswith(f"{env.url}/embed/checkout")


async def test_a_version_in_a_bundle_is_told_where_its_gateway_is(
    env: UpEnvironment, site: Site, customer: Visitor
) -> None:
    page = customer.page
    text = (await env.http.get(f"/sdk/{await version(env)}/checkout.js")).text
    await site.shows(page, await site.order(), f"<script>{text}</script>")
    opens = "(more) => { try { checkout(PaymentGateway, more).open() } catch (error) { return error.message } }"
    assert "gateway must be the address of your BitLoot" in await page.evaluate(opens, {})
    for wrong in ("", "pay.example", "javascript:alert(1)", "https://", 7):
        assert "gateway must be the address" in await page.evaluate(opens, {"gateway": wrong}), wrong
    await expect(page.locator("bitloot-checkout")).to_have_count(0)
    assert await page.evaluate(opens, {"gateway": f"{env.url}/"}) is None
    await expect(site.frame(page).get_by_role("heading", name="$24.00")).to_be_visible()
