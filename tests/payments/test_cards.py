"""Cards and VPAs: what they look like, and what is left of them."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payments import cards
from app.payments.cards import BadCard, BadVpa
from app.payments.test_processor import CARDS

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GOOD = {"number": "4242424242424242", "expiry": "11/26", "cvv": "123"}


def completed(digits: str) -> str:
    """With the one check digit that is right."""
    return next(digits + d for d in "0123456789" if cards.luhn(digits + d))


@pytest.mark.parametrize(
    ("number", "network"),
    [
        ("4242424242424242", "visa"), ("4222222222222", "visa"), ("4000000000000000006", "visa"),
        ("5555555555554444", "mastercard"), ("5105105105105100", "mastercard"), ("2221000000000009", "mastercard"),
        ("2720990000000007", "mastercard"), ("378282246310005", "amex"), ("341111111111111", "amex"),
        ("6521111111111110", "rupay"), ("6070000000000002", "rupay"), ("5085000000000007", "rupay"),
        ("8100000000000001", "rupay"), ("6011111111111117", "discover"), ("6445644564456445", "discover"),
        ("6550000000000001", "discover"),
        ("2220990000000000", None), ("2721000000000000", None), ("3530111333300000", "rupay"), ("30569309025904", None),
        ("9111111111111111", None), ("42424242424242", None), ("37828224631000", None),
    ],
)  # fmt: skip
def test_a_network_is_told_by_prefix_and_length(number: str, network: str | None) -> None:
    assert cards.network_of(number) == network


@given(st.text("0123456789", min_size=11, max_size=18))
def test_one_last_digit_of_ten_is_right_and_a_slip_is_seen(digits: str) -> None:
    assert sum(cards.luhn(digits + d) for d in "0123456789") == 1
    good = completed(digits)
    for place in range(len(good)):
        slip = good[:place] + str((int(good[place]) + 1) % 10) + good[place + 1 :]
        assert not cards.luhn(slip)


@pytest.mark.parametrize("number", [*CARDS, "4242 4242 4242 4242", "4242-4242-4242-4242"])
def test_a_good_card_leaves_its_last_four_digits_and_its_network(number: str) -> None:
    cvv = "1234" if number.startswith("37") else "123"
    card = cards.read({"number": number, "expiry": "01/2030", "cvv": cvv}, NOW)
    assert card.last4 == number[-4:]
    assert card.network == cards.network_of(card.number)
    assert card.number not in repr(card)


@pytest.mark.parametrize("expiry", ["11/26", "11/2026", "12/26", "01/27", "11 / 26", "11/46"])
def test_a_card_is_good_to_the_end_of_its_month(expiry: str) -> None:
    assert cards.read(GOOD | {"expiry": expiry}, NOW).network == "visa"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("number", {"number": "4242424242424241"}), ("number", {"number": ""}), ("number", {"number": None}),
        ("number", {"number": 4242424242424242}), ("number", {"number": "4242x42424242424"}),
        ("number", {"number": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"}), ("number", {"number": "0" * 40}),
        ("number", {"number": "3056930902590004"}), ("number", {"number": "4242\u00a04242\u00a04242\u00a04242"}),
        ("expiry", {"expiry": "10/26"}), ("expiry", {"expiry": "11/25"}), ("expiry", {"expiry": "13/30"}),
        ("expiry", {"expiry": "00/30"}), ("expiry", {"expiry": "1/30"}), ("expiry", {"expiry": "2030-01"}),
        ("expiry", {"expiry": "01/030"}), ("expiry", {"expiry": "01/2099"}), ("expiry", {"expiry": "0١/30"}),
        ("expiry", {"expiry": None}), ("expiry", {"expiry": "62/11"}),
        ("cvv", {"cvv": "12"}), ("cvv", {"cvv": "1234"}), ("cvv", {"cvv": "12a"}), ("cvv", {"cvv": 123}),
        ("cvv", {"cvv": "١٢٣"}), ("cvv", {"number": "378282246310005", "cvv": "123"}),
    ],
)  # fmt: skip
def test_a_slip_names_its_field_and_says_nothing_of_the_card(field: str, change: dict) -> None:
    spec = GOOD | change
    with pytest.raises(BadCard) as refused:
        cards.read(spec, NOW)
    assert refused.value.field == field
    for text in (str(spec["number"]), str(spec["cvv"])):
        assert not text or text not in refused.value.detail


@given(st.dictionaries(st.sampled_from(["number", "expiry", "cvv"]), st.none() | st.text() | st.integers()))
def test_whatever_is_specis_read_or_refused(spec: dict) -> None:
    with suppress(BadCard):
        assert cards.luhn(cards.read(spec, NOW).number)


@pytest.mark.parametrize("text", ["name@bank", "success@test", "a.b-c_d9@okhdfcbank", "9876543210@upi"])
def test_a_vpa_is_a_name_at_a_handle(text: str) -> None:
    assert cards.vpa(f" {text} ") == text


@pytest.mark.parametrize(
    "text",
    ["", None, 7, "name", "@bank", "name@", "a@b@c", "na me@bank", "name@ba.nk", "n@bank", "name@1bank",
     "x" * 300 + "@bank", "name@bank\x00", "náme@bank", "name@bank.com"],
)  # fmt: skip
def test_what_is_no_vpa_is_refused(text: object) -> None:
    with pytest.raises(BadVpa) as refused:
        cards.vpa(text)
    assert refused.value.field == "vpa"
