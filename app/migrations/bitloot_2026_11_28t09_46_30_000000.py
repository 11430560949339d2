"""A use stands once for what it is about; and the uses of all orders so far, from their books and refunds."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T09:46:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "Uses of an order's money: one per reference, and those of all orders so far"

COLUMNS = "id, order_id, kind, status, amount, currency, from_price, reference, created_at, ended_at"
UNCOVERED = "Its money was given as credit, or goes back by another refund, so it was not sent."
FORWARDS = (
    "CREATE UNIQUE INDEX money_use_once ON money_use (order_id, kind, reference) WHERE status <> 'released'",
    "ALTER TABLE money_use ADD CONSTRAINT money_use_sums CHECK (amount > 0 AND from_price BETWEEN 0 AND amount)",
    f"""INSERT INTO money_use ({COLUMNS})
        SELECT gen_random_uuid(), e.order_id, 'price', 'spent', -sum(e.amount), p.currency, 0, 'order:' || e.order_id,
          min(e.at), NULL
        FROM ledger_entry e JOIN purchase p ON p.id = e.order_id
        WHERE e.kind = 'charge' AND e.account IN ('sales', 'tolerance')
        GROUP BY e.order_id, p.currency HAVING sum(e.amount) < 0""",
    f"""INSERT INTO money_use ({COLUMNS})
        SELECT gen_random_uuid(), e.order_id, 'credit', 'spent', -sum(e.amount), p.currency, 0, e.reference,
          min(e.at), min(e.at)
        FROM ledger_entry e JOIN purchase p ON p.id = e.order_id
        WHERE e.kind = 'credit' AND e.account = 'credit'
        GROUP BY e.order_id, p.currency, e.reference HAVING sum(e.amount) < 0""",
    # The release before could ask for a refund of money that it had given as credit. One that was not sent yet is not.
    f"""WITH money AS (
          SELECT p.id, coalesce((SELECT sum(amount) FROM ledger_entry WHERE order_id = p.id AND account = 'received'), 0)
            - coalesce((SELECT sum(amount) FROM money_use WHERE order_id = p.id AND kind = 'credit'), 0) AS amount
          FROM purchase p WHERE EXISTS (SELECT FROM refund WHERE order_id = p.id AND status = 'pending')),
        summed AS (
          SELECT r.id, r.order_id, r.status, sum(r.amount) OVER (PARTITION BY r.order_id
            ORDER BY r.status = 'pending', r.created_at, r.id) AS so_far
          FROM refund r WHERE r.status <> 'failed'),
        ended AS (
          UPDATE refund SET status = 'failed', ended_at = now(), error = '{UNCOVERED}'
          FROM summed s JOIN money m ON m.id = s.order_id
          WHERE refund.id = s.id AND s.status = 'pending' AND s.so_far > m.amount RETURNING refund.order_id)
        INSERT INTO issue (id, subject, code, detail, opened_at)
        SELECT DISTINCT ON (order_id) gen_random_uuid(), 'order:' || order_id, 'refund_uncovered',
          'A refund was asked for that the order has no money for. {UNCOVERED}', now() FROM ended
        ON CONFLICT DO NOTHING""",
    # A refund took what was free, then of the price: as much as all refunds up to it exceed what the price left.
    f"""INSERT INTO money_use ({COLUMNS})
        WITH free AS (
          SELECT p.id, coalesce((SELECT sum(amount) FROM ledger_entry WHERE order_id = p.id AND account = 'received'), 0)
            - coalesce((SELECT sum(amount) FROM money_use WHERE order_id = p.id), 0) AS amount,
            coalesce((SELECT sum(amount) FROM money_use WHERE order_id = p.id AND kind = 'price'), 0) AS price
          FROM purchase p WHERE EXISTS (SELECT FROM refund WHERE order_id = p.id)),
        summed AS (
          SELECT r.*, sum(r.amount) OVER (PARTITION BY r.order_id ORDER BY r.created_at, r.id) AS so_far
          FROM refund r WHERE r.status <> 'failed' AND r.amount > 0)
        SELECT gen_random_uuid(), s.order_id, 'refund', CASE s.status WHEN 'processed' THEN 'spent' ELSE 'reserved' END,
          s.amount, s.currency,
          least(greatest(least(s.so_far - f.amount, f.price), 0)
            - greatest(least(s.so_far - s.amount - f.amount, f.price), 0), s.amount),
          'refund:' || s.id, s.created_at, s.ended_at
        FROM summed s JOIN free f ON f.id = s.order_id""",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
