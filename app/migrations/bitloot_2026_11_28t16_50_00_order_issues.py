"""Why an order needs a person: from one column of texts to a row for each reason."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Varchar
from piccolo.table import Table

ID = "2026-11-28T16:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "An order's reasons are issues"


class Anything(Table):
    """Statements need a table to be run by; it is never made."""


# How a text of the column begins → the code of its row. The first that fits; a text that none fits stays as it is.
BEGINNINGS = (
    ("sold out at our supplier", "sold_out"),
    ("costs more at our supplier", "too_dear"),
    ("our supplier did not sell it", "supply_refused"),
    ("the supplier has canceled our order", "supply_cancelled"),
    ("the supplier has refunded our order", "supply_refunded"),
    ("the supplier has not delivered for a day", "supply_silent"),
    ("our balance at the supplier is too low", "supply_unfunded"),
    ("given up by its job: ", "job_given_up"),
    ("money: underpaid", "underpaid"),
    ("money: paid late", "paid_late"),
    ("money: overpaid", "overpaid"),
    ("money: a further deposit arrived", "further_deposit"),
    ("money: paid, but the order was", "money_not_needed"),
    ("money: paid in % it is owed back", "wrong_coin"),
    ("money: paid in %", "wrong_coin_unvalued"),
    ("money: % is owed back: its refund", "refund_not_sent"),
    ("money: refund due", "refund_due"),
    ("money: only %", "settled_low"),
    ("money: its payment was seen", "payment_never_completed"),
    ("money: the payment provider calls it paid, but no money", "paid_without_money"),
    ("money: the payment provider gives no price", "payment_without_price"),
    ("money: the payment provider names an amount that can''t be", "payment_unbelievable"),
    ("money: the payment provider used an unknown status", "payment_status_unknown"),
    ("money: the payment provider says it is for another order", "payment_other_order"),
    ("money: the payment provider says it is for", "payment_other_amount"),
    ("money: the payment provider sent the money back, and now", "paid_after_sent_back"),
    ("money: the payment provider sent the money back", "payment_sent_back"),
    ("money: the payment failed at the provider after", "payment_failed_with_money"),
    ("refund: ", "payout_stuck"),
    ("refund turned down, but its keys", "keys_went_back"),
    ("ledger: ", "ledger_differs"),
    ("A key does not open: ", "key_broken"),
)
CODE = " ".join(f"WHEN said LIKE '{text}%' THEN '{code}'" for text, code in BEGINNINGS)
# An issue says nothing of when its matter began: the newest line of the order's timeline is when it was so already.
MOVE = rf"""INSERT INTO issue (id, subject, code, detail, opened_at, said_at)
  SELECT gen_random_uuid(), 'order:' || id, code, string_agg(regexp_replace(said, '^money: ', ''), E'\n' ORDER BY place),
    coalesce((SELECT max(at) FROM event WHERE subject = found.id), now()), now()
  FROM (SELECT p.id, said, place, CASE {CODE} ELSE 'order_note' END AS code
        FROM customer_order p, unnest(string_to_array(p.cause, ' · ')) WITH ORDINALITY AS r (said, place)
        WHERE p.cause IS NOT NULL AND said <> '') AS found
  GROUP BY id, code
  ON CONFLICT (subject, code) WHERE resolved_at IS NULL DO NOTHING"""  # noqa: S608 - our own text
STATEMENTS = (
    # What is said of an order from here on must not be said of the column.
    "LOCK TABLE customer_order IN ACCESS EXCLUSIVE MODE",
    MOVE,
    # Codes are looked up among what is open: issues of the past cost nothing.
    "CREATE INDEX issue_open_code ON issue (code) WHERE resolved_at IS NULL",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    column = Varchar(500, null=True, default=None)
    manager.add_column(
        table_class_name="Issue",
        tablename="issue",
        column_name="note",
        db_column_name="note",
        column_class_name="Varchar",
        column_class=Varchar,
        params=column._meta.params,
    )
    manager.drop_column(
        table_class_name="Order", tablename="customer_order", column_name="cause", db_column_name="cause"
    )

    async def run() -> None:  # before the columns are changed
        for statement in STATEMENTS:
            await Anything.raw(statement)

    manager.add_raw(run)
    return manager
