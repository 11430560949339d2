"""Release 0.2.0: every table, constraint and index. Later migrations are small and start from here.

The classes are a copy of the rooms' ``tables`` as of this release, so that a later change there changes nothing here.
"""

from decimal import Decimal
from uuid import uuid4

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import (
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    JSONB,
    Numeric,
    Serial,
    Text,
    Timestamptz,
    UUID,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.table import Table

ID = "2026-11-28T16:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Release 0.2.0"

COIN = (40, 18)


class Admin(Table, tablename="admin"):
    id = UUID(primary_key=True, default=None)
    email = Varchar(320, unique=True)
    password_hash = Varchar(200)
    epoch = Integer(default=0)
    created_at = Timestamptz(default=None)
    last_login_at = Timestamptz(null=True, default=None)


class Link(Table, tablename="link"):
    id = UUID(primary_key=True, default=None)
    email = Varchar(320)
    purpose = Varchar(16)
    order_id = UUID(null=True, default=None, index=True)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(null=True, default=None)


class LoginSession(Table, tablename="login_session"):
    id = UUID(primary_key=True, default=None)
    role = Varchar(16)
    email = Varchar(320)
    epoch = Integer(default=0)
    user_agent = Varchar(400, default="")
    ip = Varchar(45, default="")
    created_at = Timestamptz(default=None)
    last_seen_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)


class EndedBrowser(Table, tablename="ended_browser"):
    id = UUID(primary_key=True, default=None)
    ended_at = Timestamptz(default=None)


class AuditLine(Table, tablename="audit_line"):
    seq = BigInt(primary_key=True, default=0)
    at = Timestamptz(default=None)
    action = Varchar(32)
    order_id = UUID(null=True, default=None, index=True)
    key_id = UUID(null=True, default=None)
    actor = Varchar(340)
    ip = Varchar(45)
    user_agent = Text()
    details = Text(default="")
    previous = Bytea()
    digest = Bytea()


class AuditHead(Table, tablename="audit_head"):
    id = Integer(primary_key=True, default=1)
    seq = BigInt(default=0)
    digest = Bytea()


class Product(Table, tablename="product"):
    id = UUID(primary_key=True, default=None)
    slug = Varchar(160, unique=True)
    name = Varchar(200, index=True)
    platform = Varchar(64)
    region = Varchar(64)
    price = Numeric((12, 2))
    currency = Varchar(3)
    cost = Numeric((12, 2))
    stock = Integer(default=0)
    active = Boolean(default=True)
    supplier_product_id = Varchar(24, unique=True)
    text_keys = Boolean(default=True)
    details = JSONB(default="{}")
    released_on = Varchar(10, default="")
    description = Text(default="")
    reference_cost = Numeric((12, 2), null=True, default=None)
    reference_at = Timestamptz(null=True, default=None)
    offered_cost = Numeric((12, 2), null=True, default=None)
    held_since = Timestamptz(null=True, default=None)
    listed_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class ExchangeRate(Table, tablename="exchange_rate"):
    id = UUID(primary_key=True, default=None)
    currency = Varchar(3)
    day = Date(default=None)
    rate = Numeric((18, 8))
    fetched_at = Timestamptz(default=None)


class Discount(Table, tablename="discount"):
    id = UUID(primary_key=True, default=None)
    code = Varchar(32, unique=True)
    percent = Numeric((5, 2))
    max_uses = Integer(null=True, default=None)
    used = Integer(default=0)
    expires_at = Timestamptz(null=True, default=None)


class CodeUse(Table, tablename="code_use"):
    order_id = UUID(primary_key=True, default=None)
    code = Varchar(32)
    amount = Numeric((12, 2))
    taken_at = Timestamptz(default=None)
    released_at = Timestamptz(null=True, default=None)


class Credit(Table, tablename="credit"):
    code = Varchar(32, primary_key=True, default="")
    email = Varchar(320, index=True)
    amount = Numeric((12, 2))
    currency = Varchar(3)
    from_order = UUID(default=None, unique=True)
    spent_on = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    spent_at = Timestamptz(null=True, default=None)


class FormSubmission(Table, tablename="form_submission"):
    id = Varchar(64, primary_key=True)
    claimed_at = Timestamptz(default=None, index=True)
    answered_at = Timestamptz(null=True, default=None)
    answer = Bytea(null=True, default=None)


class Merchant(Table, tablename="merchant"):
    id = UUID(primary_key=True, default=None)
    name = Varchar(100)
    origins = JSONB(default="[]")
    live_number = BigInt(default=0)
    test_number = BigInt(default=0)
    created_at = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)


