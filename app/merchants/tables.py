"""Tables of this room. Whatever has ``test`` is of test mode or of live mode, and never seen from the other."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.table import Table


class Merchant(Table, tablename="merchant"):
    """A shop that charges through us. ``origins``: where its pages may embed the checkout, such as ``https://a.example``.

    ``live_number`` and ``test_number`` are the last numbers of its two feeds of events.
    """

    id = UUID(primary_key=True, default=None)
    name = Varchar(100)
    origins = JSONB(default="[]")
    live_number = BigInt(default=0)
    test_number = BigInt(default=0)
    created_at = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)


class Member(Table, tablename="member"):
    """A person of a merchant's team, once ``joined_at``; before, an invitation. ``link_id``: its link mailed last."""

    id = UUID(primary_key=True, default=None)
    merchant_id = ForeignKey(Merchant, index=True, null=False, on_delete=OnDelete.restrict)
    email = Varchar(320, index=True)
    invited_by = Varchar(340)
    invited_at = Timestamptz(default=None)
    joined_at = Timestamptz(null=True, default=None)
    link_id = UUID(null=True, default=None, index=True)


class ApiKey(Table, tablename="api_key"):
    """``key`` is public, the secret is kept as its SHA-256 alone. A ``publishable`` one has no secret and no scopes."""

    id = UUID(primary_key=True, default=None)
    merchant_id = ForeignKey(Merchant, index=True, null=False, on_delete=OnDelete.restrict)
    test = Boolean()
    kind = Varchar(16, default="secret")
    name = Varchar(100, default="")
    key = Varchar(64, unique=True)
    secret_hash = Bytea(null=True, default=None)
    scopes = JSONB(default="[]")
    created_at = Timestamptz(default=None)
    last_used_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class IdempotencyRecord(Table, tablename="idempotency_record"):
    """What a request with an Idempotency-Key was answered.

    ``id``: SHA-256 of merchant, mode and key; ``request_hash``: of the request.
    """

    id = Varchar(64, primary_key=True, default="")
    merchant_id = UUID()
    request_hash = Varchar(64)
    status = Integer()
    body = Bytea()
    created_at = Timestamptz(default=None, index=True)


class MerchantEvent(Table, tablename="merchant_event"):
    """Something that happened to an object of a merchant's. ``number`` counts the merchant's feed, ``sequence`` the
    object's own events, both from 1 without gaps; ``payload`` is the exact body that endpoints are sent."""

    id = UUID(primary_key=True, default=None)
    merchant_id = ForeignKey(Merchant, null=False, on_delete=OnDelete.restrict)
    test = Boolean()
    number = BigInt()
    type = Varchar(32)
    object = Varchar(16)
    object_id = UUID()
    order_id = UUID(index=True)
    sequence = Integer()
    payload = Text()
    created_at = Timestamptz(default=None, index=True)
