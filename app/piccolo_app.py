"""All tables of the app, for Piccolo's migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

ROOMS = (
    "queue",
    "history",
    "inbox",
    "mail",
    "issues",
    "forms",
    "accounts",
    "merchants",
    "catalog",
    "suppliers",
    "orders",
    "payments",
    "keys",
    "fulfillment",
    "ledger",
    "refunds",
    "webhooks",
    "audit",
    "quotas",
)

APP_CONFIG = AppConfig(
    app_name="bitloot",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder([f"app.{room}.tables" for room in ROOMS], exclude_imported=True),
)
