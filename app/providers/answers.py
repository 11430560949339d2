"""What comes back over HTTP, read with bounds: never more than 5 MB, never assumed to be JSON."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import cast

import httpx

from app.core import clock
from app.core.signing import MalformedJson, parse_strict
from app.providers.shapes import Members, WrongShape, members

MAX_ANSWER_BYTES = 5 * 1024 * 1024  # a catalogue page of 100 products has about 1 MB
MAX_RETRY_AFTER_SECONDS = 86_400.0
MAX_TRACE_CHARS = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` as it came; one byte over MAX_ANSWER_BYTES or more means that the rest was not read."""

    status: int
    headers: httpx.Headers
    body: bytes


async def read_answer(response: httpx.Response) -> Answer:
    pieces, size = [], 0
    stream = cast(AsyncGenerator[bytes, None], response.aiter_raw())
    async with aclosing(stream):
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                break
    return Answer(response.status_code, response.headers, b"".join(pieces))


def error_members(body: bytes) -> Members:
    """The members of an error's JSON object; empty where it is none, as when a CDN answers in HTML."""
    try:
        return members(parse_strict(body))
    except (MalformedJson, WrongShape):
        return {}


def trace(answer: Answer) -> str | None:
    """What the provider's support asks for: Cloudflare's ray, or Kinguin's ``trace`` in an error."""
    found = answer.headers.get("cf-ray") or answer.headers.get("x-request-id")
    if found is None and answer.status >= 400:
        said = error_members(answer.body).get("trace")
        found = said if isinstance(said, str) else None
    return found[:MAX_TRACE_CHARS] if found else None


def retry_after(headers: httpx.Headers) -> float | None:
    """Retry-After (RFC 9110, 10.2.3) in seconds from now, whether it came so or as a date; at most a day."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value) if value.isdecimal() else _until(value)
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _until(date: str) -> float:
    moment: datetime = parsedate_to_datetime(date)
    return (moment - clock.now()).total_seconds()
