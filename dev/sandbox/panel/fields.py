"""Reads fields that come as JSON or from an HTML form, where every value is text and an empty one means none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from dev.sandbox.panel.refusals import wrong
from dev.sandbox.wire import Fields

MOST = Decimal(10) ** 9  # keeps every number in the range in which a person means it


def only_known(fields: Fields, known: Collection[str]) -> None:
    """Refuse a misspelt field instead of ignoring it."""
    for name in fields:
        if name not in known:
            raise wrong(f"unknown field {name!r}; known: {', '.join(sorted(known))}")


def number(fields: Fields, name: str, least: Decimal = Decimal(0), most: Decimal = MOST) -> Decimal | None:
    """An optional number, given as a number or as its text."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise wrong(f"{name} must be a number")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise wrong(f"{name} must be a number, not {str(value)[:40]!r}") from None
    if not found.is_finite() or not least <= found <= most:
        raise wrong(f"{name} must be between {least} and {most:,}")
    return found


def whole(fields: Fields, name: str, least: int = 0) -> int | None:
    """An optional whole number."""
    found = number(fields, name, Decimal(least))
    if found is not None and found != found.to_integral_value():
        raise wrong(f"{name} must be a whole number")
    return None if found is None else int(found)


def choice(fields: Fields, name: str, known: Collection[str]) -> str | None:
    """An optional word out of a list."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value not in known:
        raise wrong(f"unknown {name} {str(value)[:40]!r}; known: {', '.join(known)}")
    return value


def flag(fields: Fields, name: str) -> bool | None:
    """An optional truth value: a JSON boolean, or `true`, `false`, `on` as text."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    words: Mapping[object, bool] = {True: True, False: False, "true": True, "on": True, "false": False}
    if not isinstance(value, (bool, str)) or value not in words:
        raise wrong(f"{name} must be true or false")
    return words[value]


def text(fields: Fields, name: str) -> str | None:
    """An optional short text."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 200:
        raise wrong(f"{name} must be a text of at most 200 characters")
    return value


def words(fields: Fields, name: str) -> list[str] | None:
    """An optional list of short texts, given as a list or as one text with commas; an empty one means none is set."""
    value = fields.get(name)
    items = value.split(",") if isinstance(value, str) else value
    if items is None or items == [""]:
        return None
    if not isinstance(items, list) or not all(isinstance(item, str) and len(item) <= 40 for item in items):
        raise wrong(f"{name} must be a list of short texts")
    return [item.strip() for item in items if item.strip()]


def day(fields: Fields, name: str) -> str | None:
    """An optional date, `2026-11-27`."""
    value = text(fields, name)
    try:
        return date.fromisoformat(value).isoformat() if value else None
    except ValueError:
        raise wrong(f"{name} must be a date") from None
