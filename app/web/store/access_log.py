"""An order's audit lines as people read them: who it was to the reader, and which browser."""

from typing import Any

from litestar import Request

from app.audit.models import ShownLine
from app.core.i18n import _
from app.core.structs import extend
from app.web.kernel.browsers import browser_name
from app.web.kernel.viewer import HOLDER, STRANGER, client_ip
from app.web.store.order_texts import AUDIT_WORDS

STAFF = "admin "  # how the actor of an audit line by staff begins


class ShownEntry(ShownLine, frozen=True):
    """An audit line for ``store/orders/audit.html``."""

    action_words: str
    who: str
    browser: str


def who(entry: ShownLine, *, ip: str, user_agent: str) -> str:
    """Who an actor of the audit log is to a reader with this address and browser.

    ``You (this browser)`` is said only of a line that came from the same address and browser; of any other holder of
    the order's token we know no more than that.
    """
    actor = entry.actor
    same = entry.ip == ip and entry.user_agent == user_agent
    if actor == STRANGER:
        return _("Someone else")
    if actor == HOLDER:
        return _("You (this browser)") if same else _("Your order link, another browser")
    if actor.startswith(STAFF):
        return _("Our team")
    if actor.startswith("customer "):
        return _("You (this browser)") if same else _("You, signed in")
    return _("Our system")


def shown(request: Request[Any, Any, Any], entry: ShownLine) -> ShownEntry:
    """The line for this order's owner, who is told of our team but not from which network it works."""
    said = who(entry, ip=client_ip(request), user_agent=request.headers.get("user-agent", ""))
    staff = entry.actor.startswith(STAFF)
    return extend(
        ShownEntry,
        entry,
        ip="" if staff else entry.ip,
        user_agent="" if staff else entry.user_agent,
        action_words=_(AUDIT_WORDS[entry.action]),
        who=said,
        browser="" if staff else browser_name(entry.user_agent or ""),
    )
