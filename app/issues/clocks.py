"""A machine whose clock is off: its processes go by Postgres' clock, and a person is told."""

import asyncio
import socket
from datetime import timedelta

import asyncpg

from app.core import clock, db, log
from app.issues import service
from app.issues.codes import IssueCode

EVERY = 5.0  # seconds between measurements
GONE = timedelta(minutes=2)  # a wrong clock that nobody has measured for so long belongs to a machine that is gone
CODE = IssueCode.CLOCK_SKEW


def subject() -> str:
    return f"clock:{socket.gethostname()[:64]}"


def words() -> str:
    """What is wrong with this machine's clock; nothing while it is right within what is tolerated."""
    off = clock.skew().total_seconds()
    if abs(off) <= clock.TOLERATED.total_seconds():
        return ""
    way = "ahead of" if off > 0 else "behind"
    return f"The clock of {socket.gethostname()} is {abs(off):.0f} s {way} the database's, which decides."


async def forget_gone() -> int:
    """Resolve the issues of machines that have measured nothing for GONE: a container that was replaced never comes
    back under its name. Returns how many."""
    rows = await db.fetch(
        """UPDATE issue SET resolved_at = now(), resolved_by = $3
           WHERE code = $1 AND resolved_at IS NULL AND coalesce(said_at, opened_at) < now() - $2::interval
           RETURNING id""",
        CODE, GONE, service.SYSTEM,
    )  # fmt: skip
    return len(rows)


class ClockWatch:
    """Measures; opens this machine's issue, says again each time that it stands, and resolves it."""

    def __init__(self) -> None:
        self._off: bool | None = None

    async def look(self) -> None:
        await db.ask_the_time()
        said = words()
        if said:
            await service.open_issue(subject(), CODE, f"{said} Set its time server right (NTP).")
        elif self._off is not False:
            await service.resolve(subject(), CODE)
        self._off = bool(said)

    async def run(self) -> None:
        """Go on until cancelled. A measurement that fails is made up for by the next."""
        while True:
            try:
                await self.look()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.get("bitloot.clock").info("clock.not_measured", why=type(error).__name__)
            await asyncio.sleep(EVERY)
