"""The described events: what the pages say of an event holds of its example, and of what is published."""

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError

from app.contract import delivery, json_schema, payment
from app.contract.event_guide import EVENTS, OBJECTS, EventType
from app.contract.event_types import TEST, TYPES
from app.payments import api_status
from app.payments.states import PaymentStatus
from app.webhooks import queries, service
from app.webhooks.events import KINDS
from app.webhooks.states import DeliveryStatus
from tests.webhooks import builders

each = pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))


def test_every_promised_event_is_described() -> None:
    assert list(EVENTS) == [*TYPES, TEST]


@each
def test_an_example_fits_its_schema_and_names_nothing_undescribed(event: EventType) -> None:
    schema = json_schema.of_event(event)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(event.payload)
    assert list(event.payload["data"]) == [member.name for member in json_schema.members_of(OBJECTS[event.about])]
    assert list(event.payload) == [*(member.name for member in json_schema.envelope()), "data"]
    told = event.name.partition(".")[2]
    assert event.payload["data"].get("status", "test") == {"overpaid": "success"}.get(told, told)
    assert json.loads(json.dumps(event.payload)) == event.payload


@each
def test_an_event_of_another_kind_does_not_fit(event: EventType) -> None:
    other = EVENTS["refund.failed" if event.about != "refund" else "order.paid"]
    with pytest.raises(ValidationError):
        Draft202012Validator(json_schema.of_event(event)).validate(other.payload)
    with pytest.raises(ValidationError):
        Draft202012Validator(json_schema.of_event(event)).validate(event.payload | {"sequence": 0})


@each
def test_an_event_says_when_it_is_sent_and_what_to_do(event: EventType) -> None:
    assert event.when.endswith(".")
    assert event.do.endswith(".")
    members = json_schema.members_of(OBJECTS[event.about])
    assert all(member.meaning.endswith(".") for member in members)


def test_a_page_names_the_kind_of_each_member() -> None:
    found = {member.name: member for member in json_schema.members_of(OBJECTS["payment"])}
    said = {name: member.kind for name, member in found.items()}
    assert [said[name] for name in ("id", "status", "amount", "overpaid", "created", "metadata", "crypto")] == [
        "id", "text", "money", "flag", "time", "object", "object",
    ]  # fmt: skip
    assert (found["status"].values, found["created"].nullable, found["expires"].nullable) == (
        payment.STATUSES, False, True,
    )  # fmt: skip
    inside = {member.name: member.kind for member in found["crypto"].members}
    assert (inside["amount"], inside["address"]) == ("coins", "text")


def test_examples_have_ids_of_their_own() -> None:
    assert len({event.payload["id"] for event in EVENTS.values()}) == len(EVENTS)


def test_the_described_states_are_the_states_there_are() -> None:
    assert set(payment.STATUSES) == {api_status.WORDS[s] for s in PaymentStatus} | {api_status.CANCELLED}
    assert tuple(DeliveryStatus) == delivery.STATUSES


def fits(payload: str) -> str:
    """The type of a payload that is as described, and describes all it says."""
    event = json.loads(payload)
    told = EVENTS[event["type"]]
    Draft202012Validator(json_schema.of_event(told)).validate(event)
    assert list(event) == list(told.payload)
    assert list(event["data"]) == list(told.payload["data"])
    return str(event["type"])


async def test_what_is_published_is_as_described(app, drain) -> None:
    merchant_id = await builders.merchant()
    order_id = await builders.order(merchant_id)
    payment_id = await builders.payment(order_id)
    refund_id = await builders.refund(order_id, payment_id)
    for kind in KINDS:
        await builders.happens(order_id, kind, payment_id=str(payment_id), refund=str(refund_id))
    endpoint, _secret = await service.add(merchant_id, test=True, url="https://shop.com/hooks")
    await service.send_test_event(endpoint.id, merchant_id)
    await drain(only="webhooks.publish")
    feed = await queries.feed(merchant_id, True, 0, 100)
    assert {fits(row.payload) for row in feed} == set(EVENTS)
    assert len(feed) > len(EVENTS)
