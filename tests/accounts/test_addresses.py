"""Addresses: what can be written to is normalised, what can't is refused, a slip of the fingers is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.addresses import COMMON, LONGEST, BadEmail, masked, parse, probably_meant

LONG_NAME = "a" * 64

READ = {
    "buyer@example.com": "buyer@example.com",
    "  Buyer@Example.COM \n": "buyer@example.com",
    "first.last+tag@sub.example.co.uk": "first.last+tag@sub.example.co.uk",
    "delivered@resend.dev": "delivered@resend.dev",
    "käufer@müller.de": "käufer@müller.de",
    f"{LONG_NAME}@example.com": f"{LONG_NAME}@example.com",
}
REFUSED = [
    "", "   ", "buyer", "buyer@", "@example.com", "buyer@@example.com", "a b@example.com", "buyer@exam ple.com",
    "buyer@-example.com", "buyer@example", "buyer@example..com", ".buyer@example.com", "buyer.@example.com",
    "buyer@example.com,other@example.com", "buyer@example.com; other@example.com", "Buyer <buyer@example.com>",
    "buyer@example.com\nBcc: other@example.com", "buyer\r\n@example.com", "buyer\x00@example.com", "a\tb@example.com",
    "buyer@exa\u2028mple.com", "buyer\u2028@example.com", "buyer\u0085@example.com", "buyer\x7f@example.com",
    "\u202ebuyer@example.com", "buyer@[127.0.0.1]", "buyer@127.0.0.1", f"{LONG_NAME}a@example.com",
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
