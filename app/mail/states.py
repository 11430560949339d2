from enum import StrEnum

from app.core.i18n import N_
from app.core.state_machine import Moves


class LetterStatus(StrEnum):
    PENDING = "pending"
    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    FAILED = "failed"


_L = LetterStatus
_NEWS = (_L.SENT, _L.DELIVERED, _L.BOUNCED, _L.COMPLAINED, _L.FAILED)
MOVES = Moves(
    {
        # News of a letter may overtake the answer to its sending, and comes in any order (resend.md, 7).
        _L.PENDING: (_L.WAITING, *_NEWS),
        _L.WAITING: _NEWS,
        _L.SENT: (_L.DELIVERED, _L.BOUNCED, _L.COMPLAINED, _L.FAILED),
        # A mailbox server may take a letter and give it back later.
        _L.DELIVERED: (_L.COMPLAINED, _L.BOUNCED),
    }
)
TAKEN = frozenset({_L.SENT, _L.DELIVERED, _L.COMPLAINED})  # we wrote, and nothing came back
UNREACHED = frozenset({_L.FAILED, _L.BOUNCED})  # the person does not have it
WORDS = {  # for staff
    _L.PENDING: N_("Being sent"),
    _L.WAITING: N_("Waits for the mail quota"),
    _L.SENT: N_("Sent"),
    _L.DELIVERED: N_("Delivered"),
    _L.BOUNCED: N_("Bounced"),
    _L.COMPLAINED: N_("Marked as spam"),
    _L.FAILED: N_("Not sent"),
}
