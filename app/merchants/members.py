"""A merchant's people: asked by letter, in by the link's button, out by a colleague's or an admin's hand."""

from collections.abc import Sequence
from uuid import UUID

from app.accounts import service as accounts
from app.accounts.service import LinkSpent
from app.core import clock, db
from app.core.errors import Conflict, NotFound
from app.core.i18n import _
from app.core.ids import new_id
from app.core.tokens import read_link_token
from app.mail import mailboxes
from app.mail import service as mail
from app.mail.mailboxes import Family
from app.merchants.models import Invitation, Member, Merchant, TeamSize
from app.merchants.service import NoSuchMerchant

LARGEST = 100  # people and open invitations of one merchant: nobody sends letters without end


class NoSuchMember(NotFound):
    title = "There is no such person in this team"


class AlreadyInTeam(Conflict):
    title = "That person is already in the team"


class TeamFull(Conflict):
    title = "The team is full"


class LastMember(Conflict):
    title = "The last person can't leave"


async def invite(merchant_id: UUID, email: str, by: str) -> UUID:
    """Mail an invitation; asked for again, the letter comes anew and the link mailed before no longer works.

    ``email`` is normalised. Raises NoSuchMerchant for one that is closed, AlreadyInTeam, TeamFull and
    TooManyAttempts.
    """
    async with db.transaction():
        merchant, people = await _locked(merchant_id)
        known = next((person for person in people if person.email == email), None)
        if known is not None and known.joined_at is not None:
            raise AlreadyInTeam("They only need to sign in.", field="email")
        if known is None and len(people) >= LARGEST:
            raise TeamFull(
                _("A team can have at most %(largest)s people. Remove somebody first.", largest=LARGEST), field="email"
            )
        await mailboxes.take(Family.INVITATIONS, email)
        link_id, link = accounts.linking(email, "invite")
        days = accounts.INVITE_LIFETIME.days
        context = {"link_id": link_id, "merchant": merchant.name, "by": by, "days": days}
        await db.write(link, *mail.draft("team_invited", email, context).writes)
        member_id: UUID = await db.fetch_value(
            """INSERT INTO member (id, merchant_id, email, invited_by, invited_at, link_id)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_id, email)
               DO UPDATE SET invited_by = $4, invited_at = $5, link_id = $6 RETURNING id""",
            new_id(), merchant_id, email, by, clock.now(), link_id,
        )  # fmt: skip
        return member_id


async def look(token: str) -> Invitation | None:
    """The invitation that a link is for, without using it up; None when past."""
    proof, link_id = await accounts.look_at_link(token), read_link_token(token)
    if proof is None or proof.purpose != "invite" or link_id is None:
        return None
    return await db.fetch_one_as(
        Invitation,
        """SELECT m.*, t.name AS merchant_name FROM member m JOIN merchant t ON t.id = m.merchant_id
           WHERE m.link_id = $1 AND m.joined_at IS NULL AND t.closed_at IS NULL""",
        link_id,
    )


async def join(token: str) -> Invitation:
    """Use an invitation up. Returns it as ``look`` does. Raises LinkSpent."""
    found = await look(token)
    if found is None:
        raise LinkSpent("Ask the person who invited you for a new invitation.")
    async with db.transaction():
        await _locked(found.merchant_id)
        await accounts.consume_link(token)
        joined = await db.fetch_value(
            """UPDATE member SET joined_at = $2, link_id = NULL
               WHERE id = $1 AND joined_at IS NULL AND link_id = $3 RETURNING id""",
            found.id, clock.now(), found.link_id,
        )  # fmt: skip
        if joined is None:
            raise LinkSpent("Ask the person who invited you for a new invitation.")
    return found


async def remove(merchant_id: UUID, member_id: UUID, *, to_the_last: bool = False) -> Member:
    """Take a person or an invitation away, at once. Returns the row that was. Raises NoSuchMember and LastMember."""
    async with db.transaction():
        _, people = await _locked(merchant_id)
        gone = next((person for person in people if person.id == member_id), None)
        if gone is None:
            raise NoSuchMember("They may have left already. Reload the list.")
        others = [person for person in people if person.joined_at is not None and person.id != member_id]
        if gone.joined_at is not None and not others and not to_the_last:
            raise LastMember("Nobody could sign in for this merchant any more. Invite someone first.")
        await db.fetch("DELETE FROM member WHERE id = $1", member_id)
        return gone


async def _locked(merchant_id: UUID) -> tuple[Merchant, list[Member]]:
    """The merchant, locked, and its people. Raises NoSuchMerchant, also for one that is closed."""
    row = await db.fetch_one_as(
        Merchant, "SELECT * FROM merchant WHERE id = $1 AND closed_at IS NULL FOR UPDATE", merchant_id
    )
    if row is None:
        raise NoSuchMerchant("It may have been closed.")
    return row, await of(merchant_id)


async def of(merchant_id: UUID) -> list[Member]:
    """Everybody, who was asked first first; those without ``joined_at`` are invited."""
    return await db.fetch_as(Member, "SELECT * FROM member WHERE merchant_id = $1 ORDER BY invited_at, id", merchant_id)


async def joined(email: str) -> list[Merchant]:
    """The open merchants whose team this person is in, by name."""
    return await db.fetch_as(
        Merchant,
        """SELECT t.* FROM merchant t JOIN member m ON m.merchant_id = t.id
           WHERE m.email = $1 AND m.joined_at IS NOT NULL AND t.closed_at IS NULL ORDER BY lower(t.name), t.id""",
        email,
    )


async def sizes(merchant_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many people each of these has; those who are only invited are not counted."""
    teams = await db.fetch_as(
        TeamSize,
        """SELECT merchant_id, count(*) AS members FROM member
           WHERE merchant_id = ANY($1) AND joined_at IS NOT NULL GROUP BY merchant_id""",
        list(merchant_ids),
    )
    return {team.merchant_id: team.members for team in teams}
