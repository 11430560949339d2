"""Writing letters and sending them."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core import clock, db, i18n, log
from app.core.db import Write, encode
from app.core.files import shipped
from app.core.ids import new_id
from app.core.settings import settings
from app.core.state_machine import move
from app.core.tokens import link_token
from app.issues import queries as open_issues
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.mail import queries, reasons, recipients
from app.mail.kinds import DEFAULTS, SUBJECTS, must_hold
from app.mail.models import SentLetter
from app.mail.states import MOVES, LetterStatus
from app.mail.tables import Mail
from app.providers.http import ApiKeyRejected, ProviderRefused
from app.providers.resend import AlreadySent, QuotaExhausted, Resend
from app.queue import service as jobs

_templates = Environment(
    loader=FileSystemLoader(shipped("templates")),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    extensions=["jinja2.ext.i18n"],
)
_templates.install_gettext_callables(i18n.lookup, i18n.lookup_plural, newstyle=True)  # type: ignore[attr-defined]
_templates.policies["ext.i18n.trimmed"] = True
_templates.globals["page_language"] = i18n.language


MAIL, QUOTA = "mail", IssueCode.MAIL_QUOTA  # the issue of letters that wait for our quota at the provider
QUOTA_WAIT = timedelta(hours=1)  # between tries of a letter that waits
STALE = timedelta(days=3)  # from then on a letter that waits is of no use any more
LEAST_LEFT = timedelta(minutes=2)  # of a link's time when its letter leaves: less is none by the time it is read
TOO_OLD = "too old to be useful"
DeliveryRecorder = Callable[[SentLetter], Awaitable[None]]


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


def draft(kind: str, to: str, context: Mapping[str, Any], *, about: UUID | None = None) -> Draft:
    """A frozen letter of one of ``KINDS`` and its job, as writes. Raises ValueError where the context lacks something.

    ``context['link_id']`` becomes the letter's link, else ``path`` in the shop.
    """
    must_hold(kind, context)
    if i18n.language() != i18n.SOURCE:
        context = {**context, "language": i18n.language()}
    mail_id = new_id()
    written = Write(
        """INSERT INTO mail (id, subject, kind, recipient, context, status, created_at)
           VALUES ($1, $2, $3, $4, $5::jsonb, 'pending', $6)""",
        (mail_id, about, kind, to, encode(context), clock.now()),
    )
    return Draft(mail_id, (written, jobs.posting("mail.send", {"mail_id": str(mail_id)}, subject=about).write))


async def write(kind: str, to: str, context: Mapping[str, Any], *, about: UUID | None = None) -> UUID:
    """Write a letter by itself and post its sending. Returns its id."""
    letter = draft(kind, to, context, about=about)
    await db.write(*letter.writes)
    return letter.id


async def send(
    mail_id: UUID,
    *,
    resend: Resend,
    commit: Callable[[], AbstractAsyncContextManager[None]],
    record: DeliveryRecorder | None = None,
) -> None:
    """Hand a letter to Resend, at most once: its id is the idempotency key (resend.md, 4).

    ``record`` is called with what became of it, in the transaction in which that is written.
    """
    mail = await Mail.objects().get(Mail.id == mail_id)
    if mail is None or mail.status not in {LetterStatus.PENDING, LetterStatus.WAITING}:
        return
    waited = mail.status == LetterStatus.WAITING
    if _is_past(mail, link_alone=not waited):
        why = "it waited for the mail quota" if waited else "its link has run out"
        async with commit():
            await become(mail.id, LetterStatus.FAILED, why=f"{TOO_OLD}, as {why}", record=record)
        return
    letter = render(mail.kind, json.loads(mail.context))
    to, refusal, provider_id = LetterStatus.SENT, None, None
    try:
        provider_id = await resend.send(
            sender=settings().mail_from, to=_carried(mail.recipient), subject=letter.subject, html=letter.html,
            text=letter.text, tags={"kind": mail.kind, "letter": str(mail.id)}, idempotency_key=f"mail/{mail.id}",
        )  # fmt: skip
    except AlreadySent:
        pass  # An earlier attempt was accepted and only its answer was lost.
    except ApiKeyRejected:
        raise  # our own key is at fault, no letter: the job is buried, and goes round again once the key is right
    except QuotaExhausted as quota:
        async with commit():
            await _wait(mail, str(quota), record)
        return
    except ProviderRefused as refused:
        # No retry heals a refused address; the order page still leads to the key, and the admin sees the letter.
        log.get("bitloot.mail").error("mail.refused", mail_id=str(mail.id), why=str(refused))
        to, refusal = LetterStatus.FAILED, str(refused)
    async with commit():
        await become(mail.id, to, why=refusal, provider_id=provider_id, record=record)
        await _settle()


async def become(
    mail_id: UUID,
    to: LetterStatus,
    *,
    why: str | None = None,
    provider_id: str | None = None,
    record: DeliveryRecorder | None = None,
) -> bool:
    """Write down what became of a letter, in the surrounding transaction. False where its state says more already."""
    also: dict[Any, Any] = {Mail.error: why[:500] if why else None}
    if provider_id is not None:
        also[Mail.provider_id] = provider_id
    if to == LetterStatus.SENT:
        also[Mail.sent_at] = clock.now()
    row = await move(Mail, mail_id, to, MOVES, also=also)
    if row is None:
        if provider_id is not None:  # news of it came before the answer to its sending
            known: dict[Any, Any] = {Mail.provider_id: provider_id, Mail.sent_at: clock.now()}
            await Mail.update(known).where(Mail.id == mail_id, Mail.provider_id.is_null())
        return False
    if record is not None:
        await record(db.as_model(SentLetter, row))
    return True


async def _wait(mail: Mail, why: str, record: DeliveryRecorder | None) -> None:
    """The quota is used up: the letter waits for the next one, if it is still of use then. Else it fails now, where
    who waits for it can be told."""
    await issues.open_issue(
        MAIL, QUOTA,
        "Resend sends no more emails for now: our quota there is used up. They wait; sign-in links, which end "
        "before the next try, are not sent.",
    )  # fmt: skip
    if _is_past(mail, after=QUOTA_WAIT):
        await become(mail.id, LetterStatus.FAILED, why=f"{TOO_OLD} by the next try, as {why}", record=record)
        return
    await move(Mail, mail.id, LetterStatus.WAITING, MOVES, also={Mail.error: why[:500]})
    await jobs.post("mail.send", {"mail_id": str(mail.id)}, subject=mail.subject, wait=QUOTA_WAIT)


def _is_past(mail: Mail, *, after: timedelta = timedelta(0), link_alone: bool = False) -> bool:
    """Whether a letter is of no use any more ``after`` so long: what its link is for has ended, or it is STALE.

    ``link_alone``: only its link counts. A letter that a person sends again after days is still wanted.
    """
    context = json.loads(mail.context)
    lasts = timedelta(hours=int(context.get("hours") or 0), minutes=int(context.get("minutes") or 0))
    if not lasts and link_alone:
        return False
    useful = lasts - LEAST_LEFT if lasts else STALE
    return bool(clock.now() + after - mail.created_at > useful)


async def quota_is_out() -> bool:
    """Whether our quota at the provider is used up, as far as we know: letters may not go out for hours."""
    return any(issue.code == QUOTA for issue in await open_issues.open_for(MAIL))


async def _settle() -> None:
    """A letter went out, so the quota is back: its issue ends once none waits. Whichever letter waited last may have
    ended as too old, so any letter looks."""
    if await quota_is_out() and not await queries.any_waiting():
        await issues.resolve(MAIL, QUOTA)


def _carried(recipient: str) -> str:
    """The form that mail carries; an address that has none goes as it is, and the provider says why not."""
    try:
        return recipients.carried(recipient)
    except recipients.Unmailable:
        return recipient


def render(kind: str, context: Mapping[str, Any]) -> Letter:
    """Fill the templates ``mail/{kind}.html`` and ``.txt``, in the language of whoever had the letter written."""
    with i18n.speaking(i18n.known(str(context.get("language", i18n.SOURCE)))):
        return _filled(kind, context)


def _filled(kind: str, context: Mapping[str, Any]) -> Letter:
    shop = settings().frontend_url.rstrip("/")
    here = shop + str(context.get("path", ""))
    link = f"{shop}/links/{link_token(UUID(context['link_id']))}" if context.get("link_id") else here
    seen: dict[str, object] = {**DEFAULTS, "shop_url": shop, "shop": settings().shop_name, "link": link, **context}
    seen["ended"] = i18n.lookup(str(seen["ended"]))
    if kind == "refund_asked":
        seen["why"] = reasons.said(str(seen["why"]))
    return Letter(
        subject=i18n.lookup(SUBJECTS[kind]).format(**seen),
        html=_templates.get_template(f"mail/{kind}.html").render(seen),
        text=_templates.get_template(f"mail/{kind}.txt").render(seen),
    )
