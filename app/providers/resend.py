"""Mail through Resend (sheet ``resend.md``). Accepted is not delivered: what became of a mail comes by webhook."""

import re
from collections.abc import Mapping, Sequence

import httpx

from app.providers import shapes
from app.providers.errors import ApiKeyRejected, Fault, Observer, ProviderDown, ProviderError, ProviderRefused
from app.providers.http import TOTAL_SECONDS, HttpProvider
from app.providers.shapes import WrongShape

IN_FLIGHT_SECONDS = 2.0  # how long a twin of this request may still be under way [I]
QUOTA_SECONDS = 3600.0  # a quota resets daily or monthly; asking hourly finds it soon enough

_KEY = re.compile(r"[\x21-\x7e]{1,256}")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


class AlreadySent(ProviderRefused):
    """An earlier mail with this idempotency key but another content was accepted: it went out, this one did not."""


class QuotaExhausted(ProviderDown):
    """The day's or month's mails are used up. Alarm; waits for the reset or a larger plan."""


NAMES: Mapping[str, type[ProviderRefused]] = {
    "missing_api_key": ApiKeyRejected,
    "restricted_api_key": ApiKeyRejected,
    "invalid_api_key": ApiKeyRejected,
    "suspended_api_key": ApiKeyRejected,
    "invalid_idempotent_request": AlreadySent,
}


class Resend(HttpProvider):
    """``base_url`` is the root, ``https://api.resend.com``. Limits (section 6): 2 requests a second by default."""

    provider = "resend"
    code_member = "name"

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        super().__init__(
            base_url,
            {"authorization": f"Bearer {api_key}"},
            secret=api_key,
            transport=transport,
            observer=observer,
            total_seconds=total_seconds,
        )

    async def send(
        self,
        *,
        sender: str,
        to: str | Sequence[str],
        subject: str,
        html: str,
        text: str,
        idempotency_key: str,
        tags: Mapping[str, str] | None = None,
        reply_to: str | None = None,
    ) -> str:
        """Hand one mail over and return its id. Repeating it with the same key and content within 24 h sends nothing.

        ``idempotency_key``: 1 to 256 visible ASCII characters. ``tags``: names and values of ASCII letters, digits,
        ``_`` and ``-``. Raises ValueError for those, AlreadySent, QuotaExhausted, beside the usual three.
        """
        if not _KEY.fullmatch(idempotency_key):
            raise ValueError("an idempotency key has 1 to 256 visible ASCII characters")
        body: dict[str, object] = {"from": sender, "to": [to] if isinstance(to, str) else list(to)}
        body |= {"subject": subject, "html": html, "text": text}
        if tags:
            body["tags"] = _tags(tags)
        if reply_to:
            body["reply_to"] = reply_to
        headers = {"idempotency-key": idempotency_key}
        return await self.ask("send", "POST", "/emails", _message_id, body=body, headers=headers)

    async def health(self) -> None:
        """Returns if the service is up and knows our key; raises ProviderError otherwise."""
        try:
            await self.ask("health", "GET", "/emails", _listed, query={"limit": 1})
        except ApiKeyRejected as error:
            # A key that may only send is refused here by name (section 1), which proves as much.
            if error.code != "restricted_api_key":
                raise

    def explain(self, fault: Fault) -> ProviderError | None:
        """By ``name``, because one name comes with several statuses (section 5)."""
        kind = NAMES.get(fault.code or "")
        if kind is not None:
            return fault.refused(kind)
        if fault.code in {"concurrent_idempotent_requests", "resource_locked"}:
            return fault.down(retry_after=IN_FLIGHT_SECONDS)
        if fault.code in {"daily_quota_exceeded", "monthly_quota_exceeded"}:
            return fault.down(QuotaExhausted, retry_after=QUOTA_SECONDS)
        if fault.code == "rate_limit_exceeded":
            return fault.down(retry_after=1.0)
        return None


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    if not all(_TAG.fullmatch(part) for tag in tags.items() for part in tag):
        raise ValueError("a tag's name and value have 1 to 256 of A-Z a-z 0-9 _ -")
    return [{"name": name, "value": value} for name, value in tags.items()]


def _message_id(value: object) -> str:
    return shapes.need_ident(shapes.members(value), "id")


def _listed(value: object) -> None:
    if "data" not in shapes.members(value):
        raise WrongShape("data is missing")
