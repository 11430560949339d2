"""Later migrations build no index that stops the shop (docs/decisions/migrations.md)."""

import re
from pathlib import Path

from tests.conftest import ROOT

BIG = (
    "purchase",
    "purchase_item",
    "payment",
    "event",
    "job",
    "mail",
    "link",
    "ledger_entry",
    "money_use",
    "sealed_key",
)
SINCE = "bitloot_2026_11_28t13_40"  # those of before are squashed, or run on a shop that is small yet
PLAIN = re.compile(rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)[^;]*? ON ({'|'.join(BIG)})\b")


def stops_the_shop(source: str) -> bool:
    """Whether a migration builds a plain index on a big table that it does not make itself."""
    return bool(PLAIN.search(source)) and "add_table" not in source


def test_no_later_migration_builds_a_plain_index_on_a_big_table() -> None:
    later = [path for path in Path(ROOT / "app/migrations").glob("bitloot_*.py") if path.stem >= SINCE]
    assert [path.name for path in later if stops_the_shop(path.read_text())] == []


def test_such_a_migration_would_be_noticed() -> None:
    assert stops_the_shop("CREATE INDEX x ON purchase (email)")
    assert stops_the_shop("CREATE UNIQUE INDEX x ON job (dedupe) WHERE status = 'pending'")
    assert not stops_the_shop("CREATE INDEX CONCURRENTLY x ON purchase (email)")
    assert not stops_the_shop("CREATE INDEX x ON quota_window (starts_at)")
