"""Takes mails in: at most once per idempotency key, at most so many a second."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from dev.sandbox import jstext
from dev.sandbox.records import Mail, Replay
from dev.sandbox.resend import events, letters
from dev.sandbox.resend.refusals import ResendRefusal, invalid, too_many
from dev.sandbox.times import DAY, SECOND, now_ms
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

KEY_LIMIT = 256  # characters
BATCH_LIMIT = 100


def once(world: World, key: str | None, payload: object, act: Callable[[], Fields]) -> Fields:
    """Act and remember the answer under the key for 24 hours; the same key and payload gets it again.

    Raises:
        ResendRefusal: 400 for a bad key, 409 for a key used with another payload. A refused first call isn't
            remembered, so that a retry really runs.
    """
    if key is None:
        return act()
    if not 1 <= len(key) <= KEY_LIMIT:
        message = "The key must be between 1-256 chars."
        raise ResendRefusal(400, "invalid_idempotency_key", message)
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()
    known = world.storage.replays.get(key)
    if known and known.created_at + DAY > now_ms():
        if known.digest != digest:
            message = "This idempotency key has been used with a different request payload."
            raise ResendRefusal(409, "invalid_idempotent_request", message)
        answer: Fields = json.loads(known.answer)
        return answer
    found = act()
    text = jstext.dumps(found).decode()
    world.storage.replays.put(Replay(id=key, digest=digest, answer=text, created_at=now_ms()))
    return found


def accept(world: World, fields: Fields, key: str | None) -> Mail:
    """Take one mail in and send its events.

    Raises:
        ResendRefusal: the mail is not valid; nothing was taken.
    """
    return _keep(world, letters.read(fields, key))


def accept_all(world: World, batch: object, key: str | None, *, permissive: bool) -> Fields:
    """Take a batch in: all or nothing, or, if permissive, what is valid, with the errors of the rest.

    Raises:
        ResendRefusal: the batch, or in strict mode one of its mails, is not valid.
    """
    if not isinstance(batch, list) or not 1 <= len(batch) <= BATCH_LIMIT:
        raise invalid(f"The batch must be an array of 1 to {BATCH_LIMIT} emails.")
    mails: list[Mail] = []
    errors: list[Fields] = []
    for index, fields in enumerate(batch):
        try:
            mails.append(_of_batch(fields, key))
        except ResendRefusal as refusal:
            if not permissive:
                raise
            errors.append({"index": index, "message": refusal.detail})
    found: Fields = {"data": [{"id": _keep(world, mail).id} for mail in mails]}
    return found | {"errors": errors} if permissive else found


def check_rate(world: World) -> None:
    """Count a call against the rate limit, if one is set.

    Raises:
        ResendRefusal: 429 rate_limit_exceeded, or what a fault asks for.
    """
    if world.switches.fires("resend", ("quota",)):
        raise ResendRefusal(429, "daily_quota_exceeded", "You have reached your daily email sending quota.")
    limit = world.storage.settings.mails_per_second
    if limit is None:
        return
    now, recent = now_ms(), world.recent_mail_calls
    while recent and recent[0] <= now - SECOND:
        recent.popleft()
    if len(recent) >= limit:
        raise too_many(limit, 1)
    recent.append(now)


def _of_batch(fields: object, key: str | None) -> Mail:
    if not isinstance(fields, dict):
        raise invalid("Each email of a batch must be an object.")
    if fields.get("attachments") or fields.get("scheduled_at"):
        raise invalid("A batch takes no `attachments` and no `scheduled_at`.")
    return letters.read(fields, key)


def _keep(world: World, mail: Mail) -> Mail:
    if mail.last_event == "delivered" and _suppressed(world, letters.bare(mail.to[0])):
        mail.last_event = "suppressed"
    world.storage.mails.put(mail)
    for notice in events.of_mail(world, mail):
        world.sender.send(notice)
    return mail


def _suppressed(world: World, address: str) -> bool:
    """Whether an earlier mail there bounced or was complained about; what comes later is taken and not sent."""
    if address.lower().endswith("@resend.dev"):
        return False  # the provider's own test addresses never are
    ended = (it for it in world.storage.mails.newest() if it.last_event in {"bounced", "complained"})
    return any(letters.bare(it.to[0]).lower() == address.lower() for it in ended)
