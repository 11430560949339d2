"""Who is signed in, where and since when. A session is a row, so that ending it ends every copy of its cookie."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.accounts.models import SeenSession
from app.accounts.tokens import ORDERS_LIFETIME, Session, lifetime
from app.core import clock, db
from app.core.ids import new_id

SEEN_EVERY = timedelta(minutes=5)  # how exact ``last_seen_at`` is: a write a request would be too dear
KEPT = timedelta(days=30)  # ended sessions, for whoever looks into a break-in
AT_ONCE = 5000  # rows a batch
MOST_LISTED = 50


class Device(msgspec.Struct, frozen=True):
    """A session as its person sees it in a list."""

    id: UUID
    user_agent: str
    ip: str
    created_at: datetime
    last_seen_at: datetime


async def begin(email: str, role: str, *, epoch: int = 0, user_agent: str = "", ip: str = "") -> Session:
    """Sign a person in. ``role``: ``customer`` or ``admin``; of an admin also the ``epoch`` that was read before the
    password was checked."""
    session, now = Session(new_id(), email, role), clock.now()
    await db.fetch(
        """INSERT INTO login_session (id, role, email, epoch, user_agent, ip, created_at, last_seen_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)""",
        session.id, role, email, epoch, _text(user_agent, 400), _text(ip, 45), now, now + lifetime(role),
    )  # fmt: skip
    return session


def _text(given: str, longest: int) -> str:
    return given.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]


async def find(session_id: UUID, *, ip: str = "") -> Session | None:
    """The session, if it still stands. Notes that it was seen, at most once in SEEN_EVERY."""
    now = clock.now()
    # An admin's raised epoch also ends the session that a sign-in with the old password is just about to write.
    found = await db.fetch_one_as(
        SeenSession,
        """SELECT email, role, last_seen_at FROM login_session s
           WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2 AND (role <> 'admin'
             OR EXISTS (SELECT FROM admin WHERE admin.email = s.email AND admin.epoch = s.epoch))""",
        session_id, now,
    )  # fmt: skip
    if found is None:
        return None
    if found.last_seen_at <= now - SEEN_EVERY:
        await db.fetch(
            "UPDATE login_session SET last_seen_at = $2, ip = $3 WHERE id = $1 AND last_seen_at <= $4",
            session_id, now, _text(ip, 45), now - SEEN_EVERY,
        )  # fmt: skip
    return Session(session_id, found.email, found.role)


async def stands(session: Session) -> bool:
    return await find(session.id) is not None


async def devices(session: Session) -> Sequence[Device]:
    """Where the session's person is signed in, the latest seen first."""
    rows = await db.fetch(
        """SELECT id, user_agent, ip, created_at, last_seen_at FROM login_session s
           WHERE email = $1 AND role = $2 AND revoked_at IS NULL AND expires_at > $3 AND (role <> 'admin'
             OR EXISTS (SELECT FROM admin WHERE admin.email = s.email AND admin.epoch = s.epoch))
           ORDER BY last_seen_at DESC LIMIT $4""",
        session.email, session.role, clock.now(), MOST_LISTED,
    )  # fmt: skip
    return [msgspec.convert(dict(row), Device) for row in rows]


async def end(session: Session, other: UUID | None = None) -> bool:
    """End the session, or the one named ``other`` if it is the same person's. Whether one was ended."""
    rows = await db.fetch(
        """UPDATE login_session SET revoked_at = $4
           WHERE id = $1 AND email = $2 AND role = $3 AND revoked_at IS NULL RETURNING id""",
        other or session.id, session.email, session.role, clock.now(),
    )  # fmt: skip
    return bool(rows)


async def end_all(email: str, role: str) -> None:
    """End every session of a person."""
    await db.fetch(
        "UPDATE login_session SET revoked_at = $3 WHERE email = $1 AND role = $2 AND revoked_at IS NULL",
        email, role, clock.now(),
    )  # fmt: skip
    if role == "admin":
        await db.fetch("UPDATE admin SET epoch = epoch + 1 WHERE email = $1", email)


async def end_browser(browser: UUID) -> None:
    """Let the orders cookies of a browser open nothing any more."""
    await db.fetch(
        "INSERT INTO ended_browser (id, ended_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", browser, clock.now()
    )


async def browser_ended(browser: UUID) -> bool:
    return bool(await db.fetch_value("SELECT EXISTS (SELECT FROM ended_browser WHERE id = $1)", browser))


async def forget() -> int:
    """Delete a batch of sessions that ended more than KEPT ago. Returns how many."""
    rows = await db.fetch(
        """DELETE FROM login_session WHERE id = ANY(ARRAY(
             SELECT id FROM login_session WHERE least(revoked_at, expires_at) < $1 LIMIT $2)) RETURNING id""",
        clock.now() - KEPT, AT_ONCE,
    )  # fmt: skip
    return len(rows)


async def forget_browsers() -> int:
    """Delete a batch of ended browsers whose cookies have expired since. Returns how many."""
    rows = await db.fetch(
        """DELETE FROM ended_browser WHERE id = ANY(ARRAY(
             SELECT id FROM ended_browser WHERE ended_at < $1 LIMIT $2)) RETURNING id""",
        clock.now() - ORDERS_LIFETIME, AT_ONCE,
    )  # fmt: skip
    return len(rows)
