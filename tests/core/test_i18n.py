"""Which language is chosen, and what a text is in it."""

import pytest

from app.core import i18n
from app.core.i18n import N_, _, ngettext


@pytest.mark.parametrize(
    ("cookie", "accepted", "chosen"),
    [
        ("", "", "en"),
        ("", "en-XA", "en-XA"),
        ("", "xx;q=1, en-XA;q=0.4, en;q=0.9", "en"),
        ("", "xx, en-XA;q=0.8, en;q=0.1", "en-XA"),
        ("", "en;q=0, en-XA;q=x", "en"),
        ("", "*", "en"),
        ("en-XA", "en", "en-XA"),
        ("en", "en-XA", "en"),
        ("../../etc/passwd", "en-XA", "en-XA"),
        ("", "\x00;;q=,,=" * 9000, "en"),
    ],
)
def test_the_cookie_comes_before_what_the_browser_asks_for(cookie: str, accepted: str, chosen: str) -> None:
    assert i18n.choose(cookie, accepted) == chosen


def test_english_is_the_text_as_it_stands() -> None:
    assert _("100% of %(games)s") == "100% of %(games)s"
    assert _("100%% of %(games)s", games="Hades") == "100% of Hades"
    assert N_("Paid") == "Paid"
    assert [ngettext("%(num)d key", "%(num)d keys", n) for n in (0, 1, 2)] == ["0 keys", "1 key", "2 keys"]


def test_the_pseudo_language_keeps_placeholders_and_markup() -> None:
    with i18n.speaking(i18n.PSEUDO):
        assert _("Order %(number)s", number="AB12") == "⟦Ördér AB12⟧"
        assert _('<a href="/cart">Cart</a> {held} &amp; 5%%') == '⟦<a href="/cart">Çårt</a> {held} &amp; 5%%⟧'
        assert _(_("Paid")) == "⟦Påîd⟧"
        assert _("") == ""
        assert ngettext("%(num)d key", "%(num)d keys", 3) == "⟦3 kéýs⟧"
    assert _("Paid") == "Paid"


def test_a_language_that_we_do_not_ship_is_english() -> None:
    assert i18n.known("de-AT") == "en"
    with i18n.speaking("xx"):
        assert _("Paid") == "Paid"
