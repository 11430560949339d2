"""The described events: what the pages say of an event holds of its example, and of what is made by ``objects``."""

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError

from app.orders.states import OrderStatus
from app.payments.states import PaymentStatus
from app.refunds.states import RefundStatus
from app.webhooks import objects, queries, schemas, service
from app.webhooks.events import KINDS, TEST, TYPES
from app.webhooks.schemas import EVENTS, OBJECTS
from tests.webhooks import scenes

each = pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))


def test_every_promised_event_is_described() -> None:
    assert set(EVENTS) == {*TYPES, TEST}


@each
def test_an_example_fits_its_schema_and_names_nothing_undescribed(event: schemas.EventType) -> None:
    Draft202012Validator.check_schema(event.schema())
    Draft202012Validator(event.schema()).validate(event.example)
    assert list(event.example["data"]) == [member.name for member in OBJECTS[event.about]]
    told = event.name.partition(".")[2]
    assert event.example["data"].get("status", "test") == {"overpaid": "success"}.get(told, told)
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
    described = {about: m.values for about, members in OBJECTS.items() for m in members if m.name == "status"}
    assert set(described["order"]) == set(OrderStatus)
    assert set(described["refund"]) == set(RefundStatus)
    assert set(described["payment"]) == {objects.PAYMENT_WORDS[s] for s in PaymentStatus} | {objects.CANCELLED}


def fits(payload: str) -> str:
    """The type of a payload that is as described, and describes all it says."""
    event = json.loads(payload)
    Draft202012Validator(EVENTS[event["type"]].schema()).validate(event)
    assert list(event) == list(EVENTS[event["type"]].example)
    assert list(event["data"]) == [member.name for member in OBJECTS[event["object"]]]
    return str(event["type"])


async def test_what_is_published_is_as_described(app, drain) -> None:
    merchant_id = await scenes.merchant()
    order_id = await scenes.order(merchant_id)
    payment_id = await scenes.payment(order_id)
    refund_id = await scenes.refund(order_id, payment_id)
    for kind in KINDS:
        await scenes.happens(order_id, kind, payment_id=str(payment_id), refund=str(refund_id))
    endpoint, _secret = await service.add(merchant_id, test=True, url="https://shop.com/hooks")
    await service.send_test_event(endpoint["id"], merchant_id)
    await drain(only="webhooks.publish")
    feed = await queries.feed(merchant_id, True, 0, 100)
    assert {fits(row["payload"]) for row in feed} == set(EVENTS)
    assert len(feed) > len(EVENTS)
