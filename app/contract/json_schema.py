"""The Structs in JSON Schema (draft 2020-12): as components of a document, as an event's schema, as rows of a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.contract.event import Event
from app.contract.event_guide import OBJECTS, EventType

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
_PATTERNS = {r"^[0-9]+(\.[0-9]{2,3})?$": "money", r"^[0-9]+(\.[0-9]+)?$": "coins"}
_FORMATS = {"uuid": "id", "date-time": "time"}
_TYPES = {"string": "text", "integer": "count", "boolean": "flag", "object": "object"}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object, for a page. ``kind``: id, text, money, coins, time, count, flag, object.

    ``values``: all it can be.
    """

    name: str
    kind: str
    meaning: str
    nullable: bool = False
    values: tuple[str, ...] = ()
    members: tuple["Member", ...] = ()


def components(
    types: Sequence[Any], *, at: str = "#/components/schemas/{name}", hook: Callable[[type], Schema] | None = None
) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """The schema of each type, which refers to ``at``, and what stands there by its name.

    ``hook`` gives the schema of a type that is no type of JSON's.
    """
    unique = list(dict.fromkeys(types))
    refs, named = msgspec.json.schema_components(unique, ref_template=at, schema_hook=hook)
    return dict(zip(unique, refs, strict=True)), named


def of_event(event: EventType) -> Schema:
    """A payload's schema. New members may come, so others are allowed."""
    kind = OBJECTS[event.about]
    _, defs = components([Event, kind], at="#/$defs/{name}")
    told, data = defs.pop("Event"), defs.pop(kind.__name__)
    told["properties"] |= {"type": {"const": event.name}, "object": {"const": event.about}, "data": data}
    if event.statuses:
        data["properties"]["status"]["enum"] = list(event.statuses)
    return {"$schema": DRAFT, **told, "title": event.name, "description": event.when, "$defs": defs}


def members_of(kind: type) -> tuple[Member, ...]:
    """The members of a Struct, in their order."""
    _, defs = components([kind])
    return _members(defs[kind.__name__], defs)


def envelope() -> tuple[Member, ...]:
    """The members of an event, but for its data."""
    _, defs = components([Event])
    del defs["Event"]["properties"]["data"]
    return _members(defs["Event"], defs)


def _members(schema: Schema, defs: dict[str, Schema]) -> tuple[Member, ...]:
    return tuple(_member(name, each, defs) for name, each in schema["properties"].items())


def _member(name: str, schema: Schema, defs: dict[str, Schema]) -> Member:
    plain = next(one for one in schema.get("anyOf", [schema]) if one.get("type") != "null")
    inner = defs[plain["$ref"].rpartition("/")[2]] if "$ref" in plain else plain
    kind = _FORMATS.get(inner.get("format", "")) or _PATTERNS.get(inner.get("pattern", ""))
    return Member(
        name=name,
        kind=kind or _TYPES[inner.get("type", "string")],
        meaning=schema["description"],
        nullable={"type": "null"} in schema.get("anyOf", []),
        values=tuple(inner.get("enum", ())),
        members=_members(inner, defs) if "$ref" in plain else (),
    )
