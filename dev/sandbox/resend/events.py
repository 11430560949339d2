"""Mail events as signed webhooks, by Svix's scheme (fact sheet, section 7)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from dev.sandbox import jstext
from dev.sandbox.records import Mail, Notice
from dev.sandbox.times import SECOND, now_ms, zulu
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

TRIES = 4
_BOUNCE = {
    "type": "Permanent",
    "subType": "General",
    "message": "The recipient's mail server refused the address.",
    "diagnosticCode": ["smtp; 550 5.5.0 Requested action not taken: mailbox unavailable"],
}
_SUPPRESSED = {
    "type": "OnAccountSuppressionList",
    "message": "The address is on the suppression list.",
    "reason": "bounce",
}
_DETAILS: dict[str, Fields] = {
    "bounced": {"bounce": _BOUNCE},
    "suppressed": {"suppressed": _SUPPRESSED},
    "failed": {"failed": {"reason": "reached_daily_quota"}},
}
EVENTS = ("delivered", "delivery_delayed", "bounced", "complained", "suppressed", "failed", "opened")


def of_mail(world: World, mail: Mail) -> list[Notice]:
    """The notices about a new mail, in order; none without a webhook secret."""
    if not world.config.resend_webhook_secret:
        return []
    if mail.last_event == "complained":  # a complaint follows a delivery
        names = ["sent", "delivered", "complained"]
    elif mail.last_event in {"scheduled", "suppressed"}:
        names = [mail.last_event]
    else:
        names = ["sent", mail.last_event]
    return [_notice(world, mail, name) for name in names]


def send(world: World, mail: Mail, name: str) -> list[Notice]:
    """Let this become of a mail now: its notice, signed as all are."""
    mail.last_event = name
    world.storage.mails.put(mail)
    return [_notice(world, mail, name)] if world.config.resend_webhook_secret else []


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`."""
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = text.encode()
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def _notice(world: World, mail: Mail, name: str) -> Notice:
    members: Fields = {
        "type": f"email.{name}",
        "created_at": zulu(now_ms()),
        "data": {
            "email_id": mail.id,
            "created_at": zulu(mail.created_at).replace("Z", "000+00:00"),
            "from": mail.sender,
            "to": mail.to,
            "subject": mail.subject,
            "tags": {tag["name"]: tag["value"] for tag in mail.tags},
            **_DETAILS.get(name, {}),
        },
    }
    body = jstext.dumps(members)
    message_id, timestamp = f"msg_{secrets.token_hex(12)}", now_ms() // SECOND
    return Notice(
        id=secrets.token_hex(8),
        provider="resend",
        lane=f"mail {mail.id}",
        title=f"email.{name} {mail.id}",
        url=f"{world.config.shop_url}/webhooks/resend",
        headers={
            "content-type": "application/json",
            "svix-id": message_id,
            "svix-timestamp": str(timestamp),
            "svix-signature": signature(world.config.resend_webhook_secret, message_id, timestamp, body),
        },
        body=body.decode(),
        created_at=now_ms(),
        tries=TRIES,
    )
