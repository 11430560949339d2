"""Founding and closing merchants, and where their pages may embed the checkout."""

import json
import re
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID

from app.audit import service as audit
from app.core import clock, db
from app.core.errors import Invalid, NotFound
from app.core.i18n import _
from app.core.ids import new_id

NAME_LENGTH = 100
MOST_ORIGINS = 20
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
LOCAL = {"localhost", "127.0.0.1"}  # a developer's own machine, where browsers take http for safe
DEFAULT_PORTS = {"https": 443, "http": 80}


class NoSuchMerchant(NotFound):
    title = "No such merchant"


class BadMerchant(Invalid):
    title = "That merchant can't be added"


class BadOrigin(Invalid):
    title = "That origin can't be used"


async def create_merchant(name: str, *, by: str = "command line", ip: str = "") -> UUID:
    """A new merchant; ``by`` is who made it, for the audit log. Raises BadMerchant."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH or "\x00" in name:
        raise BadMerchant(
            _("Give it a name of 1 to %(name_length)s characters.", name_length=NAME_LENGTH), field="name"
        )
    merchant_id = new_id()
    async with db.transaction():
        await db.fetch(
            "INSERT INTO merchant (id, name, created_at) VALUES ($1, $2, $3)", merchant_id, name, clock.now()
        )
        await audit.write("merchant.founded", actor=by, ip=ip, details=f"merchant {merchant_id}: {name}")
    return merchant_id


async def close(merchant_id: UUID, *, by: str, ip: str = "") -> None:
    """From now on none of its keys works; what it has under way goes on. Raises NoSuchMerchant."""
    async with db.transaction():
        closed = "UPDATE merchant SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL RETURNING id"
        if await db.fetch_value(closed, merchant_id, clock.now()) is None:
            raise NoSuchMerchant("It may be closed already.")
        await audit.write("merchant.closed", actor=by, ip=ip, details=f"merchant {merchant_id}")


async def set_origins(
    merchant_id: UUID, origins: Sequence[str], *, by: str = "the merchant", ip: str = ""
) -> list[str]:
    """Where its pages may embed the checkout, as browsers write origins. Raises BadOrigin and NoSuchMerchant."""
    kept = list(dict.fromkeys(origin(text) for text in origins))
    if len(kept) > MOST_ORIGINS:
        raise BadOrigin(_("You can list at most %(most_origins)s origins.", most_origins=MOST_ORIGINS), field="origins")
    async with db.transaction():
        changed = "UPDATE merchant SET origins = $2::jsonb WHERE id = $1 AND closed_at IS NULL RETURNING id"
        if await db.fetch_value(changed, merchant_id, json.dumps(kept)) is None:
            raise NoSuchMerchant("It may be closed.")
        said = " ".join(kept) or "none"
        await audit.write("merchant.origins_set", actor=by, ip=ip, details=f"merchant {merchant_id}: {said}")
    return kept


def origin(text: str) -> str:
    """An origin as a browser writes it (RFC 6454, 6.2): scheme, host, and the port unless it is the scheme's own.

    https only, but for a developer's own machine. No wildcard, no path, no name or password. Raises BadOrigin.
    """
    try:
        url = urlsplit(text.strip())
        host, port = url.hostname or "", url.port
    except ValueError:
        host, port = "", None
    if not host or not HOST.fullmatch(host) or url.username is not None or url.password is not None:
        raise BadOrigin("Write it as https://shop.example, in ASCII letters, without a wildcard.", field="origins")
    if url.path not in {"", "/"} or url.query or url.fragment or "?" in text or "#" in text:
        raise BadOrigin("An origin ends after the host or port: leave out the path.", field="origins")
    if url.scheme != "https" and not (url.scheme == "http" and host in LOCAL):
        raise BadOrigin("Use https; http is for localhost only.", field="origins")
    return f"{url.scheme}://{host}" + (f":{port}" if port and port != DEFAULT_PORTS[url.scheme] else "")