class Order(Table, tablename="customer_order"):
    id = UUID(primary_key=True, default=None)
    email = Varchar(320, index=True)
    email_typed = Varchar(320, null=True, default=None)
    status = Varchar(16, default="created")
    fulfillment_status = Varchar(16, default="pending")
    currency = Varchar(3)
    subtotal = Numeric(None)
    discount = Numeric(None, default=Decimal(0))
    discount_code = Varchar(32, null=True, default=None)
    total = Numeric(None)
    pay_currency = Varchar(16, null=True, default=None)
    choice = Varchar(16, null=True, default=None)
    frozen_at = Timestamptz(null=True, default=None)
    cause = Varchar(1000, null=True, default=None)
    created_at = Timestamptz(default=None, index=True)
    paid_at = Timestamptz(null=True, default=None)
    fulfilled_at = Timestamptz(null=True, default=None)
    merchant_id = ForeignKey(Merchant, index=True, null=True, default=None, on_delete=OnDelete.restrict)
    test = Boolean(default=False)
    reference = Varchar(128, null=True, default=None)
    metadata = JSONB(default="{}")
    published_seq = Integer(default=0)


class OrderItem(Table, tablename="order_item"):
    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    position = Integer()
    name = Varchar(200)
    slug = Varchar(160)
    platform = Varchar(64)
    quantity = Integer()
    unit_price = Numeric((12, 2))
    withdrawn = Integer(default=0)
    conditions = JSONB(default="{}")
    status = Varchar(16, default="pending")


