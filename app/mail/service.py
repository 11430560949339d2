"""Writing letters and sending them."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core import clock, db, log
from app.core.db import Write, encode
from app.core.files import shipped
from app.core.ids import new_id
from app.core.settings import settings
from app.core.tokens import link_token
from app.jobs import service as jobs
from app.mail import reasons, recipients
from app.mail.kinds import DEFAULTS, SUBJECTS, must_hold
from app.mail.tables import Mail
from app.providers.http import KeyRefused, ProviderRefused
from app.providers.resend import AlreadySent, Resend

_templates = Environment(
    loader=FileSystemLoader(shipped("templates")),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it leaves: the same row always gives the same letter, as the provider's idempotency asks."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter that is about to be written, with the job that sends it."""

    id: UUID
    writes: tuple[Write, Write]


def draft(kind: str, to: str, context: dict[str, Any], *, about: UUID | None = None) -> Draft:
    """A frozen letter of one of ``KINDS`` and its job, as writes. Raises ValueError where the context lacks something.

    ``context['link_id']`` becomes the letter's link, else ``path`` in the shop.
    """
    must_hold(kind, context)
    mail_id = new_id()
    written = Write(
        """INSERT INTO mail (id, subject, kind, recipient, context, status, created_at)
           VALUES ($1, $2, $3, $4, $5::jsonb, 'pending', $6)""",
        (mail_id, about, kind, to, encode(context), clock.now()),
    )
    return Draft(mail_id, (written, jobs.posting("mail.send", {"mail_id": str(mail_id)}, subject=about).write))


async def write(kind: str, to: str, context: dict[str, Any], *, about: UUID | None = None) -> UUID:
    """Write a letter by itself and post its sending. Returns its id."""
    letter = draft(kind, to, context, about=about)
    await db.write(*letter.writes)
    return letter.id


async def send(mail_id: UUID, *, resend: Resend, commit: Callable[[], AbstractAsyncContextManager[None]]) -> None:
    """Hand a letter to Resend, at most once: its id is the idempotency key (resend.md, 4)."""
    mail = await Mail.objects().get(Mail.id == mail_id)
    if mail is None or mail.status != "pending":
        return
    letter = render(mail.kind, json.loads(mail.context))
    try:
        provider_id = await resend.send(
            sender=settings().mail_from, to=_carried(mail.recipient), subject=letter.subject, html=letter.html,
            text=letter.text, tags={"kind": mail.kind}, idempotency_key=f"mail/{mail.id}",
        )  # fmt: skip
        outcome: dict[Any, Any] = {Mail.status: "sent", Mail.provider_id: provider_id, Mail.sent_at: clock.now()}
    except AlreadySent:
        # An earlier attempt was accepted and only its answer was lost.
        outcome = {Mail.status: "sent", Mail.sent_at: clock.now()}
    except KeyRefused:
        raise  # our own key is at fault, no letter: the job is buried, and goes round again once the key is right
    except ProviderRefused as refused:
        # No retry heals a refused address; the order page still leads to the key, and the admin sees the letter.
        log.get("bitloot.mail").error("mail.refused", mail_id=str(mail.id), why=str(refused))
        outcome = {Mail.status: "failed", Mail.error: str(refused)[:500]}
    async with commit():
        await Mail.update(outcome).where(Mail.id == mail.id)


def _carried(recipient: str) -> str:
    """The form that mail carries; an address that has none goes as it is, and the provider says why not."""
    try:
        return recipients.carried(recipient)
    except recipients.Unmailable:
        return recipient


def render(kind: str, context: dict[str, Any]) -> Letter:
    """Fill the templates ``mail/{kind}.html`` and ``.txt``."""
    shop = settings().frontend_url.rstrip("/")
    here = shop + str(context.get("path", ""))
    link = f"{shop}/links/{link_token(UUID(context['link_id']))}" if context.get("link_id") else here
    seen = DEFAULTS | {"shop_url": shop, "shop": settings().shop_name, "link": link} | context
    if kind == "refund_asked":
        seen["why"] = reasons.said(str(seen["why"]))
    return Letter(
        subject=SUBJECTS[kind].format(**seen),
        html=_templates.get_template(f"mail/{kind}.html").render(seen),
        text=_templates.get_template(f"mail/{kind}.txt").render(seen),
    )
