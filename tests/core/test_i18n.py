"""Which language is chosen, and what a text is in it."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po

from app.core import i18n
from app.core.i18n import N_, _, ngettext
from scripts import texts


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
        ("", "EN", "en"),
        ("", "en-xa, EN;q=0.2", "en-XA"),
        ("", "EN-us", "en"),
        ("", "en-XA;q=1e9999999", "en"),
        ("", "en-XA;q=1e999999999999999999, en;q=0.1", "en"),
        ("", "en-XA;q=1.001", "en"),
        ("", "en-XA;q=0.0001", "en"),
        ("", "en-XA;q=-1", "en"),
        ("", "en-XA;q=Infinity", "en"),
        ("", "en-XA;q=\u0661", "en"),
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


def test_a_catalog_that_was_begun_and_translated_in_part_is_read_with_its_plural_forms(tmp_path: Path) -> None:
    begun = read_po(BytesIO(), locale="pl")
    begun.update(texts.catalog(), no_fuzzy_matching=True)
    begun["Sold out"].string = "Wyprzedane"
    begun[("%(num)d minute", "%(num)d minutes")].string = ("%(num)d minuta", "%(num)d minuty", "%(num)d minut")
    path = tmp_path / "messages.po"
    with path.open("wb") as file:
        write_po(file, begun)
    polish = i18n.read(path, "pl")
    assert polish.gettext("Sold out") == "Wyprzedane"
    assert polish.gettext("Not sold") == "Not sold"
    assert [polish.ngettext("%(num)d minute", "%(num)d minutes", n) % {"num": n} for n in (1, 2, 5)] == [
        "1 minuta", "2 minuty", "5 minut",
    ]  # fmt: skip