class Reservation(Table, tablename="reservation"):
    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    item_id = ForeignKey(OrderItem, index=True, null=False, on_delete=OnDelete.restrict)
    status = Varchar(16, default="requested")
    supplier_order_id = Varchar(32, null=True, default=None, unique=True)
    quantity = Integer()
    price_limit = Numeric((12, 2))
    charged = Numeric((12, 2), null=True, default=None)
    asked_at = Timestamptz(null=True, default=None)
    next_check_at = Timestamptz(null=True, default=None, index=True)
    checks = Integer(default=0)
    supplier_product_id = Varchar(24, null=True, default=None)
    refunded = Numeric((12, 2), null=True, default=None)
    return_asked_at = Timestamptz(null=True, default=None)
    cause = Varchar(200, null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class Timeline(Table, tablename="timeline"):
    subject = UUID(primary_key=True, default=None)
    last_seq = Integer(default=0)


class Event(Table, tablename="event"):
    id = BigSerial(primary_key=True)
    subject = UUID(default=None)
    seq = Integer()
    kind = Varchar(64)
    data = JSONB(default="{}")
    at = Timestamptz(default=None, index=True)


class InboundWebhook(Table, tablename="inbound_webhook"):
    id = UUID(primary_key=True, default=None)
    provider = Varchar(16)
    dedupe = Varchar(200)
    headers = JSONB(default="{}")
    body = Bytea()
    received_at = Timestamptz(default=None, index=True)
    status = Varchar(16, default="pending")
    outcome = Text(null=True, default=None)
    applied_at = Timestamptz(null=True, default=None)


class RefusedNotice(Table, tablename="refused_notice"):
    id = Varchar(120, primary_key=True, default="")
    provider = Varchar(16)
    reason = Varchar(64)
    posts = BigInt(default=0)
    sample_headers = JSONB(default="{}")
    sample_body = Bytea()
    sample_ip = Varchar(45, default="")
    first_at = Timestamptz(default=None)
    last_at = Timestamptz(default=None, index=True)


class Issue(Table, tablename="issue"):
    id = UUID(primary_key=True, default=None)
    subject = Varchar(160)
    code = Varchar(64)
    detail = Text(default="")
    opened_at = Timestamptz(default=None)
    resolved_at = Timestamptz(null=True, default=None)
    resolved_by = Varchar(320, null=True, default=None)
    said_at = Timestamptz(null=True, default=None)


class OrderDataKey(Table, tablename="order_data_key"):
    order_id = ForeignKey(Order, primary_key=True, null=False, on_delete=OnDelete.restrict)
    master_key_id = Varchar(32)
    wrapped = Bytea()
    created_at = Timestamptz(default=None)


class Key(Table, tablename="sealed_key"):
    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    item_id = ForeignKey(OrderItem, index=True, null=False, on_delete=OnDelete.restrict)
    ordinal = Integer()
    supplier_key_id = Varchar(64, unique=True)
    media_type = Varchar(32)
    blob = Varchar(200)
    created_at = Timestamptz(default=None)
    revealed_at = Timestamptz(null=True, default=None)
    locked_at = Timestamptz(null=True, default=None)
    broken_at = Timestamptz(null=True, default=None)
    returned_at = Timestamptz(null=True, default=None)
    deleted_at = Timestamptz(null=True, default=None)


class LedgerEntry(Table, tablename="ledger_entry"):
    id = BigSerial(primary_key=True)
    posting = UUID(default=None, index=True)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    kind = Varchar(32)
    account = Varchar(32)
    amount = Numeric(None)
    currency = Varchar(3)
    reference = Varchar(80)
    at = Timestamptz(default=None)


class MoneyUse(Table, tablename="money_use"):
    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    kind = Varchar(16)
    status = Varchar(16, default="reserved")
    amount = Numeric(None)
    currency = Varchar(3)
    from_price = Numeric(None, default=Decimal(0))
    reference = Varchar(80)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class Mail(Table, tablename="mail"):
    id = UUID(primary_key=True, default=None)
    subject = UUID(null=True, default=None, index=True)
    kind = Varchar(32)
    recipient = Varchar(320)
    context = JSONB(default="{}")
    status = Varchar(16, default="pending")
    provider_id = Varchar(64, null=True, default=None)
    error = Text(null=True, default=None)
    created_at = Timestamptz(default=None, index=True)
    sent_at = Timestamptz(null=True, default=None)


class Member(Table, tablename="member"):
    id = UUID(primary_key=True, default=None)
    merchant_id = ForeignKey(Merchant, index=True, null=False, on_delete=OnDelete.restrict)
    email = Varchar(320, index=True)
    invited_by = Varchar(340)
    invited_at = Timestamptz(default=None)
    joined_at = Timestamptz(null=True, default=None)
    link_id = UUID(null=True, default=None, index=True)


class ApiKey(Table, tablename="api_key"):
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
    id = Varchar(64, primary_key=True, default="")
    merchant_id = UUID()
    request_hash = Varchar(64)
    status = Integer()
    body = Bytea()
    created_at = Timestamptz(default=None, index=True)


class MerchantEvent(Table, tablename="merchant_event"):
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


class Payment(Table, tablename="payment"):
    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    provider = Varchar(16, default="nowpayments")
    attempt = Integer()
    status = Varchar(16, default="waiting")
    provider_payment_id = Varchar(32, null=True, default=None, unique=True)
    invoice_id = Varchar(32, null=True, default=None, index=True)
    invoice_url = Text(null=True, default=None)
    price_amount = Numeric(None)
    price_currency = Varchar(3)
    pay_amount = Numeric(COIN, null=True, default=None)
    pay_currency = Varchar(16)
    pay_address = Varchar(200, null=True, default=None)
    memo = Varchar(100, null=True, default=None)
    network = Varchar(32, null=True, default=None)
    actually_paid = Numeric(COIN, default=Decimal(0))
    owed_back = Numeric(COIN, default=Decimal(0))
    excess = Numeric(None, default=Decimal(0))
    doubted = Numeric(COIN, null=True, default=None)
    tops_up = UUID(null=True, default=None)
    value = Numeric(None, default=Decimal(0))
    outcome = Varchar(32, null=True, default=None)
    parent_payment_id = Varchar(32, null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    next_check_at = Timestamptz(null=True, default=None, index=True)
    checks = Integer(default=0)
    method = Varchar(8, default="crypto")
    details = JSONB(default="{}")
    failure = Varchar(32, null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class Coin(Table, tablename="coin"):
    code = Varchar(16, primary_key=True, default="")
    name = Varchar(64)
    network = Varchar(32)
    has_memo = Boolean(default=False)
    position = Integer(default=0)
    active = Boolean(default=True)
    minimum = Numeric((12, 2), null=True, default=None)
    updated_at = Timestamptz(default=None)


class Process(Table, tablename="process"):
    id = Integer(primary_key=True, default=None)
    role = Varchar(16)
    host = Varchar(64)
    pid = Integer()
    started_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None)


class Job(Table, tablename="job"):
    id = UUID(primary_key=True, default=None)
    name = Varchar(64)
    queue = Varchar(32)
    dedupe = Varchar(160, null=True, default=None)
    args = JSONB(default="{}")
    subject = UUID(null=True, default=None, index=True)
    status = Varchar(16, default="pending")
    progress = Integer(default=0)
    attempt = Integer(default=0)
    uncounted_attempts = Integer(default=0)
    run_at = Timestamptz(default=None)
    lease_until = Timestamptz(null=True, default=None)
    holder = Integer(null=True, default=None)
    error = Text(null=True, default=None)
    cause = Varchar(120, null=True, default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class JobAttempt(Table, tablename="job_attempt"):
    id = Serial(primary_key=True)
    job_id = ForeignKey(Job, index=True, null=False, on_delete=OnDelete.restrict)
    number = Integer()
    ended_at = Timestamptz(default=None)
    outcome = Varchar(16)
    error = Text()


class Breaker(Table, tablename="breaker"):
    provider = Varchar(16, primary_key=True, default="")
    state = Varchar(16, default="closed")
    failures = Integer(default=0)
    why = Varchar(200, default="")
    about = Varchar(64, default="")
    opened_at = Timestamptz(null=True, default=None)
    probe_at = Timestamptz(null=True, default=None)
    updated_at = Timestamptz(default=None)


class QuotaWindow(Table, tablename="quota_window"):
    key = Varchar(120, primary_key=True, default="")
    starts_at = Timestamptz(default=None, index=True)
    used = Integer(default=0)


class Refund(Table, tablename="refund"):
    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    status = Varchar(16, default="pending")
    amount = Numeric(None)
    currency = Varchar(3)
    reason = Varchar(300)
    asked_by = Varchar(340)
    evidence = Text(default="")
    coin = Varchar(16, null=True, default=None)
    pay_amount = Numeric(COIN, null=True, default=None)
    link_id = UUID(null=True, default=None, index=True)
    address = Varchar(200, null=True, default=None)
    memo = Varchar(100, null=True, default=None)
    claimed_at = Timestamptz(null=True, default=None)
    checked_at = Timestamptz(null=True, default=None)
    approved_by = Varchar(340, null=True, default=None)
    approved_at = Timestamptz(null=True, default=None)
    by_hand = Boolean(default=False)
    attempt = Integer(default=1)
    asked_at = Timestamptz(null=True, default=None)
    batch_id = Varchar(32, null=True, default=None)
    payout_id = Varchar(32, null=True, default=None)
    payout_status = Varchar(16, null=True, default=None)
    code_step = BigInt(null=True, default=None, unique=True)
    codes = Integer(default=0)
    tx_hash = Varchar(200, null=True, default=None)
    error = Varchar(300, null=True, default=None)
    next_check_at = Timestamptz(null=True, default=None, index=True)
    checks = Integer(default=0)
    created_at = Timestamptz(default=None, index=True)
    ended_at = Timestamptz(null=True, default=None)
    payment_id = UUID(null=True, default=None, index=True)


class Endpoint(Table, tablename="endpoint"):
    id = UUID(primary_key=True, default=None)
    merchant_id = ForeignKey(Merchant, index=True, null=False, on_delete=OnDelete.restrict)
    test = Boolean()
    url = Varchar(2000)
    name = Varchar(100, default="")
    types = JSONB(default="[]")
    secret = Bytea()
    old_secret = Bytea(null=True, default=None)
    old_until = Timestamptz(null=True, default=None)
    older_secrets = JSONB(default="[]")
    failing_since = Timestamptz(null=True, default=None)
    failures = Integer(default=0)
    succeeded_at = Timestamptz(null=True, default=None)
    disabled_at = Timestamptz(null=True, default=None)
    disabled_why = Varchar(200, null=True, default=None)
    deleted_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class Delivery(Table, tablename="delivery"):
    id = UUID(primary_key=True, default=None)
    endpoint_id = ForeignKey(Endpoint, null=False, on_delete=OnDelete.restrict)
    event_id = ForeignKey(MerchantEvent, index=True, null=False, on_delete=OnDelete.restrict)
    status = Varchar(16, default="pending")
    attempts = Integer(default=0)
    next_at = Timestamptz(null=True, default=None)
    lease_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class DeliveryAttempt(Table, tablename="delivery_attempt"):
    id = Serial(primary_key=True)
    delivery_id = ForeignKey(Delivery, index=True, null=False, on_delete=OnDelete.restrict)
    number = Integer()
    at = Timestamptz(default=None)
    ms = Integer()
    outcome = Varchar(32)
    status = Integer(null=True, default=None)
    address = Varchar(64, null=True, default=None)
    headers = JSONB(default="{}")
    response = Text(default="")
    error = Varchar(300, null=True, default=None)


TABLES: list[type[Table]] = [
    Admin,
    Link,
    LoginSession,
    EndedBrowser,
    AuditLine,
    AuditHead,
    Product,
    ExchangeRate,
    Discount,
    CodeUse,
    Credit,
    FormSubmission,
    Merchant,
    Order,
    OrderItem,
    Reservation,
    Timeline,
    Event,
    InboundWebhook,
    RefusedNotice,
    Issue,
    OrderDataKey,
    Key,
    LedgerEntry,
    MoneyUse,
    Mail,
    Member,
    ApiKey,
    IdempotencyRecord,
    MerchantEvent,
    Payment,
    Coin,
    Process,
    Job,
    JobAttempt,
    Breaker,
    QuotaWindow,
    Refund,
    Endpoint,
    Delivery,
    DeliveryAttempt,
]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    for table in TABLES:
        name, tablename = table.__name__, table._meta.tablename
        manager.add_table(name, tablename=tablename)
        for column in table._meta.columns:
            manager.add_column(
                table_class_name=name,
                tablename=tablename,
                column_name=column._meta.name,
                db_column_name=column._meta.db_column_name,
                column_class_name=type(column).__name__,
                column_class=type(column),
                params=column._meta.params,
            )

    return manager
