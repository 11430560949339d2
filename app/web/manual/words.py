"""Each code an API call may be refused with: what it means, and what to do. Pure.

Where a code is a class of ours, its title and status are the class's own.
"""

from dataclasses import dataclass

from app.core.errors import Problem
from app.web.api.answers import CODES


@dataclass(frozen=True, slots=True)
class Told:
    """``again``: whether sending the same request again, with the same Idempotency-Key, may work."""

    means: str
    do: str
    again: bool = False


WORDS = {
    "api_key_missing": Told(
        "The request has no X-Api-Key or no X-Api-Secret header.",
        "Send both. They are made on the keys page; the secret is shown there once.",
    ),
    "invalid_api_key": Told(
        "The key is unknown, revoked or expired, or the secret is not its own. Which of these, nobody is told.",
        "Compare both with what you copied. If the secret is lost, rotate the key.",
    ),
    "scope_missing": Told(
        "The key is good, but may not do this.",
        "Use a key that has the scope named in the detail, or make one.",
    ),
    "rate_limited": Told(
        "This key has used up its requests of the minute.",
        "Wait for the seconds in Retry-After. The RateLimit header of every answer says what is left.",
        again=True,
    ),
    "malformed_body": Told(
        "The body is no JSON, or not in the shape the reference gives. Nothing was kept of it.",
        "Correct the member that field names. Members the reference does not know are refused, too.",
    ),
    "unsupported_media_type": Told(
        "The body was not declared as JSON.", "Send Content-Type: application/json.",
    ),
    "bad_parameter": Told(
        "A parameter in the address is unknown, or its value can't be used.",
        "Correct the one that field names. Cursors are taken from next as they are.",
    ),
    "bad_request": Told("The request can't be read.", "Check it against the reference."),
    "route_not_found": Told("There is no such route.", "Check the path against the reference."),
    "method_not_allowed": Told("The route does not know this method.", "Use one of those in the Allow header."),
    "body_too_large": Told("The body is larger than 64 kB.", "Send less: metadata is for short notes."),
    "internal_error": Told(
        "Something broke on our side. Nothing of it was kept under your Idempotency-Key.",
        "Send it again with the same Idempotency-Key: what was done is not done twice.",
        again=True,
    ),
    "unavailable": Told(
        "We can't answer just now.", "Send it again in a minute, with the same Idempotency-Key.", again=True,
    ),
    "idempotency_key_unusable": Told(
        "The Idempotency-Key is empty, too long or has characters a header can't hold.",
        "Use 1 to 255 printable ASCII characters, such as a UUID.",
    ),
    "idempotency_key_reused": Told(
        "This Idempotency-Key was used for another request in the last 24 hours.",
        "Use a new key for a new act. For a repeat, send the very same method, path and body.",
    ),
    "request_in_progress": Told(
        "The first request with this Idempotency-Key is still being worked on.",
        "Wait for the second in Retry-After and send it again: you get the first one's answer.",
        again=True,
    ),
    "answer_unreadable": Told(
        "The first answer to this Idempotency-Key can't be read any more.",
        "Look at the object itself by GET; the act was done once.",
    ),
    "bad_charge": Told(
        "The order can't be placed as it was asked for.",
        "Correct what field names: the amount, the currency, your reference or the metadata.",
    ),
    "bad_email": Told("The address can't be one.", "Correct it, or leave it out: it is optional."),
    "bad_amount": Told(
        "The amount is no amount of money above zero with two decimals at most.",
        "Send it as a string, such as \"49.90\".",
    ),
    "no_such_order": Told(
        "Your key reaches no order with this id: it is unknown, another merchant's, or of the other mode.",
        "Check the id, and whether a test key asks for a live order.",
    ),
    "order_not_payable": Told(
        "The order is paid, over, or a payment of it is under way.",
        "Look at the order. While a payment is pending, cancel that one first; else place a new order.",
    ),
    "order_not_cancellable": Told(
        "Money is on its way, or the order is finished.", "Wait for how it ends, and refund the payment if need be.",
    ),
    "order_closed": Told("The order is finished.", "Place a new order."),
    "no_such_payment": Told(
        "Your key reaches no payment with this id: it is unknown, another merchant's, or of the other mode.",
        "Check the id, and whether a test key asks for a live payment.",
    ),
    "payment_not_cancellable": Told(
        "The payment is no longer pending: money was seen, or it has ended.",
        "Wait for how it ends. What was paid can be refunded.",
    ),
    "method_not_offered": Told(
        "This way to pay is not there in this mode: cards and UPI exist in test mode only.",
        "Use crypto with a live key, or a test key.",
    ),
    "coin_not_offered": Told(
        "The coin is unknown, switched off, or takes no amount this small.",
        "Choose another, or leave crypto.currency out and let us choose.",
    ),
    "bad_card": Told("The card's number, expiry or CVV can't be true.", "Correct what field names."),
    "bad_vpa": Told("The UPI address can't be one.", "Write it as name@handle."),
    "bad_delay": Told("test_delay is no number of milliseconds.", "Use 0 to 600000, as a string."),
    "too_much": Told(
        "More should go back than the payment brought, less what went back or is on its way.",
        "The detail says how much is left. Refunds asked for at the same time count, too.",
    ),
    "bad_reason": Told("The reason is missing or too long.", "Use 1 to 300 characters."),
    "bad_address": Told(
        "The coins can't be sent to this address.",
        "Check it and its coin, or leave it out: the customer then names one by the claim link.",
    ),
    "no_such_refund": Told(
        "Your key reaches no refund with this id: it is unknown, another merchant's, or of the other mode.",
        "Check the id, and whether a test key asks for a live refund.",
    ),
    "bad_endpoint": Told(
        "The endpoint's URL, name or events can't be used. Live endpoints are https on a public address.",
        "Correct what field names.",
    ),
    "too_many_endpoints": Told("There are 20 endpoints in this mode.", "Remove one that is not needed."),
    "no_such_endpoint": Told(
        "Your key reaches no endpoint with this id.", "Check the id, and whether it is of this key's mode.",
    ),
    "endpoint_disabled": Told("The endpoint is disabled, so nothing is sent to it.", "Enable it first."),
    "no_such_delivery": Told(
        "Your key reaches no delivery with this id.", "Check the id, and whether it is of this key's mode.",
    ),
    "delivery_not_failed": Told(
        "The delivery is in line already, or was delivered.", "Nothing is to be done: only what failed can be retried.",
    ),
    "no_such_checkout": Told(
        "The publishable key, the order and the page's origin don't belong together.",
        "Check the key's mode, the order's id, and that the page's origin is among the allowed ones.",
    ),
    "checkout_over": Told("The checkout was open for too long, or its key was revoked.", "Open it again."),
    "unusable_text": Told("The request holds a NUL character.", "Leave it out."),
}  # fmt: skip


def classes() -> dict[str, type[Problem]]:
    """Our errors by their codes; where two share one, the API's own."""
    found: dict[str, type[Problem]] = {}
    for each in _below(Problem):
        code = _code(each)
        if code not in found or each.__module__.startswith("app.web.api"):
            found[code] = each
    return found


def _below(parent: type[Problem]) -> list[type[Problem]]:
    return [each for child in parent.__subclasses__() for each in (child, *_below(child))]


def _code(each: type[Problem]) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(each.__name__))


def heading(code: str) -> tuple[int, str] | None:
    """A code's status and title; None for one that no call answers with."""
    plain = {name: (status, title) for status, (name, title, _) in CODES.items()}
    if code in plain:
        return plain[code]
    each = classes().get(code)
    return (each.status, each.title) if each and code in WORDS else None
