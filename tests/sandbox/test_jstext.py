"""Numbers and bodies are spelled as JavaScript spells them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.sandbox import jstext


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.000002", "0.000002"), ("0.0000001", "1e-7"), ("1E-8", "1e-8"), ("0.00000123", "0.00000123"),
        ("0.000000123", "1.23e-7"), ("13.0", "13"), ("0.10", "0.1"), ("8.3E-5", "0.000083"), ("100", "100"),
        ("1E+20", "100000000000000000000"), ("1E+21", "1e+21"), ("1.5E+22", "1.5e+22"), ("-0.5", "-0.5"), ("0E-8", "0"),
        ("123456789.000000010", "123456789.00000001"),
    ],
)  # fmt: skip
def test_a_number_is_spelled_as_in_javascript(value: str, text: str) -> None:
    assert jstext.number_text(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**4), max_value=10**4))
def test_no_spelling_changes_the_number(value: Decimal) -> None:
    assert Decimal(jstext.number_text(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_exponent_stands_where_javascript_writes_none(value: float) -> None:
    text = jstext.number_text(Decimal(repr(value)))
    assert ("e" in text) == (value != 0 and not 1e-6 <= abs(value) < 1e21)
    assert float(text) == value


def test_keys_are_sorted_at_every_depth_and_lists_are_left_alone() -> None:
    value = {"b": [3, 1], "a": {"d": None, "c": "ü/\u2028"}}
    assert jstext.dumps(value, ordered=True) == '{"a":{"c":"ü/\u2028","d":null},"b":[3,1]}'.encode()


@pytest.mark.parametrize("raw", [b"NaN", b'{"a":Infinity}', b"[" * 100_000, b'"\\ud800"', b"{", b""])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        jstext.loads(raw)
