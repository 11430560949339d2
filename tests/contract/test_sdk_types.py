"""The SDK's types name the statuses and members that the contract has."""

import re

import msgspec

from app.contract import order, payment
from app.contract.checkout import CheckoutPayment
from tests.conftest import ROOT

TYPES = (ROOT / "static" / "sdk" / "checkout.d.ts").read_text()


def words_of(name: str) -> set[str]:
    found = re.search(rf"export type {name} =(.*?);", TYPES, re.DOTALL)
    assert found is not None
    return set(re.findall(r'"([a-z]+)"', found[1]))


def test_the_statuses_are_those_of_the_contract() -> None:
    assert words_of("OrderStatus") == set(order.STATUSES)
    assert words_of("PaymentStatus") == set(payment.STATUSES)


def test_the_newest_attempt_has_the_members_that_the_server_tells() -> None:
    found = re.search(r"payment: \{(.*?)\} \| null;", TYPES)
    assert found is not None
    named = re.findall(r"(\w+): ", found[1])
    assert named == [field.name for field in msgspec.structs.fields(CheckoutPayment)]
