"""Every form that posts takes effect once however often it is sent, or is of a kind where that goes without saying."""

import re

from tests.house.source import ROOT

FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
ACTION = re.compile(r'\baction="([^"]*)"')
CARRIES_A_KEY = ("{{ once(csrf_token) }}", "{{ hidden(csrf_token, ctx) }}", 'name="_form_key"')

# Forms without a key, by action: sent twice, they leave what sending once leaves.
IDEMPOTENT = {
    "/cart": "the cart is in the browser's cookie: both presses start from the same one",
    "/cart/{{ line.product.slug }}": "sets a quantity; a later one must win, even from the same page",
    "/fulfillment/{{ order.id }}/reveal": "shows the same key again, and what it shows is stored nowhere",
    "/logout": "ends what may have ended already",
    "/admin/logout": "ends what may have ended already",
    "/admin/login": "opens the same person's session; nothing that is made of a password is stored",
    "/admin/audit/exports": "downloads a file, and writes down each download",
    "/merchant/choices": "sets where one works",
}


def posting() -> list[tuple[str, str, str]]:
    """File, action and text of each form that posts; the sandbox's own pages are no part of the shop."""
    found = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        name = str(path.relative_to(ROOT / "templates"))
        if name.startswith("sandbox/"):
            continue
        for form in FORM.findall(path.read_text()):
            if 'method="post"' in form[: form.index(">")]:
                action = ACTION.search(form)
                assert action is not None, name
                found.append((name, action[1], form))
    return found


def test_every_posting_form_carries_a_key_or_is_listed_with_a_reason() -> None:
    forms = posting()
    assert len(forms) > 50
    without = {action for _, action, text in forms if not any(mark in text for mark in CARRIES_A_KEY)}
    assert without == set(IDEMPOTENT)


def test_a_listed_form_carries_no_key_anywhere() -> None:
    keyed = {action for _, action, text in posting() if any(mark in text for mark in CARRIES_A_KEY)}
    assert keyed & set(IDEMPOTENT) == set()


def test_pages_send_no_form_by_script_alone() -> None:
    """``hx-post`` stands only on forms, so that the rule above sees all of them."""
    bare = []
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        inside = sum(form[: form.index(">") + 1].count("hx-post=") for form in FORM.findall(text))
        if text.count("hx-post=") != inside:
            bare.append(path.name)
    assert bare == []
