"""Addresses in the form that mail carries: domains in ASCII. What an order's customer typed is kept beside it."""

import idna
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T09:58:20:000000"
VERSION = "1.38.0"
DESCRIPTION = "Domains of emails are kept in ASCII"

COLUMNS = {"purchase": "email", "credit": "email", "link": "email", "member": "email", "mail": "recipient"}
TYPED = {"purchase": ", email_typed = coalesce(email_typed, email)"}
ONCE = " AND NOT EXISTS (SELECT FROM member o WHERE o.merchant_id = member.merchant_id AND o.email = {})"


def carried(address: str) -> str | None:
    """The address with its domain in ASCII; None where it has no such form."""
    name, _, domain = address.rpartition("@")
    try:
        return f"{name}@{idna.encode(domain, uts46=True).decode()}" if name.isascii() else None
    except idna.IDNAError:
        return None


async def convert() -> None:
    for table, column in COLUMNS.items():
        found = await Job.raw(f"SELECT DISTINCT {column} AS address FROM {table} WHERE {column} ~ '[^[:ascii:]]'")
        for address in [row["address"] for row in found]:
            if (new := carried(address)) is None:
                continue
            sql = f"UPDATE {table} SET {column} = {{}}{TYPED.get(table, '')} WHERE {column} = {{}}"
            if table == "member":  # once a team, as the table has it
                await Job.raw(sql + ONCE, new, address, new)
            else:
                await Job.raw(sql, new, address)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    manager.add_raw(convert)
    return manager
