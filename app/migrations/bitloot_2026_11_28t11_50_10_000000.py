"""Admins' addresses in the form by which they are looked up at sign-in: domains in ASCII."""

import idna
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T11:50:10:000000"
VERSION = "1.38.0"
DESCRIPTION = "Domains of admins' emails are kept in ASCII"

ONCE = " AND NOT EXISTS (SELECT FROM admin o WHERE o.email = {})"


def carried(address: str) -> str | None:
    """The address with its domain in ASCII; None where it has no such form."""
    name, _, domain = address.rpartition("@")
    try:
        return f"{name}@{idna.encode(domain, uts46=True).decode()}" if name.isascii() else None
    except idna.IDNAError:
        return None


async def convert() -> None:
    for row in await Job.raw("SELECT email FROM admin WHERE email ~ '[^[:ascii:]]'"):
        if (new := carried(row["email"])) is not None:
            await Job.raw("UPDATE admin SET email = {} WHERE email = {}" + ONCE, new, row["email"], new)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    manager.add_raw(convert)
    return manager
