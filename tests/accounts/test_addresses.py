"""Addresses: what can be written to is normalised, what can't is refused, a slip of the fingers is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.addresses import (
    COMMON,
    BadEmail,
    clean,
    key,
    masked,
    parse,
    probably_meant,
    read,
    shown,
    taken,
)
from app.mail.recipients import LONGEST, Unmailable, check_reachable
from app.orders.models import Order
from tests.samples import sample

LONG_NAME = "a" * 64

READ = {  # what is typed → the form that mail carries
    "buyer@shop.io": "buyer@shop.io",
    "  Buyer@Shop.IO \n": "buyer@shop.io",
    "first.last+tag@sub.example.co.uk": "first.last+tag@sub.example.co.uk",
    "delivered@resend.dev": "delivered@resend.dev",
    "info@bücher.de": "info@xn--bcher-kva.de",
    "info@xn--bcher-kva.de": "info@xn--bcher-kva.de",
    "Info@XN--BCHER-KVA.de": "info@xn--bcher-kva.de",
    "info@BÜCHER.de": "info@xn--bcher-kva.de",
    "почта@": None,
    "info@пример.рф": "info@xn--e1afmkfd.xn--p1ai",
    "info@例え。jp": "info@xn--r8jz45g.jp",
    "ｉｎｆｏ＠ｅｘａｍｐｌｅ．ｄｅ": "info@example.de",
    "\ufeffbuyer@shop.io\u200b": "buyer@shop.io",
    "buyer\u200b@shop\u00ad.io": "buyer@shop.io",
    "\u200ebuyer@shop.io\u200f": "buyer@shop.io",
    "buyer@shop.io\u00a0\u3000": "buyer@shop.io",
    "\u200dbuyer@shop.io\u200c": "buyer@shop.io",
    "o'hara!#$%&*+/=?^_`{|}~-@shop.io": "o'hara!#$%&*+/=?^_`{|}~-@shop.io",
    "someone@mail.test": "someone@mail.test",
    f"{LONG_NAME}@shop.io": f"{LONG_NAME}@shop.io",
}
READ = {typed: carried for typed, carried in READ.items() if carried}
REFUSED = [
    "", "   ", "buyer", "buyer@", "@example.com", "buyer@@example.com", "a b@example.com", "buyer@exam ple.com",
    "buyer@-example.com", "buyer@example", "buyer@example..com", ".buyer@example.com", "buyer.@example.com",
    "buyer@example.com,other@example.com", "buyer@example.com; other@example.com", "Buyer <buyer@example.com>",
    "buyer@example.com\nBcc: other@example.com", "buyer\r\n@example.com", "buyer\x00@example.com", "a\tb@example.com",
    "buyer@exa\u2028mple.com", "buyer\u2028@example.com", "buyer\u0085@example.com", "buyer\x7f@example.com",
    "\u202ebuyer@example.com", "buyer@[127.0.0.1]", "buyer@127.0.0.1", f"{LONG_NAME}a@example.com",
    "käufer@müller.de", "ünal@shop.io", "почта@пример.рф", '"a b"@shop.io', '"buyer"@shop.io', "buyer(note)@shop.io",
    "buyer@shop.io.", "mailto:buyer@shop.io", "buyer@shop@io.de", "buyer\u2066@shop.io", "buyer@xn--a.de",
    f"{'a' * 60}@{'ü' * 40}.{'ö' * 40}.{'ä' * 40}.{'é' * 40}.de",
    "a" * 300, f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.com", f"buyer@{'b' * 250}.com",
]  # fmt: skip


@pytest.mark.parametrize(("text", "address"), READ.items())
def test_an_address_is_read_and_normalised(text: str, address: str) -> None:
    assert parse(text) == address


@pytest.mark.parametrize("text", REFUSED)
def test_what_no_mail_could_reach_is_refused_with_advice(text: str) -> None:
    with pytest.raises(BadEmail) as refused:
        parse(text)
    assert refused.value.field == "email"
    assert refused.value.detail.startswith("Enter ")


NOWHERE = [
    "buyer@example.com", "Buyer@EXAMPLE.org", "buyer@mail.example.net", "buyer@test.com", "buyer@test.org",
    "buyer@shop.example", "buyer@shop.invalid", "buyer@printer.local", "buyer@shop.localhost", "buyer@hidden.onion",
]  # fmt: skip


@pytest.mark.parametrize("text", NOWHERE)
def test_a_domain_without_mailboxes_is_refused_at_the_form(text: str) -> None:
    with pytest.raises(BadEmail) as refused:
        parse(text)
    assert refused.value.field == "email"
    assert refused.value.detail.startswith("Enter ")


def test_the_refusal_of_such_a_domain_names_it() -> None:
    with pytest.raises(BadEmail) as refused:
        parse("Ann@Example.com")
    assert refused.value.detail == "Enter your own email address: email does not reach example.com."


def test_dot_test_will_do_where_nothing_is_really_sent_and_nowhere_else() -> None:
    check_reachable("someone@mail.test", test_domain=True)
    with pytest.raises(Unmailable):
        check_reachable("someone@mail.test", test_domain=False)


@pytest.mark.parametrize(
    ("text", "typed", "carried"),
    [
        ("info@xn--bcher-kva.de", "info@xn--bcher-kva.de", "info@xn--bcher-kva.de"),
        (" Info@Bücher.de \n", "Info@Bücher.de", "info@xn--bcher-kva.de"),
        ("Info@XN--BCHER-KVA.de", "info@xn--bcher-kva.de", "info@xn--bcher-kva.de"),
        ("Buyer@Shop.io", "buyer@shop.io", "buyer@shop.io"),
    ],
)
def test_what_was_typed_is_kept_beside_the_form_that_mail_carries(text: str, typed: str, carried: str) -> None:
    found = read(text)
    assert (found.typed, found.email) == (text.strip(), carried)
    assert shown(sample(Order, email=found.email, email_typed=found.kept_typed)) == typed


def test_what_was_typed_before_the_address_was_changed_is_not_shown_any_more() -> None:
    assert shown(sample(Order, email="new@shop.io", email_typed="Old@Shop.io")) == "new@shop.io"


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ann@example.com", "ann@example.com"), ("info@xn--bcher-kva.de ", "info@xn--bcher-kva.de"),
        ("\u200bann@shop.io\n", "ann@shop.io"), ("Käufer@Müller.de", "käufer@müller.de"),
        ('"Ann B"@shop.io', None), ("ann@shop.local", "ann@shop.local"), ("ann@shop.invalid", "ann@shop.invalid"),
        ("nobody", None), ("ann@", None), ("@shop.io", None), ("a b@shop.io", None), ("Ann <ann@shop.io>", None),
        ("ann@shop.io, bob@shop.io", None), ("ann@shop.io\nBcc: bob@shop.io", None), ("ann@shop", None),
    ],
)  # fmt: skip
def test_a_merchant_may_name_what_our_mail_cannot_reach_but_no_nonsense(text: str, email: str | None) -> None:
    if email is not None:
        assert taken(text).email == email
        return
    with pytest.raises(BadEmail):
        taken(text)


@pytest.mark.parametrize("text", ["INFO@bücher.de", " info@xn--bcher-kva.de", "info@XN--BCHER-KVA.DE\u200b"])
def test_one_mailbox_is_looked_up_alike_however_it_is_spelt(text: str) -> None:
    assert key(text) == "info@xn--bcher-kva.de"


@given(st.text(max_size=300))
def test_any_text_has_a_key_to_be_looked_up_by(text: str) -> None:
    assert key(text) == key(key(text))
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("value", [None, 5, 1.5, True, ["buyer@example.com"], {"email": "a@b.co"}, b"a@b.co"])
def test_only_a_text_is_an_address(value: object) -> None:
    with pytest.raises(BadEmail):
        parse(value)


@given(st.text(max_size=320))
def test_any_text_is_read_or_refused_and_what_is_read_is_one_clean_line(text: str) -> None:
    try:
        found = parse(text)
    except BadEmail:
        return
    assert len(found) <= LONGEST
    assert found.count("@") == 1
    assert found.isprintable()
    assert found == parse(found)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("me@gmial.com", "me@gmail.com"),
        ("me@gmail.con", "me@gmail.com"),
        ("Me@Hotmial.com ", "me@hotmail.com"),
        ("me@outlok.com", "me@outlook.com"),
        ("me@protonmial.com", "me@protonmail.com"),
        ("me@iclod.com", "me@icloud.com"),
    ],
)
def test_a_slip_in_a_common_domain_is_noticed(typed: str, meant: str) -> None:
    assert probably_meant(typed) == meant


@pytest.mark.parametrize("domain", COMMON)
def test_a_common_domain_is_never_called_a_slip(domain: str) -> None:
    assert probably_meant(f"me@{domain}") is None


@pytest.mark.parametrize("typed", ["me@example.com", "me@company.io", "gmial.com", "@gmial.com", "", "me@"])
def test_nothing_is_guessed_where_nothing_is_near(typed: str) -> None:
    assert probably_meant(typed) is None


def test_a_masked_address_shows_its_first_letter_and_its_domain_only() -> None:
    assert masked("buyer@example.com") == "b•••@example.com"
