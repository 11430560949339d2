"""Later migrations build no index that stops the shop (docs/decisions/migrations.md)."""

import re
from pathlib import Path

from tests.conftest import ROOT

BIG = (
    "customer_order",
    "order_item",
    "payment",
    "event",
    "job",
    "mail",
    "link",
    "ledger_entry",
    "money_use",
    "sealed_key",
)
PLAIN = re.compile(rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)[^;]*? ON ({'|'.join(BIG)})\b")


def stops_the_shop(source: str) -> bool:
    """Whether a migration builds a plain index on a big table that it does not make itself."""
    return bool(PLAIN.search(source)) and "add_table" not in source


def test_no_later_migration_builds_a_plain_index_on_a_big_table() -> None:
    first = {"release_0_2_0.py", "release_0_2_0_constraints.py"}  # on empty tables
    later = [path for path in Path(ROOT / "app/migrations").glob("*.py") if path.name not in first]
    assert [path.name for path in later if stops_the_shop(path.read_text())] == []


def test_such_a_migration_would_be_noticed() -> None:
    assert stops_the_shop("CREATE INDEX x ON customer_order (email)")
    assert stops_the_shop("CREATE UNIQUE INDEX x ON job (dedupe) WHERE status = 'pending'")
    assert not stops_the_shop("CREATE INDEX CONCURRENTLY x ON customer_order (email)")
    assert not stops_the_shop("CREATE INDEX x ON quota_window (starts_at)")
