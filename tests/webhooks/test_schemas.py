"""The described events: what the pages say of an event holds of its example, and of what is made by ``objects``."""

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError

from app.orders.states import OrderStatus
from app.payments.states import PaymentStatus
from app.refunds.states import RefundStatus
from app.webhooks import objects, schemas
from app.webhooks.schemas import EVENTS, OBJECTS

PROMISED = {
    "order.paid", "order.fulfilled", "payment.pending", "payment.confirming", "payment.success", "payment.failed",
    "payment.expired", "payment.underpaid", "refund.pending", "refund.processed", "refund.failed",
}  # fmt: skip
each = pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))


def test_every_promised_event_is_described() -> None:
    assert set(EVENTS) == PROMISED


@each
def test_an_example_fits_its_schema_and_names_nothing_undescribed(event: schemas.EventType) -> None:
    Draft202012Validator.check_schema(event.schema())
    Draft202012Validator(event.schema()).validate(event.example)
    assert list(event.example["data"]) == [member.name for member in OBJECTS[event.about]]
    assert event.example["data"]["status"] == event.name.partition(".")[2]
    assert json.loads(json.dumps(event.example)) == event.example


@each
def test_an_event_of_another_kind_does_not_fit(event: schemas.EventType) -> None:
    other = EVENTS["refund.failed" if event.about != "refund" else "order.paid"]
    with pytest.raises(ValidationError):
        Draft202012Validator(event.schema()).validate(other.example)
    with pytest.raises(ValidationError):
        Draft202012Validator(event.schema()).validate(event.example | {"sequence": 0})


@each
def test_an_event_says_when_it_is_sent_and_what_to_do(event: schemas.EventType) -> None:
    assert event.when.endswith(".")
    assert event.do.endswith(".")
    assert all(member.meaning.endswith(".") for member in event.members)


def test_examples_have_ids_of_their_own() -> None:
    assert len({event.example["id"] for event in EVENTS.values()}) == len(EVENTS)


def test_the_described_states_are_the_states_there_are() -> None:
    described = {about: {m.name: m for m in members}["status"].values for about, members in OBJECTS.items()}
    assert set(described["order"]) == set(OrderStatus)
    assert set(described["refund"]) == set(RefundStatus)
    assert set(described["payment"]) == {objects.PAYMENT_WORDS[s] for s in PaymentStatus} | {objects.CANCELLED}
