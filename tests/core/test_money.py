"""Money: Decimals with their currency; floats and mixed currencies are refused, cents are whole."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import (
    CENT,
    CurrencyMismatch,
    Money,
    UnclearAmount,
    parse_decimal,
    plain,
    typed_amount,
    typed_decimal,
)

amounts = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=2)
coins = st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False, places=18)


@given(st.floats() | st.integers() | st.text(max_size=5) | st.none())
def test_only_a_decimal_becomes_money(value: object) -> None:
    with pytest.raises(TypeError):
        Money(value, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_money_is_finite(text: str) -> None:
    with pytest.raises(ValueError):
        Money(Decimal(text), "USD")


@given(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False))
def test_money_has_whole_cents_nearest_to_what_was_given(value: Decimal) -> None:
    found = Money(value, "USD").amount
    assert found == found.quantize(CENT)
    assert abs(found - value) <= CENT / 2


def test_half_a_cent_rounds_up() -> None:
    assert Money(Decimal("0.005"), "USD").amount == Decimal("0.01")
    assert Money(Decimal("2.675"), "USD").amount == Decimal("2.68")


@given(amounts, amounts)
def test_adding_and_taking_away_undo_each_other(a: Decimal, b: Decimal) -> None:
    assert Money(a, "EUR") + Money(b, "EUR") - Money(b, "EUR") == Money(a, "EUR")


@pytest.mark.parametrize("act", [Money.__add__, Money.__sub__, Money.__lt__, Money.__le__])
def test_currencies_are_never_mixed(act) -> None:
    with pytest.raises(CurrencyMismatch):
        act(Money(Decimal(1), "USD"), Money(Decimal(1), "EUR"))


@pytest.mark.parametrize("factor", [1.5, Decimal("1.5"), "2"])
def test_money_is_multiplied_by_whole_numbers_only(factor: object) -> None:
    with pytest.raises(TypeError):
        Money(Decimal(1), "USD") * factor  # type: ignore[operator]


@given(amounts, st.integers(1, 9))
def test_a_multiple_is_that_many_times_added(amount: Decimal, count: int) -> None:
    one = Money(amount, "USD")
    assert one * count == sum([one] * (count - 1), one)


@given(st.decimals(0, 10**6, places=2), st.decimals(0, 100, places=2))
def test_a_share_is_between_nothing_and_all(amount: Decimal, share: Decimal) -> None:
    whole = Money(amount, "USD")
    assert Money(Decimal(0), "USD") <= whole.percent(share) <= whole


@given(st.floats() | st.booleans() | st.none() | st.lists(st.integers()))
def test_no_number_is_read_from_a_float(value: object) -> None:
    assert parse_decimal(value) is None


@pytest.mark.parametrize("text", ["", "NaN", "inf", "-Infinity", "1,5", "0x10", "1e", "one", "1 2"])
def test_no_number_is_read_from_nonsense(text: str) -> None:
    assert parse_decimal(text) is None


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_from_its_text_exactly(value: Decimal) -> None:
    assert parse_decimal(str(value)) == value


@given(coins)
def test_a_coin_amount_is_written_plainly_and_exactly(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))


def test_money_is_shown_and_sent_with_two_decimals() -> None:
    money = Money(Decimal("1234.5"), "USD")
    assert (str(money), str(Money(Decimal(3), "CHF"))) == ("$1,234.50", "3.00 CHF")
    assert money.as_json() == {"amount": "1234.50", "currency": "USD"}


UNCLEAR = (
    "2,5", "12,50", "1,000", "1,000.00", "1.000,00", "1'000", "1 000", "1\u00a0000", "1e1", "1E1", "1_0", "+1", "-1",
    "(1)", ".5", "5.", "1..5", "1.2.3", "\u0661\u0662", "\uff11", "\u00bd", "\u00b2", "0x10", "NaN", "inf", "", "$",
    "$$1", "1$", "\u20ac5", "5 USD", "1.001", "1\n", "1\x00", "1" * 13,
)  # fmt: skip


@pytest.mark.parametrize("text", UNCLEAR)
def test_a_typed_amount_that_two_people_may_read_differently_is_refused(text: str) -> None:
    with pytest.raises(UnclearAmount, match=r"as digits and a point, such as 1250\.50, without commas or signs"):
        typed_amount(text, "USD")


@pytest.mark.parametrize(
    ("text", "currency", "shown"),
    [
        ("2.5", "USD", "$2.50"), (" 1000 ", "USD", "$1,000.00"), ("0.01", "USD", "$0.01"), ("$12.50", "USD", "$12.50"),
        ("007", "EUR", "€7.00"), ("1.250", "KWD", "1.250 KWD"), ("500", "JPY", "500 JPY"), ("0", "USD", "$0.00"),
    ],
)  # fmt: skip
def test_a_typed_amount_is_digits_and_a_point(text: str, currency: str, shown: str) -> None:
    assert str(typed_amount(text, currency)) == shown


@pytest.mark.parametrize(("text", "currency"), [("1.5", "JPY"), ("1.2505", "KWD"), ("$5", "EUR"), ("1,500", "JPY")])
def test_a_typed_amount_fits_its_currency(text: str, currency: str) -> None:
    with pytest.raises(UnclearAmount):
        typed_amount(text, currency)


def test_money_that_is_owed_has_its_sign_in_front() -> None:
    assert (str(Money(Decimal("-1.5"), "USD")), str(Money(Decimal("-3"), "CHF"))) == ("-$1.50", "-3.00 CHF")
    assert (str(Money(Decimal(0), "USD")), str(Money(Decimal(0), "CHF"))) == ("$0.00", "0.00 CHF")


def test_equal_sums_are_neither_less_nor_more() -> None:
    one, same, more = (Money(Decimal(text), "USD") for text in ("2", "2.00", "2.01"))
    assert (one < same, one <= same, one < more, more < one, more <= one) == (False, True, True, False, False)


def test_round_coin_amounts_keep_their_zeros() -> None:
    assert [plain(Decimal(text)) for text in ("100", "1E+2", "100.00", "0.10", "0")] == [
        "100",
        "100",
        "100",
        "0.1",
        "0",
    ]


@pytest.mark.parametrize("text", ["X5", "5X", "X 5", "XXXX5", "\t5", "5\n"])
def test_only_spaces_around_a_typed_amount_are_let_pass(text: str) -> None:
    for currency in ("USD", "CHF"):
        with pytest.raises(UnclearAmount):
            typed_amount(text, currency)
    assert typed_decimal(text, 2) is None


@pytest.mark.parametrize(
    ("currency", "said"),
    [
        ("USD", "Write the amount as digits and a point, such as 1250.50, without commas or signs."),
        ("KWD", "Write the amount as digits and a point, such as 1250.500, without commas or signs."),
        ("JPY", "Write the amount as digits, such as 1250, without commas or signs."),
    ],
)
def test_a_refused_amount_is_answered_with_how_to_write_it(currency: str, said: str) -> None:
    with pytest.raises(UnclearAmount) as refused:
        typed_amount("one", currency)
    assert str(refused.value) == said


def test_a_share_is_in_hundredths() -> None:
    assert Money(Decimal("200.00"), "USD").percent(Decimal(25)) == Money(Decimal("50.00"), "USD")
    assert Money(Decimal("19.99"), "USD").percent(Decimal(100)) == Money(Decimal("19.99"), "USD")


def test_money_times_a_fraction_says_what_to_use() -> None:
    with pytest.raises(TypeError, match=r"^money is multiplied by whole numbers; use percent\(\) for shares$"):
        Money(Decimal(1), "USD") * 0.5  # type: ignore[operator]


def test_sums_of_two_currencies_are_named_both() -> None:
    with pytest.raises(CurrencyMismatch, match=r"^USD and EUR$"):
        Money(Decimal(1), "USD") + Money(Decimal(1), "EUR")
