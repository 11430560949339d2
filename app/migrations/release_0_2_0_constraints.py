"""Release 0.2.0: the constraints and indexes that Piccolo's columns can't say."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-28T16:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Release 0.2.0: constraints and indexes"


class Anything(Table):
    """Statements need a table to be run by; it is never made."""


STATEMENTS = (
    "INSERT INTO audit_head (id, seq, digest) VALUES (1, 0, decode(repeat('00', 32), 'hex'))",
    'ALTER TABLE discount ADD CONSTRAINT discount_share CHECK (percent > 0 AND percent <= 100)',
    'ALTER TABLE exchange_rate ADD CONSTRAINT exchange_rate_positive CHECK (rate > 0)',
    "ALTER TABLE login_session ADD CONSTRAINT login_session_role CHECK (role IN ('customer', 'admin'))",
    'ALTER TABLE money_use ADD CONSTRAINT money_use_sums'
    ' CHECK (amount > 0 AND from_price >= 0 AND from_price <= amount)',
    'ALTER TABLE product ADD CONSTRAINT product_money CHECK (price >= 0 AND cost >= 0 AND stock >= 0)',
    'ALTER TABLE customer_order ADD CONSTRAINT customer_order_money'
    ' CHECK (total >= 0 AND discount >= 0 AND (total = (subtotal - discount)))',
    'ALTER TABLE order_item ADD CONSTRAINT order_item_quantity CHECK (quantity >= 1 AND quantity <= 9)',
    'ALTER TABLE order_item ADD CONSTRAINT order_item_withdrawn'
    ' CHECK (withdrawn >= 0 AND withdrawn <= quantity)',
    'ALTER TABLE refund ADD CONSTRAINT refund_money CHECK (amount > 0)',
    'CREATE INDEX delivery_due ON delivery (endpoint_id, next_at) WHERE next_at IS NOT NULL',
    'CREATE INDEX delivery_of_endpoint ON delivery (endpoint_id, id)',
    'CREATE UNIQUE INDEX delivery_once ON delivery (endpoint_id, event_id)',
    'CREATE INDEX ended_browser_at ON ended_browser (ended_at)',
    'CREATE UNIQUE INDEX event_subject_seq ON event (subject, seq)',
    'CREATE UNIQUE INDEX exchange_rate_once ON exchange_rate (currency, day)',
    'CREATE UNIQUE INDEX inbound_webhook_once ON inbound_webhook (provider, dedupe)',
    'CREATE INDEX issue_oldest_open ON issue (opened_at, id) WHERE resolved_at IS NULL',
    'CREATE UNIQUE INDEX issue_open_once ON issue (subject, code) WHERE resolved_at IS NULL',
    "CREATE INDEX job_dead ON job (ended_at) WHERE status = 'failed'",
    "CREATE INDEX job_dead_cause ON job (name, cause) WHERE status = 'failed'",
    "CREATE INDEX job_done ON job (ended_at) WHERE status = 'completed'",
    "CREATE INDEX job_due ON job (run_at) WHERE status = 'pending'",
    "CREATE INDEX job_leased ON job (lease_until) WHERE status = 'processing'",
    "CREATE UNIQUE INDEX job_pending_dedupe ON job (dedupe) WHERE status = 'pending' AND dedupe IS NOT NULL",
    "CREATE INDEX link_live ON link (email, expires_at) WHERE purpose = 'login' AND used_at IS NULL",
    'CREATE INDEX login_session_latest ON login_session (email, last_seen_at DESC)',
    'CREATE INDEX login_session_open ON login_session (email, role, last_seen_at) WHERE revoked_at IS NULL',
    'CREATE INDEX login_session_over ON login_session (LEAST(revoked_at, expires_at))',
    'CREATE INDEX mail_by_provider_id ON mail (provider_id) WHERE provider_id IS NOT NULL',
    "CREATE INDEX mail_waiting ON mail (created_at) WHERE status = 'waiting'",
    'CREATE UNIQUE INDEX member_once ON member (merchant_id, email)',
    'CREATE UNIQUE INDEX merchant_event_number ON merchant_event (merchant_id, test, number)',
    'CREATE UNIQUE INDEX merchant_event_sequence ON merchant_event (object_id, sequence)',
    "CREATE UNIQUE INDEX money_use_once ON money_use (order_id, kind, reference) WHERE status <> 'released'",
    'CREATE UNIQUE INDEX payment_attempt ON payment (order_id, attempt)',
    'CREATE INDEX product_browse ON product (lower(name)) WHERE active',
    'CREATE INDEX product_changed ON product (updated_at)',
    "CREATE INDEX product_genres ON product USING gin (((details -> 'genres'))) WHERE active",
    'CREATE INDEX product_newest ON product (released_on DESC, name, id) INCLUDE (platform, region, price)'
    ' WHERE active',
    'CREATE INDEX product_price ON product (price, lower(name), id) WHERE active',
    "CREATE INDEX customer_order_being_paid ON customer_order (id) WHERE status IN ('confirming', 'paid')",
    'CREATE INDEX customer_order_newest_fulfilled ON customer_order (fulfilled_at DESC)'
    ' WHERE merchant_id IS NULL AND fulfilled_at IS NOT NULL',
    'CREATE INDEX customer_order_newest_paid_in ON customer_order (pay_currency, paid_at DESC)'
    ' WHERE merchant_id IS NULL AND paid_at IS NOT NULL',
    'CREATE INDEX customer_order_of_merchant ON customer_order (merchant_id, test, id) WHERE merchant_id IS NOT NULL',
    "CREATE INDEX customer_order_waiting_for_keys ON customer_order (paid_at) WHERE status = 'paid' AND merchant_id IS NULL",
    'CREATE UNIQUE INDEX reservation_living ON reservation (item_id)'
    " WHERE status NOT IN ('cancelled', 'refunded')",
    'CREATE INDEX sealed_key_kept ON sealed_key (created_at) WHERE deleted_at IS NULL',
    "CREATE INDEX sealed_key_leaving ON sealed_key (order_id) WHERE deleted_at IS NOT NULL AND blob <> ''",
    'CREATE UNIQUE INDEX sealed_key_ordinal ON sealed_key (item_id, ordinal)',
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Anything.raw(statement)

    manager.add_raw(run)
    return manager
