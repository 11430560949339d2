"""Every code that the API refuses with: its status, what it means, what to do, and whether a repeat may fare better.

The one source of it: answers, the pages at ``/docs/errors`` and the OpenAPI document all read it from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.accounts.addresses import BadEmail
from app.core.errors import Problem
from app.merchants.api_keys import InvalidApiKey
from app.merchants.idempotency import AnswerUnreadable, IdempotencyKeyReused, IdempotencyKeyUnusable, RequestInProgress
from app.orders.merchant_orders import BadCharge, NoSuchOrder, OrderNotCancellable
from app.payments.cards import BadCard, BadVpa
from app.payments.create import CoinNotOffered
from app.payments.create_for_merchants import MethodNotOffered, NoSuchPayment, OrderNotPayable, PaymentNotCancellable
from app.payments.test_processor import BadDelay
from app.refunds.addresses import BadAddress
from app.refunds.create_for_merchants import BadAmount, BadReason, PaymentNotCaptured
from app.refunds.service import NoSuchRefund, TooMuch
from app.web.api.authentication import ApiKeyMissing, RateLimited, ScopeMissing
from app.web.api.bodies import MalformedBody, UnsupportedMediaType, UnusableValue
from app.web.api.query_parameters import BadParameter
from app.web.embed.checkout_session import CheckoutOver, NoSuchCheckout
from app.web.kernel.body import UnusableText
from app.webhooks.service import (
    BadEndpoint,
    DeliveryInLine,
    DeliveryUndeliverable,
    EndpointDisabled,
    NoSuchDelivery,
    NoSuchEndpoint,
    TooManyEndpoints,
    TooManySecrets,
)

UNFIT = 422  # well-formed, and a value can't be used (RFC 9110, 15.5.21)


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """``final``: the request itself can never work, so the refusal is kept under its Idempotency-Key.

    ``again``: the very same request, with the same Idempotency-Key, may work later. Never both.
    """

    status: int
    title: str
    means: str
    do: str
    final: bool = False
    again: bool = False


CATALOG: dict[str, ErrorCode] = {  # first those of answers that no class of ours stands for
    "bad_request": ErrorCode(
        400, "That request can't be used", "The request can't be read.", "Check it against the reference.",
    ),
    "route_not_found": ErrorCode(
        404, "No such route", "There is no such route.", "Check the path against the reference.",
    ),
    "method_not_allowed": ErrorCode(
        405, "That method is not allowed here", "This route does not accept the method.",
        "Use one of those in the Allow header.",
    ),
    "body_too_large": ErrorCode(
        413, "That is too large", "The body is larger than 64 kB.", "Send at most 64 kB: metadata is for short notes.",
    ),
    "internal_error": ErrorCode(
        500, "Something went wrong on our side",
        "Something broke on our side. Nothing of it was kept under your Idempotency-Key.",
        "Send it again with the same Idempotency-Key: what was done is not done twice.", again=True,
    ),
    "unavailable": ErrorCode(
        503, "We can't answer right now", "We can't answer right now.",
        "Send it again in a minute, with the same Idempotency-Key.", again=True,
    ),
}  # fmt: skip
PLAIN = {found.status: code for code, found in CATALOG.items()}


def describe(
    kind: type[Problem], means: str, do: str, *, status: int = 0, final: bool = False, again: bool = False
) -> None:
    CATALOG[kind().code] = ErrorCode(status or kind.status, kind.title, means, do, final, again)


describe(
    ApiKeyMissing, "The X-Api-Key or X-Api-Secret header is missing.",
    "Send both. You create them on the API keys page, where the secret is shown once.",
)  # fmt: skip
describe(
    InvalidApiKey, "The key is unknown, revoked or expired, or the secret is wrong. We don't say which.",
    "Compare both with what you copied. If you lost the secret, rotate the key.",
)  # fmt: skip
describe(
    ScopeMissing, "The key is valid, but is not allowed to do this.",
    "Use a key with the scope named in detail, or create one.",
)  # fmt: skip
describe(
    RateLimited, "This key has used up its requests for this minute.",
    "Wait the number of seconds in Retry-After. The RateLimit header of every answer says what is left.", again=True,
)  # fmt: skip
describe(
    MalformedBody, "The body is not JSON, or not in the shape described in the reference. Nothing of it was kept.",
    "Correct the field named in field. Fields that the reference does not list are refused, too.",
)  # fmt: skip
describe(
    UnusableValue, "A value has the right form, but can't be used: money that could mean two amounts, or a time span "
    "that ends before it begins.", "Correct the field named in field.", status=UNFIT,
)  # fmt: skip
describe(UnsupportedMediaType, "The body was not declared as JSON.", "Send Content-Type: application/json.")
describe(
    BadParameter, "A query parameter is unknown, or its value can't be used.",
    "Correct the one named in field. Send cursors exactly as you got them in next.",
)  # fmt: skip
describe(UnusableText, "The request contains a NUL character.", "Remove it.")
describe(
    IdempotencyKeyUnusable, "The Idempotency-Key is empty, too long or has characters a header can't hold.",
    "Use 1 to 255 printable ASCII characters, such as a UUID.",
)  # fmt: skip
describe(
    IdempotencyKeyReused, "This Idempotency-Key was used for a different request in the last 24 hours.",
    "Use a new key for a new request. A repeat must ask for the same thing; how it is written does not matter.",
)  # fmt: skip
describe(
    RequestInProgress, "The first request with this Idempotency-Key is still being processed.",
    "Wait the number of seconds in Retry-After and send it again: you get the answer of the first one.", again=True,
)  # fmt: skip
describe(
    AnswerUnreadable, "The first answer to this Idempotency-Key can't be read any more.",
    "Get the object itself with GET: the request took effect once.",
)  # fmt: skip
describe(
    BadCharge, "The order can't be created with these values.",
    "Correct what is named in field: the amount, the currency, your reference or the metadata.",
    status=UNFIT, final=True,
)  # fmt: skip
describe(
    BadEmail, "This is not a valid email address.", "Correct it, or leave it out: it is optional.",
    status=UNFIT, final=True,
)  # fmt: skip
describe(
    BadAmount, "The amount can't be refunded: it is zero, too large, or has more decimals than its currency.",
    'Send it as a string in major units, such as "49.90", or as amount_minor, such as 4990.',
    status=UNFIT, final=True,
)  # fmt: skip
describe(
    NoSuchOrder, "No such order for your key: the id is unknown, another merchant's, or in the other mode.",
    "Check the id, and that you are not using a test key for a live order.", final=True,
)  # fmt: skip
describe(
    OrderNotPayable, "The order is paid or has ended, or has had too many payment attempts.",
    "Check the order. If you still want to be paid, create a new one.", again=True,
)  # fmt: skip
describe(
    OrderNotCancellable, "Money for it was seen, or the order is finished.",
    "Wait until the payment ends, and refund it if needed.", again=True,
)  # fmt: skip
describe(
    NoSuchPayment, "No such payment for your key: the id is unknown, another merchant's, or in the other mode.",
    "Check the id, and that you are not using a test key for a live payment.", final=True,
)  # fmt: skip
describe(
    PaymentNotCancellable, "The payment is no longer pending: money was seen, or it has ended.",
    "Wait until it ends. What was paid can be refunded.", again=True,
)  # fmt: skip
describe(
    MethodNotOffered, "This payment method does not exist in this mode: cards and UPI are available in test mode only.",
    "Use crypto with a live key, or a test key.", status=UNFIT, final=True,
)  # fmt: skip
describe(
    CoinNotOffered, "The coin is unknown, switched off, or the amount is below its minimum.",
    "Use one from GET /api/v1/coins, or leave out crypto.currency and let us choose.", status=UNFIT, again=True,
)  # fmt: skip
describe(
    BadCard, "The card number, expiry or CVV is not valid.", "Correct what is named in field.",
    status=UNFIT, final=True,
)  # fmt: skip
describe(BadVpa, "This is not a valid UPI address.", "Write it as name@bank.", status=UNFIT, final=True)
describe(
    BadDelay, "test_delay is not a number of milliseconds.", 'Use "0" to "600000", as a string.',
    status=UNFIT, final=True,
)  # fmt: skip
describe(
    PaymentNotCaptured, "No money has arrived for this payment yet, so there is nothing to refund.",
    "Wait for payment.success and send it again. If the payment ended without money, there is nothing to refund.",
    again=True,
)  # fmt: skip
describe(
    TooMuch, "The amount is more than what was paid, less what was already refunded or is being refunded.",
    "The detail says how much is left. Other refunds in progress count, too.", again=True,
)  # fmt: skip
describe(BadReason, "The reason is missing or too long.", "Use 1 to 300 characters.", status=UNFIT, final=True)
describe(
    BadAddress, "The coins can't be sent to this address.",
    "Check it and its coin, or leave it out: the customer then enters one through the claim link.",
    status=UNFIT, final=True,
)  # fmt: skip
describe(
    NoSuchRefund, "No such refund for your key: the id is unknown, another merchant's, or in the other mode.",
    "Check the id, and that you are not using a test key for a live refund.", final=True,
)  # fmt: skip
describe(
    BadEndpoint, "The endpoint's URL, name or events can't be used. Live endpoints are https on a public address.",
    "Correct what is named in field.", status=UNFIT, final=True,
)  # fmt: skip
describe(
    TooManyEndpoints, "You have 20 endpoints in this mode, the most allowed.", "Remove one that you no longer need.",
    again=True,
)  # fmt: skip
describe(
    NoSuchEndpoint, "There is no endpoint with this id for your key.",
    "Check the id, and whether it belongs to this key's mode.", final=True,
)  # fmt: skip
describe(EndpointDisabled, "The endpoint is disabled, so nothing is sent to it.", "Enable it first.", again=True)
describe(
    NoSuchDelivery, "There is no delivery with this id for your key.",
    "Check the id, and whether it belongs to this key's mode.", final=True,
)  # fmt: skip
describe(
    DeliveryInLine, "The delivery is about to be sent, or is waiting for its endpoint to be enabled.",
    "There is nothing to do. You can send it again once it has ended.", again=True,
)  # fmt: skip
describe(
    DeliveryUndeliverable, "The endpoint of the delivery was removed.",
    "Add an endpoint and read what it missed from GET /api/v1/events.", again=True,
)  # fmt: skip
describe(
    TooManySecrets, "So many rotations overlap that each request would carry too many signatures.",
    "Wait until an overlap ends, or rotate with an overlap of 0: that ends all old secrets.", again=True,
)  # fmt: skip
describe(
    NoSuchCheckout, "The publishable key, the order and the page's origin don't match.",
    "Check the key's mode, the order id, and that the page's origin is one of the allowed origins.",
)  # fmt: skip
describe(CheckoutOver, "The checkout was open for too long, or its key was revoked.", "Open it again.")


def status_of(error: Problem) -> int:
    """What the API answers a refusal with."""
    found = CATALOG.get(error.code)
    return found.status if found else error.status


def is_final(error: Problem) -> bool:
    """Whether the same request would be refused whenever it is sent, so that the refusal may be kept."""
    found = CATALOG.get(error.code)
    return found is not None and found.final


def by_status(codes: Mapping[str, object] | list[str]) -> dict[int, list[str]]:
    """Codes by their status, the lowest first."""
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(CATALOG[code].status, []).append(code)
    return dict(sorted(found.items()))
