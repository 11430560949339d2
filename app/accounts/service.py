"""Proving who someone is: emailed links for customers, passwords for admins."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from app.accounts import addresses, logins, passwords, sessions
from app.accounts.tables import Admin, Link
from app.accounts.tokens import Session
from app.audit import service as audit
from app.core import clock, db
from app.core.db import Write
from app.core.errors import Gone, Invalid, NotFound, Unauthorized
from app.core.i18n import _
from app.core.ids import new_id
from app.core.tokens import read_link_token

LOGIN_LIFETIME = timedelta(minutes=20)
ORDER_LIFETIME = timedelta(days=14)
INVITE_LIFETIME = timedelta(days=7)
EMAIL_HOURS = 24  # for which the link works that confirms an order's new email
# By a link's purpose; any other works for LOGIN_LIFETIME.
LIFETIMES = {
    "order": ORDER_LIFETIME,
    "refund": ORDER_LIFETIME,
    "invite": INVITE_LIFETIME,
    "email": timedelta(hours=EMAIL_HOURS),
}
PASSWORD_LENGTH = (12, 200)  # characters, least and most


class LinkSpent(Gone):
    title = "This link was used or has expired"


class WrongPassword(Unauthorized):
    title = "That email and password do not match"


class NoSuchAdmin(NotFound):
    title = "No admin has that address"


class WeakPassword(Invalid):
    title = "That password can't be used"


# Of a link in SQL, at $2: whoever asked for it was not signed out since. A session that runs out voids nothing.
_STANDS = """ AND used_at IS NULL AND expires_at > $2
  AND NOT EXISTS (SELECT FROM ended_browser b WHERE b.id = link.browser)
  AND (session_id IS NULL OR EXISTS (SELECT FROM login_session s WHERE s.id = link.session_id AND s.revoked_at IS NULL
    AND (s.role <> 'admin' OR EXISTS (SELECT FROM admin WHERE admin.email = s.email AND admin.epoch = s.epoch))))"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a consumed link proves: the address, and for ``order`` and ``refund`` links which order it is about.

    ``browser``: the one that asked for it, of a link that is void without it.
    """

    email: str
    purpose: str
    order_id: UUID | None
    browser: UUID | None = None


class Asker(NamedTuple):
    """By what someone may ask for a link that is void once that was ended."""

    session_id: UUID | None = None
    browser: UUID | None = None


NOBODY = Asker()


def linking(email: str, purpose: str, order_id: UUID | None = None, *, asker: Asker = NOBODY) -> tuple[UUID, Write]:
    """A new link for one of LIFETIMES or ``login``, as a write; its id goes into the letter's context."""
    link_id, now = new_id(), clock.now()
    lifetime = LIFETIMES.get(purpose, LOGIN_LIFETIME)
    write = Write(
        """INSERT INTO link (id, email, purpose, order_id, created_at, expires_at, session_id, browser)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        (link_id, email, purpose, order_id, now, now + lifetime, *asker),
    )
    return link_id, write


async def has_live_link(email: str) -> bool:
    """Whether a sign-in link to this address was asked for that still works."""
    found = await db.fetch_value(
        "SELECT true FROM link WHERE email = $1 AND purpose = 'login' AND used_at IS NULL AND expires_at > $2 LIMIT 1",
        email, clock.now(),
    )  # fmt: skip
    return bool(found)


async def issue_link(email: str, purpose: str, order_id: UUID | None = None) -> UUID:
    """Write a new link by itself. Returns its id."""
    link_id, link = linking(email, purpose, order_id)
    await db.write(link)
    return link_id


async def look_at_link(token: str) -> Proof | None:
    """What a link would prove, without using it up; None when it is forged, used, expired or void. Safe for GET."""
    link_id = read_link_token(token)
    if link_id is None:
        return None
    return await db.fetch_one_as(
        Proof,
        "SELECT email, purpose, order_id, browser FROM link WHERE id = $1" + _STANDS,  # noqa: S608 - fixed words
        link_id, clock.now(),
    )  # fmt: skip


async def order_of_link(token: str) -> UUID | None:
    """The order a genuine link was made for, though it be used up or expired. Proves nothing about its holder."""
    link_id = read_link_token(token)
    link = await Link.objects().get(Link.id == link_id) if link_id else None
    return link.order_id if link else None


async def consume_link(token: str) -> Proof:
    """Use a link up. Raises LinkSpent for one that is forged, used, expired or void: nobody learns which."""
    link_id = read_link_token(token)
    if link_id is None:
        raise LinkSpent("Ask for a new link: it takes a few seconds.")
    proof = await db.fetch_one_as(
        Proof,
        "UPDATE link SET used_at = $2 WHERE id = $1" + _STANDS + " RETURNING email, purpose, order_id, browser",  # noqa: S608
        link_id, clock.now(),
    )  # fmt: skip
    if proof is None:
        raise LinkSpent("Ask for a new link: it takes a few seconds.")
    return proof


async def end_links(order_id: UUID, *purposes: str) -> bool:
    """What was mailed about an order for these purposes opens nothing any more. Whether any of it still did."""
    ended = await db.fetch_values(
        """UPDATE link SET used_at = $3 WHERE order_id = $1 AND purpose = ANY($2) AND used_at IS NULL
           RETURNING expires_at > $3""",
        order_id, list(purposes), clock.now(),
    )  # fmt: skip
    return any(ended)


async def create_staff(email: str, password: str) -> None:
    """Create an admin, or give an existing one a new password and end that one's sessions."""
    least, most = PASSWORD_LENGTH
    if not least <= len(password) <= most:
        raise WeakPassword(_("Use %(least)s to %(most)s characters.", least=least, most=most), field="password")
    hashed = await logins.in_turn(passwords.hashed, password)
    async with db.transaction():
        await db.fetch(
            """INSERT INTO admin (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, epoch = admin.epoch + 1""",
            new_id(), addresses.key(email), hashed, clock.now(),
        )  # fmt: skip
        await audit.write("admin.hired", actor="command line", details=addresses.key(email))


async def unlock(email: str) -> None:
    """Let an admin sign in again at once whom too many wrong passwords shut out. Raises NoSuchAdmin."""
    known = addresses.key(email)
    async with db.transaction():
        if not await Admin.exists().where(Admin.email == known):
            raise NoSuchAdmin("Check its spelling.")
        await logins.unlock(known)
        await audit.write("admin.unlocked", actor="command line", details=known)


async def log_in(email: str, password: str, *, user_agent: str = "", ip: str = "") -> Session:
    """Check an admin's password; as slow for an unknown address as for a known one.

    Raises WrongPassword, TooManyAttempts after too many wrong ones, SignInBusy.
    """
    # Postgres can't even be asked for a NUL or half a character; nobody's address has one.
    asked = addresses.key(email).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    attempt = logins.Attempt(asked, ip)
    await attempt.begin()
    admin = await Admin.objects().get(Admin.email == asked)
    hashed = admin.password_hash if admin else passwords.of_nobody()
    typed = password[: PASSWORD_LENGTH[1]]
    try:
        matches = await logins.in_turn(passwords.matches, hashed, typed)
    except logins.SignInBusy:
        await attempt.unchecked()
        raise
    if not matches or admin is None:
        raise WrongPassword("Check both and try again.")
    await attempt.succeeded()
    changed: dict[Any, Any] = {Admin.last_login_at: clock.now()}
    if passwords.is_outdated(admin.password_hash):
        with suppress(logins.SignInBusy):  # the next sign-in does it
            changed[Admin.password_hash] = await logins.in_turn(passwords.hashed, typed)
    await Admin.update(changed).where((Admin.id == admin.id) & (Admin.password_hash == admin.password_hash))
    return await sessions.begin(admin.email, "admin", epoch=admin.epoch, user_agent=user_agent, ip=ip)


async def create_first_staff(email: str, password: str) -> None:
    """Create an admin where there is none yet; an existing one keeps the password."""
    if not await Admin.exists().where(Admin.email == addresses.key(email)):
        await create_staff(email, password)
